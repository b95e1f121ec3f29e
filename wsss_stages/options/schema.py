"""Sections by name, and the JSON schema of config.yaml."""

from pathlib import Path
from typing import Any

from pydantic import BaseModel

from wsss_stages.data.names import NAME
from wsss_stages.options.a2gnn import Affinity, Graph, ObjectMasks, ObjectNet, Propagate, Seeds
from wsss_stages.options.base import Section
from wsss_stages.options.dfr import Dfr
from wsss_stages.options.instances import Detect, InstanceMasks, Instances
from wsss_stages.options.kinds import KINDS
from wsss_stages.options.rrm import Rrm, RrmLabel
from wsss_stages.options.scl import Scl, SclEpisodes, SclEvaluate, SclFeatures
from wsss_stages.options.shared import Cam, Classifier, Data, Evaluate, Predict, Segment, Tables

SCHEMA_FILE = Path(__file__).parents[2] / "workflow" / "schemas" / "config.schema.yaml"

ONE_NAME = f"^{NAME}$(?!\\n)"
"""A pattern; Python's `$` alone would let a line feed follow."""

SECTIONS: dict[str, type[Section]] = {
    "data": Data,
    "classifier": Classifier,
    "cam": Cam,
    "seeds": Seeds,
    "object_net": ObjectNet,
    "affinity": Affinity,
    "object_masks": ObjectMasks,
    "graph": Graph,
    "propagate": Propagate,
    "instance_masks": InstanceMasks,
    "rrm": Rrm,
    "rrm_label": RrmLabel,
    "dfr": Dfr,
    "scl_episodes": SclEpisodes,
    "scl_features": SclFeatures,
    "scl": Scl,
    "scl_evaluate": SclEvaluate,
    "segment": Segment,
    "instances": Instances,
    "predict": Predict,
    "detect": Detect,
    "evaluate": Evaluate,
    "tables": Tables,
}


def merge(section: type[BaseModel], values: dict[str, Any]) -> dict[str, Any]:
    """Values over the section's defaults, also inside nested sections whose default differs from their type's."""
    merged = section().model_dump()
    for key, value in values.items():
        if isinstance(value, dict) and isinstance(merged.get(key), dict):
            merged[key] = {**merged[key], **value}
        else:
            merged[key] = value
    return merged


def json_schema() -> dict:
    """JSON schema of config.yaml: run settings and one object per section."""
    sections = {
        name: section.model_json_schema(ref_template=f"#/$defs/{name}/$defs/{{model}}")
        for name, section in SECTIONS.items()
    }
    partial = {name: {**schema, "required": []} for name, schema in sections.items()}
    run = {
        "dataset": {
            "type": "string",
            "pattern": f"^$(?!\\n)|{ONE_NAME}",
            "description": "name of the results folder; empty: the name of dataset_root",
        },
        "dataset_root": {
            "type": "string",
            "description": "folder of the dataset; empty for the embedded demo",
        },
        "backbone_weights": {
            "type": "string",
            "description": "local .pth or .safetensors, 'package' (installed by pip), 'hub' or 'none'",
        },
        "weak": {"enum": list(KINDS), "description": "kind of weak label"},
        "variant": {"type": "string", "pattern": ONE_NAME, "description": "the variant that `rule all` makes"},
        "shards": {"type": "integer", "minimum": 1, "description": "jobs per image-wise stage"},
        "device": {
            "type": "string",
            "pattern": r"^(auto|cpu|cuda(:[0-9]+)?)$(?!\n)",
            "description": "auto, cpu, cuda or cuda:N",
        },
        "gpus_per_training": {
            "type": "integer",
            "minimum": 1,
            "description": "GPUs that share the batches of a training; no reason to train again",
        },
        "report_images": {
            "type": "integer",
            "minimum": 1,
            "description": "rows of the picture in the report",
        },
        "demo": {"type": "object", "description": "what replaces the rest while dataset_root is empty"},
        "variants": {
            "type": "object",
            "propertyNames": {"pattern": ONE_NAME},
            "description": "named sets of overrides: {name: {base: name, section: {option: value}}}",
        },
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$defs": partial,
        "type": "object",
        "additionalProperties": False,
        "required": list(run),
        "properties": run | {name: {"$ref": f"#/$defs/{name}"} for name in SECTIONS},
    }
