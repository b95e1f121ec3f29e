"""Dense energy: pixels near in colour and place should agree, most of all unlabelled ones (Eqs. 2.17-2.21)."""

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, UInt8
from torch import Tensor
from torch.autograd.function import once_differentiable

from wsss_stages import UNKNOWN
from wsss_stages.nets.grid import Grid, to_pixels
from wsss_stages.pairwise.array_checks import FLOATING, check_tensors
from wsss_stages.pairwise.permutohedral import PermutohedralLattice


def dense_energy(
    logits: Float[Tensor, "b c y x"],
    image: Float[Tensor, "b 3 h w"],
    labels: UInt8[Tensor, "b h w"],
    valid: Bool[Tensor, "b h w"],
    sigma_xy: float,
    sigma_rgb: float,
    scale: float,
    released_gradient: bool,
    grid: Grid | None = None,
) -> Float[Tensor, ""]:
    r"""Return L_energy: the mean over valid pixels of the batch of :math:`S(i) \sum_j G(i,j) (1 - \sum_c P^c(i) P^c(j))`  (Eqs. 2.19-2.20).

    At least 0. Each row of G sums to 1 (the 1/W of Eq. 2.18) over the valid pixels of an image, the pixel itself too.

    Args:
        logits: at any stride.  image: RGB in [0, 1].
        labels: 255 where unknown, outside Φ.  valid: False where padded.
        sigma_xy: pixels of the image.  sigma_rgb: grey levels of 255.
        scale: size of the grid that is worked on over the image's.
        released_gradient: as `released` of `Agreement`.  grid: of the logits; None: they are cells.

    Raises: ValueError for tensors of other axes, sizes, types or devices.

    >>> import torch
    >>> logits, image = torch.zeros(1, 2, 4, 4), torch.zeros(1, 3, 8, 8)  # all pixels are alike and undecided
    >>> nothing, all_of_it = torch.full((1, 8, 8), 255, dtype=torch.uint8), torch.ones(1, 8, 8, dtype=torch.bool)
    >>> numbers = {"sigma_xy": 3.0, "sigma_rgb": 9.0, "scale": 1.0, "released_gradient": False}
    >>> round(dense_energy(logits, image, nothing, all_of_it, **numbers).item(), 3)
    0.5
    """
    check_tensors(
        "dense_energy",
        logits=(logits, "b c y x", FLOATING),
        image=(image, "b 3 h w", FLOATING),
        labels=(labels, "b h w", ("uint8",)),
        valid=(valid, "b h w", ("bool",)),
    )
    h, w = image.shape[2:]
    size = max(1, round(h * scale)), max(1, round(w * scale))
    P = to_pixels(logits.float(), grid, size, (h, w)).softmax(dim=1)
    small = F.interpolate(image, size, mode="bilinear", align_corners=False)
    known, inside = (F.interpolate(m[:, None].float(), size).flatten(1) > 0 for m in (labels != UNKNOWN, valid))
    y, x = (torch.arange(side, device=image.device) / (sigma_xy * scale) for side in size)
    place = torch.cartesian_prod(y, x)
    total = P.new_zeros(())
    for P_i, colours, known_i, inside_i in zip(P.flatten(2), small.flatten(2), known, inside, strict=True):
        features = torch.cat([place, colours.T * (255 / sigma_rgb)], dim=1)
        total = total + Agreement(features, inside_i, released_gradient).energy(P_i.T, known_i)
    return total / inside.sum().clamp(min=1)


class Agreement:
    """The energy of an image's pixels; their kernel is laid out once for all evaluations."""

    def __init__(self, features: Float[Tensor, "n d"], valid: Bool[Tensor, "n"], released: bool):
        """
        Args:
            features: in units of the kernel's deviation.  valid: pixels that count.
            released: the gradient is -2 S(i) (G P)(i), which keeps sure pixels from being pulled by unsure ones, and not
                the energy's own, -S(i) (G P)(i) - Σ_j G(j,i) S(j) P(j); the gate S carries none in either.
        """
        features = torch.where(valid[:, None], features, features[valid.int().argmax()])  # padding adds no vertex
        self.lattice, self.released = PermutohedralLattice(features), released
        self.valid = valid[:, None].to(features)
        self.W = self.lattice.filter(self.valid).clamp(min=torch.finfo(features.dtype).tiny)

    def energy(self, P: Float[Tensor, "n c"], known: Bool[Tensor, "n"]) -> Float[Tensor, ""]:
        """Return the sum over pixels, gated by S of Eq. 2.21; `P` are class probabilities, summing to 1 over c."""
        S = torch.where(known, 1 - P.detach().amax(dim=1), 1.0)[:, None] * self.valid
        return S.sum() - _Agreed.apply(P, S, self)

    def gather(self, P: Float[Tensor, "n c"]) -> Float[Tensor, "n c"]:
        """Return G P."""
        return self.lattice.filter(self.valid * P) / self.W

    def gather_back(self, P: Float[Tensor, "n c"]) -> Float[Tensor, "n c"]:
        """Return the transpose of G times P."""
        return self.valid * self.lattice.transposed(P / self.W)


class _Agreed(torch.autograd.Function):
    """Sum over pairs of S(i) G(i,j) P(i)·P(j)."""

    @staticmethod
    def forward(ctx, P: Tensor, S: Tensor, by: Agreement) -> Tensor:
        gathered = S * by.gather(P)
        ctx.save_for_backward(P, S, gathered)
        ctx.by = by
        return (P * gathered).sum()

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient: Tensor):
        P, S, gathered = ctx.saved_tensors
        other = gathered if ctx.by.released else ctx.by.gather_back(S * P)
        return gradient * (gathered + other), None, None
