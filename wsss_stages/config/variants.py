"""A run's configuration: the files that set it, a variant's options, and the folders of a stage's artifacts."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from wsss_stages.config import check, options, tables
from wsss_stages.config.check import ConfigError
from wsss_stages.data.names import NAME
from wsss_stages.store.packages import WeightsError, package_file

__all__ = ["ConfigError"]

DEFAULTS = Path(__file__).parents[2] / "config.yaml"
"""The configuration that users' configurations are laid over."""
DEMO = Path("workflow", "runs", "demo.yaml")
"""Settings of the embedded demo, in the folder of the config.yaml that it is laid over."""

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
    "s4_object_net": ["s3_masks"],
    "s4_affinity": ["s3_seeds"],
    "s5_object_masks": ["s4_object_net"],
    "s6_propagate": ["s5_object_masks", "s5_graph"],
    "s7_instances": ["s6_instance_masks"],
    "s8_detect": ["s7_instances"],
}
"""Stages whose artifacts a stage reads, without those that these stages read in turn; `reads` has the rest."""
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
NAMED_WEIGHTS = ("package", "hub", "none")
"""Values of backbone_weights other than a file."""


def complete(config: dict[str, Any], files: list[Path]) -> None:
    """Check a configuration, and fill in what follows from the rest: values of their types, the dataset's name.

    Args:
        files: files of the configuration, later ones over earlier ones.

    Raises: ConfigError with one line for each fault.
    """
    check.check(config, files)
    config.update(options.Run(**{key: config[key] for key in options.Run.model_fields}).model_dump())
    for name in options.SECTIONS:
        _section(config, name, config["variant"])  # options that contradict each other are reported now
    section(config, "segment", config["variant"])  # weights of no backbone, too
    _check_package(section(config, "classifier")["backbone"], config["backbone_weights"])
    known_variant(config, section(config, "tables")["base"])
    if not config["dataset_root"] and section(config, "data")["kind"] != "scenes":
        raise ConfigError(
            f"dataset_root: found none for the dataset {config['dataset']!r}; wanted the folder of the dataset. The embedded demo runs "
            "where neither dataset nor dataset_root is set."
        )
    config["dataset"] = config["dataset"] or Path(config["dataset_root"]).resolve().name
    if not re.fullmatch(NAME, config["dataset"]):
        raise ConfigError(
            f"dataset_root {config['dataset_root']!r} is a folder named {config['dataset']!r}, which cannot name a folder of "
            "results: wanted letters, digits, '_', '.' and '-'. Set `dataset` to such a name."
        )


def own_file() -> list[Path]:
    """Return the config.yaml of the working directory, if there is one: it counts more than the one beside the Snakefile."""
    return [path for path in (Path("config.yaml"),) if path.is_file()]


def load(files: list[Path], values: list[str], own: Sequence[Path] = ()) -> dict[str, Any]:
    """Return the configuration that snakemake has with `--configfile files --config values`, the first of the files being the Snakefile's own.

    Args:
        own: files of the working directory, laid over the first of the files and below the others.

    Raises: ConfigError.
    """
    from snakemake.utils import update_config

    first, *over = files
    config: dict[str, Any] = {}
    given: dict[str, Any] = {}
    for path in over:
        update_config(given, _read(path))
    for text in values:
        key, _, value = text.partition("=")
        update_config(given, {key: yaml.safe_load(value)})
    read = [first, *own]
    for path in read:
        update_config(config, _read(path))
    update_config(config, given)
    if not (config.get("dataset") or config.get("dataset_root")):
        read.append(first.parent / DEMO)
        update_config(config, _read(read[-1]))
        update_config(config, given)
    complete(config, [*read, *over])
    return config


def _read(path: Path) -> dict[str, Any]:
    return yaml.safe_load(path.read_text()) or {}


