"""Sources of the similarity of neighbouring nodes by name; every module of this folder registers its own.

A source is a function of an image, seen as `GraphImage`, that returns the similarity of every node and its neighbours, in [0, 1], 1 of a
node and itself. What it says of neighbours outside the image does not matter: `a2gnn.graph.linked` leaves them out.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

from jaxtyping import Float
from torch import Tensor

from wsss_stages.a2gnn.graph import linked
from wsss_stages.a2gnn.node_net import NodeNet
from wsss_stages.a2gnn.nodes import whole_nodes
from wsss_stages.nets.inputs import normalise
from wsss_stages.nets.registry import Registry


@dataclass(frozen=True)
class GraphImage:
    """A photograph, the networks that look at it, and the window of its nodes' neighbours."""

    photo: Float[Tensor, "1 3 h w"]
    """RGB in [0, 1]."""
    network: NodeNet
    """The network whose nodes are those of the graph: an affinity CNN for the sources that need one."""
    features: NodeNet
    """The frozen backbone whose features are compared; it may be `network`."""
    window: list[tuple[int, int]]
    """Offsets of `pairwise.windows.offsets`."""
    sigma_lab: float
    """Deviation of the Gaussian of colours, units of CIE L*a*b*."""

    @property
    def nodes(self) -> tuple[int, int]:
        """Return rows and columns of the nodes."""
        h, w = self.photo.shape[2:]
        return -(-h // self.network.grid.stride), -(-w // self.network.grid.stride)

    def whole(self, network: NodeNet) -> Float[Tensor, "1 3 H W"]:
        """Return the photograph as a network wants it: normalised, with sides that are multiples of its stride."""
        return whole_nodes(normalise(self.photo), network.grid.stride)

    @cached_property
    def maps(self) -> list[Tensor]:
        """Return the feature maps of the graph's own network."""
        return self.network.maps(self.whole(self.network))


EdgeSource = Callable[[GraphImage], Float[Tensor, "n h w"]]
EDGE_SOURCES: Registry[EdgeSource] = Registry(__name__)
edge_source = EDGE_SOURCES.register


def edges(image: GraphImage, kinds: Sequence[str], threshold: float) -> Float[Tensor, "n h w"]:
    """Return E of Eq. 3.14 by the product of the similarities of one or more sources."""
    first, *others = (EDGE_SOURCES[kind](image) for kind in kinds)
    return linked(math.prod(others, start=first), image.window, threshold)
