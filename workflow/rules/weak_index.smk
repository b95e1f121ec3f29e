checkpoint weak_index:
    input:
        index=ancient(INDEX),
    output:
        index="results/{dataset}/{weak}/index.json",
    log:
        "logs/{dataset}/{weak}/weak_index.log",
    benchmark:
        "benchmarks/{dataset}/{weak}/weak_index.tsv"
    priority: 100
    conda:
        "../../envs/wsss.yaml"
    resources:
        mem_mb=grows(2_000),
        runtime=grows(10),
    params:
        sees=content_of(INDEX),
        version=contracts.INDEX_VERSION,
    message:
        "Does every training image of {wildcards.dataset} have {wildcards.weak} labels?"
    shell:
        "python -m wsss_stages.stages.weak_index"
        " --index {input.index}"
        " --weak {wildcards.weak}"
        " --out {output.index}"
        " > {log} 2>&1"
