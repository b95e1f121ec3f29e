"""Edges by the colours of the nodes."""

import cv2
import torch
from jaxtyping import Float
from torch import Tensor

from wsss_stages.a2gnn.edge_sources import GraphImage, edge_source
from wsss_stages.nets.grid import means_at_nodes
from wsss_stages.pairwise.affinity import squared_difference


@edge_source("colour")
def by_colour(image: GraphImage) -> Float[Tensor, "n h w"]:
    r"""Return :math:`\exp(-\|Lab_i - Lab_j\|^2 / 2\sigma_{lab}^2)` of the mean colours of two nodes, in CIE L*a*b*."""
    means = means_at_nodes(image.photo, image.network.grid, image.nodes)
    return torch.exp(-squared_difference(lab(means), image.window)[0] / (2 * image.sigma_lab**2))


def lab(rgb: Float[Tensor, "1 3 h w"]) -> Float[Tensor, "1 3 h w"]:
    """Return the CIE L*a*b* of RGB in [0, 1]: L in 0..100, a and b about -127..127."""
    pixels = rgb[0].permute(1, 2, 0).cpu().numpy()
    return torch.from_numpy(cv2.cvtColor(pixels, cv2.COLOR_RGB2LAB)).permute(2, 0, 1)[None].to(rgb)
