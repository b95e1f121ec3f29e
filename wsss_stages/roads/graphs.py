"""Edges of images (Eq. 3.14), and the random walk over them."""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from wsss_stages.a2gnn.pixels import enlarged, only_where_allowed
from wsss_stages.a2gnn.walk import start_of_cam, start_of_seeds
from wsss_stages.config.options import Graph
from wsss_stages.labels.boxes import allowed
from wsss_stages.labels.random_walk import random_walk
from wsss_stages.shards.shard import Item, Shard
from wsss_stages.store import contracts
from wsss_stages.store.check_finite import finite
from wsss_stages.store.prefetch import Prefetch
from wsss_stages.store.progress import progress
from wsss_stages.training.graph_networks import GraphNetworks


class GraphBuilder:
    """The work of s5_graph on images."""

    def __init__(self, networks: GraphNetworks, opt: Graph, device: str):
        """Take options with one power and one number of steps of the walk. The networks are on the device already."""
        self.networks, self.opt, self.device = networks, opt, device
        (self.power,), (self.steps,) = set(opt.walk_powers), set(opt.walk_steps)

    def run(self, shard: Shard) -> None:
        """Make every image of the shard that is not whole yet."""
        for item, photo in progress(Prefetch(shard.todo(), lambda item: item.image), "s5_graph"):
            item.write(self.made(item, photo))
        shard.finish()

    def made(self, item: Item, photo: np.ndarray) -> dict[str, np.ndarray]:
        """Return edges, the walk's scores at the nodes, and the label that the walk gives."""
        E = self.networks.edges(photo, "s5_graph", item.id, self.device)
        walked = self.walk(self.start(item).to(self.device), E)
        finite(walked, "the random walk", "s5_graph", item.id, self.networks.maker)
        record = item.record
        P = enlarged(walked, self.networks.grid, *item.size).cpu()
        if record.all_boxed:
            known = allowed(*record.box_arrays(), record.tags, *item.size)
            P = only_where_allowed(P, torch.from_numpy(known))
        half = {"edges": E, "walk": walked}
        found = {name: array.cpu().numpy().astype(np.float16) for name, array in half.items()}
        return found | {"random_walk": np.array([0, *record.tags], np.uint8)[P.argmax(dim=0).numpy()]}

    def start(self, item: Item) -> Float[Tensor, "c y x"]:
        """Return where the walk starts, background and the image's tags at the nodes."""
        if self.opt.seeds == "cam":
            cam = item.read(contracts.CAM)["cam"]
            return start_of_cam(cam, *item.size, self.opt.walk_gamma, self.networks.grid)
        seeds = item.read(contracts.ALL[self.opt.seeds])["label"]
        return start_of_seeds(seeds, item.record.tags, self.networks.grid)

    def walk(self, start: Float[Tensor, "c y x"], E: Float[Tensor, "n y x"]) -> Float[Tensor, "c y x"]:
        """Return the scores after the walk; seeds keep theirs where `walk_hold` says so and the walk starts at seeds."""
        held = start.any(dim=0) if self.opt.walk_hold and self.opt.seeds != "cam" else None
        return random_walk(start, E, self.networks.window, self.power, self.steps, held)