def known_variant(config: dict[str, Any], variant: str) -> dict[str, Any]:
    """Return a variant's overrides: one of the config, or of a row of a thesis table, which is made on request.

    Raises: ConfigError for a name that is in neither.
    """
    if variant in config["variants"]:
        return config["variants"][variant]
    of_tables = section(config, "tables")
    rows = tables.variants(of_tables["base"], of_tables["images"], of_tables["seeds"])
    if variant not in rows:
        names = list(config["variants"])
        near = options.legal.nearest(variant, names)
        raise ConfigError(f"no variant {variant!r} in config; there are {', '.join(names)}{near}")
    return rows[variant]


def section(config: dict[str, Any], name: str, variant: str | None = None, weak: str | None = None) -> dict[str, Any]:
    """Return a section's options: defaults, those of the kind of weak label, config.yaml, the variant's base, the
    variant itself.

    Overrides of a variant under the name of a kind of weak label apply to runs on that kind only. `weak`: the
    config's if not given.
    """
    found = _section(config, name, variant, weak)
    if name == "graph":
        return _with_feature_weights(config, found)
    return _with_backbone(config, name, found) if name in ("segment", "dfr") else found


def _section(config: dict[str, Any], name: str, variant: str | None, weak: str | None = None) -> dict[str, Any]:
    """Return a section's options as they are written."""
    where = f"variant {variant}: " if variant else ""
    chain: dict[str, dict] = {}
    while variant is not None:
        if variant in chain:
            raise ConfigError(f"circular `base` chain: {' -> '.join([*chain, variant])}. Remove one `base`.")
        overrides = chain[variant] = known_variant(config, variant)
        variant = overrides.get("base")
    kind: str = weak or config["weak"]
    values = options.KINDS[kind].get(name, {}) | config.get(name, {})
    for overrides in reversed(chain.values()):
        for key, value in {**overrides.get(name, {}), **overrides.get(kind, {}).get(name, {})}.items():
            nested = isinstance(value, dict) and isinstance(values.get(key), dict)
            values[key] = {**values[key], **value} if nested else value
    backbone = "" if name == "classifier" else _section(config, "classifier", None)["backbone"]
    return check.section(name, options.merge(options.SECTIONS[name], values, backbone), where).model_dump()


def _with_backbone(config: dict[str, Any], name: str, segment: dict[str, Any]) -> dict[str, Any]:
    """Return a section's options; backbone and weights are the classifier's where the section leaves them empty."""
    classifier = section(config, "classifier")["backbone"]
    backbone = segment["backbone"] or classifier
    source = segment["backbone_weights"] or config["backbone_weights"]
    if backbone != classifier and not segment["backbone_weights"] and source not in NAMED_WEIGHTS:
        raise ConfigError(
            f"{name}.backbone is {backbone!r} and classifier.backbone {classifier!r}; backbone_weights {source!r} can be of "
            f"one of them. Set {name}.backbone_weights to a file of its own, 'package', 'hub' or 'none'."
        )
    _check_package(backbone, source)
    return segment | {"backbone": backbone, "backbone_weights": source}


def _with_feature_weights(config: dict[str, Any], graph: dict[str, Any]) -> dict[str, Any]:
    """Return the options of graphs; weights of a frozen backbone of their own are the run's where the section leaves them empty."""
    backbone, own, source = graph["feature_backbone"], graph["feature_weights"], config["backbone_weights"]
    if not backbone:
        return graph
    if not own and source not in NAMED_WEIGHTS and backbone != section(config, "classifier")["backbone"]:
        raise ConfigError(
            f"graph.feature_backbone is {backbone!r}, and backbone_weights {source!r} is of the classifier's. Set graph.feature_weights "
            "to a file of its own, 'package', 'hub' or 'none'."
        )
    _check_package(backbone, own or source)
    return graph | {"feature_weights": own or source}


def _check_package(backbone: str, source: str) -> None:
    """Raise ConfigError for weights 'package' of a backbone that has none, or none that is installed."""
    if source == "package":
        try:
            package_file(backbone)
        except WeightsError as error:
            raise ConfigError(str(error)) from error


