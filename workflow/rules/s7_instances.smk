rule s7_instances:
    input:
        index=ancient(WEAK_INDEX),
        instances=lambda wildcards: (
            f"{stage_folder(wildcards, 's6_instance_masks')}/instances.json"
        ),
        backbone=backbone_of("instances"),
    output:
        weights="results/{dataset}/{weak}/{variant}/s7_instances/weights.safetensors",
        curve="results/{dataset}/{weak}/{variant}/s7_instances/curve.json",
    log:
        "logs/{dataset}/{weak}/{variant}/s7_instances.log",
    benchmark:
        "benchmarks/{dataset}/{weak}/{variant}/s7_instances.tsv"
    conda:
        "../../envs/wsss.yaml"
    threads: training_threads("instances")
    resources:
        mem_mb=grows(12_000),
        runtime=grows(24 * HOURS),
        gpu=TRAINING_GPUS,
    params:
        sees=content_of(WEAK_INDEX),
        launch=launch,
        device=DEVICE,
        watched=watched("instances"),
        flags=variant_flags("s7_instances"),
        version=contracts.CHECKPOINT_VERSION,
    message:
        "Mask R-CNN of {wildcards.dataset}, variant {wildcards.variant} (Sec. 3.4)"
    shell:
        "exec {params.launch} wsss_stages.stages.s7_instances"
        " --index {input.index}"
        " --instances {input.instances}"
        " --weights {output.weights}"
        " --device {params.device:q}"
        " {params.flags}"
        " > {log} 2>&1"
