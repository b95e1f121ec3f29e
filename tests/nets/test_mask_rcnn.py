"""Mask R-CNN on our backbones."""

import pytest
import torch

from wsss_stages.nets import backbones
from wsss_stages.nets.mask_rcnn import Detector
from wsss_stages.training.layers import new_parameters

HEADS = {"width": 16, "hidden": 32, "mask_layers": 1, "proposals": 30, "samples": 16}


def detector(name="tiny", side=96, pretrained=False):
    torch.manual_seed(0)
    return Detector(backbones.pyramid(name, pretrained), 3, side, **HEADS)


def batch(side=96):
    torch.manual_seed(1)
    boxes = [torch.tensor([[8.0, 8, 60, 70], [40, 30, 90, 90]]), torch.zeros(0, 4)]
    classes = [torch.tensor([1, 2]), torch.zeros(0, dtype=torch.long)]
    masks = [torch.ones(2, side, side, dtype=torch.uint8), torch.zeros(0, side, side, dtype=torch.uint8)]
    return torch.rand(2, 3, side, side), boxes, classes, masks


@pytest.mark.parametrize("name", ["tiny", "mobilenet_v2", "resnet18"])
def test_every_parameter_learns_and_a_view_without_objects_is_one_too(name):
    network = detector(name, pretrained=name != "tiny").train()
    losses = network.losses(*batch())
    assert set(losses) == {"loss_classifier", "loss_box_reg", "loss_mask", "loss_objectness", "loss_rpn_box_reg"}
    total = sum(losses.values())
    assert torch.isfinite(total) and losses["loss_mask"] > 0
    total.backward()
    assert all(p.grad is not None for p in new_parameters(network))
    new = {id(p) for p in new_parameters(network)}
    old = [p for p in network.parameters() if id(p) not in new]
    assert len(old) == len(list(backbones.pyramid(name, name != "tiny").parameters()))


def test_pretrained_batch_norm_stays_frozen():
    network = detector("mobilenet_v2", pretrained=True).train()
    before = {name: value.clone() for name, value in network.named_buffers()}
    network.losses(*batch())
    assert all(torch.equal(before[name], value) for name, value in network.named_buffers())


def test_the_same_draws_give_the_same_losses():
    network, values = detector().train(), []
    for _ in range(2):
        torch.manual_seed(5)
        values.append([value.item() for value in network.losses(*batch()).values()])
    assert values[0] == values[1]


def test_detections_are_at_the_photographs_size_and_the_surest_first():
    network = detector().eval()
    network.network.roi_heads.mask_predictor.mask_fcn_logits.bias.data.fill_(5)  # or an untrained mask is empty
    found = network.detect(torch.rand(3, 72, 96), 144, 192, min_score=0.0, most=7)
    assert found.masks.shape[1:] == (144, 192) and len(found.masks) == len(found.boxes) <= 7
    assert found.masks.flatten(1).any(dim=1).all() and (found.classes >= 1).all()
    assert (found.scores.diff() <= 0).all() and (found.boxes >= 0).all()
    assert (found.boxes[:, 2] <= 192).all() and (found.boxes[:, 3] <= 144).all() and found.boxes[:, 2].max() > 96
    assert len(network.detect(torch.rand(3, 72, 96), 144, 192, min_score=0.999, most=7).boxes) == 0


def test_it_learns_one_image_by_heart():
    network = detector(side=64).train()
    optimizer = torch.optim.AdamW(network.parameters(), 2e-3)
    image = torch.zeros(1, 3, 64, 64)
    image[..., 10:40, 20:50] = 1
    mask = (image[0, :1, :, :] > 0).to(torch.uint8)
    targets = [torch.tensor([[20.0, 10, 50, 40]])], [torch.tensor([2])], [mask]
    for step in range(60):
        torch.manual_seed(step)
        optimizer.zero_grad()
        sum(network.losses(image, *targets).values()).backward()
        optimizer.step()
    found = network.eval().detect(image[0], 64, 64, 0.3, 1)
    assert found.classes.tolist() == [2]
    overlap = (found.masks[0] & (mask[0] > 0)).sum() / (found.masks[0] | (mask[0] > 0)).sum()
    assert overlap > 0.7
