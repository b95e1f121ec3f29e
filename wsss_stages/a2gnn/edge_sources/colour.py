"""Edges by the colours of the nodes."""

import torch
from jaxtyping import Float
from torch import Tensor

from wsss_stages.a2gnn.edge_sources import GraphImage, edge_source
from wsss_stages.nets.grid import means_at_nodes
from wsss_stages.pairwise.affinity import squared_difference

TO_XYZ = (
    (0.412453 / 0.950456, 0.357580 / 0.950456, 0.180423 / 0.950456),
    (0.212671, 0.715160, 0.072169),
    (0.019334 / 1.088754, 0.119193 / 1.088754, 0.950227 / 1.088754),
)
"""Linear sRGB to XYZ over that of white (ITU-R BT.709 primaries, D65)."""


@edge_source("colour")
def by_colour(image: GraphImage) -> Float[Tensor, "n h w"]:
    r"""Return :math:`\exp(-\|Lab_i - Lab_j\|^2 / 2\sigma_{lab}^2)` of the mean colours of two nodes, in CIE L*a*b*."""
    means = means_at_nodes(image.photo, image.network.grid, image.nodes)
    return torch.exp(-squared_difference(lab(means), image.window)[0] / (2 * image.sigma_lab**2))


def lab(rgb: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b 3 h w"]:
    """Return the CIE L*a*b* (D65) of sRGB in [0, 1]: L in 0..100, a and b about -127..127."""
    linear = torch.where(rgb > 0.04045, ((rgb + 0.055) / 1.055) ** 2.4, rgb / 12.92)
    xyz = torch.einsum("kc,bchw->bkhw", torch.tensor(TO_XYZ).to(rgb), linear)
    f = torch.where(xyz > (6 / 29) ** 3, xyz.clamp(min=1e-8) ** (1 / 3), xyz * (29 / 6) ** 2 / 3 + 4 / 29)
    x, y, z = f.unbind(dim=1)
    return torch.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], dim=1)
