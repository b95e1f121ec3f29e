rule s4_affinity:
    input:
        index=ancient(WEAK_INDEX),
        seeds=all_shards("s3_seeds", "train"),
        classifier=classifier_of_cams,
        backbone=backbone_alone("affinity"),
    output:
        weights="results/{dataset}/{weak}/{variant}/s4_affinity/weights.safetensors",
        curve="results/{dataset}/{weak}/{variant}/s4_affinity/curve.json",
    log:
        "logs/{dataset}/{weak}/{variant}/s4_affinity.log",
    benchmark:
        "benchmarks/{dataset}/{weak}/{variant}/s4_affinity.tsv"
    conda:
        "../../envs/wsss.yaml"
    threads: training_threads("affinity")
    resources:
        mem_mb=grows(16_000),
        runtime=grows(12 * HOURS),
        gpu=TRAINING_GPUS,
    params:
        sees=content_of(WEAK_INDEX),
        launch=launch,
        start=start_of_backbone,
        watched=watched_alone("affinity"),
        device=DEVICE,
        flags=variant_flags("s4_affinity"),
        version=contracts.CHECKPOINT_VERSION,
    message:
        "Affinity CNN on the seeds of {wildcards.dataset} (Eqs. 3.6-3.13)"
    shell:
        "exec {params.launch} wsss_stages.stages.s4_affinity"
        " --index {input.index}"
        " --seeds-manifests {input.seeds}"
        " {params.start}"
        " --weights {output.weights}"
        " --device {params.device:q}"
        " {params.flags}"
        " > {log} 2>&1"
