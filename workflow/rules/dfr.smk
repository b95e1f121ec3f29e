rule dfr_train:
    input:
        index=ancient(WEAK_INDEX),
        backbone=backbone_of("dfr"),
    output:
        weights="results/{dataset}/{weak}/{variant}/dfr_train/weights.safetensors",
        curve="results/{dataset}/{weak}/{variant}/dfr_train/curve.json",
    log:
        "logs/{dataset}/{weak}/{variant}/dfr_train.log",
    benchmark:
        "benchmarks/{dataset}/{weak}/{variant}/dfr_train.tsv"
    conda:
        "../../envs/wsss.yaml"
    threads: training_threads("dfr")
    resources:
        mem_mb=grows(16_000),
        runtime=grows(24 * HOURS),
        gpu=TRAINING_GPUS,
    params:
        sees=content_of(WEAK_INDEX),
        launch=launch,
        device=DEVICE,
        watched=watched("dfr"),
        flags=variant_flags("dfr_train"),
        version=contracts.CHECKPOINT_VERSION,
    message:
        "DFR on the scribbles of {wildcards.dataset}, variant {wildcards.variant} (Sec. 4.2)"
    shell:
        "exec {params.launch} wsss_stages.stages.dfr_train"
        " --index {input.index}"
        " --weights {output.weights}"
        " --device {params.device:q}"
        " {params.flags}"
        " > {log} 2>&1"
