rule s4_object_net:
    input:
        index=ancient(WEAK_INDEX),
        masks=all_shards("s3_masks", "train"),
        classifier="results/{dataset}/s1_classifier/weights.safetensors",
    output:
        weights="results/{dataset}/{weak}/{variant}/s4_object_net/weights.safetensors",
        curve="results/{dataset}/{weak}/{variant}/s4_object_net/curve.json",
    log:
        "logs/{dataset}/{weak}/{variant}/s4_object_net.log",
    benchmark:
        "benchmarks/{dataset}/{weak}/{variant}/s4_object_net.tsv"
    conda:
        "../../envs/wsss.yaml"
    threads: training_threads("object_net")
    resources:
        mem_mb=grows(8_000),
        runtime=grows(12 * HOURS),
        gpu=TRAINING_GPUS,
    params:
        sees=content_of(WEAK_INDEX),
        launch=launch,
        device=DEVICE,
        flags=variant_flags("s4_object_net"),
        version=contracts.CHECKPOINT_VERSION,
    message:
        "Object network on the boxes of {wildcards.dataset}"
    shell:
        "exec {params.launch} wsss_stages.stages.s4_object_net"
        " --index {input.index}"
        " --masks {input.masks}"
        " --classifier {input.classifier}"
        " --weights {output.weights}"
        " --device {params.device:q}"
        " {params.flags}"
        " > {log} 2>&1"
