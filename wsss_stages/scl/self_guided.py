"""Self-guided learning: a support predicts itself, and the pixels that it misses form a second vector (Sec. 5.3.2)."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from wsss_stages.scl.head import Head, Scores
from wsss_stages.scl.prototypes import masked_mean

INITIAL = ("initial",)
"""The baseline: v_s alone guides the query."""


@dataclass
class Guidance:
    """The guidance of a support for queries."""

    V: Float[Tensor, "b n d"]
    """Vectors that guide queries."""
    F_s: Float[Tensor, "b d y x"]
    first: Scores | None = None
    """P_s1 of Eq. 5.3 before the softmax; None where nothing needs it."""
    M_hat: Bool[Tensor, "b y x"] | None = None
    """Eq. 5.4."""


def guide(
    head: Head, F_s: Float[Tensor, "b d y x"], M_s: Bool[Tensor, "b y x"], vectors: Sequence[str], first: bool = False
) -> Guidance:
    """Return the requested vectors: "initial" v_s (Eq. 5.1), "primary" v_pri (5.5), "auxiliary" v_aux (5.6).

    P_s1 sees v_s in the place of each of them (Eq. 5.2), so that one support FPM serves both passes.

    Args:
        first: predict the support also where no vector needs it, for its loss (Eq. 5.7).
    """
    v_s = masked_mean(F_s, M_s)
    if tuple(vectors) == INITIAL and not first:
        return Guidance(v_s[:, None], F_s)
    P_s1 = head.support(F_s, v_s[:, None].expand(-1, len(vectors), -1))
    M_hat = P_s1.logits.argmax(dim=1) == 1
    made = {
        "initial": v_s,
        "primary": masked_mean(F_s, M_s & M_hat),
        "auxiliary": masked_mean(F_s, M_s & ~M_hat),
    }
    return Guidance(torch.stack([made[name] for name in vectors], dim=1), F_s, P_s1, M_hat)
