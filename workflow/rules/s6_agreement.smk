rule s6_agreement:
    input:
        index=ancient(WEAK_INDEX),
        seeds=all_shards("s3_seeds", "train"),
        graphs=all_shards("s5_graph", "train"),
        cams=cams_of_walk,
        affinity=affinity_of_graph,
        classifier=classifier_of_graph,
        backbone=backbone_of("graph"),
    output:
        agreement="results/{dataset}/{weak}/{variant}/s6_agreement/agreement.json",
    log:
        "logs/{dataset}/{weak}/{variant}/s6_agreement.log",
    benchmark:
        "benchmarks/{dataset}/{weak}/{variant}/s6_agreement.tsv"
    conda:
        "../../envs/wsss.yaml"
    threads: 1
    resources:
        mem_mb=grows(8_000),
        runtime=grows(1 * HOURS),
        gpu=GPUS,
    params:
        sees=content_of(WEAK_INDEX),
        cams=optional("cams"),
        affinity=optional("affinity"),
        classifier=optional("classifier"),
        backbone=watched("graph"),
        device=DEVICE,
        flags=variant_flags("s6_propagate"),
    message:
        "Hidden seeds of {wildcards.dataset} found again, variant {wildcards.variant}"
    shell:
        "python -m wsss_stages.stages.s6_agreement"
        " --index {input.index}"
        " --seeds-manifests {input.seeds}"
        " --graphs {input.graphs}"
        " {params.cams}"
        " {params.affinity}"
        " {params.classifier}"
        " --device {params.device:q}"
        " --agreement {output.agreement}"
        " {params.flags}"
        " > {log} 2>&1"
