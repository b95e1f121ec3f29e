"""The network of chapter 5: a frozen backbone and the head of a baseline, self-guided or not (Fig. 5.1)."""

from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from wsss_stages.nets.backbones import Backbone
from wsss_stages.nets.grid import Grid
from wsss_stages.scl.head import Head, Maps, Scores, two_maps
from wsss_stages.scl.self_guided import Guidance, guide


class FewShot(nn.Module):
    """forward is G of Eq. 5.15: the query's scores under one support."""

    def __init__(self, backbone: Backbone, head: Head, vectors: Sequence[str], feature_dropout: float = 0.0):
        """
        Args:
            vectors: that guide the query (`self_guided.guide`); ("initial",) is the baseline.
            feature_dropout: share of the channels of prepared maps that training hides.
        """
        super().__init__()
        self.hide = nn.Dropout2d(feature_dropout)
        self.backbone, self.head, self.vectors = backbone.requires_grad_(False), head, tuple(vectors)
        self.train()

    def train(self, mode: bool = True) -> "FewShot":
        """Set the mode; the backbone stays in evaluation mode."""
        super().train(mode)
        self.backbone.eval()
        return self

    @property
    def grid(self) -> Grid:
        """Return the grid of the nodes of all maps in the image."""
        return self.backbone.grids[-1]

    @torch.no_grad()
    def encode(self, image: Float[Tensor, "b 3 H W"]) -> Maps:
        """Return maps of normalised images, as the head wants them."""
        return self.prepared(two_maps(self.backbone(image), self.backbone.grids))

    @torch.no_grad()
    def prepared(self, maps: Maps) -> Maps:
        """Return the backbone's maps as the head wants them."""
        return Maps(self.head.standard(maps.middle), maps.deep if self.head.deep else None)

    def partly(self, query: Maps, support: Maps) -> tuple[Maps, Maps]:
        """Return queries and supports of training without a share of their channels, of each pair the same ones."""
        kept = self.hide(torch.ones_like(query.middle[:, :, :1, :1]))
        return Maps(query.middle * kept, query.deep), Maps(support.middle * kept, support.deep)

    def guide(self, support: Maps, M_s: Bool[Tensor, "b y x"], first: bool = False) -> Guidance:
        """Return the guidance of the supports for queries."""
        return guide(self.head, self.head.embed_support(support.middle), M_s, self.vectors, first)

    def forward(
        self, query: Maps, support: Maps, M_s: Bool[Tensor, "b y x"], known: Bool[Tensor, "b y x"] | None = None
    ) -> Scores:
        """
        Args:
            known: nodes of the support that count; None: all.
        """
        hints = self.head.hints(query, support, M_s, torch.ones_like(M_s) if known is None else known)
        return self.head.query(query, self.guide(support, M_s).V, hints)
