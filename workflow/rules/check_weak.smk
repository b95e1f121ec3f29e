rule check_weak:
    input:
        index="results/{dataset}/index.json",
    output:
        counts="results/{dataset}/{weak}/check_weak.json",
    log:
        "logs/{dataset}/{weak}/check_weak.log",
    benchmark:
        "benchmarks/{dataset}/{weak}/check_weak.tsv"
    priority: 100
    conda:
        "../../envs/wsss.yaml"
    resources:
        mem_mb=2_000,
        runtime="10m",
    message:
        "Does every training image of {wildcards.dataset} have {wildcards.weak} labels?"
    shell:
        "python -m wsss_stages.stages.check_weak --index {input.index} --weak {wildcards.weak} --counts {output.counts}"
        " > {log} 2>&1"
