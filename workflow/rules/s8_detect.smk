rule s8_detect:
    input:
        index=ancient(WEAK_INDEX),
        weights=weights_of("s7_instances"),
        whole=whole("results/{dataset}/{weak}/{variant}/s8_detect/{split}/{shard}.json"),
    output:
        manifest="results/{dataset}/{weak}/{variant}/s8_detect/{split}/{shard}.json",
    log:
        "logs/{dataset}/{weak}/{variant}/s8_detect/{split}/{shard}.log",
    benchmark:
        "benchmarks/{dataset}/{weak}/{variant}/s8_detect/{split}/{shard}.tsv"
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
        flags=variant_flags("s8_detect"),
        contract=contracts.version_of("s8_detect"),
    message:
        "Instances found in {wildcards.dataset} {wildcards.split}, shard {wildcards.shard}"
    shell:
        "python -m wsss_stages.stages.s8_detect"
        " --index {input.index}"
        " --weights {input.weights}"
        " --split {wildcards.split}"
        " --device {params.device:q}"
        " --manifest {output.manifest}"
        " {params.flags}"
        " > {log} 2>&1"
