"""Input functions of single rules; those that rules share are in common.smk, those of tables in table_inputs.smk."""

from types import SimpleNamespace

from snakemake.io import contains_wildcard


def uses_objects(wildcards):
    """Return whether soft masks of boxes are mixed into a variant's pseudo labels."""
    return dag.uses_objects(config, wildcards.variant, wildcards.weak)


def label_stages(wildcards):
    """Stages that leave label maps of the training images."""
    return dag.label_stages(config, wildcards.variant, wildcards.weak)


def trainings(wildcards):
    """Stages of a variant that train a network."""
    return dag.trainings(config, wildcards.variant, wildcards.weak)


def final_network(wildcards):
    """The weights that a variant's predictions come of."""
    stage = dag.predicting(config, wildcards.variant, wildcards.weak)
    return weights_of(stage)(wildcards)


def affinity_of_graph(wildcards):
    """The affinity CNN, where the edges of a variant need it."""
    used = dag.graph(config, wildcards.variant, wildcards.weak).needs_affinity
    return weights_of("s4_affinity")(wildcards) if used else []


def classifier_of_graph(wildcards):
    """The classifier's weights, where the edges of a variant compare its features or nothing but colours."""
    used = dag.graph(config, wildcards.variant, wildcards.weak).needs_classifier
    return (
        f"results/{wildcards.dataset}/s1_classifier/weights.safetensors" if used else []
    )


def chosen_walk(wildcards):
    """Return the file of s5_walk's choice, or nothing where there is nothing to choose."""
    if not dag.chooses_walk(config, wildcards.variant, wildcards.weak):
        return []
    return [f"{stage_folder(wildcards, 's5_walk')}/walk.json"]


def walk_of_report(wildcards):
    """Return the file of s5_walk's choice on the road of a variant, if there is one."""
    return chosen_walk(wildcards) if "s5_graph" in label_stages(wildcards) else []


def cams_of_walk(wildcards):
    """Manifests of the CAMs, where random walks start at them."""
    if section("graph", wildcards)["seeds"] != "cam":
        return []
    return cams_of_training(wildcards)


def cams_of_training(wildcards):
    """The manifests of the CAMs of all training images."""
    return [f"{cam_folder(wildcards)}/train/{shard}.json" for shard in shards()]


def cams_of_shard(wildcards):
    """The manifest of the CAMs of the same images."""
    return f"{cam_folder(wildcards)}/{wildcards.split}/{wildcards.shard}.json"


def classifier_of_cams(wildcards):
    """The classifier's weights, where the CAMs are its own."""
    used = section("cam", wildcards)["source"] == "classifier"
    return (
        f"results/{wildcards.dataset}/s1_classifier/weights.safetensors" if used else []
    )


def backbone_alone(name):
    """Input function: the file with the weights of a section's backbone, where no classifier has trained it."""
    return lambda wildcards: (
        [] if classifier_of_cams(wildcards) else backbone_of(name)(wildcards)
    )


def start_of_backbone(wildcards, input):
    """Params function: the flags with the trained classifier, or without one those of the run's backbone."""
    if input.classifier:
        return f"--classifier {input.classifier}"
    backbone = shlex.quote(section("classifier")["backbone"])
    return f"--backbone {backbone} --backbone-weights {shlex.quote(WEIGHTS)}"


def objects_of_shard(wildcards):
    """Soft masks of the same images, or nothing where they are not used."""
    if not uses_objects(wildcards):
        return []
    return same_shard("s5_object_masks")(wildcards)


def masks_of_shard(wildcards):
    """Masks of the same images, or nothing where their weak labels have none."""
    if not dag.has_masks(config, wildcards.variant, wildcards.weak):
        return []
    return same_shard("s3_masks")(wildcards)


def cams_of_prompts(wildcards):
    """The CAMs of the same images, where the mask source takes prompts from them."""
    if not dag.masks_need_cams(config, wildcards.variant, wildcards.weak):
        return []
    return cams_of_shard(wildcards)


def gpus_of_masks(wildcards):
    """Resource function: a GPU where a network makes the masks; GrabCut leaves it to other jobs, and takes every core beside them."""
    return GPUS * dag.masks_by_network(config, wildcards.variant, wildcards.weak)


def files_of_masks(wildcards):
    """Params function: a digest of what the folders of models and of the user's own masks list, as far as they are folders."""
    options = section("masks", wildcards)
    used = {"sam": ["model", "text_boxes_model"], "folder": ["folder"], "grabcut": []}
    folders = [Path(options[name]) for name in used[options["source"]]]
    return changes.listing(*(folder for folder in folders if folder.is_dir()))


def cams_of_levels(wildcards):
    """The CAMs of all training images, where their distribution gives the thresholds of the seeds."""
    if section("seeds", wildcards)["thresholds"] != "quantiles":
        return []
    return cams_of_training(wildcards)


def classifier_of_rrm(wildcards):
    """The classifier's weights, where RRM starts on them."""
    used = section("rrm", wildcards)["start"] == "classifier"
    return (
        f"results/{wildcards.dataset}/s1_classifier/weights.safetensors" if used else []
    )


def labels_of(name):
    """Input function: all labels that a config section asks for, but truth."""

    def manifests(wildcards):
        stage = dag.MAKERS[section(name, wildcards)["labels"]]
        return all_shards(stage, "train")(wildcards) if stage else []

    return manifests


