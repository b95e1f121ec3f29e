"""A small network that has learned to find what a support shows, on maps made of classes' directions."""

import pytest
import torch

from wsss_stages.nets import backbones
from wsss_stages.options import Scl
from wsss_stages.scl.cross_guided import iou
from wsss_stages.scl.few_shot import FewShot
from wsss_stages.scl.head import Maps
from wsss_stages.scl.losses import losses

SIZE, STEPS = 8, 300
CLASSES = torch.randn(300, 64 + 96, generator=torch.Generator().manual_seed(5))


def episodes(b, rng, directions):
    """Queries and supports that show an object of a class on noise."""

    def images(own):
        M = torch.zeros(b, SIZE, SIZE, dtype=torch.bool)
        middle = 0.2 * torch.randn(b, SIZE, SIZE, CLASSES.shape[1], generator=rng)
        for n in range(b):
            y, x, h, w = torch.randint(0, 4, (4,), generator=rng)
            M[n, y : y + h + 2, x : x + w + 2] = True
            middle[n][M[n]] += directions[own[n]]
        middle = middle.permute(0, 3, 1, 2).relu()
        return Maps(middle, middle), M

    own = torch.randint(0, len(directions), (b,), generator=rng).tolist()
    return images(own), images(own)


@pytest.fixture
def network(small, name):
    made = FewShot(backbones.build("tiny", 8, False), small.head(name, channels=16), small.scl).train()
    optimizer = torch.optim.Adam(made.head.parameters(), 4e-3)
    rng = torch.Generator().manual_seed(0)
    opt = Scl()
    torch.manual_seed(0)
    for step in range(STEPS):
        optimizer.param_groups[0]["lr"] = 4e-3 * (1 - step / STEPS)
        (query, M_q), (support, M_s) = episodes(8, rng, CLASSES[:292])
        total = sum(losses(made, query, M_q.to(torch.uint8), support, M_s.to(torch.uint8), opt).values())
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
    return made.eval()


KNOWN = torch.ones(32, SIZE, SIZE, dtype=torch.bool)


def test_it_finds_new_classes_and_a_query_equal_to_its_support_no_worse_than_the_support_itself(network):
    with torch.no_grad():
        (query, M_q), (support, M_s) = episodes(32, torch.Generator().manual_seed(1), CLASSES[292:])
        found = iou(network(query, support, M_s).logits.argmax(dim=1) == 1, M_q, KNOWN).mean()
        own = iou(network.guide(support, M_s).M_hat, M_s, KNOWN).mean()
        same = iou(network(support, support, M_s).logits.argmax(dim=1) == 1, M_s, KNOWN).mean()
        assert found > 0.9
        assert same >= own > 0.9
