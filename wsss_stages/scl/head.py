"""The common parts of the baselines: maps in, scores of background and foreground out, by a query and a support branch."""

from dataclasses import dataclass, field
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from wsss_stages.nets.grid import Grid, onto
from wsss_stages.pairwise.array_checks import FLOATING, check_tensors
from wsss_stages.scl.similarity import joined, prototypes, similarity
from wsss_stages.scl.standardise import Standardise

SHARPNESS = 10.0
"""Logit of a similarity of 1; similarities are a few tenths."""
THRESHOLD = 0.1
"""Similarity above which an untrained head finds foreground."""


@dataclass
class Maps:
    """A batch of images as the frozen backbone sees them, at the nodes of one feature map."""

    middle: Float[Tensor, "b m y x"]
    """The maps of the second- and third-last blocks, concatenated."""
    deep: Float[Tensor, "b e y x"] | None = None
    """The map of the last block, if the head uses it."""

    @classmethod
    def stored(cls, middle: Float[Tensor, "b y x m"], deep: Float[Tensor, "b y x e"] | None = None) -> "Maps":
        """Return maps from half precision with their channels last, as scl_features stores them, in the order that
        convolutions prefer."""
        return cls(middle.float().permute(0, 3, 1, 2), None if deep is None else deep.float().permute(0, 3, 1, 2))

    def take(self, rows: list[int]) -> "Maps":
        """Return the maps of some of the images, in this order."""
        return Maps(self.middle[rows], None if self.deep is None else self.deep[rows])


@dataclass
class Scores:
    """Logits of background and foreground, and those of inner layers that are graded too."""

    logits: Float[Tensor, "b 2 y x"]
    inner: list[Float[Tensor, "b 2 _ _"]] = field(default_factory=list)


class Head(nn.Module):
    """The trained part on top of the backbone: FPMs and decoder of a baseline (Figs. 5.1, 5.2)."""

    deep = False
    """True if the head uses the map of the last block."""

    def __init__(
        self,
        standard: Standardise,
        channels: int,
        vectors: int,
        support_branch: bool,
        with_similarity: bool,
        priors: int = 0,
    ):
        """
        Args:
            standard: the transformation of images' maps into a head's `Maps`.
            channels: d.  vectors: that guide, 1 for the baseline.
            support_branch: whether there is FPM_s.
            with_similarity: whether the query's branch sees how similar its nodes are to the support's object, and learns what to
                add to what prototypes alone would say.
            priors: hints that a head has of its own.
        """
        super().__init__()
        if with_similarity:
            self.weight, self.offset = (nn.Parameter(torch.tensor(value)) for value in (1.0, -SHARPNESS * THRESHOLD))
        self.standard, self.support_branch, self.with_similarity = standard, support_branch, with_similarity
        self.sizes = {"m": standard.outputs, "d": channels, "n": vectors, "k": priors + with_similarity}

    def check(self, method: str, count: int | None = None, **wanted: tuple[Any, str, tuple[str, ...]]) -> None:
        """Raise ValueError for tensors that a method cannot take, or maps of neither 1 nor `count` images, their axis q."""
        where = f"{type(self).__name__}.{method}"
        check_tensors(where, self.sizes, next(self.parameters()).device, **wanted)
        for name, (x, axes, _) in wanted.items():
            if count is not None and axes[0] == "q" and len(x) not in (1, count):
                raise ValueError(
                    f"{where}: found {name} of {len(x)} images; wanted 1, or {count} as there are supports"
                )

    def embed_support(self, middle: Float[Tensor, "b m y x"]) -> Float[Tensor, "b d y x"]:
        """Return F_s of Eq. 5.1."""
        raise NotImplementedError

    def support(self, F_s: Float[Tensor, "b d y x"], V: Float[Tensor, "b n d"]) -> Scores:
        """Return D(FPM_s(.)) of Eqs. 5.3 and 5.9: a support under vectors of its own, or of another (Eq. 5.15)."""
        raise NotImplementedError

    def query(self, query: Maps, V: Float[Tensor, "b n d"], hints: Float[Tensor, "b h y x"]) -> Scores:
        """Return D(FPM_q(.)) of Eq. 5.12, of every support's query, or of one query under all supports."""
        raise NotImplementedError

    @torch.no_grad()
    def hints(
        self,
        query: Maps,
        support: Maps,
        M_s: Bool[Tensor, "b y x"],
        known: Bool[Tensor, "b y x"],
        together: bool = False,
    ) -> Float[Tensor, "b h v u"]:
        """Return hints of each support's query, or of one query under all supports, without training.

        Args:
            known: nodes of the supports that count.
            together: the supports are of one class, and each one's hints are those of all.
        """
        self.check_hints(query, support, M_s, known)
        if not self.with_similarity:
            return query.middle.new_zeros(len(M_s), 0, *query.middle.shape[2:])
        P = prototypes(support.middle, M_s, known)
        P = joined(P).expand_as(P) if together else P
        return torch.sigmoid(SHARPNESS * similarity(query.middle, P))[:, None]

    def check_hints(self, query: Maps, support: Maps, M_s: Bool[Tensor, "b y x"], known: Bool[Tensor, "b y x"]) -> None:
        """Raise ValueError for what `hints` cannot take."""
        seen = {
            "query.middle": (query.middle, "q m v u", FLOATING),
            "support.middle": (support.middle, "b m y x", FLOATING),
        }
        self.check("hints", len(M_s), **seen, M_s=(M_s, "b y x", ("bool",)), known=(known, "b y x", ("bool",)))

    def on_prototypes(
        self, logits: Float[Tensor, "b 2 y x"], hints: Float[Tensor, "b h y x"]
    ) -> Float[Tensor, "b 2 y x"]:
        """Return the sum of the logits and those of prototypes alone, which are the last hints."""
        if not self.with_similarity:
            return logits
        foreground = self.weight * torch.logit(hints[:, -1:], eps=1e-4) + self.offset
        return logits + torch.cat([-foreground, foreground], dim=1) / 2


def two_maps(maps: list[Tensor], grids: list[Grid]) -> Maps:
    """Return a backbone's three maps as `Maps`, at the nodes of the last."""
    (*shallow, deep), (*others, grid) = maps, grids
    y, x = deep.shape[2:]
    resized = [onto(m, node_grid, grid, (y, x)) for m, node_grid in zip(shallow, others, strict=True)]
    return Maps(torch.cat(resized, dim=1), deep)
