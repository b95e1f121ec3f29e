rule s9_review:
    input:
        index=ancient(WEAK_INDEX),
        manifests=label_maps,
    output:
        list=report(
            "results/{dataset}/{weak}/{variant}/s9_review/review_first.csv",
            caption="../report/review_first.rst",
            category="Review first",
        ),
        picture=report(
            "results/{dataset}/{weak}/{variant}/s9_review/review_first.png",
            caption="../report/review_first.rst",
            category="Review first",
        ),
        table=report(
            "results/{dataset}/{weak}/{variant}/s9_review/review.html",
            caption="../report/review.rst",
            category="Review first",
        ),
        summary="results/{dataset}/{weak}/{variant}/s9_review/review.json",
    log:
        "logs/{dataset}/{weak}/{variant}/s9_review.log",
    benchmark:
        "benchmarks/{dataset}/{weak}/{variant}/s9_review.tsv"
    conda:
        "../../envs/wsss.yaml"
    resources:
        mem_mb=grows(4_000),
        runtime=grows(1 * HOURS),
    params:
        sees=content_of(WEAK_INDEX),
        images=config["report_images"],
        folder=lambda wildcards, output: Path(output.list).parent,
    message:
        "Training images of {wildcards.dataset} to review first, variant {wildcards.variant}"
    shell:
        "python -m wsss_stages.stages.s9_review"
        " --index {input.index}"
        " --manifests {input.manifests}"
        " --images {params.images}"
        " --folder {params.folder}"
        " > {log} 2>&1"
