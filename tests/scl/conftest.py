"""Few-shot networks small enough for a test, and maps and masks of a batch."""

import pytest
import torch

from wsss_stages.nets import backbones
from wsss_stages.nets.grid import PIXELS
from wsss_stages.scl.canet import CaNet
from wsss_stages.scl.few_shot import FewShot
from wsss_stages.scl.head import Maps
from wsss_stages.scl.pfenet import PfeNet
from wsss_stages.scl.standardise import Standardise

BASELINES = ("canet", "pfenet")


class Small:
    baseline, scl = ("initial",), ("primary", "auxiliary")
    inputs = 64 + 96

    def head(self, name, vectors=scl, support_branch=True, channels=8, dropout=0.5, with_similarity=True, deep=False):
        torch.manual_seed(0)
        shared = (Standardise(self.inputs), channels, len(vectors), support_branch, with_similarity, dropout)
        return CaNet(*shared, 0.7) if name == "canet" else PfeNet(*shared, [1.0, 0.5, 0.25], deep)

    def network(self, name, vectors=scl, support_branch=True, channels=8):
        head = self.head(name, vectors, support_branch, channels)
        made = FewShot(backbones.build("tiny", 8, False), head, vectors)
        made.backbone.grids = [PIXELS] * 3  # masks of a pixel a node
        self.balance(made)
        return made

    @torch.no_grad()
    def balance(self, network):
        """Untrained, it would find the same at every node; half of them become foreground."""
        last = network.head.classify[-1]
        last.weight *= 20
        logits = network.eval()(self.maps(), self.maps(seed=1), self.masks()).logits
        last.bias[1] -= (logits[:, 1] - logits[:, 0]).median()

    def maps(self, b=2, y=6, x=5, seed=0):
        rng = torch.Generator().manual_seed(seed)
        return Maps(torch.rand(b, self.inputs, y, x, generator=rng), torch.rand(b, 128, y, x, generator=rng))

    def masks(self, b=2, y=6, x=5, seed=0):
        M = torch.rand(b, y, x, generator=torch.Generator().manual_seed(seed + 100)) < 0.4
        M[:, 0, 0], M[:, 0, 1] = True, False
        return M


@pytest.fixture
def small():
    return Small()


@pytest.fixture(params=BASELINES)
def name(request):
    return request.param
