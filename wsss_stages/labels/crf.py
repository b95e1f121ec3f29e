"""Dense CRF by mean field (Krähenbühl and Koltun 2011), the post-processing of Eq. 2.5 and Sec. 3.4."""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from wsss_stages.pairwise.permutohedral import PermutohedralLattice


class DenseCrf:
    r"""Potts model with a Gaussian and a bilateral kernel, each normalised symmetrically.

    Q starts as the softmax of the unary; each iteration is
    :math:`Q_i \propto \exp(\log p_i + \sum_m w_m \sum_j k_m(i, j) Q_j)`. Numbers mean what they mean in pydensecrf.
    The lattices belong to the image; any number of probability maps is refined over them.
    """

    def __init__(
        self,
        image: np.ndarray,
        gaussian_xy: float,
        gaussian_weight: float,
        bilateral_xy: float,
        bilateral_rgb: float,
        bilateral_weight: float,
        device: str = "cpu",
    ):
        """`image`: (h, w, 3) uint8 RGB; sigmas in pixels and grey levels."""
        height, width = image.shape[:2]
        y, x = np.mgrid[:height, :width].astype(np.float32)
        xy = torch.from_numpy(np.stack([x, y], axis=-1).reshape(-1, 2)).to(device)
        rgb = torch.from_numpy(image.reshape(-1, 3).astype(np.float32)).to(device)
        self.kernels = []
        if gaussian_weight > 0:
            self._add(gaussian_weight, xy / gaussian_xy)
        if bilateral_weight > 0:
            self._add(bilateral_weight, torch.cat([xy / bilateral_xy, rgb / bilateral_rgb], dim=1))

    def _add(self, weight: float, features: Tensor) -> None:
        lattice = PermutohedralLattice(features)
        norm = (lattice.filter(torch.ones(len(features), 1, device=features.device)) + 1e-20).rsqrt()
        self.kernels.append((weight, lattice, norm))

    def infer(self, P: Float[Tensor, "b c h w"], iterations: int, name: str = "image") -> Float[Tensor, "b c h w"]:
        """Refined probabilities of b maps of c classes over one image.

        Raises ValueError that tells `name` if P holds NaN or infinity.
        """
        if not torch.isfinite(P).all():
            bad = int((~torch.isfinite(P)).sum())
            raise ValueError(
                f"{name}: {bad} NaN or infinite values in the CRF's unary; wanted probabilities. Is a network's loss NaN?"
            )
        b, c, h, w = P.shape
        log_p = P.float().clamp(min=1e-5).log().permute(2, 3, 0, 1).reshape(h * w, b, c)
        Q = log_p.softmax(dim=2)
        for _ in range(iterations):
            logits = log_p
            for weight, lattice, norm in self.kernels:
                message = norm * lattice.filter(norm * Q.reshape(h * w, b * c))
                logits = logits + weight * message.reshape(h * w, b, c)
            Q = logits.softmax(dim=2)
        return Q.reshape(h, w, b, c).permute(2, 3, 0, 1)
