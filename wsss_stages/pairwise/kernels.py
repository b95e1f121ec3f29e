"""The colour and position kernel of the regularised losses (Eq. 3.13)."""

import torch
from jaxtyping import Float
from torch import Tensor

from wsss_stages.pairwise.windows import exists, look, padded, reach


def colour_position(
    image: Float[Tensor, "b 3 h w"], window: list[tuple[int, int]], sigma_xy: float, sigma_rgb: float
) -> Float[Tensor, "b n h w"]:
    r"""Return :math:`G(i,j) = \exp(-\|Pos_i-Pos_j\|^2 / 2\sigma_{xy}^2 - \|Cor_i-Cor_j\|^2 / 2\sigma_{rgb}^2)[i \ne j]` (Eq. 3.13).

    Squared distances, unlike the print (Deviations); 0 where the neighbour lies outside the image.

    Args:
        image: normalised to ImageNet's mean and deviation, at the resolution of the nodes.
        sigma_xy: in nodes.  sigma_rgb: in units of the normalised image.
    """
    h, w = image.shape[2:]
    r = reach(window)
    around = padded(image, r, 0.0)
    inside = exists(h, w, window, image.device)
    rows = []
    for number, (dy, dx) in enumerate(window):
        colour = (image - look(around, r, dy, dx)).square().sum(dim=1)
        K = torch.exp(-(dy * dy + dx * dx) / (2 * sigma_xy**2) - colour / (2 * sigma_rgb**2))
        rows.append(K * (inside[number] if (dy, dx) != (0, 0) else 0.0))
    return torch.stack(rows, dim=1)
