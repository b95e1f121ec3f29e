"""PFENet (Tian et al. 2020): a prior mask from the frozen backbone, and scales that enrich each other (Fig. 5.5)."""

import itertools

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor, nn

from wsss_stages.pairwise.array_checks import FLOATING
from wsss_stages.scl.head import Head, Maps, Scores
from wsss_stages.scl.prototypes import spread
from wsss_stages.scl.standardise import Standardise


def prior_mask(
    of_query: Float[Tensor, "b e y x"], of_support: Float[Tensor, "b e v u"], M_s: Bool[Tensor, "b v u"]
) -> Float[Tensor, "b 1 y x"]:
    """Return the largest cosine of every node of the query with a foreground node of the support, scaled from 0 to 1
    over the image.

    A node outside the mask counts as cosine 0. A query whose nodes are all alike gets 0.
    """
    best = torch.stack(
        [_best(*maps) for maps in zip(of_query.flatten(2), of_support.flatten(2), M_s.flatten(1), strict=True)]
    )
    low, high = best.amin(dim=1, keepdim=True), best.amax(dim=1, keepdim=True)
    return ((best - low) / (high - low + 1e-7)).view(len(of_query), 1, *of_query.shape[2:])


def _best(q: Float[Tensor, "e n"], s: Float[Tensor, "e m"], inside: Bool[Tensor, "m"]) -> Float[Tensor, "n"]:
    """Return the best cosines; only foreground nodes, a small share of all, are multiplied."""
    if not inside.any():
        return q.new_zeros(q.shape[1])
    q, s = (F.normalize(m, dim=0) for m in (q, s[:, inside]))
    best = (q.T @ s).float().amax(dim=1)
    return best if inside.all() else best.clamp(min=0)


