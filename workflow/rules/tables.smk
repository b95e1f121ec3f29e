wildcard_constraints:
    table="|".join(TABLES),


rule table:
    input:
        scores=scores_of_table,
    output:
        html=report("results/{dataset}/{weak}/tables/{table}.html", category="Tables"),
        csv="results/{dataset}/{weak}/tables/{table}.csv",
    log:
        "logs/{dataset}/{weak}/{table}.log",
    conda:
        "../../envs/wsss.yaml"
    params:
        scores=lambda wildcards, input: [
            f"{variant}={path}"
            for variant, path in zip(TABLES[wildcards.table][1], input.scores)
        ],
        title=lambda wildcards: TABLES[wildcards.table][0],
        table=lambda wildcards, output: output.csv.removesuffix(".csv"),
    message:
        "{params.title} on {wildcards.dataset}"
    shell:
        "python -m wsss_stages.stages.table --scores {params.scores} --title {params.title:q} --table {params.table}"
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
