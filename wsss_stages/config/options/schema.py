"""Sections by name, and the JSON schema of config.yaml."""

from typing import Any

from pydantic import BaseModel

from wsss_stages.config.home import workflow_folder
from wsss_stages.config.options.a2gnn import Affinity, Graph, ObjectMasks, ObjectNet, Propagate, Seeds
from wsss_stages.config.options.base import Section
from wsss_stages.config.options.dfr import Dfr
from wsss_stages.config.options.instances import Detect, InstanceMasks, Instances
from wsss_stages.config.options.masks import Masks
from wsss_stages.config.options.rrm import Rrm, RrmLabel
from wsss_stages.config.options.run import Run
from wsss_stages.config.options.scl import Scl, SclEpisodes, SclEvaluate, SclFeatures
from wsss_stages.config.options.shared import Cam, Classifier, Data, Evaluate, Predict, Segment, Tables
from wsss_stages.config.options.transformers import FROZEN, is_transformer

SCHEMA_FILE = workflow_folder() / "workflow" / "schemas" / "config.schema.yaml"

SECTIONS: dict[str, type[Section]] = {
    "data": Data,
    "classifier": Classifier,
    "cam": Cam,
    "masks": Masks,
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


def merge(section: type[BaseModel], values: dict[str, Any], backbone: str = "") -> dict[str, Any]:
    """Return the values over the section's defaults, also inside nested sections whose default differs from their
    type's. Vision Transformers are frozen throughout unless a value says otherwise.

    Args:
        backbone: of a section that names none.
    """
    merged = section().model_dump()
    if "frozen_share" in merged and is_transformer(str(values.get("backbone") or backbone)):
        merged["frozen_share"] = FROZEN
    for key, value in values.items():
        if isinstance(value, dict) and isinstance(merged.get(key), dict):
            merged[key] = {**merged[key], **value}
        else:
            merged[key] = value
    return merged


def json_schema() -> dict:
    """Return JSON schema of config.yaml: run settings and one object per section."""
    sections = {
        name: section.model_json_schema(ref_template=f"#/$defs/{name}/$defs/{{model}}")
        for name, section in SECTIONS.items()
    }
    partial = {name: {**schema, "required": []} for name, schema in sections.items()}
    run = Run.model_json_schema()["properties"]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$defs": partial,
        "type": "object",
        "additionalProperties": False,
        "required": list(run),
        "properties": run | {name: {"$ref": f"#/$defs/{name}"} for name in SECTIONS},
    }
