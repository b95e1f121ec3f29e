PAGES = {
    "rows.png": "Steps",
    "scores.html": "Scores",
    "confusion.png": "Scores",
    "curves.png": "Training",
    "affinity.html": "Training",
    "found.html": "What was found in your folder",
    "substitutions.html": "What was substituted",
    "costs.html": "Costs",
}


rule report:
    input:
        index=ancient(WEAK_INDEX),
        manifests=label_manifests,
        segmenter=final_network,
        walk=walk_of_report,
        scores=expand(
            "results/{{dataset}}/{{weak}}/{{variant}}/s9_evaluate/{split}/scores.json",
            split=["train", "val"],
        ),
        curves=curves,
        benchmarks=ancient(benchmarks),
    output:
        [
            report(
                f"results/{{dataset}}/{{weak}}/{{variant}}/report/{page}",
                caption=f"../report/{page.split('.')[0]}.rst",
                category=category,
            )
            for page, category in PAGES.items()
        ],
    log:
        "logs/{dataset}/{weak}/{variant}/report.log",
    benchmark:
        "benchmarks/{dataset}/{weak}/{variant}/report.tsv"
    conda:
        "../../envs/wsss.yaml"
    resources:
        mem_mb=grows(6_000),
        runtime=grows(1 * HOURS),
    params:
        sees=content_of(WEAK_INDEX),
        walk=optional("walk"),
        images=config["report_images"],
        folder=lambda wildcards, output: Path(output[0]).parent,
    message:
        "Pictures and tables of {wildcards.dataset}, variant {wildcards.variant}"
    shell:
        "python -m wsss_stages.stages.report"
        " --index {input.index}"
        " --manifests {input.manifests}"
        " --segmenter {input.segmenter}"
        " {params.walk}"
        " --scores {input.scores}"
        " --curves {input.curves}"
        " --benchmarks {input.benchmarks}"
        " --images {params.images}"
        " --folder {params.folder}"
        " > {log} 2>&1"
