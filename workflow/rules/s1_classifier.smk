rule s1_classifier:
    input:
        index=ancient(INDEX),
        backbone=backbone_of("classifier"),
    output:
        weights="results/{dataset}/s1_classifier/weights.safetensors",
        curve="results/{dataset}/s1_classifier/curve.json",
    log:
        "logs/{dataset}/s1_classifier.log",
    benchmark:
        "benchmarks/{dataset}/s1_classifier.tsv"
    conda:
        "../../envs/wsss.yaml"
    threads: training_threads("classifier")
    resources:
        mem_mb=grows(12_000),
        runtime=grows(12 * HOURS),
        gpu=TRAINING_GPUS,
    params:
        sees=content_of(INDEX),
        launch=launch,
        source=lambda wildcards: WEIGHTS,
        device=DEVICE,
        watched=watched("classifier"),
        flags=section_flags("classifier"),
        version=contracts.CHECKPOINT_VERSION,
    message:
        "Classifier on the image tags of {wildcards.dataset} (Sec. 3.2)"
    shell:
        "exec {params.launch} wsss_stages.stages.s1_classifier"
        " --index {input.index}"
        " --weights {output.weights}"
        " --backbone-weights {params.source:q}"
        " --device {params.device:q}"
        " {params.flags}"
        " > {log} 2>&1"