def labels_of_instances(wildcards):
    """Labels that masks of boxes are cut from; a run without boxes is refused before anything runs."""
    truth = section("instance_masks", wildcards)["labels"] == "truth"
    if not truth and wildcards.weak not in ("box", "mixed"):
        raise WorkflowError(
            f"instances are made of boxes, and a run on weak: {wildcards.weak} has none; wanted weak: box or mixed, or a "
            "variant with instance_masks: {labels: truth}"
        )
    return labels_of("instance_masks")(wildcards)


def weights_source(name, wildcards):
    """Where the weights of a section's own backbone come from; those of other sections are the run's."""
    if name in ("segment", "dfr", "instances"):
        return section(name, wildcards)["backbone_weights"]
    if name == "graph":
        return section(name, wildcards)["feature_weights"] or "none"
    return WEIGHTS


def backbone_of(name):
    """Input function: the file with the weights of a section's backbone, if it is a file that can be an input.

    Snakemake takes braces in the path of an input for wildcards, however they are written; `watched` looks after such a file.
    """

    def file(wildcards):
        source = weights_source(name, wildcards)
        used = source not in variants.NAMED_WEIGHTS and not contains_wildcard(source)
        return [source] if used else []

    return file


def watched(name):
    """Params function: size and time of a file of weights that cannot be an input, so that another file trains again."""

    def seen(wildcards):
        source = weights_source(name, wildcards)
        if not contains_wildcard(source):
            return None
        if not Path(source).is_file():
            raise WorkflowError(
                f"backbone_weights: found no file {source!r}; wanted a .pth or .safetensors, 'package', 'hub' or 'none'"
            )
        return [Path(source).stat().st_size, Path(source).stat().st_mtime_ns]

    return seen


def watched_alone(name):
    """Params function: as `watched`, where no classifier has trained the backbone."""
    return lambda wildcards: (
        None if classifier_of_cams(wildcards) else watched(name)(wildcards)
    )


def label_maps(wildcards):
    """Manifests of all label maps of the training images."""
    return [
        path
        for stage in label_stages(wildcards)
        for path in all_shards(stage, "train")(wildcards)
    ]


def label_maps_of_run(_wildcards):
    """Manifests of all label maps of the training images of the run's own variant."""
    names = ("dataset", "weak", "variant")
    return label_maps(SimpleNamespace(**{name: config[name] for name in names}))


def to_score(wildcards):
    """Label maps of a split: every stage's on the training images, predictions on the validation images."""
    if wildcards.split == "train":
        return label_maps(wildcards)
    return all_shards("s8_predict", "val")(wildcards)


def maps_of(*splits):
    """Input function: all maps of the frozen backbone."""
    return lambda wildcards: [
        f"results/{wildcards.dataset}/scl_features/{split}/{shard}.json"
        for split in splits
        for shard in shards()
    ]


def few_shot_weights(wildcards):
    """The weights of scl_train on a fold, of the variant whose training is this one's too."""
    home = dag.home(config, wildcards.variant, "scl_train")
    return f"results/{wildcards.dataset}/scl/fold{wildcards.fold}/{home}/scl_train/weights.safetensors"


def label_manifests(wildcards):
    """Manifests of the CAMs and masks, if any, and of all label maps of the training images."""
    if not dag.uses_cams(config, wildcards.variant, wildcards.weak):
        return label_maps(wildcards)
    masked = dag.uses_masks(config, wildcards.variant, wildcards.weak)
    masks = all_shards("s3_masks", "train")(wildcards) if masked else []
    return cams_of_training(wildcards) + masks + label_maps(wildcards)


def curves(wildcards):
    """Learning curves of every training behind a variant."""
    own = [
        f"{stage_folder(wildcards, stage)}/curve.json" for stage in trainings(wildcards)
    ]
    used = dag.uses_classifier(config, wildcards.variant, wildcards.weak)
    return [f"results/{wildcards.dataset}/s1_classifier/curve.json"] * used + own


def benchmarks(wildcards):
    """Benchmark files of all jobs whose artifacts a variant's report reads, in the order of the data."""

    def of(stage, **more):
        home = (
            dag.home(config, wildcards.variant, stage, wildcards.weak)
            if stage in STAGES
            else wildcards.variant
        )
        values = dict(wildcards.items()) | {"variant": home} | more
        return expand(getattr(rules, stage).benchmark, **values)

    train, val = ({"split": split, "shard": shards()} for split in ("train", "val"))
    road = (config, wildcards.variant, wildcards.weak)
    made = of("data")
    if dag.uses_classifier(*road):
        made += of("s1_classifier")
    if dag.uses_cams(*road):
        shared = cam_folder(wildcards) == f"results/{wildcards.dataset}/s2_cam"
        home = dag.home(config, wildcards.variant, "s2_cam", wildcards.weak)
        made += of("s2_cam" if shared else "s2_cam_of_variant", **train, variant=home)
    if dag.uses_masks(*road):
        made += of("s3_masks", **train)
    for stage in label_stages(wildcards):
        made += of(stage, **train)
    made += of("s8_predict", **val)
    for stage in trainings(wildcards):
        made += of(stage)
    return made
