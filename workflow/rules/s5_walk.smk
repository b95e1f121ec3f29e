rule s5_walk:
    input:
        index=ancient(WEAK_INDEX),
        seeds=all_shards("s3_seeds", "train"),
        cams=cams_of_walk,
        affinity=affinity_of_graph,
        classifier=classifier_of_graph,
        backbone=backbone_of("graph"),
    output:
        chosen="results/{dataset}/{weak}/{variant}/s5_walk/walk.json",
    log:
        "logs/{dataset}/{weak}/{variant}/s5_walk.log",
    benchmark:
        "benchmarks/{dataset}/{weak}/{variant}/s5_walk.tsv"
    conda:
        "../../envs/wsss.yaml"
    threads: 1
    resources:
        mem_mb=grows(6_000),
        runtime=grows(1 * HOURS),
        gpu=GPUS,
    params:
        sees=content_of(WEAK_INDEX),
        cams=optional("cams"),
        affinity=optional("affinity"),
        classifier=optional("classifier"),
        backbone=watched("graph"),
        device=DEVICE,
        flags=variant_flags("s5_walk"),
    message:
        "Power and steps of the random walk on {wildcards.dataset}, variant {wildcards.variant}"
    shell:
        "python -m wsss_stages.stages.s5_walk"
        " --index {input.index}"
        " --seeds-manifests {input.seeds}"
        " {params.cams}"
        " {params.affinity}"
        " {params.classifier}"
        " --device {params.device:q}"
        " --chosen {output.chosen}"
        " {params.flags}"
        " > {log} 2>&1"
