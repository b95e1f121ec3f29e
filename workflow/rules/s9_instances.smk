rule s9_instances:
    input:
        index=ancient(WEAK_INDEX),
        manifests=lambda wildcards: all_shards("s8_detect", wildcards.split)(wildcards),
    output:
        scores="results/{dataset}/{weak}/{variant}/s9_instances/{split}/average_precision.json",
        detections="results/{dataset}/{weak}/{variant}/s9_instances/{split}/detections.json",
    log:
        "logs/{dataset}/{weak}/{variant}/s9_instances/{split}.log",
    benchmark:
        "benchmarks/{dataset}/{weak}/{variant}/s9_instances/{split}.tsv"
    conda:
        "../../envs/wsss.yaml"
    threads: 1
    resources:
        mem_mb=grows(6_000),
        runtime=grows(2 * HOURS),
    params:
        sees=content_of(WEAK_INDEX),
    message:
        "Average precision of instances in {wildcards.dataset} {wildcards.split}, variant {wildcards.variant} (Tables 3.2-3.3)"
    shell:
        "python -m wsss_stages.stages.s9_instances"
        " --index {input.index}"
        " --manifests {input.manifests}"
        " --split {wildcards.split}"
        " --scores {output.scores}"
        " > {log} 2>&1"


rule instances:
    input:
        f"results/{config['dataset']}/{config['weak']}/{config['variant']}/s9_instances/val/average_precision.json",
    localrule: True
