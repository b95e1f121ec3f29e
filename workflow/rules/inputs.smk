"""Input functions of single rules; those that rules share are in common.smk."""

from wsss_stages import tables

TABLES = tables.read()[1]


def uses_objects(wildcards):
    """Whether soft masks of boxes are mixed into a variant's pseudo labels."""
    return configuration.uses_objects(config, wildcards.variant, wildcards.weak)


def label_stages(wildcards):
    """Stages that leave label maps of the training images."""
    objects = ["s5_object_masks"] if uses_objects(wildcards) else []
    return ["s3_seeds", *objects, "s5_graph", "s6_propagate"]


def trainings(wildcards):
    """Stages of a variant that train a network."""
    objects = ["s4_object_net"] if uses_objects(wildcards) else []
    return [*objects, "s4_affinity", "s7_segment"]


def objects_of_shard(wildcards):
    """Soft masks of the same images, or nothing where they are not used."""
    if not uses_objects(wildcards):
        return []
    return same_shard("s5_object_masks")(wildcards)


def labels_of(name):
    """Input function: all labels that a config section asks for, but truth."""

    def manifests(wildcards):
        stage = {"pseudo": "s6_propagate", "grabcut": "s3_seeds", "truth": None}[
            section(name, wildcards)["labels"]
        ]
        return all_shards(stage, "train")(wildcards) if stage else []

    return manifests


def labels_of_instances(wildcards):
    """Labels that masks of boxes are cut from; a run without boxes is told before anything runs."""
    truth = section("instance_masks", wildcards)["labels"] == "truth"
    if not truth and wildcards.weak not in ("box", "mixed"):
        raise WorkflowError(
            f"instances are made of boxes, and a run on weak: {wildcards.weak} has none; wanted weak: box or mixed, or a "
            "variant with instance_masks: {labels: truth}"
        )
    return labels_of("instance_masks")(wildcards)


def segmenter_backbone(wildcards):
    """The file with the weights of the segmenter's backbone, if it is a file."""
    source = section("segment", wildcards)["backbone_weights"]
    return [] if source in ("none", "hub") else [source]


def label_maps(wildcards):
    """Manifests of all label maps of the training images."""
    return [
        path
        for stage in label_stages(wildcards)
        for path in all_shards(stage, "train")(wildcards)
    ]


def to_score(wildcards):
    """Label maps of a split: every stage's on the training images, predictions on the validation images."""
    if wildcards.split == "train":
        return label_maps(wildcards)
    return all_shards("s8_predict", "val")(wildcards)


def rows_of_table(wildcards):
    """(number of a row, scores of one of its variants) for all rows of a table."""
    return [
        (
            number,
            f"results/{wildcards.dataset}/{row.weak or wildcards.weak}/{variant}/s9_evaluate/train/scores.json",
        )
        for number, row in enumerate(TABLES[wildcards.table].rows)
        for variant in row.scored(section("tables"))
    ]


def scores_of_table(wildcards):
    return [path for _, path in rows_of_table(wildcards)]


def label_manifests(wildcards):
    """Manifests of the CAMs and of all label maps of the training images."""
    cams = [
        f"results/{wildcards.dataset}/s2_cam/train/{shard}.json" for shard in shards()
    ]
    return cams + label_maps(wildcards)


def curves(wildcards):
    """Learning curves of every training behind a variant."""
    own = [
        f"{stage_folder(wildcards, stage)}/curve.json" for stage in trainings(wildcards)
    ]
    return [f"results/{wildcards.dataset}/s1_classifier/curve.json", *own]


def benchmarks(wildcards):
    """Benchmark files of all jobs behind a variant, beside the artifacts that its report reads."""
    training = [
        f"{stage_folder(wildcards, stage)}.json" for stage in trainings(wildcards)
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
