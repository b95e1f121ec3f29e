"""The network of RRM: a classification and a segmentation branch on one backbone (Fig. 2.1)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from wsss_stages.nets.backbones import Backbone
from wsss_stages.nets.segmenter import Segmenter
from wsss_stages.rrm.attention import ReweightedAttention

RATE = 12
"""Dilation of the local sub-branch (Sec. 2.3.1)."""
BRANCHES = ("local", "global")


@dataclass
class Pass:
    """The outputs of one pass of a batch through both branches, at the backbone's stride."""

    activation: Float[Tensor, "b n y x"]
    """Activation of each class; its mean over the nodes that are not padded is the class's logit (Eq. 2.14)."""
    cam: Float[Tensor, "b n y x"]
    """Rectified activation at this scale (Eq. 2.1), without gradient."""
    logits: Float[Tensor, "b c y x"]
    """(P_l + P_g) / 2 of Eq. 2.13, background first."""
    features: Float[Tensor, "b d y x"]
    """F_m of Eq. 2.22."""


class LocalBranch(nn.Module):
    """Two 3x3 convolutions of dilation 12; gives F_l and P_l."""

    def __init__(self, channels: int, width: int, classes: int):
        super().__init__()
        self.conv = nn.Conv2d(channels, width, 3, padding=RATE, dilation=RATE)
        self.classify = nn.Conv2d(width, classes, 3, padding=RATE, dilation=RATE)

    def forward(self, m: Float[Tensor, "b d y x"]) -> tuple[Float[Tensor, "b w y x"], Float[Tensor, "b c y x"]]:
        F_l = F.relu(self.conv(m))
        return F_l, self.classify(F_l)


class GlobalBranch(nn.Module):
    """R-FAM and two 3x3 convolutions; gives F_g and P_g."""

    def __init__(self, channels: int, width: int, classes: int, reweight: str):
        super().__init__()
        self.attention = ReweightedAttention(channels, width // 2, reweight)
        self.conv = nn.Conv2d(width, width // 2, 3, padding=1)
        self.classify = nn.Conv2d(width // 2, classes, 3, padding=1, bias=False)

    def forward(self, m: Float[Tensor, "b d y x"]) -> tuple[Float[Tensor, "b w y x"], Float[Tensor, "b c y x"]]:
        F_g = self.attention(m)
        return F_g, self.classify(F.relu(self.conv(F_g)))


class RrmNet(Segmenter):
    """Forward is the segmentation branch alone, as a segmenter's; training uses both branches."""

    def __init__(
        self, backbone: Backbone, classes: int, channels: int, reweight: str, branches: Sequence[str] = BRANCHES
    ):
        """
        Args:
            classes: with background.
            channels: of F_l and of F_g, even (thesis: 512, so that C_1 is 256).
            reweight: of R-FAM (`attention.reweighting`).
            branches: the sub-branches that there are, "local" or "global" or both (Table 2.3).
        """
        super().__init__(backbone)
        self.dropout = nn.Dropout2d(0.5)
        self.tag = nn.Conv2d(backbone.dims[-1], classes - 1, 1, bias=False)
        sizes = (backbone.dims[-1], channels, classes)
        self.branches = nn.ModuleDict()
        if "local" in branches:
            self.branches["local"] = LocalBranch(*sizes)
        if "global" in branches:
            self.branches["global"] = GlobalBranch(*sizes, reweight)

    def forward(self, image: Float[Tensor, "b 3 H W"]) -> Float[Tensor, "b c h w"]:
        return self._segment(self.backbone(image)[-1])[0]

    def both(self, image: Float[Tensor, "b 3 H W"]) -> Pass:
        """Return the passes of both branches over one run of the backbone, for training."""
        m = self.backbone(image)[-1]
        logits, features = self._segment(m)
        return Pass(self._classify(m), F.relu(self.tag(m.detach())).detach(), logits, features)

    def activation(self, image: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b n y x"]:
        """Return the activation of the classes, by the classification branch alone, whose mean is a class's logit
        (Eq. 2.14).
        """
        return self._classify(self.backbone(image)[-1])

    @torch.no_grad()
    def cam(self, image: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b n y x"]:
        """Return rectified activations (Eq. 2.1) as in evaluation: no dropout, and no norm updates its statistics."""
        training = self.training
        self.eval()
        cam = F.relu(self.tag(self.backbone(image)[-1]))
        self.train(training)
        return cam

    def _classify(self, m: Tensor) -> Tensor:
        return self.tag(self.dropout(m)).float()

    def _segment(self, m: Tensor) -> tuple[Tensor, Tensor]:
        made = [branch(m) for branch in self.branches.values()]
        total: Any = sum(P for _, P in made)  # a tensor, though a sum begins with 0
        return total / len(made), torch.cat([f for f, _ in made], dim=1)
