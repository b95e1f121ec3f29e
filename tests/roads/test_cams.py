"""Class activation maps as they are stored."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from tests.messages import raises
from wsss_stages.config.options import Cam
from wsss_stages.nets import backbones
from wsss_stages.nets.classifier import CamClassifier
from wsss_stages.roads.cams import PIXELS_ON_GPU, CamMaker, stored
from wsss_stages.shards.shard import Item
from wsss_stages.store.check_finite import NotFiniteError


def test_maps_are_halved_beside_their_classes():
    found = stored(torch.full((2, 3, 4), 0.1), "a", [3, 7])
    assert found["cam"].dtype == np.float16 and found["cam"].shape == (2, 3, 4)
    assert found["classes"].tolist() == [3, 7] and found["classes"].dtype == np.uint8


def test_numbers_that_are_none_name_the_image_and_the_classifier():
    with raises(NotFiniteError, "image_4", "s1_classifier"):
        stored(torch.full((1, 3, 4), float("nan")), "image_4", [3])


@pytest.mark.parametrize(("device", "pixels", "limit"), [("cpu", 0, 1), ("cuda", 0, PIXELS_ON_GPU), ("cpu", 500, 500)])
def test_a_cpu_takes_one_image_at_a_time_by_default(device, pixels, limit):
    assert CamMaker(torch.nn.Module(), 8, Cam(batch_pixels=pixels), device).limit == limit


@pytest.mark.parametrize("name, half", [("float32", False), ("bfloat16", True)])
def test_maps_are_of_the_precision_asked_for_and_nearly_the_same(name, half):
    network = CamClassifier(backbones.build("tiny", 8, False), 2).eval()
    seen = []
    network.backbone.register_forward_hook(lambda *args: seen.append(args[2][-1].dtype))
    photos = np.random.default_rng(0).integers(0, 256, (1, 48, 64, 3), np.uint8)
    item = object.__new__(Item)
    item.record = SimpleNamespace(tags=[1, 2])
    with torch.no_grad():
        (cam,), (exact,) = (
            CamMaker(network, 8, Cam(precision=p, scales=[1.0]), "cpu").cams([item], photos) for p in (name, "float32")
        )
    assert (seen[0] == torch.bfloat16) == half
    assert cam.dtype == torch.float32 and torch.equal(cam, exact) != half and (cam - exact).abs().mean() < 0.02
