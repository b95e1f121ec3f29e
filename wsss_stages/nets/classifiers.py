"""Make a classifier of s1, or bring one back from its weights file with all that it needs to be rebuilt."""

from pathlib import Path

import torch

from wsss_stages import training
from wsss_stages.nets import backbones, weights
from wsss_stages.nets.classifier import CamClassifier, SeamClassifier

METHODS = {"cam": CamClassifier, "seam": SeamClassifier}


def build_classifier(method: str, backbone: str, stride: int, classes: int, source: str, seed: int):
    """A classifier with its backbone's weights from `source`, and their origin; new layers are drawn from `seed`."""
    torch.manual_seed(seed)
    body = backbones.build(backbone, stride, pretrained=source != "none")
    origin = weights.load(body, source)
    return METHODS[method](body, classes), origin


def restore_classifier(path: Path):
    """The trained classifier of s1 in eval mode, and its provenance."""
    provenance = training.read_provenance(path)
    opt = provenance["options"]
    frozen = provenance["origin"]["source"] != "none"
    body = backbones.build(opt["backbone"], opt["stride"], pretrained=frozen)
    network = METHODS[opt["method"]](body, provenance["classes"])
    training.load_weights(path, network)
    return network.eval(), provenance
