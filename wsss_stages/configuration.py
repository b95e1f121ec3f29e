"""What a run's configuration means: which file says what, a variant's options, and where a stage's artifacts live."""

from pathlib import Path
from typing import Any

import yaml

from wsss_stages import options, tables

STAGES = {
    "s3_seeds": "seeds",
    "s4_object_net": "object_net",
    "s4_affinity": "affinity",
    "s5_object_masks": "object_masks",
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
    "s3_seeds": [],
    "s4_object_net": ["s3_seeds"],
    "s4_affinity": ["s3_seeds"],
    "s5_object_masks": ["s4_object_net"],
    "s5_graph": ["s4_affinity"],
    "s6_propagate": ["s5_object_masks", "s5_graph"],
    "s6_instance_masks": ["s6_propagate"],
    "s7_segment": ["s6_propagate"],
    "s7_instances": ["s6_instance_masks"],
    "s8_predict": ["s7_segment"],
    "s8_detect": ["s7_instances"],
    "s9_evaluate": ["s8_predict"],
}
"""Stages whose artifacts a stage reads, but those that these read too."""


class ConfigError(ValueError):
    """A configuration that names what is not there."""


def complete(config: dict[str, Any]) -> None:
    """Fill in what follows from the rest: the demo's settings without a dataset, the dataset's name."""
    from snakemake.utils import update_config

    if not config["dataset_root"]:
        update_config(config, config["demo"])
    section(config, "segment", config["variant"])  # an unknown variant, or weights of no backbone, are told now
    of_tables = section(config, "tables")
    known_variant(config, of_tables["base"])
    config["variants"] |= tables.variants(of_tables)
    config["dataset"] = config["dataset"] or Path(config["dataset_root"]).resolve().name


def load(files: list[Path], values: list[str]) -> dict[str, Any]:
    """What snakemake makes of `--configfile files --config values` over config.yaml."""
    from snakemake.utils import update_config, validate

    config: dict[str, Any] = {}
    for path in files:
        update_config(config, yaml.safe_load(path.read_text()))
    for text in values:
        key, _, value = text.partition("=")
        update_config(config, {key: yaml.safe_load(value)})
    validate(config, str(options.SCHEMA_FILE), set_default=False)
    complete(config)
    return config


def known_variant(config: dict[str, Any], variant: str) -> dict[str, Any]:
    """A variant's overrides. Raises ConfigError."""
    if variant not in config["variants"]:
        raise ConfigError(f"no variant {variant!r} in config; there are {', '.join(config['variants'])}")
    return config["variants"][variant]


def section(config: dict[str, Any], name: str, variant: str | None = None, weak: str | None = None) -> dict[str, Any]:
    """A section's options: defaults, those of the kind of weak label, config.yaml, the variant's base, the variant itself.

    What a variant says under the kind's name holds for runs on that kind only. `weak`: the config's if not given.
    """
    chain = []
    while variant is not None:
        chain.append(known_variant(config, variant))
        variant = chain[-1].get("base")
        if len(chain) > len(config["variants"]):
            raise ConfigError("the bases of the variants go round in a circle")
    weak = weak or config["weak"]
    values = options.merge(options.SECTIONS[name], options.KINDS[weak].get(name, {}) | config.get(name, {}))
    for overrides in reversed(chain):
        for key, value in {**overrides.get(name, {}), **overrides.get(weak, {}).get(name, {})}.items():
            nested = isinstance(value, dict) and isinstance(values[key], dict)
            values[key] = {**values[key], **value} if nested else value
    found = options.SECTIONS[name](**values).model_dump()
    return _of_segmenter(config, found) if name == "segment" else found


def _of_segmenter(config: dict[str, Any], segment: dict[str, Any]) -> dict[str, Any]:
    """The segmenter's options; the backbone and its weights are the classifier's where they are left open."""
    classifier = section(config, "classifier")["backbone"]
    backbone = segment["backbone"] or classifier
    source = segment["backbone_weights"] or config["backbone_weights"]
    if backbone != classifier and not segment["backbone_weights"] and source not in ("hub", "none"):
        raise ConfigError(
            f"segment.backbone is {backbone!r} and classifier.backbone {classifier!r}; backbone_weights {source!r} can be of "
            "one of them. Set segment.backbone_weights to a file of its own, 'hub' or 'none'."
        )
    return segment | {"backbone": backbone, "backbone_weights": source}


def home(config: dict[str, Any], variant: str, stage: str, weak: str | None = None) -> str:
    """The variant whose artifacts of a stage are this one's too: its base as long as nothing up to there differs."""
    base = config["variants"][variant].get("base")
    if base is None:
        return variant

    def same(stage: str) -> bool:
        name = STAGES[stage]
        own, of_base = (section(config, name, v, weak) for v in (variant, base))
        return own == of_base and all(map(same, READS[stage]))

    return home(config, base, stage, weak) if same(stage) else variant


def uses_objects(config: dict[str, Any], variant: str, weak: str | None = None) -> bool:
    """Whether a variant's pseudo labels come from soft masks of boxes too."""
    return section(config, "propagate", variant, weak)["objects_share"] > 0
