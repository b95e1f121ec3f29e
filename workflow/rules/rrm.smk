rule rrm_train:
    input:
        index=ancient(WEAK_INDEX),
        backbone=backbone_of("rrm"),
        classifier=classifier_of_rrm,
    output:
        weights="results/{dataset}/{weak}/{variant}/rrm_train/weights.safetensors",
        curve="results/{dataset}/{weak}/{variant}/rrm_train/curve.json",
        pace="results/{dataset}/{weak}/{variant}/rrm_train/pace.json",
    log:
        "logs/{dataset}/{weak}/{variant}/rrm_train.log",
    benchmark:
        "benchmarks/{dataset}/{weak}/{variant}/rrm_train.tsv"
    conda:
        "../../envs/wsss.yaml"
    threads: training_threads("rrm")
    resources:
        mem_mb=grows(16_000),
        runtime=grows(24 * HOURS),
        gpu=TRAINING_GPUS,
    params:
        sees=content_of(WEAK_INDEX),
        launch=launch,
        backbone=lambda wildcards: section("classifier")["backbone"],
        source=lambda wildcards: WEIGHTS,
        device=DEVICE,
        watched=watched("rrm"),
        classifier=optional("classifier"),
        flags=variant_flags("rrm_train"),
        version=contracts.CHECKPOINT_VERSION,
    message:
        "RRM on the image tags of {wildcards.dataset}, variant {wildcards.variant} (Secs. 2.2-2.3)"
    shell:
        "exec {params.launch} wsss_stages.stages.rrm_train"
        " --index {input.index}"
        " --weights {output.weights}"
        " --backbone {params.backbone:q}"
        " --backbone-weights {params.source:q}"
        " --device {params.device:q}"
        " {params.classifier}"
        " {params.flags}"
        " > {log} 2>&1"


rule rrm_label:
    input:
        index=ancient(WEAK_INDEX),
        weights=weights_of("rrm_train"),
        whole=whole("results/{dataset}/{weak}/{variant}/rrm_label/{split}/{shard}.json"),
    output:
        manifest="results/{dataset}/{weak}/{variant}/rrm_label/{split}/{shard}.json",
    log:
        "logs/{dataset}/{weak}/{variant}/rrm_label/{split}/{shard}.log",
    benchmark:
        "benchmarks/{dataset}/{weak}/{variant}/rrm_label/{split}/{shard}.tsv"
    conda:
        "../../envs/wsss.yaml"
    threads: 1
    resources:
        mem_mb=grows(6_000),
        runtime=grows(4 * HOURS),
        gpu=GPUS,
    params:
        sees=content_of(WEAK_INDEX),
        device=DEVICE,
        flags=variant_flags("rrm_label"),
        contract=contracts.version_of("rrm_label"),
    message:
        "RRM's pseudo labels of {wildcards.dataset} {wildcards.split}, shard {wildcards.shard} (Eq. 2.13)"
    shell:
        "python -m wsss_stages.stages.rrm_label"
        " --index {input.index}"
        " --weights {input.weights}"
        " --split {wildcards.split}"
        " --device {params.device:q}"
        " --manifest {output.manifest}"
        " {params.flags}"
        " > {log} 2>&1"
