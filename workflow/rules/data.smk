checkpoint data:
    output:
        index=update("results/{dataset}/index.json"),  # where a broken file ends the job, that before stays
    log:
        "logs/{dataset}/data.log",
    benchmark:
        "benchmarks/{dataset}/data.tsv"
    conda:
        "../../envs/wsss.yaml"
    resources:
        mem_mb=grows(4_000),
        runtime=grows(1 * HOURS),
    params:
        root=dataset_root,
        listing=listing_of_dataset,
        flags=section_flags("data"),
        version=contracts.INDEX_VERSION,
    message:
        "Validate {wildcards.dataset} and write its index"
    shell:
        "python -m wsss_stages.stages.data"
        " --root {params.root:q}"
        " --index {output.index}"
        " --dataset {wildcards.dataset}"
        " {params.flags}"
        " > {log} 2>&1"
