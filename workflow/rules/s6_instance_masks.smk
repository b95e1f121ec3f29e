rule s6_instance_masks:
    input:
        index=ancient(WEAK_INDEX),
        pseudo=labels_of_instances,
    output:
        instances="results/{dataset}/{weak}/{variant}/s6_instance_masks/instances.json",
    log:
        "logs/{dataset}/{weak}/{variant}/s6_instance_masks.log",
    benchmark:
        "benchmarks/{dataset}/{weak}/{variant}/s6_instance_masks.tsv"
    conda:
        "../../envs/wsss.yaml"
    threads: 1
    resources:
        mem_mb=grows(4_000),
        runtime=grows(4 * HOURS),
    params:
        sees=content_of(WEAK_INDEX),
        pseudo=optional("pseudo"),
        flags=variant_flags("s6_instance_masks"),
    message:
        "Instances of {wildcards.dataset}, variant {wildcards.variant}, as COCO JSON (Sec. 3.4)"
    shell:
        "python -m wsss_stages.stages.s6_instance_masks"
        " --index {input.index}"
        " {params.pseudo}"
        " --instances {output.instances}"
        " {params.flags}"
        " > {log} 2>&1"
