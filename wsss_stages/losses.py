"""Losses of the thesis as functions: tensors in, a scalar or one number an image out."""

from jaxtyping import Float
from torch import Tensor

from wsss_stages.a2gnn.affinity_cnn import affinity_losses
from wsss_stages.a2gnn.multi_point import multi_point_loss
from wsss_stages.dfr.losses import feature_distance_loss, feature_regularised_loss, regularised_loss
from wsss_stages.pairwise.array_checks import FLOATING, check_tensors
from wsss_stages.pairwise.potts import Potts
from wsss_stages.rrm.class_distance import class_distance
from wsss_stages.rrm.dense_energy import dense_energy

__all__ = [
    "affinity_losses", "class_distance", "dense_energy", "feature_distance_loss", "feature_regularised_loss", "multi_point_loss",
    "potts_energy", "regularised_loss",
]  # fmt: skip


def potts_energy(
    P: Float[Tensor, "b c h w"], K: Float[Tensor, "b n h w"], window: list[tuple[int, int]]
) -> Float[Tensor, "b"]:
    r"""Return the mean over pixels of :math:`\sum_j K(i,j)\,(1 - \sum_c P^c(i) P^c(j))` of every image (Eqs. 3.22, 4.4-4.5).

    It is 0 if and only if every connected pair agrees with certainty.

    Args:
        P: class probabilities, summing to 1 over c.
        K: symmetric kernel of every pixel with the n neighbours of the window (`pairwise.windows.offsets`), 0 for the pixel itself and
            where there is no neighbour. It carries no gradient.
        window: the n offsets.

    Raises: ValueError for tensors of other axes, sizes, types or devices.

    >>> import torch
    >>> from wsss_stages.pairwise.kernels import colour_position
    >>> from wsss_stages.pairwise.windows import offsets
    >>> window, image = offsets(5, "square"), torch.rand(2, 3, 24, 32)
    >>> K = colour_position(image, window, sigma_xy=6.0, sigma_rgb=0.1)
    >>> P = torch.rand(2, 21, 24, 32, requires_grad=True)
    >>> potts_energy(P.softmax(dim=1), K, window).sum().backward()
    >>> P.grad.shape
    torch.Size([2, 21, 24, 32])
    """
    check_tensors("potts_energy", {"n": len(window)}, P=(P, "b c h w", FLOATING), K=(K, "b n h w", FLOATING))
    pixels = P.new_full((len(P),), float(P.shape[2] * P.shape[3]))
    return Potts(K, window, pixels).energy(P.permute(0, 2, 3, 1).contiguous())
