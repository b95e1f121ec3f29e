wildcard_constraints:
    table="|".join(TABLES),
    comparison="|".join(COMPARISONS),


rule table:
    input:
        scores=scores_of_table,
        paces=paces_of_table,
        agreements=agreements_of_table,
    output:
        html=report("results/{dataset}/{weak}/tables/{table}.html", category="Tables"),
        picture=report("results/{dataset}/{weak}/tables/{table}.png", category="Tables"),
        csv="results/{dataset}/{weak}/tables/{table}.csv",
        markdown="results/{dataset}/{weak}/tables/{table}.md",
    log:
        "logs/{dataset}/{weak}/{table}.log",
    benchmark:
        "benchmarks/{dataset}/{weak}/{table}.tsv"
    conda:
        "../../envs/wsss.yaml"
    resources:
        mem_mb=grows(2_000),
        runtime=grows(10),
    params:
        scores=numbered("scores", rows_of_table),
        paces=numbered("paces", rows_of_table),
        agreements=numbered("agreements", rows_of_table),
        table=lambda wildcards, output: output.csv.removesuffix(".csv"),
    message:
        "{wildcards.table} on {wildcards.dataset}"
    shell:
        "python -m wsss_stages.stages.table"
        " --name {wildcards.table}"
        " {params.scores}"
        " {params.paces}"
        " {params.agreements}"
        " --table {params.table}"
        " > {log} 2>&1"


for name in TABLES:

    rule:
        name:
            name
        input:
            f"results/{config['dataset']}/{config['weak']}/tables/{name}.html",
        localrule: True


rule upper_bound:
    input:
        f"results/{config['dataset']}/{config['weak']}/truth/s9_evaluate/val/scores.json",
    localrule: True


# reads the scores that are there: none of them is an input, lest a missing one train for days
rule comparison:
    output:
        html=report("results/{dataset}/tables/{comparison}.html", category="Tables"),
        picture=report("results/{dataset}/tables/{comparison}.png", category="Tables"),
        csv="results/{dataset}/tables/{comparison}.csv",
        markdown="results/{dataset}/tables/{comparison}.md",
    log:
        "logs/{dataset}/{comparison}.log",
    benchmark:
        "benchmarks/{dataset}/{comparison}.tsv"
    conda:
        "../../envs/wsss.yaml"
    resources:
        mem_mb=grows(2_000),
        runtime=grows(10),
    params:
        found=scores_of_comparison,
        table=lambda wildcards, output: output.csv.removesuffix(".csv"),
    message:
        "{wildcards.comparison} beside {wildcards.dataset}"
    shell:
        "python -m wsss_stages.stages.comparison"
        " --name {wildcards.comparison}"
        " --dataset {wildcards.dataset}"
        " --table {params.table}"
        " > {log} 2>&1"


for name in COMPARISONS:

    rule:
        name:
            name
        input:
            f"results/{config['dataset']}/tables/{name}.html",
        localrule: True
