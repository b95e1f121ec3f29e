"""An image as a graph: edges from affinities (Eq. 3.14), node features from feature maps (Eq. 3.15)."""

import torch
from jaxtyping import Float
from torch import Tensor

from wsss_stages.a2gnn.affinity_cnn import AffinityCnn
from wsss_stages.pairwise.affinity import affinity, mean_absolute_difference
from wsss_stages.pairwise.windows import exists


def compared(network: AffinityCnn, image: Float[Tensor, "1 3 H W"], kind: str) -> Float[Tensor, "1 d h w"]:
    """Return the features that edges of a `kind` compare: F_A for `affinity`, X of Eq. 3.15 for `distance`."""
    if kind == "affinity":
        return network(image)
    maps = network.maps(image)
    return node_features(maps).T.reshape(1, -1, *maps[0].shape[2:])


def linked(
    features: Float[Tensor, "1 d h w"], kind: str, window: list[tuple[int, int]], threshold: float
) -> Float[Tensor, "n h w"]:
    """Return the edges of a `kind` between what `compared` returns."""
    return (edges if kind == "affinity" else distance_edges)(features, window, threshold)


def edges(
    features: Float[Tensor, "1 d h w"], window: list[tuple[int, int]], threshold: float
) -> Float[Tensor, "n h w"]:
    """Return E_ij of Eq. 3.14 to the neighbours of a window that holds (0, 0): D where above `threshold`, else 0.

    0 also where the neighbour lies outside the image; E_ii = D(i, i) = 1.
    """
    h, w = features.shape[2:]
    D = affinity(features, window)[0]
    return D * exists(h, w, window, D.device) * (threshold < D)


def distance_edges(
    X: Float[Tensor, "1 d h w"], window: list[tuple[int, int]], threshold: float
) -> Float[Tensor, "n h w"]:
    """Return edges without an affinity CNN (Table 3.6): exp(-L1 distance of features over the image's mean distance
    of neighbours).
    """
    h, w = X.shape[2:]
    inside = exists(h, w, window, X.device)
    distance = X.shape[1] * mean_absolute_difference(X, window)[0]
    others = inside.clone()
    others[window.index((0, 0))] = False
    E = torch.exp(-distance / distance[others].mean().clamp(min=1e-12)) * inside
    return E * (threshold < E)


def node_features(maps: list[Float[Tensor, "1 _ h w"]]) -> Float[Tensor, "nodes d"]:
    """Return X of Eq. 3.15: the joined feature maps, each row over its sum; a row of zeros stays zeros."""
    X = torch.cat(maps, dim=1)[0].flatten(1).T
    return X / X.sum(dim=1, keepdim=True).clamp(min=1e-12)


def principal(X: Float[Tensor, "nodes d"], count: int) -> Float[Tensor, "nodes k"]:
    """Return X in the basis of the `count` strongest directions of some of its rows, scaled to a mean row norm of 1.

    Four rows for each direction are enough, evenly spread over the image: of all squares of X their basis keeps as much as
    the best one up to half a percent, in a fifth of the time. Not centred, so X W of Eq. 3.16 is kept up to the
    weaker directions. Padded with zeros if X has fewer.
    """
    chosen = torch.linspace(0, len(X) - 1, min(len(X), 4 * count), device=X.device).round().long()
    S = X[chosen]
    strength, U = torch.linalg.eigh(S @ S.T)  # in ascending order
    rank = min(count, *S.shape)
    strength, U = strength[-rank:], U[:, -rank:]
    inverse = torch.where(strength > 1e-6 * strength[-1], strength.clamp(min=1e-12).rsqrt(), 0.0)
    reduced = X @ (S.T @ (U * inverse))
    reduced = reduced / reduced.norm(dim=1).mean().clamp(min=1e-12)
    return torch.nn.functional.pad(reduced, (0, count - rank))
