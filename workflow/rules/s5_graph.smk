rule s5_graph:
    input:
        index=ancient(WEAK_INDEX),
        seeds=same_shard("s3_seeds"),
        cam="results/{dataset}/s2_cam/{split}/{scatteritem}.json",
        affinity=weights_of("s4_affinity"),
        walk=chosen_walk,
        whole=whole(
            "results/{dataset}/{weak}/{variant}/s5_graph/{split}/{scatteritem}.json"
        ),
    output:
        manifest="results/{dataset}/{weak}/{variant}/s5_graph/{split}/{scatteritem}.json",
    log:
        "logs/{dataset}/{weak}/{variant}/s5_graph/{split}/{scatteritem}.log",
    benchmark:
        "benchmarks/{dataset}/{weak}/{variant}/s5_graph/{split}/{scatteritem}.tsv"
    conda:
        "../../envs/wsss.yaml"
    threads: 1
    resources:
        mem_mb=6_000,
        runtime="4h",
        gpu=GPUS,
    params:
        sees=content_of(WEAK_INDEX),
        walk=lambda wildcards, input: f"--walk {input.walk}" if input.walk else "",
        device=DEVICE,
        flags=variant_flags("s5_graph"),
        contract=contracts.version_of("s5_graph"),
    message:
        "Graphs of {wildcards.dataset} {wildcards.split}, shard {wildcards.scatteritem} (Eq. 3.14)"
    shell:
        "python -m wsss_stages.stages.s5_graph --index {input.index} --seeds-manifest {input.seeds} --cam {input.cam}"
        " --affinity {input.affinity} --split {wildcards.split} --device {params.device:q} {params.walk}"
        " --manifest {output.manifest}"
        " {params.flags} > {log} 2>&1"
