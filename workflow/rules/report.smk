SHARDED = {
    "s3_seeds": "train",
    "s5_graph": "train",
    "s6_propagate": "train",
    "s8_predict": "val",
}
TRAININGS = ("s4_affinity", "s7_segment")
PAGES = {
    "rows.png": "Steps",
    "scores.html": "Scores",
    "confusion.png": "Scores",
    "curves.png": "Training",
    "substitutions.html": "What was substituted",
    "costs.html": "Costs",
}


def label_manifests(wildcards):
    """Manifests of all label stages on the training images."""
    cams = [
        f"results/{wildcards.dataset}/s2_cam/train/{shard}.json" for shard in shards()
    ]
    stages = ("s3_seeds", "s5_graph", "s6_propagate")
    return cams + [
        path for stage in stages for path in all_shards(stage, "train")(wildcards)
    ]


def benchmarks(wildcards):
    """Benchmark files of all jobs behind a variant."""
    top = f"benchmarks/{wildcards.dataset}"
    found = [f"{top}/data.tsv", f"{top}/s1_classifier.tsv"]
    found += [f"{top}/s2_cam/train/{shard}.tsv" for shard in shards()]
    for stage, split in SHARDED.items():
        found += [
            f"{folder_of(wildcards, stage)}/{split}/{shard}.tsv" for shard in shards()
        ]
    return found + [f"{folder_of(wildcards, stage)}.tsv" for stage in TRAININGS]


def folder_of(wildcards, stage):
    return stage_folder(wildcards, stage).replace("results/", "benchmarks/", 1)


rule report:
    input:
        index="results/{dataset}/index.json",
        manifests=label_manifests,
        segmenter=weights_of("s7_segment"),
        affinity=weights_of("s4_affinity"),
        scores=expand(
            "results/{{dataset}}/{{weak}}/{{variant}}/s9_evaluate/{split}/scores.json",
            split=["train", "val"],
        ),
        curves=lambda wildcards: [
            f"results/{wildcards.dataset}/s1_classifier/curve.json",
            *(f"{stage_folder(wildcards, stage)}/curve.json" for stage in TRAININGS),
        ],
        benchmarks=benchmarks,
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
        mem_mb=6_000,
        runtime="1h",
    params:
        images=config["report_images"],
        folder=lambda wildcards, output: Path(output[0]).parent,
    message:
        "Pictures and tables of {wildcards.dataset}, variant {wildcards.variant}"
    shell:
        "python -m wsss_stages.stages.report --index {input.index} --manifests {input.manifests}"
        " --segmenter {input.segmenter} --affinity {input.affinity} --scores {input.scores} --curves {input.curves}"
        " --benchmarks {input.benchmarks} --images {params.images} --folder {params.folder} > {log} 2>&1"
