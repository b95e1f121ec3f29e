rule s8_predict:
    input:
        index=ancient(WEAK_INDEX),
        weights=final_network,
        whole=whole(
            "results/{dataset}/{weak}/{variant}/s8_predict/{split}/{shard}.json"
        ),
    output:
        manifest="results/{dataset}/{weak}/{variant}/s8_predict/{split}/{shard}.json",
    log:
        "logs/{dataset}/{weak}/{variant}/s8_predict/{split}/{shard}.log",
    benchmark:
        "benchmarks/{dataset}/{weak}/{variant}/s8_predict/{split}/{shard}.tsv"
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
        flags=variant_flags("s8_predict"),
        contract=contracts.version_of("s8_predict"),
    message:
        "Predictions of {wildcards.dataset} {wildcards.split}, shard {wildcards.shard}"
    shell:
        "python -m wsss_stages.stages.s8_predict"
        " --index {input.index}"
        " --weights {input.weights}"
        " --split {wildcards.split}"
        " --device {params.device:q}"
        " --manifest {output.manifest}"
        " {params.flags}"
        " > {log} 2>&1"
