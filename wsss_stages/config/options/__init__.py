"""Every knob of every stage: type, default, bounds, unit, equation. One home for command line, config and schema.

Defaults are the preset `ours`; the presets `thesis` and `released` are variants in config.yaml.
`python -m wsss_stages.config.options --write-schema` writes workflow/schemas/config.schema.yaml.
"""

from wsss_stages.config.options import legal
from wsss_stages.config.options.a2gnn import Affinity, Graph, ObjectMasks, ObjectNet, Propagate, Seeds
from wsss_stages.config.options.base import Crf, Loop, Mining, Section, Training
from wsss_stages.config.options.dfr import Dfr
from wsss_stages.config.options.instances import Detect, InstanceMasks, Instances
from wsss_stages.config.options.kinds import KINDS
from wsss_stages.config.options.masks import MASKED, Masks, by_network, has_masks, needs_cams
from wsss_stages.config.options.rrm import Rrm, RrmLabel
from wsss_stages.config.options.run import Run
from wsss_stages.config.options.schema import SCHEMA_FILE, SECTIONS, json_schema, merge
from wsss_stages.config.options.scl import Drawing, FewShotPhotos, Guided, Scl, SclEpisodes, SclEvaluate, SclFeatures
from wsss_stages.config.options.shared import (
    Cam,
    Classifier,
    Data,
    Evaluate,
    Predict,
    PredictPhotos,
    Segment,
    SimulateWeak,
    Views,
)

__all__ = [
    "KINDS", "MASKED",
    "SCHEMA_FILE", "SECTIONS", "Affinity", "Cam", "Classifier", "Crf", "Data", "Detect", "Dfr", "Drawing", "Evaluate", "FewShotPhotos", "Graph", "Guided",
    "InstanceMasks", "Instances", "Loop", "Masks", "Mining", "ObjectMasks", "ObjectNet", "Predict", "PredictPhotos", "Propagate", "Rrm", "RrmLabel", "Run", "Scl", "SclEpisodes", "SclEvaluate", "SclFeatures", "Section", "Seeds", "Segment",
    "SimulateWeak", "Training", "Views", "by_network", "has_masks", "json_schema", "legal", "merge", "needs_cams",
]  # fmt: skip
