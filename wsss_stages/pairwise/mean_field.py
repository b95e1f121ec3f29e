"""Mean field of a dense CRF (Krähenbühl and Koltun 2011) over permutohedral lattices, in torch, on any device."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from wsss_stages.pairwise.permutohedral import PermutohedralLattice


class MeanField:
    """Kernels over n points; any number of probability maps is refined over them."""

    def __init__(self, kernels: list[tuple[float, Float[Tensor, "n _"]]], points: Int[Tensor, "m"] | None = None):
        """
        Args:
            kernels: weight, and features in units of the kernel's deviation.
            points: those that are iterated, each standing for n / m (all if not given); the rest is inferred from them.
        """
        self.points, self.all, self.some = points, [], []
        for weight, features in kernels:
            lattice = PermutohedralLattice(features)
            norm = (lattice.filter(torch.ones(len(features), 1, device=features.device)) + 1e-20).rsqrt()
            self.all.append((weight, lattice, norm))
            if points is not None:
                share = len(points) / len(features)
                self.some.append((weight / share, lattice.of_points(points), norm[points]))
        if points is None:
            self.some = self.all

    def infer(self, log_p: Float[Tensor, "b n c"], iterations: int) -> Float[Tensor, "b n c"]:
        r"""Return Q after iterations of :math:`Q_i \propto \exp(\log p_i + \sum_m w_m \sum_j k_m(i, j) Q_j)`, from p."""
        b, _, c = log_p.shape
        log_p = log_p.transpose(0, 1)
        log_some = log_p if self.points is None else log_p[self.points]
        Q = log_some.softmax(dim=2)
        if iterations == 0:
            return log_p.softmax(dim=2).transpose(0, 1)
        for iteration in range(iterations):
            last = iteration == iterations - 1
            logits = log_p if last else log_some
            for (weight, lattice, norm), (_, at, norm_at) in zip(
                self.some, self.all if last else self.some, strict=True
            ):
                message = norm_at * at.slice(lattice.blurred(norm * Q.flatten(1)))
                logits = logits + weight * message.view(-1, b, c)
            Q = logits.softmax(dim=2)
        return Q.transpose(0, 1)
