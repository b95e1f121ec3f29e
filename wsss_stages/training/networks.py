"""Builders of each stage's network, and readers that rebuild it from its weights file."""

import hashlib
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import nn

from wsss_stages import training
from wsss_stages.a2gnn.affinity_cnn import AffinityCnn
from wsss_stages.config.options import Dfr, Guided, Instances, Rrm, Scl, SclFeatures, Segment
from wsss_stages.dfr.net import DfrNet
from wsss_stages.nets import backbones
from wsss_stages.nets.classifier import CamClassifier, SeamClassifier
from wsss_stages.nets.heads import HEADS
from wsss_stages.nets.object_net import ObjectNet
from wsss_stages.nets.segmenter import Segmenter
from wsss_stages.rrm.net import RrmNet
from wsss_stages.scl.canet import CaNet
from wsss_stages.scl.few_shot import FewShot
from wsss_stages.scl.head import Head
from wsss_stages.scl.pfenet import PfeNet
from wsss_stages.scl.standardise import Standardise
from wsss_stages.store import artifacts
from wsss_stages.store.artifacts import ContractError
from wsss_stages.training import pretrained

Photographs = Iterable[torch.Tensor]
"""A few of the run's, for `weights.load`."""
METHODS = {"cam": CamClassifier, "seam": SeamClassifier}


def build_classifier(
    method: str, backbone: str, stride: int, classes: int, source: str, seed: int, photographs: Photographs = ()
):
    """Return a classifier with its backbone's weights from `source`, and their origin; new layers are drawn from `seed`."""
    torch.manual_seed(seed)
    body = backbones.build(backbone, stride, pretrained=source != "none")
    origin = pretrained.load(body, source, photographs)
    return METHODS[method](body, classes), origin


def restore_classifier(path: Path) -> tuple[CamClassifier | SeamClassifier, dict]:
    """Return the trained classifier of s1 in eval mode, and its provenance."""
    provenance = training.read_provenance(path)
    opt = provenance["options"]
    network = METHODS[opt["method"]](_body(opt["backbone"], opt["stride"], provenance), provenance["classes"])
    training.load_weights(path, network)
    return network.eval(), provenance


def build_affinity(classifier: Path, stride: int, seed: int) -> tuple[AffinityCnn, dict]:
    """Return an affinity CNN on the classifier's trained backbone at another stride, and the provenance of that backbone."""
    trained, provenance = restore_classifier(classifier)
    torch.manual_seed(seed)
    return AffinityCnn(_at_stride(trained, provenance, stride)), _taken_from(classifier, provenance)


def classifier_backbone(classifier: Path, stride: int) -> backbones.Backbone:
    """Return the classifier's trained backbone at another stride, in eval mode."""
    return _at_stride(*restore_classifier(classifier), stride).eval()


def build_affinity_alone(
    backbone: str, stride: int, seed: int, source: str, photographs: Photographs = ()
) -> tuple[AffinityCnn, dict]:
    """Return an affinity CNN where there is no classifier, its backbone's weights from `source`, and their provenance."""
    torch.manual_seed(seed)
    body = backbones.build(backbone, stride, pretrained=source != "none")
    origin = pretrained.load(body, source, photographs)
    return AffinityCnn(body), {"backbone": backbone, "origin": vars(origin)}


def build_object_net(classifier: Path, width: int, seed: int) -> tuple[ObjectNet, dict]:
    """Return an object network on the classifier's trained backbone, and the provenance of that backbone."""
    trained, provenance = restore_classifier(classifier)
    torch.manual_seed(seed)
    body = _pyramid(provenance["options"]["backbone"], provenance)
    body.load_state_dict(trained.backbone.state_dict())
    return ObjectNet(body, width), _taken_from(classifier, provenance)


def build_object_net_alone(
    backbone: str, width: int, seed: int, source: str, photographs: Photographs = ()
) -> tuple[ObjectNet, dict]:
    """Return an object network where there is no classifier, its backbone's weights from `source`, and their provenance."""
    torch.manual_seed(seed)
    body = backbones.pyramid(backbone, pretrained=source != "none")
    origin = pretrained.load(body, source, photographs)
    return ObjectNet(body, width), {"backbone": backbone, "origin": vars(origin)}


def restore_object_net(path: Path) -> tuple[ObjectNet, dict]:
    """Return the trained object network of s4 in eval mode, and its provenance."""
    provenance = training.read_provenance(path)
    network = ObjectNet(_pyramid(provenance["backbone"], provenance), provenance["options"]["width"])
    training.load_weights(path, network)
    return network.eval(), provenance


