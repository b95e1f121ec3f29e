rule s6_propagate:
    input:
        index=ancient(WEAK_INDEX),
        seeds=same_shard("s3_seeds"),
        graph=same_shard("s5_graph"),
        objects=objects_of_shard,
        affinity=affinity_of_graph,
        classifier=classifier_of_graph,
        backbone=backbone_of("graph"),
        whole=whole(
            "results/{dataset}/{weak}/{variant}/s6_propagate/{split}/{shard}.json"
        ),
    output:
        manifest="results/{dataset}/{weak}/{variant}/s6_propagate/{split}/{shard}.json",
    log:
        "logs/{dataset}/{weak}/{variant}/s6_propagate/{split}/{shard}.log",
    benchmark:
        "benchmarks/{dataset}/{weak}/{variant}/s6_propagate/{split}/{shard}.tsv"
    conda:
        "../../envs/wsss.yaml"
    threads: 1
    resources:
        mem_mb=grows(8_000),
        runtime=grows(12 * HOURS),
        gpu=GPUS,
    params:
        sees=content_of(WEAK_INDEX),
        objects=optional("objects"),
        affinity=optional("affinity"),
        classifier=optional("classifier"),
        backbone=watched("graph"),
        device=DEVICE,
        flags=variant_flags("s6_propagate"),
        contract=contracts.version_of("s6_propagate"),
    message:
        "Pseudo labels of {wildcards.dataset} {wildcards.split}, shard {wildcards.shard} (Eqs. 3.15-3.28)"
    shell:
        "python -m wsss_stages.stages.s6_propagate"
        " --index {input.index}"
        " --seeds-manifest {input.seeds}"
        " --graph {input.graph}"
        " {params.objects}"
        " {params.affinity}"
        " {params.classifier}"
        " --split {wildcards.split}"
        " --device {params.device:q}"
        " --manifest {output.manifest}"
        " {params.flags}"
        " > {log} 2>&1"
