rule s5_graph:
    input:
        index=ancient(WEAK_INDEX),
        seeds=same_shard("s3_seeds"),
        cam=cams_of_shard,
        affinity=affinity_of_graph,
        classifier=classifier_of_graph,
        backbone=backbone_of("graph"),
        walk=chosen_walk,
        whole=whole("results/{dataset}/{weak}/{variant}/s5_graph/{split}/{shard}.json"),
    output:
        manifest="results/{dataset}/{weak}/{variant}/s5_graph/{split}/{shard}.json",
    log:
        "logs/{dataset}/{weak}/{variant}/s5_graph/{split}/{shard}.log",
    benchmark:
        "benchmarks/{dataset}/{weak}/{variant}/s5_graph/{split}/{shard}.tsv"
    conda:
        "../../envs/wsss.yaml"
    threads: 1
    resources:
        mem_mb=grows(6_000),
        runtime=grows(4 * HOURS),
        gpu=GPUS,
    params:
        sees=content_of(WEAK_INDEX),
        walk=optional("walk"),
        affinity=optional("affinity"),
        classifier=optional("classifier"),
        backbone=watched("graph"),
        device=DEVICE,
        flags=variant_flags("s5_graph"),
        contract=contracts.version_of("s5_graph"),
    message:
        "Graphs of {wildcards.dataset} {wildcards.split}, shard {wildcards.shard} (Eq. 3.14)"
    shell:
        "python -m wsss_stages.stages.s5_graph"
        " --index {input.index}"
        " --seeds-manifest {input.seeds}"
        " --cam {input.cam}"
        " {params.affinity}"
        " {params.classifier}"
        " --split {wildcards.split}"
        " --device {params.device:q}"
        " {params.walk}"
        " --manifest {output.manifest}"
        " {params.flags}"
        " > {log} 2>&1"
