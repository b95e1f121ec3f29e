"""Segmenters with random weights on the tiny backbone, whose classes share an image among them; for tests of the ways, never for masks."""

from pathlib import Path

import numpy as np
import torch
from torch import nn

from wsss_stages import training
from wsss_stages.config.options import Dfr, Rrm, Segment
from wsss_stages.nets import backbones
from wsss_stages.rrm.net import RrmNet
from wsss_stages.training.networks import build_dfr, build_rrm, build_segmenter

NAMES = ["background", "cat", "dog"]


def save(path: Path, kind: str = "deeplab_v3plus", backbone: str = "tiny", **facts) -> Path:
    """Write the weights of a segmenter with this head, or of DFR's or RRM's network ("dfr", "rrm"), with metadata as its training has it."""
    count, body = len(NAMES), {"backbone": backbone, "backbone_weights": "none"}
    if kind == "dfr":
        opt, stage = Dfr(**body, channels=16), "dfr_train"
        network, origin = build_dfr(opt, count)
        sources = {"origin": vars(origin)}
    elif kind == "rrm":
        opt, stage = Rrm(channels=16), "rrm_train"
        network, sources = build_rrm("tiny", count, opt, "none")
    else:
        opt, stage = Segment(**body, head=kind, head_channels=16), "s7_segment"
        network, origin = build_segmenter(opt, count)
        sources = {"origin": vars(origin)}
    share(network)
    metadata = {"stage": stage, "options": opt.model_dump(), "classes": count, "class_names": NAMES, **sources, **facts}
    training.save_weights(path, network, {key: value for key, value in metadata.items() if value is not None})
    return path


@torch.no_grad()
def share(network: nn.Module) -> None:
    """Scale the last layers until every class has about as many pixels as another, and labels are sure of themselves."""
    network.eval()
    image = backbones.normalise(torch.from_numpy(picture(96, 128)).permute(2, 0, 1)[None] / 255)
    last = [m for m in network.modules() if isinstance(m, nn.Conv2d) and m.out_channels == len(NAMES)]
    deviation = network(image).std(dim=(2, 3)).mean()
    for conv in last:
        conv.weight *= 5 / deviation
    means = network(image).mean(dim=(0, 2, 3))
    biases = [conv.bias for conv in last if conv.bias is not None]
    biases[-1] -= means * (2 if isinstance(network, RrmNet) else 1)  # its branches are averaged


def picture(height: int, width: int) -> np.ndarray:
    """Return a photograph of smooth colours, (height, width, 3) uint8."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:height, :width]
    waves = [np.sin(y / a + b) * np.cos(x / c + b) for a, b, c in rng.uniform(5, 25, (3, 3))]
    return np.uint8(127 + 100 * np.stack(waves, axis=2) + rng.uniform(-20, 20, (height, width, 3)))
