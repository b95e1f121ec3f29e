"""Cross-guided fusion: supports that segment each other well count more; nothing is trained (Sec. 5.3.4)."""

from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from wsss_stages.scl.head import Head, Maps
from wsss_stages.scl.self_guided import Guidance


@torch.no_grad()
def mutual_iou(
    head: Head,
    guidance: Guidance,
    supports: Maps,
    M_s: Bool[Tensor, "K y x"],
    known: Bool[Tensor, "K y x"],
    path: Literal["support", "query"] = "support",
) -> Float[Tensor, "K K"]:
    """Return IOU(M^{i|k}, M_i) of Eq. 5.16, k by row: how well support k segments support i.

    Args:
        guidance: of each support.
        known: nodes that count.
        path: branch that predicts; "query" is Eq. 5.15, "support" the released one, without prior mask or history. Raises
            ValueError for the second where the network has none.
    """
    if path == "support" and not head.support_branch:
        raise ValueError(
            "the network has no support branch to weight supports by, because it was trained as the baseline; wanted "
            "cross_path: query"
        )
    K = len(M_s)
    V, F_s = guidance.V, guidance.F_s
    rows = []
    for k in range(K):
        of_k = [k] * K
        if path == "support":
            scores = head.support(F_s, V[of_k])
        else:
            hints = head.hints(supports, supports.take(of_k), M_s[of_k], known[of_k])
            scores = head.query(supports, V[of_k], hints)
        rows.append(iou(scores.logits.argmax(dim=1) == 1, M_s, known))
    return torch.stack(rows)


def iou(predicted: Bool[Tensor, "K y x"], M: Bool[Tensor, "K y x"], known: Bool[Tensor, "K y x"]) -> Float[Tensor, "K"]:
    """Return the IoU of the foreground at the known nodes; 0 where both masks are empty."""
    both, either = ((m & known).sum(dim=(1, 2)) for m in (predicted & M, predicted | M))
    return both / either.clamp(min=1)


def fuse(logits: Float[Tensor, "K 2 y x"], U: Float[Tensor, "K"] | None = None) -> Float[Tensor, "2 y x"]:
    r"""Return :math:`\sum_k U^k G(I_q|I^k) / \sum_k U^k` of Eq. 5.17, before the softmax; the plain average without
    U, or where all are 0.

    The weights sum to 1, so that K copies of one support are that support. Raises ValueError for K = 0.
    """
    K = len(logits)
    if K == 0:
        raise ValueError("found no support to fuse (K = 0), wanted at least one")
    weights = torch.ones(K, device=logits.device) if U is None or not U.sum() > 0 else U
    return torch.einsum("k,kcyx->cyx", (weights / weights.sum()).to(logits.dtype), logits)


def quality(ious: Float[Tensor, "K K"]) -> Float[Tensor, "K"]:
    """Return U of Eq. 5.16: the mean over the supports that each one segments, itself among them."""
    return ious.mean(dim=1)
