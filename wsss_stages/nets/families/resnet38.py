"""WideResNet-38 (model A1 of Wu, Shen and van den Hengel 2016) at stride 8, the thesis's backbone (Sec. 3.4).

Parameter names are those of the public conversion of its weights (b2.bn_branch2a, ...), so that such files load.
"""

from functools import partial
from typing import cast

import torch.nn.functional as F
from torch import Tensor, nn

from wsss_stages.nets.backbone import Backbone
from wsss_stages.nets.families import family


class Unit(nn.Module):
    """Pre-activation residual unit of two 3x3 convolutions."""

    def __init__(self, before: int, mid: int, after: int, stride: int = 1, first_dilation: int = 1, dilation: int = 1):
        super().__init__()
        self.same_shape = before == after and stride == 1
        self.bn_branch2a = nn.BatchNorm2d(before)
        self.conv_branch2a = nn.Conv2d(before, mid, 3, stride, first_dilation, first_dilation, bias=False)
        self.bn_branch2b1 = nn.BatchNorm2d(mid)
        self.conv_branch2b1 = nn.Conv2d(mid, after, 3, 1, dilation, dilation, bias=False)
        if not self.same_shape:
            self.conv_branch1 = nn.Conv2d(before, after, 1, stride, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        active = F.relu(self.bn_branch2a(x))
        shortcut = x if self.same_shape else self.conv_branch1(active)
        out = self.conv_branch2a(active)
        return self.conv_branch2b1(F.relu(self.bn_branch2b1(out))) + shortcut


class Bottleneck(nn.Module):
    """Pre-activation unit 1x1, 3x3, 1x1 with dropout, widths out/4 and out/2."""

    def __init__(self, before: int, after: int, dilation: int, dropout: float):
        super().__init__()
        self.bn_branch2a = nn.BatchNorm2d(before)
        self.conv_branch2a = nn.Conv2d(before, after // 4, 1, bias=False)
        self.bn_branch2b1 = nn.BatchNorm2d(after // 4)
        self.conv_branch2b1 = nn.Conv2d(after // 4, after // 2, 3, 1, dilation, dilation, bias=False)
        self.bn_branch2b2 = nn.BatchNorm2d(after // 2)
        self.conv_branch2b2 = nn.Conv2d(after // 2, after, 1, bias=False)
        self.conv_branch1 = nn.Conv2d(before, after, 1, bias=False)
        self.dropout = nn.Dropout2d(dropout)

    def forward(self, x: Tensor) -> Tensor:
        active = F.relu(self.bn_branch2a(x))
        out = self.conv_branch2a(active)
        out = self.conv_branch2b1(self.dropout(F.relu(self.bn_branch2b1(out))))
        out = self.conv_branch2b2(self.dropout(F.relu(self.bn_branch2b2(out))))
        return out + self.conv_branch1(active)


class ResNet38(nn.Module):
    """Forward gives the map of stride 4 and conv4 (512), conv5 (1024) and conv6 (4096), which are rectified (Sec. 3.4)."""

    def __init__(self):
        super().__init__()
        self.conv1a = nn.Conv2d(3, 64, 3, 1, 1, bias=False)
        self._stage("b2", [(64, 128, 128, 2), (128, 128, 128, 1), (128, 128, 128, 1)])
        self._stage("b3", [(128, 256, 256, 2), (256, 256, 256, 1), (256, 256, 256, 1)])
        self._stage("b4", [(256, 512, 512, 2)] + [(512, 512, 512, 1)] * 5)
        self._stage("b5", [(512, 512, 1024, 1, 1, 2), (1024, 512, 1024, 1, 2, 2), (1024, 512, 1024, 1, 2, 2)])
        self.b6 = Bottleneck(1024, 2048, 4, 0.3)
        self.b7 = Bottleneck(2048, 4096, 4, 0.5)
        self.bn7 = nn.BatchNorm2d(4096)

    def _stage(self, name: str, units: list[tuple]) -> None:
        for number, unit in enumerate(units):
            self.add_module(name if number == 0 else f"{name}_{number}", Unit(*unit))

    def forward(self, x: Tensor) -> list[Tensor]:
        x, maps = self.conv1a(x), []
        for name, module in self.named_children():
            if name.startswith(("b2", "b3", "b4", "b5")):
                if name == "b5":
                    maps.append(F.relu(cast(Unit, module).bn_branch2a(x)))
                x = module(x)
                if name == "b3_2":
                    maps.append(x)
        maps.append(F.relu(self.b6.bn_branch2a(x)))
        return [*maps, F.relu(self.bn7(self.b7(self.b6(x))))]


@family("resnet38")
def resnet38(name: str, stride: int, pretrained: bool, maps: int) -> Backbone:
    """Return the backbone, whose stride is always 8."""
    return Backbone(name, ResNet38(), partial(_maps, count=maps), "", True)


def _maps(network: ResNet38, image: Tensor, count: int) -> list[Tensor]:
    return network(image)[-count:]
