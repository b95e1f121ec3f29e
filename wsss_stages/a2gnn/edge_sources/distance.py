"""Edges by the distance of the features of nodes (Table 3.6)."""

import torch
from jaxtyping import Float
from torch import Tensor

from wsss_stages.a2gnn.edge_sources import GraphImage, edge_source
from wsss_stages.a2gnn.graph import node_features
from wsss_stages.pairwise.affinity import mean_absolute_difference
from wsss_stages.pairwise.windows import exists


@edge_source("distance")
def by_distance(image: GraphImage) -> Float[Tensor, "n h w"]:
    """Return exp(-L1 distance over the image's mean), of the features of the graph's own network (Eq. 3.15)."""
    return likeness(node_features(image.maps).T.reshape(1, -1, *image.nodes), image.window)[0]


def likeness(X: Float[Tensor, "1 d h w"], window: list[tuple[int, int]]) -> Float[Tensor, "1 n h w"]:
    """Return exp(-L1 distance of features over the mean distance of neighbours)."""
    others = exists(X.shape[2], X.shape[3], window, X.device)
    others[window.index((0, 0))] = False
    distance = X.shape[1] * mean_absolute_difference(X, window)
    return torch.exp(-distance / distance[0][others].mean().clamp(min=1e-12))
