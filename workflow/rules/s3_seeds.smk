rule s3_seeds:
    input:
        index=ancient(WEAK_INDEX),
        cam="results/{dataset}/s2_cam/{split}/{shard}.json",
        cams=cams_of_levels,
        masks=masks_of_shard,
        whole=whole("results/{dataset}/{weak}/{variant}/s3_seeds/{split}/{shard}.json"),
    output:
        manifest="results/{dataset}/{weak}/{variant}/s3_seeds/{split}/{shard}.json",
    log:
        "logs/{dataset}/{weak}/{variant}/s3_seeds/{split}/{shard}.log",
    benchmark:
        "benchmarks/{dataset}/{weak}/{variant}/s3_seeds/{split}/{shard}.tsv"
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
        cams=optional("cams"),
        masks=optional("masks"),
        flags=variant_flags("s3_seeds"),
        contract=contracts.version_of("s3_seeds"),
    message:
        "Seeds from {wildcards.weak} labels of {wildcards.dataset} {wildcards.split}, shard {wildcards.shard} (Eqs. 3.1-3.5)"
    shell:
        "python -m wsss_stages.stages.s3_seeds"
        " --index {input.index}"
        " --cam {input.cam}"
        " {params.cams}"
        " {params.masks}"
        " --split {wildcards.split}"
        " --device {params.device:q}"
        " --manifest {output.manifest}"
        " {params.flags}"
        " > {log} 2>&1"
