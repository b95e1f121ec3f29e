"""An image as a graph: edges from similarities (Eq. 3.14), node features from feature maps (Eq. 3.15)."""

import torch
from jaxtyping import Float
from torch import Tensor

from wsss_stages.pairwise.windows import exists


def linked(
    similarity: Float[Tensor, "n h w"], window: list[tuple[int, int]], threshold: float
) -> Float[Tensor, "n h w"]:
    """Return E_ij of Eq. 3.14 to the neighbours of a window that holds (0, 0): the similarity, such as D, where above `threshold`, else 0.

    0 also where the neighbour lies outside the image; E_ii is 1 wherever a node is as similar to itself as can be.
    """
    h, w = similarity.shape[1:]
    return similarity * exists(h, w, window, similarity.device) * (threshold < similarity)


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
