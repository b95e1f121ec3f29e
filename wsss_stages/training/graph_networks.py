"""The networks behind the graphs of images: the affinity CNN, or a frozen backbone in its place, and their window of neighbours."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from wsss_stages.a2gnn.edge_sources import GraphImage, edges
from wsss_stages.a2gnn.node_net import NodeNet
from wsss_stages.config.options import Affinity, Graph
from wsss_stages.nets.grid import Grid
from wsss_stages.pairwise.windows import offsets
from wsss_stages.store import artifacts
from wsss_stages.store.check_finite import finite
from wsss_stages.training import networks


@dataclass(frozen=True)
class GraphNetworks:
    """Networks in eval mode, and what they were restored from."""

    opt: Graph
    nodes: NodeNet
    """The network whose maps are the features of the nodes."""
    features: NodeNet
    """The frozen backbone whose features edges compare; `nodes` itself where there is no other."""
    radius: int
    shape: str
    """Shape of the window, as `pairwise.windows.offsets` takes it."""
    digests: tuple[str, ...]
    """sha256 of all weights."""
    maker: str
    """Stage that made the weights, for messages."""
    learned: Affinity | None = None
    """Options of the affinity CNN's training, where there is one."""

    @property
    def grid(self) -> Grid:
        """Return the places of the nodes."""
        return self.nodes.grid

    @cached_property
    def window(self) -> list[tuple[int, int]]:
        """Return the offsets of a node's neighbours."""
        return offsets(self.radius, self.shape)

    @property
    def place(self) -> dict[str, Any]:
        """Return the facts of the graph that readers of its edges need."""
        return {
            "radius": self.radius,
            "window": self.shape,
            "stride": self.grid.stride,
            "offset": self.grid.offset,
        }

    @property
    def weights(self) -> str:
        """Return a digest of all weights."""
        return self.digests[0] if len(self.digests) == 1 else artifacts.fingerprint(*self.digests)

    def move(self, move: Callable[[nn.Module, str], Any], device: str) -> None:
        """Move all networks to a device by a function of a network and the device."""
        for network in {self.nodes, self.features}:
            move(network, device)

    @torch.no_grad()
    def edges(self, photo: np.ndarray, stage: str, name: str, device: str) -> Float[Tensor, "n y x"]:
        """Return E of a photograph, (h, w, 3) uint8 RGB (Eq. 3.14). Raises ValueError, naming stage and image, for numbers that are none."""
        seen = torch.from_numpy(photo).permute(2, 0, 1)[None].to(device) / 255
        image = GraphImage(seen, self.nodes, self.features, self.window, self.opt.sigma_lab)
        E = edges(image, self.opt.edges, self.opt.threshold)
        return finite(E, "the similarity of nodes", stage, name, self.maker)


def restore(opt: Graph, affinity: Path | None, classifier: Path | None) -> GraphNetworks:
    """Return the networks that edges of these options need.

    Args:
        affinity: weights of s4_affinity, for edges that need them.
        classifier: weights of s1_classifier, for a frozen backbone that is the classifier's.

    Raises: ValueError where one of them is missing.
    """
    features, digest = _frozen(opt, classifier) if opt.needs_features else (None, "")
    if not opt.needs_affinity:
        assert features is not None
        maker = "s1_classifier" if opt.needs_classifier else "s5_graph"
        return GraphNetworks(opt, features, features, opt.radius, opt.window, (digest,), maker)
    if affinity is None:
        raise ValueError(
            f"--edges {opt.edges}: found no --affinity; wanted the weights of s4_affinity. Give them, or --edges [features] or [colour]"
        )
    network, trained = networks.restore_affinity(affinity)
    learned = Affinity(**trained["options"])
    digests = (artifacts.sha256(affinity), *filter(None, [digest]))
    return GraphNetworks(
        opt, network, features or network, learned.radius, learned.window, digests, "s4_affinity", learned
    )


def restore_as_made(made: dict[str, Any], affinity: Path | None, classifier: Path | None) -> GraphNetworks:
    """Return the networks of graphs that were made, by the options in their manifest."""
    return restore(Graph(**{name: made[name] for name in Graph.model_fields if name in made}), affinity, classifier)


def _frozen(opt: Graph, classifier: Path | None) -> tuple[NodeNet, str]:
    """Return the frozen backbone as a network of nodes, and a digest of its weights."""
    if opt.feature_backbone:
        if not opt.feature_weights:
            raise ValueError(
                f"--feature-backbone {opt.feature_backbone}: found no --feature-weights; wanted a file, 'package', 'hub' or 'none'"
            )
        body, origin = networks.build_frozen(opt.feature_backbone, opt.stride, opt.feature_weights)
        return NodeNet(body).eval(), artifacts.fingerprint(opt.feature_backbone, origin.sha256)
    if classifier is None:
        raise ValueError(
            f"--edges {opt.edges}: found no --classifier; wanted the weights of s1_classifier, whose backbone is compared. Give them, or "
            "another backbone by --feature-backbone"
        )
    body = networks.classifier_backbone(classifier, opt.stride)
    return NodeNet(body).eval(), artifacts.sha256(classifier)
