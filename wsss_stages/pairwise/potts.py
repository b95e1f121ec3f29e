"""Potts energy over a gated window: neighbours that look alike should agree (Eq. 3.22)."""

from jaxtyping import Float
from torch import Tensor

from wsss_stages.pairwise.windows import look, padded, reach


def potts_energy(
    P: Float[Tensor, "b c h w"], K: Float[Tensor, "b n h w"], window: list[tuple[int, int]], nodes: Float[Tensor, "b"]
) -> Float[Tensor, "b"]:
    r"""Sum over ordered pairs of :math:`K(i,j)\,(1 - \sum_c P^c(i) P^c(j))` over the number of nodes, per image.

    Eq. 3.22 as printed sums over all pairs of classes and is a constant; this is the form with i ≠ j (Deviations).

    Args:
        P: class probabilities, summing to 1 over c.
        K: kernel of each node with the n neighbours of a *half* window, so each pair is met once and counts twice;
            0 where there is no neighbour.
        nodes: number of nodes of each image, without padding.
    """
    r = reach(window)
    around = padded(P, r, 0.0)
    energy = P.new_zeros(len(P))
    for number, (dy, dx) in enumerate(window):
        agreement = (P * look(around, r, dy, dx)).sum(dim=1)
        energy = energy + (K[:, number] * (1 - agreement)).sum(dim=(1, 2))
    return 2 * energy / nodes
