"""A small network that has learned to find what a support shows, on maps made of classes' directions."""

import pytest
import torch

from wsss_stages.config.options import Scl
from wsss_stages.nets import backbones
from wsss_stages.nets.grid import PIXELS
from wsss_stages.scl.cross_guided import iou
from wsss_stages.scl.few_shot import FewShot
from wsss_stages.scl.head import Maps
from wsss_stages.scl.losses import Settings, losses

pytestmark = pytest.mark.slow

SIZE = 8
CLASSES = torch.randn(300, 64 + 96, generator=torch.Generator().manual_seed(5))


def images(classes, rng, directions):
    """Noise with an object of each class of a row: maps, and a mask of each object (n, b, y, x)."""
    b = len(classes)
    M = torch.zeros(len(classes[0]), b, SIZE, SIZE, dtype=torch.bool)
    middle = 0.2 * torch.randn(b, SIZE, SIZE, CLASSES.shape[1], generator=rng)
    for n, shown in enumerate(classes):
        for number, cls in enumerate(shown):
            y, x, h, w = torch.randint(0, 4, (4,), generator=rng)
            M[:, n, y : y + h + 2, x : x + w + 2] = False  # the last one lies above
            M[number, n, y : y + h + 2, x : x + w + 2] = True
            middle[n, y : y + h + 2, x : x + w + 2] += directions[cls]
    middle = middle.permute(0, 3, 1, 2).relu()
    return Maps(middle, middle), M


def episodes(b, rng, directions, objects):
    """Queries and supports that show the same classes."""
    first = torch.randint(0, len(directions), (b,), generator=rng)
    classes = torch.stack([(first + 5 * number) % len(directions) for number in range(objects)], dim=1).tolist()
    return images(classes, rng, directions), images(classes, rng, directions)


def trained(head, small, objects, steps):
    made = FewShot(backbones.build("tiny", 8, False), head, small.scl).train()
    made.backbone.grids = [PIXELS] * 3  # masks of a pixel a node
    optimizer = torch.optim.Adam(made.head.parameters(), 4e-3)
    rng = torch.Generator().manual_seed(0)
    opt = Scl().fill(Settings)
    torch.manual_seed(0)
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = 4e-3 * (1 - step / steps)
        (query, (M_q, *_)), (support, (M_s, *_)) = episodes(8, rng, CLASSES[:292], objects)
        total = sum(losses(made, query, M_q.to(torch.uint8), support, M_s.to(torch.uint8), opt).values())
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
    return made.eval()


KNOWN = torch.ones(32, SIZE, SIZE, dtype=torch.bool)


def test_it_finds_new_classes_and_a_query_equal_to_its_support_no_worse_than_the_support_itself(small, name):
    network = trained(small.head(name, channels=16, with_similarity=False), small, objects=1, steps=300)
    with torch.no_grad():
        (query, (M_q,)), (support, (M_s,)) = episodes(32, torch.Generator().manual_seed(1), CLASSES[292:], 1)
        found = iou(network(query, support, M_s).logits.argmax(dim=1) == 1, M_q, KNOWN).mean()
        own = iou(network.guide(support, M_s).M_hat, M_s, KNOWN).mean()
        same = iou(network(support, support, M_s).logits.argmax(dim=1) == 1, M_s, KNOWN).mean()
        assert found > 0.9
        assert same >= own > 0.9


def test_of_two_objects_it_finds_that_of_the_supports_class(small, name):
    """CANet without a similarity, and without PFENet's prior, learns this too, in ten times the steps."""
    network = trained(small.head(name, channels=32, dropout=0.0), small, objects=2, steps=300)
    with torch.no_grad():
        (query, M_q), (support, M_s) = episodes(32, torch.Generator().manual_seed(1), CLASSES[292:], 2)
        seen = torch.stack([M_q, M_s]).any(dim=(3, 4)).all(dim=(0, 1))  # no object hides the other
        for own, others in ((0, 1), (1, 0)):
            found = network(query, support, M_s[own]).logits.argmax(dim=1) == 1
            right, wrong = (iou(found, M, KNOWN)[seen].mean() for M in (M_q[own], M_q[others]))
            assert right > 0.8 and wrong < 0.1