def restore_affinity(path: Path) -> tuple[AffinityCnn, dict]:
    """Return the trained affinity CNN of s4 in eval mode, and its provenance."""
    provenance = training.read_provenance(path)
    network = AffinityCnn(_body(provenance["backbone"], provenance["options"]["stride"], provenance))
    training.load_weights(path, network)
    return network.eval(), provenance


def build_segmenter(opt: Segment, classes: int, photographs: Photographs = ()) -> tuple[Segmenter, pretrained.Origin]:
    """Return a segmenter with its backbone's weights, and their origin. `classes` counts background."""
    torch.manual_seed(opt.seed)
    head: Any = HEADS[opt.head]
    body = head.body(opt.backbone, opt.stride, opt.backbone_weights != "none")
    origin = pretrained.load(body, opt.backbone_weights, photographs)
    return head(body, classes, opt.head_channels), origin


def build_rrm(backbone: str, classes: int, opt: Rrm, source: str, photographs: Photographs = ()) -> tuple[RrmNet, dict]:
    """Return RRM's network with its backbone's weights from `source`, and their provenance. `classes` counts background."""
    torch.manual_seed(opt.seed)
    body = backbones.build(backbone, opt.stride, pretrained=source != "none")
    origin = pretrained.load(body, source, photographs)
    network = RrmNet(body, classes, opt.channels, opt.reweight, opt.branches)
    return network, {"backbone": backbone, "origin": vars(origin)}


def build_rrm_on(classifier: Path, classes: int, opt: Rrm) -> tuple[RrmNet, dict]:
    """Return RRM's network with the classifier's trained backbone and last layer, and their provenance.

    Args:
        classes: with background.
    Raises ContractError where the classifier has other classes.
    """
    trained, provenance = restore_classifier(classifier)
    if provenance["classes"] != classes - 1:
        raise ContractError(
            f"{classifier}: found a classifier of {provenance['classes']} classes, wanted one of {classes - 1}, as the index has them. "
            "Give the classifier of the same dataset with --classifier."
        )
    torch.manual_seed(opt.seed)
    network = RrmNet(
        _body(provenance["options"]["backbone"], opt.stride, provenance),
        classes,
        opt.channels,
        opt.reweight,
        opt.branches,
    )
    network.backbone.load_state_dict(trained.backbone.state_dict())
    with torch.no_grad():
        network.tag.weight.copy_(trained.head.weight[1 - classes :])  # SEAM's first row is the background's
    return network, _taken_from(classifier, provenance)


def build_dfr(opt: Dfr, classes: int, photographs: Photographs = ()) -> tuple[DfrNet, pretrained.Origin]:
    """Return DFR's network with its backbone's weights, and their origin. `classes` counts background."""
    torch.manual_seed(opt.seed)
    body = backbones.pyramid(opt.backbone, pretrained=opt.backbone_weights != "none")
    origin = pretrained.load(body, opt.backbone_weights, photographs)
    return DfrNet(body, classes, opt.channels, opt.feature_head(), opt.blocks), origin


def restore_segmenter(path: Path) -> tuple[Segmenter, dict]:
    """Return the trained segmenter of s7, or RRM's or DFR's network, in eval mode, and its provenance.

    Raises ContractError.
    """
    provenance = training.read_provenance(path)
    builders: dict[Any, Callable[[dict], Segmenter]] = {"rrm_train": _rrm, "dfr_train": _dfr}
    network = builders.get(provenance.get("stage"), partial(_segmenter, path))(provenance)
    training.load_weights(path, network)
    return network.eval(), provenance


def _dfr(provenance: dict) -> DfrNet:
    opt = Dfr(**provenance["options"])
    return DfrNet(
        _pyramid(opt.backbone, provenance), provenance["classes"], opt.channels, opt.feature_head(), opt.blocks
    )


def _rrm(provenance: dict) -> RrmNet:
    opt = Rrm(**provenance["options"])
    body = _body(provenance["backbone"], opt.stride, provenance)
    return RrmNet(body, provenance["classes"], opt.channels, opt.reweight, opt.branches)


def _segmenter(path: Path, provenance: dict) -> Segmenter:
    opt = provenance["options"]
    if opt.get("head", "") not in HEADS:
        raise ContractError(
            f"{path}: found weights of {provenance.get('stage')} with head {opt.get('head')}, wanted a segmenter's of s7_segment with "
            f"one of {', '.join(HEADS)}. Run s7_segment again."
        )
    head: Any = HEADS[opt["head"]]
    body = head.body(opt["backbone"], opt["stride"], provenance["origin"]["source"] != "none")
    return head(body, provenance["classes"], opt["head_channels"])


