"""CANet (Zhang et al. 2019): dense comparison, and a prediction that is refined with the one before (Fig. 5.4)."""

from functools import partial

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from wsss_stages.pairwise.array_checks import FLOATING
from wsss_stages.scl.head import Head, Maps, Scores
from wsss_stages.scl.prototypes import spread
from wsss_stages.scl.standardise import Standardise

RATES = (6, 12, 18)
ROUNDS = 2


class CaNet(Head):
    """CANet's head, P_q = D(FPM_q(F_q, v_s)) (Eq. 5.12, Fig. 5.4; Zhang et al. 2019).

    One scale; query and support differ in the first residual block alone, which has a history or not.

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
    >>> head = CaNet(**given, history_drop=0.5).eval()
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
        history_drop: float,
    ):
        """
        Args:
            standard, support_branch, with_similarity: of any head.
            channels: d.  vectors: that guide, 1 for the baseline.
            dropout: share of whole channels that every block drops in training.
            history_drop: share of training queries that see no prediction to refine.
        """
        super().__init__(standard, channels, vectors, support_branch, with_similarity)
        self.history_drop, self.rounds = history_drop, ROUNDS
        d, block = channels, partial(_block, dropout=dropout)
        self.embed = nn.Sequential(*block(standard.outputs, d, 3, 2))
        self.compare = nn.Sequential(*block((vectors + 1) * d, d, 3, 2))
        self.first_of_query = _residual(d + 2 + with_similarity, d)
        if support_branch:
            self.first_of_support = _residual(d, d)
        self.residual = nn.ModuleList(_residual(d, d) for _ in range(2))
        self.aspp = nn.ModuleList(
            [nn.Sequential(*block(d, d, 1, 1)), *(nn.Sequential(*block(d, d, 3, rate)) for rate in RATES)]
        )
        self.whole = nn.Sequential(*block(d, d, 1, 1))
        self.classify = nn.Sequential(*block((len(RATES) + 2) * d, d, 1, 1), nn.Conv2d(d, 2, 1))

    def embed_support(self, middle: Float[Tensor, "b m y x"]) -> Float[Tensor, "b d y x"]:
        self.check("embed_support", middle=(middle, "b m y x", FLOATING))
        return self.embed(middle)

    def support(self, F_s: Float[Tensor, "b d y x"], V: Float[Tensor, "b n d"]) -> Scores:
        self.check("support", F_s=(F_s, "b d y x", FLOATING), V=(V, "b n d", FLOATING))
        compared = self.compare(spread(F_s, V))
        return Scores(self._decode(compared + self.first_of_support(compared)))

    def query(self, query: Maps, V: Float[Tensor, "b n d"], hints: Float[Tensor, "b h y x"]) -> Scores:
        seen = {"query.middle": (query.middle, "q m y x", FLOATING), "hints": (hints, "b k y x", FLOATING)}
        self.check("query", len(V), V=(V, "b n d", FLOATING), **seen)
        F_q = self.embed_support(query.middle).expand(len(V), -1, -1, -1)
        compared = self.compare(spread(F_q, V))
        history = compared.new_zeros(len(compared), 2, *compared.shape[2:])
        if self.training:
            return Scores(self._refine(compared, hints, self._sometimes(compared, hints, history)))
        logits = self._refine(compared, hints, history)
        for _ in range(self.rounds):
            logits = self._refine(compared, hints, logits.softmax(dim=1))
        return Scores(logits)

    @torch.no_grad()
    def _sometimes(self, compared: Tensor, hints: Tensor, nothing: Tensor) -> Tensor:
        """Return the prediction P_q(t-1), or nothing for a share of the queries."""
        kept = torch.rand(len(compared), device=compared.device) >= self.history_drop
        if not kept.any():
            return nothing
        P = self._refine(compared, hints, nothing).softmax(dim=1)
        torch.clear_autocast_cache()  # older torch lets casts made without gradient serve the pass with one
        return P * kept[:, None, None, None]

    def _refine(self, compared: Tensor, hints: Tensor, history: Tensor) -> Tensor:
        seen = torch.cat([compared, hints.to(compared.dtype), history.to(compared.dtype)], dim=1)
        return self.on_prototypes(self._decode(compared + self.first_of_query(seen)), hints)

    def _decode(self, x: Tensor) -> Tensor:
        for block in self.residual:
            x = x + block(x)
        whole = self.whole(F.adaptive_avg_pool2d(x, 1)).expand_as(x)
        return self.classify(torch.cat([*(conv(x) for conv in self.aspp), whole], dim=1))


def _block(before: int, after: int, size: int, rate: int, dropout: float) -> list[nn.Module]:
    """Return convolution, ReLU and dropout of whole channels."""
    padding = rate * (size - 1) // 2
    return [nn.Conv2d(before, after, size, padding=padding, dilation=rate), nn.ReLU(), nn.Dropout2d(dropout)]


def _residual(before: int, after: int) -> nn.Sequential:
    return nn.Sequential(
        nn.ReLU(), nn.Conv2d(before, after, 3, padding=1), nn.ReLU(), nn.Conv2d(after, after, 3, padding=1)
    )
