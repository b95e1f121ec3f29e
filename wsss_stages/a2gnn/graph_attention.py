"""Affinity attention on any graph, as a PyG layer (Eqs. 3.17-3.18); on an image's grid `attention` is much faster."""

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor
from torch_geometric.nn import MessagePassing
from torch_geometric.utils import softmax


class AffinityAttention(MessagePassing):
    r""":math:`H^{l+1} = P^l H^l`, P^l the softmax over a node's edges of
    :math:`w^l \cos(H_i, H_j) + \beta\,[\cos(H_i, H_j) > 0]\,E_{ij}`.

    Shapes: x (nodes, d); edge_index (2, edges), self loops included; edge_weight (edges,), E of Eq. 3.14, above 0.
    """

    def __init__(self, beta: float = 10.0):
        super().__init__(aggr="add", node_dim=0)
        self.w = torch.nn.Parameter(torch.rand(()))
        self.beta = beta

    def forward(
        self, x: Float[Tensor, "nodes d"], edge_index: Int[Tensor, "2 edges"], edge_weight: Float[Tensor, "edges"]
    ) -> Float[Tensor, "nodes d"]:
        unit = F.normalize(x, dim=1, eps=1e-7)
        return self.propagate(edge_index, x=x, unit=unit, edge_weight=edge_weight, size=None)

    def message(self, x_j, unit_i, unit_j, edge_weight, index, ptr, size_i) -> Tensor:
        cos = (unit_i * unit_j).sum(dim=1)
        P = softmax(self.w * cos + self.beta * (cos > 0) * edge_weight, index, ptr, size_i)
        return P[:, None] * x_j
