"""A run's configuration: the files that set it, a variant's options, and the folders of a stage's artifacts."""

import importlib.util
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from wsss_stages.config import check, options, tables
from wsss_stages.config.check import ConfigError
from wsss_stages.config.home import workflow_folder
from wsss_stages.data.names import NAME
from wsss_stages.store.packages import WeightsError, package_file

__all__ = ["ConfigError"]

DEFAULTS = workflow_folder() / "config.yaml"
"""The configuration that users' configurations are laid over."""
DEMO = Path("workflow", "runs", "demo.yaml")
"""Settings of the embedded demo, in the folder of the config.yaml that it is laid over."""

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
    if config["tensorboard"] and importlib.util.find_spec("tensorboard") is None:
        raise ConfigError(
            "tensorboard: found true, but no package tensorboard; wanted it. Run `pip install 'wsss-stages[tensorboard]'`, or set it to false."
        )
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
    return _with_backbone(config, name, found) if name in ("segment", "dfr", "instances") else found


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


def launcher(gpus: int, tensorboard: bool = False) -> str:
    """Return the beginning of a training's command: one process, or one for each of several GPUs; with event files if wanted."""
    command = f"torchrun --standalone --nproc-per-node {gpus} -m" if gpus > 1 else "python -m"
    return f"env WSSS_TENSORBOARD=1 {command}" if tensorboard else command
