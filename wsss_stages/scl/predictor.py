"""Predictions of a trained network on queries, under the K supports of an episode."""

from functools import cached_property
from typing import Literal

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from wsss_stages.scl.cross_guided import fuse, mutual_iou, quality
from wsss_stages.scl.few_shot import FewShot
from wsss_stages.scl.head import Maps
from wsss_stages.scl.prototypes import at_nodes


class FewShotPredictor:
    """A predictor that encodes supports once for any number of queries; without gradient."""

    path: Literal["support", "query"]

    @torch.no_grad()
    def __init__(
        self, network: FewShot, supports: Maps, masks: UInt8[Tensor, "K H W"], cross_path: Literal["support", "query"]
    ):
        """
        Args:
            masks: 0 background, 1 foreground, 255 unknown.
            cross_path: of `cross_guided.mutual_iou`.
        """
        self.network, self.supports, self.path = network, supports, cross_path
        y, x = supports.middle.shape[2:]
        self.M_s, self.known = at_nodes(masks, (y, x), network.grid)
        self.guidance = network.guide(supports, self.M_s)

    @torch.no_grad()
    def scores(self, query: Maps, shots: int) -> Float[Tensor, "K 2 y x"]:
        """Return G(I_q|I_k) of one query under each of the first supports, whose hints are those of all of them."""
        head, first = self.network.head, list(range(shots))
        hints = head.hints(query, self.supports.take(first), self.M_s[first], self.known[first], together=True)
        return head.query(query, self.guidance.V[first], hints).logits

    def fused(self, scores: Float[Tensor, "K 2 y x"], cross: bool) -> Float[Tensor, "2 y x"]:
        """Return the scores averaged, or weighted by how well the supports segment each other (Eq. 5.17)."""
        shots = len(scores)
        U = quality(self._ious[:shots, :shots]) if cross else None
        return fuse(scores, U)

    @cached_property
    def _ious(self) -> Float[Tensor, "K K"]:
        return mutual_iou(self.network.head, self.guidance, self.supports, self.M_s, self.known, self.path)
