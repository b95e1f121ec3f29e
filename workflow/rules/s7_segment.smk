rule s7_segment:
    input:
        index=ancient(WEAK_INDEX),
        pseudo=labels_of("segment"),
        backbone=backbone_of("segment"),
    output:
        weights="results/{dataset}/{weak}/{variant}/s7_segment/weights.safetensors",
        curve="results/{dataset}/{weak}/{variant}/s7_segment/curve.json",
    log:
        "logs/{dataset}/{weak}/{variant}/s7_segment.log",
    benchmark:
        "benchmarks/{dataset}/{weak}/{variant}/s7_segment.tsv"
    conda:
        "../../envs/wsss.yaml"
    threads: training_threads("segment")
    resources:
        mem_mb=grows(12_000),
        runtime=grows(24 * HOURS),
        gpu=TRAINING_GPUS,
    params:
        sees=content_of(WEAK_INDEX),
        launch=launch,
        pseudo=optional("pseudo"),
        device=DEVICE,
        watched=watched("segment"),
        flags=variant_flags("s7_segment"),
        version=contracts.CHECKPOINT_VERSION,
    message:
        "Segmenter of {wildcards.dataset}, variant {wildcards.variant} (Sec. 3.4)"
    shell:
        "exec {params.launch} wsss_stages.stages.s7_segment"
        " --index {input.index}"
        " {params.pseudo}"
        " --weights {output.weights}"
        " --device {params.device:q}"
        " {params.flags}"
        " > {log} 2>&1"