class PfeNet(Head):
    """PFENet's head, P_q = D(FPM_q(F_q, v_s, prior)) (Eq. 5.12, Fig. 5.5; Tian et al. 2020).

    Several scales; query and support differ in their first layers, which merge features, vectors and the prior.

    Shapes: maps (b, m, y, x) of images, as `standard` leaves them; F_s (b, d, y, x); vectors V (b, n, d); M_s (b, y, x) bool, the supports'
    masks at the nodes, without unknown ones. `query` returns `Scores` whose logits are (b, 2, y, x), background first.

    Raises: ValueError for tensors of other axes, sizes, types or devices.

    >>> import torch
    >>> from wsss_stages.scl.head import Maps
    >>> from wsss_stages.scl.prototypes import masked_mean
    >>> from wsss_stages.scl.standardise import Standardise
    >>> query, support = Maps(torch.rand(1, 12, 6, 8)), Maps(torch.rand(1, 12, 6, 8))
    >>> M_s = torch.rand(1, 6, 8) > 0.5
    >>> given = {"standard": Standardise(12), "channels": 8, "vectors": 1, "support_branch": True, "with_similarity": True, "dropout": 0.1}
    >>> head = PfeNet(**given, bins=[1.0, 0.5], deep=False).eval()
    >>> V = masked_mean(head.embed_support(support.middle), M_s)[:, None]  # v_s of Eq. 5.1
    >>> hints = head.hints(query, support, M_s, known=torch.ones_like(M_s))
    >>> head.query(query, V, hints).logits.shape
    torch.Size([1, 2, 6, 8])
    """

    def __init__(
        self,
        standard: Standardise,
        channels: int,
        vectors: int,
        support_branch: bool,
        with_similarity: bool,
        dropout: float,
        bins: list[float],
        deep: bool,
    ):
        """
        Args:
            standard, support_branch, with_similarity: of any head.
            channels: d.  vectors: that guide, 1 for the baseline.
            dropout: share of whole channels that the embeddings drop in training.
            bins: sides of the scales over the map's, the finest first.
            deep: whether the prior is of the map of the last block, as released, or of the middle maps.
        """
        super().__init__(standard, channels, vectors, support_branch, with_similarity, priors=1)
        self.bins, self.deep = bins, deep
        d = channels
        self.embed_q, self.embed_s = (
            nn.Sequential(*_block(standard.outputs, d, 1), nn.Dropout2d(dropout)) for _ in range(2)
        )
        wide = (vectors + 1) * d
        self.merge_query = nn.ModuleList(nn.Sequential(*_block(wide + 1 + with_similarity, d, 1)) for _ in bins)
        if support_branch:
            self.merge_support = nn.ModuleList(nn.Sequential(*_block(wide, d, 1)) for _ in bins)
        self.alpha = nn.ModuleList(nn.Sequential(*_block(2 * d, d, 1)) for _ in bins[1:])
        self.beta = nn.ModuleList(nn.Sequential(*_block(d, d, 3), *_block(d, d, 3)) for _ in bins)
        self.inner = nn.ModuleList(_classifier(d) for _ in bins)
        self.gather = nn.Sequential(*_block(len(bins) * d, d, 1))
        self.residual = nn.Sequential(*_block(d, d, 3), *_block(d, d, 3))
        self.classify = _classifier(d)

    def embed_support(self, middle: Float[Tensor, "b k y x"]) -> Float[Tensor, "b d y x"]:
        self.check("embed_support", middle=(middle, "b m y x", FLOATING))
        return self.embed_s(middle)

    def support(self, F_s: Float[Tensor, "b d y x"], V: Float[Tensor, "b n d"]) -> Scores:
        self.check("support", F_s=(F_s, "b d y x", FLOATING), V=(V, "b n d", FLOATING))
        return self._decode(self.merge_support, spread(F_s, V))

    def query(self, query: Maps, V: Float[Tensor, "b n d"], hints: Float[Tensor, "b h y x"]) -> Scores:
        seen = {"query.middle": (query.middle, "q m y x", FLOATING), "hints": (hints, "b k y x", FLOATING)}
        self.check("query", len(V), V=(V, "b n d", FLOATING), **seen)
        F_q = self.embed_q(query.middle).expand(len(V), -1, -1, -1)
        found = self._decode(self.merge_query, torch.cat([spread(F_q, V), hints.to(F_q.dtype)], dim=1))
        return Scores(self.on_prototypes(found.logits, hints), found.inner)

    @torch.no_grad()
    def hints(
        self,
        query: Maps,
        support: Maps,
        M_s: Bool[Tensor, "b y x"],
        known: Bool[Tensor, "b y x"],
        together: bool = False,
    ) -> Float[Tensor, "b h v u"]:
        """Return the prior, of several supports together their mean, before what any head has."""
        self.check_hints(query, support, M_s, known)
        of_query, of_support = (m.deep if self.deep else m.middle for m in (query, support))
        if of_query is None or of_support is None:
            raise ValueError("PfeNet.hints: found no map of the last block; wanted `Maps.deep`, as `deep=True` says")
        prior = prior_mask(of_query.expand(len(M_s), -1, -1, -1), of_support, M_s)
        prior = prior.mean(dim=0, keepdim=True).expand_as(prior) if together else prior
        return torch.cat([prior, super().hints(query, support, M_s, known, together)], dim=1)

    def _decode(self, merge: nn.ModuleList, wide: Tensor) -> Scores:
        """Decode from the finest scale to the coarsest, each with the result of the one before it."""
        y, x = size = wide.shape[2:]
        scales: list[Tensor] = []
        for merged_by, bin_, alpha, beta in zip(
            merge, self.bins, itertools.chain([None], self.alpha), self.beta, strict=True
        ):
            merged = merged_by(F.adaptive_avg_pool2d(wide, (max(1, round(y * bin_)), max(1, round(x * bin_)))))
            if alpha is not None:
                finer = _resized(scales[-1], merged.shape[2:])
                merged = merged + alpha(torch.cat([merged, finer], dim=1))
            scales.append(merged + beta(merged))
        inner = [classify(scale) for classify, scale in zip(self.inner, scales, strict=True)]
        gathered = self.gather(torch.cat([_resized(scale, size) for scale in scales], dim=1))
        return Scores(self.classify(gathered + self.residual(gathered)), inner)


def _block(before: int, after: int, size: int) -> list[nn.Module]:
    return [nn.Conv2d(before, after, size, padding=size // 2), nn.ReLU()]


def _classifier(d: int) -> nn.Sequential:
    return nn.Sequential(*_block(d, d, 3), nn.Dropout2d(0.1), nn.Conv2d(d, 2, 1))


def _resized(m: Tensor, size) -> Tensor:
    return F.interpolate(m, size, mode="bilinear", align_corners=True)
