"""Superpixels as nodes, edges by the distance of their features: the graph that Table 3.6 compares with."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from wsss_stages.a2gnn.other_layers import Links


def mean_of_parts(X: Float[Tensor, "h w d"], parts: Int[Tensor, "h w"]) -> Float[Tensor, "h w d"]:
    """Return X with every place replaced by the mean over its superpixel; `parts` are numbers from 0 without gaps."""
    of, rows = parts.flatten(), X.flatten(0, 1)
    sums = rows.new_zeros(int(of.max()) + 1, rows.shape[1]).index_add_(0, of, rows)
    return (sums / of.bincount()[:, None])[of].view_as(X)


def neighbouring(parts: Int[Tensor, "h w"]) -> Int[Tensor, "2 edges"]:
    """Return pairs of superpixels that touch, in both directions, and each with itself."""
    sides = [(parts[:, 1:], parts[:, :-1]), (parts[1:], parts[:-1]), (parts, parts)]
    pairs = torch.cat([torch.stack([a.flatten(), b.flatten()]) for a, b in sides], dim=1)
    return torch.cat([pairs, pairs.flip(0)], dim=1).unique(dim=1)


def distance_weights(X: Float[Tensor, "nodes d"], edge_index: Int[Tensor, "2 edges"]) -> Float[Tensor, "edges"]:
    """Return exp(-L1 distance over the mean distance between different nodes): 1 for a node with itself."""
    source, target = edge_index
    distance = (X[source] - X[target]).abs().sum(dim=1)
    others = distance[source != target]
    return torch.exp(-distance / others.mean().clamp(min=1e-12)) if len(others) else torch.exp(-distance)


def superpixel_links(X: Float[Tensor, "h w d"], parts: Int[Tensor, "h w"]) -> Links:
    """Return the graph whose nodes are the superpixels.

    Args:
        X: features, the same at all places of a superpixel.
    """
    h, w = parts.shape
    of, edge_index = parts.flatten(), neighbouring(parts)
    numbers = torch.arange(len(of), device=of.device)
    place = numbers.new_zeros(int(of.max()) + 1).scatter_reduce_(0, of, numbers, "amin", include_self=False)
    return Links(edge_index, distance_weights(X.flatten(0, 1)[place], edge_index), (h, w), of, place)
