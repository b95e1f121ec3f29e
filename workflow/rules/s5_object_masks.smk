rule s5_object_masks:
    input:
        index=ancient(WEAK_INDEX),
        masks=same_shard("s3_masks"),
        object_net=weights_of("s4_object_net"),
        whole=whole(
            "results/{dataset}/{weak}/{variant}/s5_object_masks/{split}/{shard}.json"
        ),
    output:
        manifest="results/{dataset}/{weak}/{variant}/s5_object_masks/{split}/{shard}.json",
    log:
        "logs/{dataset}/{weak}/{variant}/s5_object_masks/{split}/{shard}.log",
    benchmark:
        "benchmarks/{dataset}/{weak}/{variant}/s5_object_masks/{split}/{shard}.tsv"
    conda:
        "../../envs/wsss.yaml"
    threads: 1
    resources:
        mem_mb=grows(6_000),
        runtime=grows(4 * HOURS),
        gpu=GPUS,
    params:
        sees=content_of(WEAK_INDEX),
        device=DEVICE,
        flags=variant_flags("s5_object_masks"),
        contract=contracts.version_of("s5_object_masks"),
    message:
        "Soft masks of boxes of {wildcards.dataset} {wildcards.split}, shard {wildcards.shard}"
    shell:
        "python -m wsss_stages.stages.s5_object_masks"
        " --index {input.index}"
        " --masks {input.masks}"
        " --object-net {input.object_net}"
        " --split {wildcards.split}"
        " --device {params.device:q}"
        " --manifest {output.manifest}"
        " {params.flags}"
        " > {log} 2>&1"
