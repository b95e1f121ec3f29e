"""torchvision's ResNets as backbones."""

from functools import partial
from typing import Any

from torch import Tensor, nn

from wsss_stages.nets.backbone import Backbone, last_outputs
from wsss_stages.nets.dilation import dilate
from wsss_stages.nets.families import family


@family("resnet18", "resnet34", "resnet50", "resnet101")
def resnet(name: str, stride: int, pretrained: bool, maps: int) -> Backbone:
    """Return the backbone; its maps are those of the last stages, rectified."""
    from torchvision import models  # seconds, which other networks need not wait

    net = getattr(models, name)()
    dilate([net.conv1, net.maxpool, *(block for stage in _stages(net) for block in stage)], stride)
    del net.fc, net.avgpool
    return Backbone(name, net, partial(_maps, count=maps), f"torchvision:{name}", pretrained)


def _stages(net: Any) -> list[nn.Sequential]:
    return [net.layer1, net.layer2, net.layer3, net.layer4]


def _maps(net: Any, image: Tensor, count: int) -> list[Tensor]:
    return last_outputs(_stages(net), net.maxpool(net.relu(net.bn1(net.conv1(image)))), count)
