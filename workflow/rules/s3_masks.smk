rule s3_masks:
    input:
        index=ancient(WEAK_INDEX),
        cam=cams_of_prompts,
        whole=whole("results/{dataset}/{weak}/{variant}/s3_masks/{split}/{shard}.json"),
    output:
        manifest="results/{dataset}/{weak}/{variant}/s3_masks/{split}/{shard}.json",
    log:
        "logs/{dataset}/{weak}/{variant}/s3_masks/{split}/{shard}.log",
    benchmark:
        "benchmarks/{dataset}/{weak}/{variant}/s3_masks/{split}/{shard}.tsv"
    conda:
        "../../envs/wsss.yaml"
    threads: 1
    resources:
        mem_mb=grows(6_000),
        runtime=grows(4 * HOURS),
        gpu=gpus_of_masks,
    params:
        sees=content_of(WEAK_INDEX),
        files=files_of_masks,
        device=DEVICE,
        cam=optional("cam"),
        flags=variant_flags("s3_masks"),
        contract=contracts.version_of("s3_masks"),
    message:
        "Masks from {wildcards.weak} labels of {wildcards.dataset} {wildcards.split}, shard {wildcards.shard} (Eq. 3.2)"
    shell:
        "python -m wsss_stages.stages.s3_masks"
        " --index {input.index}"
        " {params.cam}"
        " --split {wildcards.split}"
        " --device {params.device:q}"
        " --manifest {output.manifest}"
        " {params.flags}"
        " > {log} 2>&1"
