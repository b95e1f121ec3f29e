"""Mean field of a CRF whose pairwise term is the edges of a graph: a way to spread seeds without training."""

from jaxtyping import Float
from torch import Tensor

from wsss_stages.pairwise.array_checks import FLOATING, check_tensors
from wsss_stages.pairwise.windows import neighbours


def edge_crf(
    P: Float[Tensor, "c h w"],
    E: Float[Tensor, "n h w"],
    window: list[tuple[int, int]],
    weight: float,
    iterations: int,
) -> Float[Tensor, "c h w"]:
    r"""Return Q after iterations of :math:`Q_i \propto \exp(\log P_i + w \sum_{j \ne i} E_{ij} Q_j / \sqrt{d_i d_j})`, from P.

    It is the Potts model of a dense CRF (Krähenbühl and Koltun 2011) whose kernel is E, normalised symmetrically as theirs, with
    :math:`d_i = \sum_{j \ne i} E_{ij}`.

    Args:
        P: probabilities of c classes at the nodes.
        E: edges to the n neighbours of the window, at least 0; 0 where there is no neighbour.
        weight: w, at least 0.

    Raises: ValueError for tensors of other axes, sizes, types or devices.
    """
    check_tensors("edge_crf", {"n": len(window)}, P=(P, "c h w", FLOATING), E=(E, "n h w", FLOATING))
    K = E.clone()
    K[window.index((0, 0))] = 0
    inverse = K.sum(dim=0).clamp(min=1e-12).rsqrt()
    K = K * inverse * neighbours(inverse, window, 0.0)
    log_P = P.clamp(min=1e-5).log()
    Q = P
    for _ in range(iterations):
        Q = (log_P + weight * (neighbours(Q, window, 0.0) * K.unsqueeze(1)).sum(dim=0)).softmax(dim=0)
    return Q
