"""Learnable tree filter (Song et al. 2019): every node takes in all others, weighted along the minimum spanning tree."""

from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from jaxtyping import Float, Int64
from scipy.sparse import csr_array
from scipy.sparse.csgraph import breadth_first_order, minimum_spanning_tree
from torch import Tensor


@dataclass(frozen=True)
class Forest:
    """The trees of a batch of b grids with n nodes each, all nodes in one row sorted by depth.

    order:  node of every place, counted through the batch (image x n + y x w + x).
    place:  place of every node, the inverse of order.
    parent: place of every place's parent; a root's is its own.
    levels: first place of every depth, then the number of places.
    """

    order: Int64[Tensor, "m"]
    place: Int64[Tensor, "m"]
    parent: Int64[Tensor, "m"]
    levels: list[int]

    def deeper(self) -> list[tuple[int, int]]:
        """Return the first place and the one after the last of every depth but the roots'."""
        return list(zip(self.levels[1:-1], self.levels[2:], strict=True))


@torch.no_grad()
def spanning_forest(guide: Float[Tensor, "b d h w"]) -> Forest:
    """Return the minimum spanning trees of the 4-connected grids, an edge's weight being the squared distance of its
    ends' guides.
    """
    h, w = guide.shape[2:]
    right = (guide[..., 1:] - guide[..., :-1]).square().sum(dim=1)
    down = (guide[..., 1:, :] - guide[..., :-1, :]).square().sum(dim=1)
    weights = torch.cat([right.flatten(1), down.flatten(1)], dim=1).double().cpu().numpy()  # b e
    node = np.arange(h * w).reshape(h, w)
    ends = (
        np.concatenate([node[:, :-1].ravel(), node[:-1].ravel()]),
        np.concatenate([node[:, 1:].ravel(), node[1:].ravel()]),
    )
    depths, parents = zip(*(_rooted(spanning_tree(weight, ends, h * w)) for weight in weights), strict=True)
    depth = np.concatenate(depths)
    parent = np.concatenate([image * h * w + tree for image, tree in enumerate(parents)])
    order = np.argsort(depth, kind="stable")
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    levels = np.searchsorted(depth[order], np.arange(depth.max() + 2)).tolist()
    places = (torch.from_numpy(a).to(guide.device) for a in (order, place, place[parent[order]]))
    return Forest(*places, levels=levels)


def spanning_tree(weight: np.ndarray, ends: tuple[np.ndarray, np.ndarray], nodes: int) -> csr_array:
    """Return the minimum spanning tree of a connected graph; equal weights take the edge that is named first.

    The tree depends on the order of the weights alone, so an edge weighs its rank, 1 and upwards: to a sparse graph a
    weight of 0, as of two equal nodes, would be no edge.
    """
    rank = np.empty(len(weight))
    rank[np.argsort(weight, kind="stable")] = np.arange(1, len(weight) + 1)
    return minimum_spanning_tree(csr_array((rank, ends), shape=(nodes, nodes)))


def _rooted(tree: csr_array) -> tuple[np.ndarray, np.ndarray]:
    """Return depth and parent of every node, from the middle of the longest path: the fewest levels that a root can
    give.
    """
    search = partial(breadth_first_order, tree, directed=False)
    end = search(0, return_predecessors=False)[-1]
    order, before = search(end)
    path = [order[-1]]
    while path[-1] != end:
        path.append(before[path[-1]])
    root = path[len(path) // 2]
    order, parent = search(root)
    parent[root] = root
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    above = place[parent[order[1:]]]  # never falls along a breadth-first order
    depth, first, last, level = np.zeros(len(order), dtype=np.int64), 0, 1, 0
    while last < len(order):
        first, last, level = last, 1 + int(np.searchsorted(above, last)), level + 1
        depth[order[first:last]] = level
    return depth, parent.astype(np.int64)


def tree_filter(
    x: Float[Tensor, "b c h w"], embedding: Float[Tensor, "b k h w"], forest: Forest, groups: int
) -> Float[Tensor, "b c h w"]:
    r"""Return a mean of all nodes of the image, weighted by how alike the embeddings are along the way through the tree.

    .. math:: y_i = \sum_j S_{ij} x_j / \sum_j S_{ij}, \quad S_{ij} = \prod_{(k,m) \in E_{ij}} e^{-\lVert e_k - e_m \rVert^2}

    E_ij are the edges between i and j. Channels of `x` and `embedding` fall into `groups` that are filtered apart.
    """
    b, c, h, w = x.shape
    rows = _rows(x, forest, groups)
    e = _rows(embedding, forest, groups)
    S = torch.exp(-(e - e.index_select(0, forest.parent)).square().sum(dim=2))  # a root's is not used
    both = _TreeSum.apply(torch.cat([rows, torch.ones_like(rows[..., :1])], dim=2), S, forest)
    y = both[..., :-1] / both[..., -1:]
    return y.index_select(0, forest.place).view(b, h, w, c).permute(0, 3, 1, 2)


def _rows(x: Tensor, forest: Forest, groups: int) -> Float[Tensor, "m g c"]:
    """Return the channels of every place, in groups; half precision is too coarse for a sum over all nodes."""
    x = x.to(torch.promote_types(x.dtype, torch.float32)).permute(0, 2, 3, 1)
    return x.reshape(len(forest.order), groups, -1).index_select(0, forest.order)


class _TreeSum(torch.autograd.Function):
    """Σ_j S_ij x_j at every place, in two passes over the levels.

    S is symmetric, so the gradient of x is the same sum of the output's gradient. S_ij of two nodes on either side of an
    edge is the product of their ways to its ends and the edge's weight, so the gradient of the weight is the product of
    what the sums of x and of the gradient bring to its ends from either side.
    """

    @staticmethod
    def forward(ctx, x, S, forest):
        below, all_ = _sums(x, S, forest)
        ctx.save_for_backward(below, all_, S)
        ctx.forest = forest
        return all_

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, grad):
        below, all_, S = ctx.saved_tensors
        parent, roots = ctx.forest.parent, ctx.forest.levels[1]
        grad_below, grad_all = _sums(grad, S, ctx.forest)
        edge = S.unsqueeze(2)
        by_S = (grad_below * (all_[parent] - edge * below) + below * (grad_all[parent] - edge * grad_below)).sum(dim=2)
        by_S[:roots] = 0
        return grad_all, by_S, None


def _sums(x: Tensor, S: Tensor, forest: Forest) -> tuple[Tensor, Tensor]:
    """Return Σ_j S_ij x_j over the nodes j below i and i itself, leaves first; then over all nodes, roots first."""
    edge, parent = S.unsqueeze(2), forest.parent
    below = x.clone()
    for first, last in reversed(forest.deeper()):
        below.index_add_(0, parent[first:last], edge[first:last] * below[first:last])
    all_ = below * (1 - edge.square())
    all_[: forest.levels[1]] = below[: forest.levels[1]]
    for first, last in forest.deeper():
        all_[first:last].addcmul_(edge[first:last], all_[parent[first:last]])
    return below, all_
