"""The stages on a variant's road: which reads which, and which variants share artifacts."""

from typing import Any

from wsss_stages.config import options, variants

STAGES = {
    "s2_cam": "cam",
    "s3_masks": "masks",
    "s3_seeds": "seeds",
    "rrm_train": "rrm",
    "rrm_label": "rrm_label",
    "dfr_train": "dfr",
    "scl_train": "scl",
    "scl_evaluate": "scl_evaluate",
    "s4_object_net": "object_net",
    "s4_affinity": "affinity",
    "s5_object_masks": "object_masks",
    "s5_walk": "graph",
    "s5_graph": "graph",
    "s6_propagate": "propagate",
    "s6_instance_masks": "instance_masks",
    "s7_segment": "segment",
    "s7_instances": "instances",
    "s8_predict": "predict",
    "s8_detect": "detect",
    "s9_evaluate": "evaluate",
}
"""Stages that a variant may change, in the order of the data, and their config sections."""
READS = {
    "s2_cam": [],
    "rrm_train": [],
    "rrm_label": ["rrm_train"],
    "dfr_train": [],
    "scl_train": [],
    "scl_evaluate": ["scl_train"],
    "s4_object_net": ["s2_cam", "s3_masks"],
    "s4_affinity": ["s3_seeds"],
    "s5_object_masks": ["s4_object_net"],
    "s6_propagate": ["s5_object_masks", "s5_graph"],
    "s7_instances": ["s6_instance_masks"],
    "s8_detect": ["s7_instances"],
}
"""Stages whose artifacts a stage reads, without those that these stages read in turn; `reads` has the rest. The object network starts from the
network of the CAMs."""
MAKERS = {
    "pseudo": "s6_propagate",
    "grabcut": "s3_seeds",
    "seeds": "s3_seeds",
    "cam": "s3_seeds",
    "rrm": "rrm_label",
    "truth": None,
}
"""Stage that makes the labels of an option `labels`."""
NETWORKS = {"segmenter": "s7_segment", "rrm": "rrm_train", "dfr": "dfr_train"}
"""Stage that trains the network of `predict.network`."""


def reads(config: dict[str, Any], variant: str, stage: str, weak: str | None = None) -> list[str]:
    """Return the stages whose artifacts a stage of a variant reads, without those that these stages read in turn."""
    if stage in ("s6_instance_masks", "s7_segment"):
        maker = MAKERS[variants.section(config, STAGES[stage], variant, weak)["labels"]]
        return [maker] if maker else []
    if stage in ("s5_walk", "s5_graph"):
        return ["s4_affinity"] if graph(config, variant, weak).needs_affinity else ["s3_seeds"]
    if stage == "s8_predict":
        return [predicting(config, variant, weak)]
    if stage == "s9_evaluate":
        return [*label_stages(config, variant, weak), "s8_predict"]
    if stage == "s3_seeds":
        return ["s2_cam", *(["s3_masks"] if has_masks(config, variant, weak) else [])]
    if stage == "s3_masks":
        return ["s2_cam"] if masks_need_cams(config, variant, weak) else []
    return READS[stage]


def predicting(config: dict[str, Any], variant: str, weak: str | None = None) -> str:
    """Return the stage that trains the network of a variant's predictions."""
    return NETWORKS[variants.section(config, "predict", variant, weak)["network"]]


def label_stages(config: dict[str, Any], variant: str, weak: str | None = None) -> list[str]:
    """Return the stages that leave label maps of the training images on a variant's road: A²GNN's, RRM's, or only the seeds'.

    DFR's road has predictions, but no label maps.
    """
    labels, last = variants.section(config, "segment", variant, weak)["labels"], predicting(config, variant, weak)
    if last == "dfr_train":
        return ["s8_predict"]
    if last == "rrm_train" or labels == "rrm":
        return ["s3_seeds", "rrm_label"]
    if labels in ("cam", "grabcut", "seeds"):
        return ["s3_seeds"]
    objects = ["s5_object_masks"] if uses_objects(config, variant, weak) else []
    return ["s3_seeds", *objects, "s5_graph", "s6_propagate"]


