"""Edges by the affinity CNN (Eq. 3.8)."""

from jaxtyping import Float
from torch import Tensor

from wsss_stages.a2gnn.affinity_cnn import AffinityCnn
from wsss_stages.a2gnn.edge_sources import GraphImage, edge_source
from wsss_stages.pairwise.affinity import affinity


@edge_source("affinity")
def by_affinity_cnn(image: GraphImage) -> Float[Tensor, "n h w"]:
    """Return D of Eq. 3.8."""
    assert isinstance(image.network, AffinityCnn)
    return affinity(image.network.embed(image.maps), image.window)[0]