def reads(config: dict[str, Any], variant: str, stage: str, weak: str | None = None) -> list[str]:
    """Return the stages whose artifacts a stage of a variant reads, without those that these stages read in turn."""
    if stage in ("s6_instance_masks", "s7_segment"):
        maker = MAKERS[section(config, STAGES[stage], variant, weak)["labels"]]
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
    return NETWORKS[section(config, "predict", variant, weak)["network"]]


def label_stages(config: dict[str, Any], variant: str, weak: str | None = None) -> list[str]:
    """Return the stages that leave label maps of the training images on a variant's road: A²GNN's, RRM's, or only the CAMs'.

    DFR's road has predictions, but no label maps.
    """
    labels, last = section(config, "segment", variant, weak)["labels"], predicting(config, variant, weak)
    if last == "dfr_train":
        return ["s8_predict"]
    if last == "rrm_train" or labels == "rrm":
        return ["s3_seeds", "rrm_label"]
    if labels == "cam":
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
    return options.has_masks(section(config, "masks", variant, weak)["source"], weak or config["weak"])


def uses_masks(config: dict[str, Any], variant: str, weak: str | None = None) -> bool:
    """Return whether there is a mask source on a variant's road."""
    return uses_cams(config, variant, weak) and has_masks(config, variant, weak)


def masks_need_cams(config: dict[str, Any], variant: str, weak: str | None = None) -> bool:
    """Return whether a variant's mask source takes prompts from CAMs."""
    return options.needs_cams(section(config, "masks", variant, weak)["source"], weak or config["weak"])


def launcher(gpus: int) -> str:
    """Return the beginning of a training's command: one process, or one for each of several GPUs."""
    return f"torchrun --standalone --nproc-per-node {gpus} -m" if gpus > 1 else "python -m"


def uses_cams(config: dict[str, Any], variant: str, weak: str | None = None) -> bool:
    """Return whether there are CAMs on a variant's road."""
    return "s3_seeds" in label_stages(config, variant, weak)


def uses_classifier(config: dict[str, Any], variant: str, weak: str | None = None) -> bool:
    """Return whether a variant's road needs the classifier of s1: for the CAMs, the edges of graphs, or as the start of RRM."""
    of_cams = section(config, "cam", variant, weak)["source"] == "classifier"
    rrm = (
        "rrm_train" in trainings(config, variant, weak)
        and section(config, "rrm", variant, weak)["start"] == "classifier"
    )
    of_graphs = "s5_graph" in label_stages(config, variant, weak) and graph(config, variant, weak).needs_classifier
    return rrm or of_graphs or (of_cams and uses_cams(config, variant, weak))


def home(config: dict[str, Any], variant: str, stage: str, weak: str | None = None) -> str:
    """Return the variant whose artifacts of a stage this one shares: its base, as long as no option up to this stage
    differs.
    """
    base = known_variant(config, variant).get("base")
    if base is None:
        return variant

    def same(stage: str) -> bool:
        name = STAGES[stage]
        own, of_base = (section(config, name, v, weak) for v in (variant, base))
        return own == of_base and all(map(same, reads(config, variant, stage, weak)))

    return home(config, base, stage, weak) if same(stage) else variant


def uses_objects(config: dict[str, Any], variant: str, weak: str | None = None) -> bool:
    """Return whether a variant's pseudo labels use soft masks of boxes."""
    return section(config, "propagate", variant, weak)["objects_share"] > 0


def chooses_walk(config: dict[str, Any], variant: str, weak: str | None = None) -> bool:
    """Return whether power and steps of a variant's random walk are chosen by the run, if it has a walk."""
    return graph(config, variant, weak).chooses_walk


def graph(config: dict[str, Any], variant: str, weak: str | None = None) -> options.Graph:
    """Return the options of a variant's graphs."""
    return options.Graph(**section(config, "graph", variant, weak))
