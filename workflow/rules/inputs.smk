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


def pseudo_labels(wildcards):
    """All labels that the segmenter learns from, but truth."""
    stage = {"pseudo": "s6_propagate", "grabcut": "s3_seeds", "truth": None}[
        section("segment", wildcards.variant)["labels"]
    ]
    return all_shards(stage, "train")(wildcards) if stage else []


def label_maps(wildcards):
    """Manifests of all label maps of the training images."""
    return [
        path
        for stage in label_stages(wildcards.variant)
        for path in all_shards(stage, "train")(wildcards)
    ]


def to_score(wildcards):
    """Label maps of a split: every stage's on the training images, predictions on the validation images."""
    if wildcards.split == "train":
        return label_maps(wildcards)
    return all_shards("s8_predict", "val")(wildcards)


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
    return cams + label_maps(wildcards)


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
