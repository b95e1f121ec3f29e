"""Edges of images by the affinity CNN (Eq. 3.14), and the random walk over them."""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from wsss_stages.a2gnn.affinity_cnn import AffinityCnn
from wsss_stages.a2gnn.graph import compared, linked
from wsss_stages.a2gnn.nodes import whole_nodes
from wsss_stages.a2gnn.pixels import enlarged, only_where_allowed
from wsss_stages.a2gnn.walk import start_of_cam, start_of_seeds
from wsss_stages.config.options import Affinity, Graph
from wsss_stages.labels.boxes import allowed
from wsss_stages.labels.random_walk import random_walk
from wsss_stages.nets import backbones
from wsss_stages.pairwise.windows import offsets
from wsss_stages.shards.shard import Item, Shard
from wsss_stages.store import contracts
from wsss_stages.store.check_finite import finite
from wsss_stages.store.prefetch import Prefetch
from wsss_stages.store.progress import progress


class GraphBuilder:
    """The work of s5_graph on images."""

    def __init__(self, network: AffinityCnn, learned: Affinity, opt: Graph, device: str):
        """Take options with one power and one number of steps of the walk. The network is on the device already."""
        self.network, self.opt, self.device = network, opt, device
        self.stride, self.window = learned.stride, offsets(learned.radius, learned.window)
        (self.power,), (self.steps,) = set(opt.walk_powers), set(opt.walk_steps)

    def run(self, shard: Shard) -> None:
        """Make every image of the shard that is not whole yet."""
        for item, photo in progress(Prefetch(shard.todo(), lambda item: item.image), "s5_graph"):
            item.write(self.made(item, photo))
        shard.finish()

    def made(self, item: Item, photo: np.ndarray) -> dict[str, np.ndarray]:
        """Return edges, the walk's scores at the nodes, and the label that the walk gives."""
        E = self.edges(photo, item.id)
        walked = self.walk(self.start(item).to(self.device), E)
        finite(walked, "the random walk", "s5_graph", item.id, "s4_affinity")
        record = item.record
        P = enlarged(walked, self.network.grid, *item.size).cpu()
        if record.all_boxed:
            known = allowed(*record.box_arrays(), record.tags, *item.size)
            P = only_where_allowed(P, torch.from_numpy(known))
        half = {"edges": E, "walk": walked}
        found = {name: array.cpu().numpy().astype(np.float16) for name, array in half.items()}
        return found | {"random_walk": np.array([0, *record.tags], np.uint8)[P.argmax(dim=0).numpy()]}

    @torch.no_grad()
    def edges(self, photo: np.ndarray, name: str) -> Float[Tensor, "n y x"]:
        """Return E of a photograph, (h, w, 3) uint8 RGB. Raises ValueError, naming the image, for features that are no numbers."""
        image = torch.from_numpy(photo).permute(2, 0, 1)[None].to(self.device) / 255
        features = compared(self.network, whole_nodes(backbones.normalise(image), self.stride), self.opt.edges)
        finite(features, "the network's features", "s5_graph", name, "s4_affinity")
        return linked(features, self.opt.edges, self.window, self.opt.threshold)

    def start(self, item: Item) -> Float[Tensor, "c y x"]:
        """Return where the walk starts, background and the image's tags at the nodes."""
        if self.opt.seeds == "cam":
            cam = item.read(contracts.CAM)["cam"]
            return start_of_cam(cam, *item.size, self.opt.walk_gamma, self.network.grid)
        seeds = item.read(contracts.ALL[self.opt.seeds])["label"]
        return start_of_seeds(seeds, item.record.tags, self.network.grid)

    def walk(self, start: Float[Tensor, "c y x"], E: Float[Tensor, "n y x"]) -> Float[Tensor, "c y x"]:
        """Return the scores after the walk; seeds keep theirs where `walk_hold` says so and the walk starts at seeds."""
        held = start.any(dim=0) if self.opt.walk_hold and self.opt.seeds != "cam" else None
        return random_walk(start, E, self.window, self.power, self.steps, held)
