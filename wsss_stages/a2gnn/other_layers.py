"""PyG's layers in place of our affinity attention, one network per image: GCN, GAT, AGNN, and ours on any graph."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor
from torch.func import functional_call

OTHERS = ("gcn", "gat", "agnn")


@dataclass
class Links:
    """An image's graph as PyG takes it: from node edge_index[0] to node edge_index[1], each node linked with itself."""

    edge_index: Int[Tensor, "2 edges"]
    weight: Float[Tensor, "edges"]
    size: tuple[int, int]
    """Height and width of the grid."""
    of: Int[Tensor, "places"]
    """Node of each place of the grid: itself, or its superpixel."""
    place: Int[Tensor, "nodes"]
    """A place of each node."""


def grid_links(E: Float[Tensor, "n h w"], window: list[tuple[int, int]]) -> Links:
    """Return the edges of Eq. 3.14 that are above 0 between the places of a grid."""
    n, h, w = E.shape
    step = torch.tensor([dy * w + dx for dy, dx in window], device=E.device)
    places = torch.arange(h * w, device=E.device)
    linked = E.flatten(1) > 0
    target = places.expand(n, -1)[linked]
    source = (places + step[:, None])[linked]
    return Links(torch.stack([source, target]), E.flatten(1)[linked], (h, w), places, places)


class _Layers(torch.nn.Module):
    def __init__(self, kind: str, hidden: int, count: int, edge_weight: float):
        from torch_geometric.nn import AGNNConv, GATConv, GCNConv  # three seconds, which grids need not wait

        from wsss_stages.a2gnn.graph_attention import AffinityAttention

        super().__init__()
        make: dict[str, Callable] = {
            "gcn": lambda: GCNConv(hidden, hidden, add_self_loops=False),
            "gat": lambda: GATConv(hidden, hidden, add_self_loops=False),
            "agnn": lambda: AGNNConv(add_self_loops=False),
            "affinity": lambda: AffinityAttention(edge_weight),
        }
        self.layers = torch.nn.ModuleList(make[kind]() for _ in range(count))
        self.weighted = kind in ("gcn", "affinity")
        self.bent = kind in ("gcn", "gat")

    def forward(self, x: Tensor, links: Links) -> Tensor:
        for layer in self.layers:
            x = layer(x, links.edge_index, links.weight) if self.weighted else layer(x, links.edge_index)
            x = x.relu() if self.bent else x
        return x


class OtherLayers:
    """`count` layers of a kind; weights of every image from its own seed, stacked as (b, ...) in `parameters`.

    GCN takes E as its adjacency; GAT and AGNN know only which nodes are linked. GCN and GAT are rectified after each layer.
    """

    def __init__(
        self, kind: str, hidden: int, count: int, edge_weight: float, links: list[Links], seeds: list[int], device
    ):
        self.links, self.states = links, []
        for seed in seeds:
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(seed)
                self.module = _Layers(kind, hidden, count, edge_weight)
            self.states.append(dict(self.module.named_parameters()))
        self.names = list(self.states[0])
        self.parameters = [torch.stack([s[name].detach() for s in self.states]).to(device) for name in self.names]

    def __call__(self, H: Float[Tensor, "b h w d"], parameters: list[Tensor]) -> Float[Tensor, "b h w d"]:
        """Return the features after all layers, with the current `parameters` of this object."""
        out = []
        for number, (links, image) in enumerate(zip(self.links, H, strict=True)):
            h, w = links.size
            own = dict(zip(self.names, (p[number] for p in parameters), strict=True))
            x = image[:h, :w].flatten(0, 1)[links.place]
            x = functional_call(self.module, own, (x, links))[links.of].view(h, w, -1)
            out.append(F.pad(x, (0, 0, 0, H.shape[2] - w, 0, H.shape[1] - h)))
        return torch.stack(out)
