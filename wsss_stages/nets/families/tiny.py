"""A small network that trains from scratch within a minute."""

from functools import partial
from itertools import pairwise

from torch import Tensor, nn

from wsss_stages.nets.backbone import Backbone, last_outputs
from wsss_stages.nets.dilation import dilate
from wsss_stages.nets.families import family


class Tiny(nn.Sequential):
    """Five blocks of two convolutions, strides 2, 4, 8, 16, 16."""

    def __init__(self):
        widths = (3, 16, 32, 64, 96, 128)
        blocks = []
        for number, (before, after) in enumerate(pairwise(widths)):
            stride = 2 if number < 4 else 1
            blocks.append(nn.Sequential(*_conv(before, after, stride), *_conv(after, after, 1)))
        super().__init__(*blocks)


def _conv(before: int, after: int, stride: int) -> list[nn.Module]:
    return [nn.Conv2d(before, after, 3, stride, 1, bias=False), nn.BatchNorm2d(after), nn.ReLU()]


@family("tiny")
def tiny(name: str, stride: int, pretrained: bool, maps: int) -> Backbone:
    """Return the backbone; its maps are those of the last blocks, rectified."""
    network = Tiny()
    dilate(network, stride)
    return Backbone(name, network, partial(_maps, count=maps), "", pretrained)


def _maps(network: Tiny, image: Tensor, count: int) -> list[Tensor]:
    return last_outputs(network, image, count)