def trainings(config: dict[str, Any], variant: str, weak: str | None = None) -> list[str]:
    """Return the stages on a variant's road that train a network, without the classifier."""
    of_labels = {"s5_object_masks": "s4_object_net", "rrm_label": "rrm_train"}
    if graph(config, variant, weak).needs_affinity:
        of_labels["s5_graph"] = "s4_affinity"
    found = [of_labels[stage] for stage in label_stages(config, variant, weak) if stage in of_labels]
    last = predicting(config, variant, weak)
    return found if last in found else [*found, last]


def has_masks(config: dict[str, Any], variant: str, weak: str | None = None) -> bool:
    """Return whether a variant's seeds are made from masks of boxes, clicks, scribbles or tags."""
    return options.has_masks(variants.section(config, "masks", variant, weak)["source"], weak or config["weak"])


def uses_masks(config: dict[str, Any], variant: str, weak: str | None = None) -> bool:
    """Return whether there is a mask source on a variant's road."""
    return uses_cams(config, variant, weak) and has_masks(config, variant, weak)


def masks_by_network(config: dict[str, Any], variant: str, weak: str | None = None) -> bool:
    """Return whether a network makes the masks, on a GPU where there is one."""
    return options.by_network(variants.section(config, "masks", variant, weak)["source"])


def masks_need_cams(config: dict[str, Any], variant: str, weak: str | None = None) -> bool:
    """Return whether a variant's mask source takes prompts from CAMs."""
    return options.needs_cams(variants.section(config, "masks", variant, weak)["source"], weak or config["weak"])


def uses_cams(config: dict[str, Any], variant: str, weak: str | None = None) -> bool:
    """Return whether there are CAMs on a variant's road."""
    return "s3_seeds" in label_stages(config, variant, weak)


def uses_classifier(config: dict[str, Any], variant: str, weak: str | None = None) -> bool:
    """Return whether a variant's road needs the classifier of s1: for the CAMs, the edges of graphs, or as the start of RRM."""
    of_cams = variants.section(config, "cam", variant, weak)["source"] == "classifier"
    rrm = (
        "rrm_train" in trainings(config, variant, weak)
        and variants.section(config, "rrm", variant, weak)["start"] == "classifier"
    )
    of_graphs = "s5_graph" in label_stages(config, variant, weak) and graph(config, variant, weak).needs_classifier
    return rrm or of_graphs or (of_cams and uses_cams(config, variant, weak))


def home(config: dict[str, Any], variant: str, stage: str, weak: str | None = None) -> str:
    """Return the variant whose artifacts of a stage this one shares: its base, as long as no option up to this stage
    differs.
    """
    base = variants.known_variant(config, variant).get("base")
    if base is None:
        return variant

    def same(stage: str) -> bool:
        name = STAGES[stage]
        own, of_base = (variants.section(config, name, v, weak) for v in (variant, base))
        return own == of_base and all(map(same, reads(config, variant, stage, weak)))

    return home(config, base, stage, weak) if same(stage) else variant


def uses_objects(config: dict[str, Any], variant: str, weak: str | None = None) -> bool:
    """Return whether a variant's pseudo labels use soft masks of boxes."""
    return variants.section(config, "propagate", variant, weak)["objects_share"] > 0


def chooses_walk(config: dict[str, Any], variant: str, weak: str | None = None) -> bool:
    """Return whether power and steps of a variant's random walk are chosen by the run, if it has a walk."""
    return graph(config, variant, weak).chooses_walk


def graph(config: dict[str, Any], variant: str, weak: str | None = None) -> options.Graph:
    """Return the options of a variant's graphs."""
    return options.Graph(**variants.section(config, "graph", variant, weak))
