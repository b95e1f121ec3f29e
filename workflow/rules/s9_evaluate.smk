rule s9_evaluate:
    input:
        index=ancient(WEAK_INDEX),
        manifests=to_score,
    output:
        scores="results/{dataset}/{weak}/{variant}/s9_evaluate/{split}/scores.json",
    log:
        "logs/{dataset}/{weak}/{variant}/s9_evaluate/{split}.log",
    benchmark:
        "benchmarks/{dataset}/{weak}/{variant}/s9_evaluate/{split}.tsv"
    conda:
        "../../envs/wsss.yaml"
    threads: 1
    resources:
        mem_mb=grows(4_000),
        runtime=grows(1 * HOURS),
    params:
        sees=content_of(WEAK_INDEX),
        flags=variant_flags("s9_evaluate"),
    message:
        "Scores of {wildcards.dataset} {wildcards.split}, variant {wildcards.variant}"
    shell:
        "python -m wsss_stages.stages.s9_evaluate"
        " --index {input.index}"
        " --manifests {input.manifests}"
        " --split {wildcards.split}"
        " --scores {output.scores}"
        " {params.flags}"
        " > {log} 2>&1"
