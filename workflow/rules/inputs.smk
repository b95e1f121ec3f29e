"""Input functions of single rules; those that rules share are in common.smk."""

TABLES = {
    "table_3_5": (
        "Losses of A²GNN (Table 3.5)",
        ["a2gnn", "ce", "ce_reg", "ce_reg_mp"],
    ),
    "table_presets": (
        "Three readings of the thesis",
        ["ours", "a2gnn", "thesis", "released"],
    ),
}
"""Heading of a table and the variants that it compares; the first gives the rows that all share."""


def label_stages(variant):
    """Stages that leave label maps of the training images."""
    objects = ["s5_object_masks"] if configuration.uses_objects(config, variant) else []
    return ["s3_seeds", *objects, "s5_graph", "s6_propagate"]


def trainings(variant):
    """Stages of a variant that train a network."""
    objects = ["s4_object_net"] if configuration.uses_objects(config, variant) else []
    return [*objects, "s4_affinity", "s7_segment"]


def objects_of_shard(wildcards):
    """Soft masks of the same images, or nothing where they are not used."""
    if not configuration.uses_objects(config, wildcards.variant):
        return []
    return same_shard("s5_object_masks")(wildcards)


def labels_of(name):
    """Input function: all labels that a config section asks for, but truth."""

    def manifests(wildcards):
        stage = {"pseudo": "s6_propagate", "grabcut": "s3_seeds", "truth": None}[
            section(name, wildcards.variant)["labels"]
        ]
        return all_shards(stage, "train")(wildcards) if stage else []

    return manifests


def labels_of_instances(wildcards):
    """Labels that masks of boxes are cut from; a run without boxes is told before anything runs."""
    truth = section("instance_masks", wildcards.variant)["labels"] == "truth"
    if not truth and wildcards.weak not in ("box", "mixed"):
        raise WorkflowError(
            f"instances are made of boxes, and a run on weak: {wildcards.weak} has none; wanted weak: box or mixed, or a "
            "variant with instance_masks: {labels: truth}"
        )
    return labels_of("instance_masks")(wildcards)


def to_score(wildcards):
    """Label maps of a split: every stage's on the training images, predictions on the validation images."""
    stages = (
        label_stages(wildcards.variant)
        if wildcards.split == "train"
        else ["s8_predict"]
    )
    return [
        path
        for stage in stages
        for path in all_shards(stage, wildcards.split)(wildcards)
    ]


def scores_of_table(wildcards):
    top = f"results/{wildcards.dataset}/{wildcards.weak}"
    return [
        f"{top}/{variant}/s9_evaluate/train/scores.json"
        for variant in TABLES[wildcards.table][1]
    ]


def label_manifests(wildcards):
    """Manifests of the CAMs and of all label maps of the training images."""
    cams = [
        f"results/{wildcards.dataset}/s2_cam/train/{shard}.json" for shard in shards()
    ]
    return cams + [
        path
        for stage in label_stages(wildcards.variant)
        for path in all_shards(stage, "train")(wildcards)
    ]


def curves(wildcards):
    """Learning curves of every training behind a variant."""
    own = [
        f"{stage_folder(wildcards, stage)}/curve.json"
        for stage in trainings(wildcards.variant)
    ]
    return [f"results/{wildcards.dataset}/s1_classifier/curve.json", *own]


def benchmarks(wildcards):
    """Benchmark files of all jobs behind a variant, beside the artifacts that its report reads."""
    training = [
        f"{stage_folder(wildcards, stage)}.json"
        for stage in trainings(wildcards.variant)
    ]
    predictions = all_shards("s8_predict", "val")(wildcards)
    made = [
        f"results/{wildcards.dataset}/{stage}.json"
        for stage in ("data", "s1_classifier")
    ]
    made += label_manifests(wildcards) + predictions + training
    return [
        path.replace("results/", "benchmarks/", 1).removesuffix(".json") + ".tsv"
        for path in made
    ]
