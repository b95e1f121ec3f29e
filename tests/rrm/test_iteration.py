"""All parts of RRM in one iteration of training: labels from its own CAMs, four losses, one gradient (Algorithm 1)."""

import torch
import torch.nn.functional as F

from wsss_stages import UNKNOWN
from wsss_stages.labels.cam import multi_scale
from wsss_stages.nets import backbones
from wsss_stages.nets.segmenter import segmentation_loss
from wsss_stages.options import Mining
from wsss_stages.rrm.class_distance import class_distance
from wsss_stages.rrm.dense_energy import dense_energy
from wsss_stages.rrm.net import RrmNet
from wsss_stages.rrm.reliable import reliable_regions


def losses(network, image, valid, classes):
    """L_class and the terms of Eq. 2.15."""
    x = backbones.normalise(image)
    found = network.both(x)
    cams = multi_scale(
        lambda scaled: found.cam if scaled.shape == x.shape else network.cam(scaled), x, classes, [0.5, 1.0], False, 8
    )
    labels = reliable_regions(image, valid, cams, classes, Mining(keep=0.6, min_background=0.1), ["a", "b"])
    tags = torch.stack([F.one_hot(c - 1, 3).sum(dim=0).float() for c in classes])
    inside = F.interpolate(valid[:, None].float(), found.logits.shape[2:])[:, 0] > 0
    M_p = found.logits.argmax(dim=1).masked_fill(~inside, UNKNOWN)
    return labels, {
        "classification": F.multilabel_soft_margin_loss(found.tags, tags),
        "cross_entropy": segmentation_loss(found.logits, labels, True),
        "dense_energy": dense_energy(found.logits, image, labels, valid, 20.0, 15.0, 0.5, False),
        "class_distance": class_distance(found.features, M_p, 3, "centres"),
    }


def test_every_loss_teaches_and_learning_lowers_their_sum():
    torch.manual_seed(0)
    network = RrmNet(backbones.build("tiny", 8, False), 4, 16, "printed").train()
    image = F.interpolate(torch.rand(2, 3, 5, 5), (64, 72), mode="bilinear", align_corners=False)
    valid = torch.ones(2, 64, 72, dtype=torch.bool)
    valid[1, 50:] = False
    classes = [torch.tensor([2]), torch.tensor([1, 3])]
    optimizer = torch.optim.AdamW(network.parameters(), lr=2e-3)
    sums = []
    for step in range(8):
        labels, found = losses(network, image, valid, classes)
        assert (labels != UNKNOWN).any() and (labels[1, 50:] == UNKNOWN).all()
        total = sum(found.values())
        assert torch.isfinite(total)
        if step == 0:
            weight = next(network.backbone.parameters())
            for name, loss in found.items():
                (gradient,) = torch.autograd.grad(loss, weight, retain_graph=True)
                assert torch.isfinite(gradient).all() and gradient.abs().sum() > 0, name
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
        sums.append(total.item())
    assert sums[-1] < 0.9 * sums[0]
