"""Images padded to few sizes give the maps and labels of images as they are."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from wsss_stages.config.options import Cam, Predict
from wsss_stages.nets import backbones, buckets
from wsss_stages.nets.classifier import CamClassifier
from wsss_stages.nets.heads.deeplab import DeepLabV2
from wsss_stages.roads.cams import CamMaker
from wsss_stages.roads.predictions import Predictor
from wsss_stages.shards.shard import Item

SIZES = [(64, 96), (50, 71), (33, 65)]


def seen(network: nn.Module) -> list[tuple[int, ...]]:
    """Return a list that gets the shape of what every convolution takes."""
    shapes: list[tuple[int, ...]] = []
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            module.register_forward_pre_hook(lambda _, taken: shapes.append(tuple(taken[0].shape)))
    return shapes


@pytest.mark.parametrize(
    "name", ["tiny", "mobilenet_v2", "tf_mobilenet_v2", "resnet18", "resnet38", "tf_efficientnet_lite0"]
)
def test_maps_are_those_of_the_images_as_they_are(name):
    torch.manual_seed(0)
    backbone = backbones.build(name, 8 if name == "resnet38" else 16, True).eval()
    shapes: set[tuple[int, ...]] = set()
    for size in SIZES:
        image = torch.randn(1, 3, *size)
        with torch.no_grad():
            backbone.bucket = 0
            wanted = backbone(image)
            backbone.bucket = 32
            record = seen(backbone)
            found = backbone(image)
        assert backbone.bucket, "the backbone was taken for one that cannot be padded"
        shapes.add(record[0])
        for one, other in zip(wanted, found, strict=True):
            assert one.shape == other.shape
            torch.testing.assert_close(other, one, atol=1e-4 * float(one.abs().max()), rtol=1e-3)
    assert all(side % 32 in (0, 1) for shape in shapes for side in shape[2:]), shapes  # TensorFlow's padding adds one


def test_zeros_at_the_border_of_every_convolution_are_kept():
    conv = nn.Sequential(nn.Conv2d(1, 1, 3, padding=1), nn.ReLU(), nn.MaxPool2d(3, 2, 1), nn.Conv2d(1, 2, 3, padding=2))
    nn.init.ones_(conv[0].bias)
    x = torch.rand(3, 1, 7, 10)
    with torch.no_grad():
        (found,) = buckets.in_buckets(lambda x: [conv(x)], x, 16)
        torch.testing.assert_close(found, conv(x))
        assert not torch.allclose(conv(F.pad(x, (0, 6, 0, 9)))[..., : found.shape[2], : found.shape[3]], found)


@pytest.mark.parametrize(
    "maps_of",
    [
        lambda x: [x - x.mean(dim=(2, 3), keepdim=True)],
        lambda x: [F.interpolate(x, scale_factor=2)],
        lambda x: [F.avg_pool2d(x, 3, 1, 1)],
        lambda x: [F.group_norm(x, 1)],
        lambda x: [x.softmax(dim=3)],
        lambda x: [F.conv_transpose2d(x, torch.ones(1, 1, 2, 2))],
    ],
)
def test_what_looks_at_more_than_a_window_is_refused(maps_of):
    with torch.no_grad(), pytest.raises(buckets.NotLocalError):
        buckets.in_buckets(maps_of, torch.rand(1, 1, 7, 10), 16)


def test_a_transformer_takes_images_as_they_are():
    backbone = backbones.build("tiny_vit", 16, False).eval()
    image = torch.rand(1, 3, 32, 48)
    with torch.no_grad():
        wanted = backbone(image)[-1]
        backbone.bucket = 64
        assert torch.equal(backbone(image)[-1], wanted) and backbone.bucket == 0


def test_gradients_are_those_of_the_images_as_they_are():
    backbone = backbones.build("tiny", 8, False).eval()
    backbone.bucket, shapes = 64, seen(backbone)
    backbone(torch.rand(1, 3, 20, 24))
    assert shapes[0] == (1, 3, 20, 24)


def test_at_most_an_eighth_of_a_batch_is_padding():
    padded = {count: buckets.images_together(count) for count in range(1, 257)}
    assert all(count <= many <= 1.125 * count for count, many in padded.items())
    assert len(set(padded.values())) == 16 + 8 * 4


def labels_of(network, backbone, photos):
    """Labels of CAMs and of a segmenter for photographs of one size."""
    maker = CamMaker(network, 8, Cam(scales=[0.5, 1.0, 1.5], precision="float32"), "cpu")
    item = object.__new__(Item)
    item.record = SimpleNamespace(tags=[1, 2])
    cams = torch.stack(maker.cams([item] * len(photos), np.stack(photos)))
    predictor = Predictor(
        backbone, Predict(scales=[0.75, 1.0], crf={"iterations": 0}), "cpu", "s8_predict", "s7_segment"
    )
    return [cams.argmax(dim=1), predictor.probabilities(photos[0], "a").argmax(dim=0)]


def test_labels_are_those_of_the_images_as_they_are_on_999_of_1000_pixels():
    torch.manual_seed(1)
    network = CamClassifier(backbones.build("resnet18", 8, True), 2).eval()
    segmenter = DeepLabV2(backbones.build("resnet18", 16, True), 4, 0).eval()
    photos = [np.random.default_rng(k).integers(0, 256, (50, 61, 3), np.uint8) for k in range(17)]
    wanted = labels_of(network, segmenter, photos)
    network.backbone.bucket = segmenter.backbone.bucket = 64
    record = seen(network)
    for one, other in zip(wanted, labels_of(network, segmenter, photos), strict=True):
        assert (one == other).double().mean() >= 0.999 and len(one.unique()) > 1
    assert {shape[0] for shape in record} == {34, 36}  # mirrored: the backbone's batch is padded, the head's is not
