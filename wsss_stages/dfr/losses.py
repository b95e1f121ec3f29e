"""Losses of DFR: pixels that look alike should agree, and features should differ between confident pixels of two
classes (Eqs. 4.3-4.13).

Numbers of pairs are (b, n, h, w): one for each of the n neighbours of a half window, so that a pair is met once; the sums of the
thesis run over ordered pairs and meet it twice. Kernels are 0 where a pair leaves the image or touches padding.
"""

import torch
from jaxtyping import Bool, Float, UInt8
from torch import Tensor

from wsss_stages import UNKNOWN
from wsss_stages.pairwise.affinity import squared_difference
from wsss_stages.pairwise.array_checks import FLOATING, check_tensors
from wsss_stages.pairwise.kernels import colour_position
from wsss_stages.pairwise.potts import Potts
from wsss_stages.pairwise.windows import both_ways, neighbours

EPS = 1e-5
"""Features of two classes that are equal cost log(1/EPS), not infinity."""


def pairs(mask: Bool[Tensor, "b h w"], half: list[tuple[int, int]]) -> Bool[Tensor, "b n h w"]:
    """Return the pairs both of whose pixels are in a mask; of labelled pixels it is R_A of Eq. 4.8."""
    return mask[:, None] & neighbours(mask.float(), half, 0.0).transpose(0, 1).bool()


def static_kernel(
    image: Float[Tensor, "b 3 h w"],
    valid: Bool[Tensor, "b h w"],
    half: list[tuple[int, int]],
    sigma_xy: float,
    sigma_rgb: float,
) -> Float[Tensor, "b n h w"]:
    """Return K_f of Eq. 4.13; a sigma of infinity leaves its term out.

    Args:
        image: normalised to ImageNet's mean and deviation, at the resolution of the pairs.
        sigma_xy: in nodes.  sigma_rgb: in units of the normalised image.
    """
    return colour_position(image, half, sigma_xy, sigma_rgb) * pairs(valid, half)


def feature_kernel(
    features: Float[Tensor, "b d h w"], half: list[tuple[int, int]], sigma: float
) -> Float[Tensor, "b n h w"]:
    r"""Return :math:`\exp(-\|F_i - F_j\|^2 / 2\sigma_3^2)` of Eq. 4.6, without gradient (Sec. 4.2.2)."""
    return torch.exp(-squared_difference(features, half) / (2 * sigma**2))


def regularised_loss(
    P: Float[Tensor, "b c h w"], K: Float[Tensor, "b n h w"], half: list[tuple[int, int]], pixels: Float[Tensor, ""]
) -> Float[Tensor, ""]:
    r"""Return L_dfr: :math:`\frac{1}{hw} \sum_i \sum_j K(i,j)\,(1 - \sum_c P^c(i) P^c(j))` over the batch  (Eqs. 4.4-4.5).

    Args:
        P: class probabilities, summing to 1 over c.
        K: kernel of every pair of the half window, 0 where it leaves the image. It carries no gradient.
        half: the n offsets, `offsets(radius, "square", half=True)`.
        pixels: how many the mean is over.

    Raises: ValueError for tensors of other axes, sizes, types or devices.

    >>> import torch
    >>> from wsss_stages.pairwise.windows import exists, offsets
    >>> half = offsets(1, "square", half=True)
    >>> K = exists(1, 2, half, "cpu").float()[None]  # one pair, whose pixels disagree for sure
    >>> regularised_loss(torch.eye(2).view(1, 2, 1, 2), K, half, pixels=torch.tensor(2.0)).item()
    1.0
    """
    scalar = (pixels, "", FLOATING)
    wanted = {"P": (P, "b c h w", FLOATING), "K": (K, "b n h w", FLOATING), "pixels": scalar}
    check_tensors("regularised_loss", {"n": len(half)}, None, **wanted)
    ordered, window = both_ways(K, half)
    return Potts(ordered, window, pixels.expand(len(K))).energy(P.permute(0, 2, 3, 1).contiguous()).sum()


def confident(P: Float[Tensor, "b c h w"], gamma: float) -> UInt8[Tensor, "b h w"]:
    """Return M of Eq. 4.7: the most likely class where its probability is above gamma, 255 elsewhere."""
    best = P.detach().max(dim=1)
    return torch.where(best.values > gamma, best.indices, UNKNOWN).to(torch.uint8)


def feature_distance_loss(
    distance: Float[Tensor, "b n h w"], M: UInt8[Tensor, "b h w"], half: list[tuple[int, int]]
) -> Float[Tensor, ""]:
    r"""Return L_fd of Eq. 4.11 with :math:`D = \exp(-\text{distance})`: the mean of -log D over pairs of background and
    that over pairs of one foreground class, and twice the mean of -log(1 - D) over pairs of two classes. A mean of
    nothing is 0.

    Args:
        distance: mean absolute difference of features (Eq. 4.10), at least 0.
        M: classes of which pairs are made, 0 background, 255 none.
        half: the n offsets of the pairs.

    Raises: ValueError for tensors of other axes, sizes, types or devices.

    >>> import torch
    >>> from wsss_stages.pairwise.windows import offsets
    >>> half = offsets(1, "square", half=True)
    >>> M = torch.tensor([[[1, 2]]], dtype=torch.uint8)  # two classes whose features are alike
    >>> round(feature_distance_loss(torch.zeros(1, len(half), 1, 2), M, half).item(), 2)
    23.03
    """
    wanted = {"distance": (distance, "b n h w", FLOATING), "M": (M, "b h w", ("uint8",))}
    check_tensors("feature_distance_loss", {"n": len(half)}, None, **wanted)
    centre, other = M[:, None], neighbours(M.float(), half, float(UNKNOWN)).transpose(0, 1).to(torch.uint8)
    both = pairs(M != UNKNOWN, half)
    same = both & (centre == other)
    apart = -torch.log(EPS - torch.expm1(-distance))
    return (
        _mean(distance, same & (centre == 0))
        + _mean(distance, same & (centre != 0))
        + 2 * _mean(apart, both & (centre != other))
    )


def feature_regularised_loss(
    distance: Float[Tensor, "b n h w"], K_f: Float[Tensor, "b n h w"], pixels: Float[Tensor, ""]
) -> Float[Tensor, ""]:
    r"""Return L_fr: :math:`\frac{1}{hw} \sum_i \sum_j K_f(i,j)\,\text{distance}(i,j)` over the batch  (Eq. 4.12).

    Args:
        distance: mean absolute difference of features for the pairs of a half window (Eq. 4.10), at least 0.
        K_f: their kernel, 0 where a pair leaves the image.
        pixels: how many the mean is over.

    Raises: ValueError for tensors of other axes, sizes, types or devices.

    >>> import torch
    >>> pairs_of_four = torch.ones(1, 1, 2, 2)
    >>> feature_regularised_loss(pairs_of_four, 0.5 * pairs_of_four, pixels=torch.tensor(4.0)).item()
    1.0
    """
    wanted = {"distance": (distance, "b n h w", FLOATING), "K_f": (K_f, "b n h w", FLOATING)}
    check_tensors("feature_regularised_loss", {}, None, **wanted, pixels=(pixels, "", FLOATING))
    return 2 * (K_f * distance).sum() / pixels


def _mean(x: Tensor, mask: Tensor) -> Float[Tensor, ""]:
    return (x * mask).sum() / mask.sum().clamp(min=1)
