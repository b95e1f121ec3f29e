"""Modules of the thesis for networks of your own: A²GNN's attention (ch. 3), R-FAM (ch. 2), the heads of few-shot networks (ch. 5)."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from wsss_stages.a2gnn.affinity_cnn import AffinityCnn
from wsss_stages.a2gnn.attention import Edges, affinity_attention
from wsss_stages.pairwise.array_checks import check_tensors
from wsss_stages.rrm.attention import ReweightedAttention
from wsss_stages.scl.canet import CaNet
from wsss_stages.scl.pfenet import PfeNet

__all__ = ["A2GNN", "AffinityAttention", "AffinityCnn", "CaNet", "Edges", "PfeNet", "ReweightedAttention"]


class AffinityAttention(nn.Module):
    r"""Affinity attention on the grid of an image, :math:`H^{l+1} = P^l H^l` (Eqs. 3.17-3.18).

    :math:`P^l` is the softmax over a node's neighbours of
    :math:`w^l \cos(H_i, H_j) + \beta\,[\cos(H_i, H_j) > 0]\,E_{ij}`; :math:`w^l` is learned.

    Shapes: H (b, h, w, d); `edges` is made once of E (b, n, h, w), n the offsets of a window, 0 where nodes are not connected. Returns
    the shape of H.

    Raises: ValueError for H of another size, type or device than the edges.

    >>> import torch
    >>> from wsss_stages.pairwise.windows import offsets
    >>> window = offsets(1, "square")
    >>> edges = Edges(torch.ones(2, len(window), 4, 5), window, beta=10.0)
    >>> AffinityAttention()(torch.rand(2, 4, 5, 8), edges).shape
    torch.Size([2, 4, 5, 8])
    """

    def __init__(self) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.rand(()))

    def forward(self, H: Float[Tensor, "b h w d"], edges: Edges) -> Float[Tensor, "b h w d"]:
        return affinity_attention(H, self.w.expand(len(H)), edges)


class A2GNN(nn.Module):
    r"""Embedding, three attention layers and an output layer, :math:`O = P^3 P^2 P^1 \mathrm{ReLU}(X W_0) W_1` (Eqs. 3.16-3.19, Fig. 3.3).

    Weights are those of one network. The pipeline trains one for every image, many at once (`wsss_stages.a2gnn.propagate.train`).

    Shapes: X (b, h, w, features), rows summing to 1 (Eq. 3.15); edges as of `AffinityAttention`. Returns (b, h, w, classes) logits,
    background first; their softmax is O.

    Raises: ValueError for X of another size, type or device than the edges and weights.

    >>> import torch
    >>> from wsss_stages.pairwise.windows import offsets
    >>> window = offsets(4, "square")
    >>> edges = Edges(torch.rand(1, len(window), 12, 16), window, beta=10.0)
    >>> A2GNN(features=32, classes=3)(torch.rand(1, 12, 16, 32), edges).shape
    torch.Size([1, 12, 16, 3])
    """

    def __init__(self, features: int, classes: int, hidden: int = 64, layers: int = 3, dropout: float = 0.5):
        """
        Args:
            features: of X.  classes: with background.
            hidden: width of the layers.  layers: how many attend.  dropout: share of the embedding that training hides.
        """
        super().__init__()
        self.embed = nn.Linear(features, hidden, bias=False)
        self.dropout = nn.Dropout(dropout)
        self.layers = nn.ModuleList(AffinityAttention() for _ in range(layers))
        self.classify = nn.Linear(hidden, classes, bias=False)

    def forward(self, X: Float[Tensor, "b h w f"], edges: Edges) -> Float[Tensor, "b h w c"]:
        sizes = {**edges.sizes, "f": self.embed.in_features}
        check_tensors("A2GNN", sizes, edges.device, X=(X, "b h w f", edges.types))
        H = self.dropout(self.embed(X).relu())
        for layer in self.layers:
            H = layer(H, edges)
        return self.classify(H)