def build_frozen(backbone: str, stride: int, source: str) -> tuple[backbones.Backbone, pretrained.Origin]:
    """Return a backbone in eval mode with its weights from `source`, and their origin; without weights the same
    random filters every time, which keep the scale of their input.
    """
    torch.manual_seed(0)
    body = backbones.build(backbone, stride, pretrained=source != "none")
    for module in body.modules() if source == "none" else ():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
    origin = pretrained.load(body, source)
    return body.eval().requires_grad_(False), origin


def seen_by(backbone: backbones.Backbone, opt: SclFeatures) -> dict:
    """Return the inputs of maps beside the image: recorded with them, and compared when they are read."""
    state = backbone.state_dict()
    digest = hashlib.sha256(b"".join(t.numpy().tobytes() for t in state.values())).hexdigest()
    return opt.model_dump() | {"backbone": backbone.name, "weights": digest}


def build_few_shot(backbone: backbones.Backbone, opt: Scl) -> FewShot:
    """Return a baseline's network with new heads, drawn from the seed, on a frozen backbone."""
    torch.manual_seed(opt.seed)
    return FewShot(backbone, _few_shot_head(sum(backbone.dims[:2]), opt), opt.vectors, opt.feature_dropout)


def restore_few_shot(path: Path, how: Guided) -> tuple[FewShot, dict]:
    """Return the network of scl_train in eval mode, backbone and all, and its provenance. Raises ContractError."""
    provenance = training.read_provenance(path)
    if provenance.get("stage") != "scl_train":
        raise ContractError(
            f"{path}: found weights of {provenance.get('stage')}, wanted those of scl_train. Give those with --weights."
        )
    network = build_few_shot(
        _body(provenance["backbone"], provenance["features"]["stride"], provenance), Scl(**provenance["options"])
    )
    training.load_weights(path, network)
    if isinstance(network.head, CaNet):
        network.head.rounds = how.rounds
    return network.eval(), provenance


def _few_shot_head(inputs: int, opt: Scl) -> Head:
    standard = Standardise(inputs, opt.directions if opt.standardise else 0)
    shared = (standard, opt.channels, len(opt.vectors), opt.support_branch, opt.similarity, opt.dropout)
    return (
        CaNet(*shared, opt.history_drop) if opt.baseline == "canet" else PfeNet(*shared, opt.bins, opt.prior == "deep")
    )


def build_detector(opt: Instances, classes: int, photographs: Photographs = ()) -> tuple[Any, pretrained.Origin]:
    """Return a Mask R-CNN with its backbone's weights, and their origin. `classes` counts background."""
    from wsss_stages.nets.mask_rcnn import Detector  # torchvision takes seconds, which other networks need not wait

    torch.manual_seed(opt.seed)
    body = backbones.pyramid(opt.backbone, pretrained=opt.backbone_weights != "none")
    origin = pretrained.load(body, opt.backbone_weights, photographs)
    return Detector(body, classes, opt.crop, **opt.heads()), origin


def restore_detector(path: Path) -> tuple[Any, dict]:
    """Return the trained detector of s7 in eval mode, and its provenance."""
    from wsss_stages.nets.mask_rcnn import Detector

    provenance = training.read_provenance(path)
    opt = Instances(**provenance["options"])
    network = Detector(_pyramid(provenance["backbone"], provenance), provenance["classes"], opt.crop, **opt.heads())
    training.load_weights(path, network)
    return network.eval(), provenance


def _taken_from(classifier: Path, provenance: dict) -> dict:
    """Return the provenance of a backbone taken from a classifier: its name, its origin and the classifier's digest."""
    digest = artifacts.sha256(classifier)
    return {"backbone": provenance["options"]["backbone"], "origin": provenance["origin"], "classifier": digest}


def _body(backbone: str, stride: int, provenance: dict) -> backbones.Backbone:
    return backbones.build(backbone, stride, pretrained=provenance["origin"]["source"] != "none")


def _at_stride(classifier: nn.Module, provenance: dict, stride: int) -> backbones.Backbone:
    """Return a trained classifier's backbone at another stride."""
    body = _body(provenance["options"]["backbone"], stride, provenance)
    body.load_state_dict(classifier.get_submodule("backbone").state_dict())
    return body


def _pyramid(backbone: str, provenance: dict) -> backbones.Backbone:
    return backbones.pyramid(backbone, pretrained=provenance["origin"]["source"] != "none")
