"""Mean field of a dense CRF (Krähenbühl and Koltun 2011) over permutohedral lattices, in torch, on any device."""

import torch
from jaxtyping import Float
from torch import Tensor

from wsss_stages.pairwise.permutohedral import PermutohedralLattice


class MeanField:
    """Kernels over n points; any number of probability maps is refined over them."""

    def __init__(self, kernels: list[tuple[float, Float[Tensor, "n _"]]]):
        """`kernels`: weight, and features in units of the kernel's deviation."""
        self.kernels = []
        for weight, features in kernels:
            lattice = PermutohedralLattice(features)
            norm = (lattice.filter(torch.ones(len(features), 1, device=features.device)) + 1e-20).rsqrt()
            self.kernels.append((weight, lattice, norm))

    def infer(self, log_p: Float[Tensor, "b n c"], iterations: int) -> Float[Tensor, "b n c"]:
        r"""Q after iterations of :math:`Q_i \propto \exp(\log p_i + \sum_m w_m \sum_j k_m(i, j) Q_j)`, from p."""
        b, n, c = log_p.shape
        log_p = log_p.transpose(0, 1)
        Q = log_p.softmax(dim=2)
        for _ in range(iterations):
            logits = log_p
            for weight, lattice, norm in self.kernels:
                message = norm * lattice.filter(norm * Q.reshape(n, b * c))
                logits = logits + weight * message.reshape(n, b, c)
            Q = logits.softmax(dim=2)
        return Q.transpose(0, 1)
