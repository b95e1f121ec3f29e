"""Dense CRF by mean field (Krähenbühl and Koltun 2011), the post-processing of Eq. 2.5 and Sec. 3.4."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from wsss_stages.pairwise.array_checks import FLOATING, check_arrays, check_tensors
from wsss_stages.pairwise.compiled_mean_field import CompiledLattice, CompiledMeanField, position_lattice
from wsss_stages.pairwise.mean_field import MeanField


@dataclass(frozen=True)
class CrfSettings:
    """Mean-field iterations, 0 for no CRF, and the kernels' numbers: sigmas in pixels and grey levels of 255, weights, `step` in pixels."""

    iterations: int
    gaussian_xy: float
    gaussian_weight: float
    bilateral_xy: float
    bilateral_rgb: float
    bilateral_weight: float
    step: int

    def kernels(self) -> dict[str, Any]:
        """Return the arguments of DenseCrf."""
        numbers = asdict(self)
        del numbers["iterations"]
        return numbers


class DenseCrf:
    r"""Potts model with a Gaussian and a bilateral kernel, :math:`Q_i \propto \exp(\log p_i + \sum_m w_m \sum_j k_m(i, j) Q_j)`.

    That is one iteration of mean field (Krähenbühl and Koltun 2011; Eq. 2.5, Sec. 3.4). Q starts as the softmax of the unary, and each kernel
    is normalised symmetrically; parameters have the same meaning as in pydensecrf. The lattices belong to the image; any number of probability maps
    is refined over them. Compiled loops on a CPU, torch elsewhere.

    Shapes: `image` (h, w, 3) uint8 RGB. `infer` takes P (b, c, h, w) and returns the refined P.

    Raises: ValueError for an image of other axes or type, and for numbers without a meaning.

    >>> import numpy as np
    >>> import torch
    >>> image = np.zeros((8, 12, 3), np.uint8)
    >>> image[:, 6:] = 255
    >>> P = torch.full((1, 2, 8, 12), 0.5)  # undecided, but for both margins
    >>> P[0, :, :, :2] = torch.tensor([0.9, 0.1])[:, None, None]
    >>> P[0, :, :, 10:] = torch.tensor([0.1, 0.9])[:, None, None]
    >>> sigmas = {"gaussian_xy": 3.0, "bilateral_xy": 30.0, "bilateral_rgb": 8.0}
    >>> crf = DenseCrf(image, **sigmas, gaussian_weight=3.0, bilateral_weight=3.0)
    >>> crf.infer(P, iterations=5).argmax(dim=1)[0, 0].tolist()
    [0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1]
    """

    def __init__(
        self,
        image: np.ndarray,
        gaussian_xy: float,
        gaussian_weight: float,
        bilateral_xy: float,
        bilateral_rgb: float,
        bilateral_weight: float,
        step: int = 1,
        device: str | torch.device = "cpu",
    ):
        """
        Args:
            image: (h, w, 3) uint8 RGB.
            gaussian_xy, bilateral_xy: sigmas in pixels.  bilateral_rgb: sigma in grey levels of 255.
            gaussian_weight, bilateral_weight: w_m, 0 for no such kernel.
            step: one pixel of `step` x `step` is iterated.
            device: where the probabilities lie.
        """
        check_arrays("DenseCrf", image=(image, "h w 3", ("uint8",)))
        above = {"gaussian_xy": gaussian_xy, "bilateral_xy": bilateral_xy, "bilateral_rgb": bilateral_rgb, "step": step}
        for name, number in above.items():
            if not number > 0:
                raise ValueError(f"DenseCrf: found {name} {number}; wanted more than 0")
        height, width = self.size = image.shape[:2]
        self.device = torch.device(device)
        y, x = np.mgrid[:height, :width].reshape(2, -1).astype(np.float32)
        xy, rgb = np.stack([x, y], axis=1), image.reshape(-1, 3).astype(np.float32)
        bilateral = np.concatenate([xy / bilateral_xy, rgb / bilateral_rgb], axis=1).astype(np.float32)
        points = np.arange(height * width).reshape(height, width)[::step, ::step].ravel() if step > 1 else None
        if self.device.type == "cpu":
            lattices = [CompiledLattice.none(len(xy))] * 2
            if gaussian_weight > 0:
                lattices[0] = position_lattice(height, width, gaussian_xy, gaussian_weight)
            if bilateral_weight > 0:
                lattices[1] = CompiledLattice.from_features(bilateral, bilateral_weight)
            self.mean_field = CompiledMeanField(lattices[0], lattices[1], points)
        else:
            kernels = [(gaussian_weight, xy / np.float32(gaussian_xy)), (bilateral_weight, bilateral)]
            kernels = [(w, torch.from_numpy(f).to(device)) for w, f in kernels if w > 0]
            self.mean_field = MeanField(kernels, None if points is None else torch.from_numpy(points).to(device))

    def infer(self, P: Float[Tensor, "b c h w"], iterations: int, name: str = "image") -> Float[Tensor, "b c h w"]:
        """Return refined probabilities of b maps of c classes over one image.

        Raises: ValueError with `name` in it if P is not as large as the image, has another type or device, or holds NaN or
        infinity.
        """
        sizes = dict(zip("hw", self.size, strict=True))
        check_tensors(f"{name}: DenseCrf.infer", sizes, self.device, P=(P, "b c h w", FLOATING))
        if iterations < 0:
            raise ValueError(f"{name}: DenseCrf.infer: found {iterations} iterations; wanted 0 or more")
        if not torch.isfinite(P.sum()):  # one pass over P
            bad = int((~torch.isfinite(P)).sum())
            raise ValueError(
                f"{name}: {bad} NaN or infinite values in the CRF's unary; wanted probabilities. Is a network's loss NaN?"
            )
        b, c, h, w = P.shape
        log_p = P.float().clamp(min=1e-5).log().flatten(2).transpose(1, 2)
        return self.mean_field.infer(log_p, iterations).transpose(1, 2).reshape(b, c, h, w)
