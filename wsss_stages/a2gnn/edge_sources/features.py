"""Edges by the features of a frozen backbone."""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from wsss_stages.a2gnn.edge_sources import GraphImage, edge_source
from wsss_stages.nets.grid import onto
from wsss_stages.pairwise.affinity import squared_difference
from wsss_stages.pairwise.windows import neighbours


@edge_source("features")
def by_features(image: GraphImage) -> Float[Tensor, "n h w"]:
    """Return the cosine of the features of two nodes, 0 where it is negative."""
    own = image.features is image.network
    maps = image.maps if own else image.features.maps(image.whole(image.features))
    at_nodes = onto(torch.cat(maps, dim=1), image.features.grid, image.network.grid, image.nodes)
    return cosines(at_nodes, image.window)[0]


def cosines(features: Float[Tensor, "b d h w"], window: list[tuple[int, int]]) -> Float[Tensor, "b n h w"]:
    r"""Return :math:`\max(0, \cos(F_i, F_j))` of every node and its neighbours, by :math:`|u_i - u_j|^2 = 2 - 2 \cos` of unit vectors.

    A node without features is like no other node, but like itself.
    """
    u = F.normalize(features, dim=1)
    norm = u.square().sum(dim=1)
    cos = (norm.unsqueeze(1) + neighbours(norm, window, 0.0).transpose(0, 1) - squared_difference(u, window)) / 2
    own = window.index((0, 0))
    cos[:, own] = torch.where(norm == 0, 1.0, cos[:, own])
    return cos.clamp(0, 1)
