"""Share of hidden seeds that are found again by what spreads the others: a measure of labels without truth."""

from collections.abc import Sequence

import cv2
import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor

from wsss_stages import UNKNOWN
from wsss_stages.a2gnn import walk
from wsss_stages.config.options import Graph, Propagate
from wsss_stages.data.index import Index, stable_hash
from wsss_stages.data.record import Record
from wsss_stages.evaluation import metrics
from wsss_stages.labels.random_walk import random_walk
from wsss_stages.nets.grid import Grid, labels_at_nodes
from wsss_stages.roads.propagate import Propagator
from wsss_stages.roads.walk_choice import to_choose_by
from wsss_stages.shards.manifest import Manifest
from wsss_stages.store import contracts
from wsss_stages.store.contracts import Contract
from wsss_stages.store.progress import progress
from wsss_stages.training.graph_networks import GraphNetworks

STAGE = "s6_agreement"
MAPS = (contracts.GRAPH_LABEL, contracts.PSEUDO)
"""Label maps that are compared with the hidden seeds."""


class HiddenSeeds:
    """An image as `Propagator` asks for it, with a part of its seeds hidden and the random walk from the others."""

    def __init__(self, record: Record, sources: Manifest, graph: Graph, grid: Grid, window: list[tuple[int, int]]):
        """
        Args:
            sources: seeds and edges, and the CAMs for a walk from them.
            graph: options with the power and the steps of the walk.
        """
        self.record, self.id = record, record.id
        self.size = record.height, record.width
        self.sources, self.opt, self.grid, self.window = sources, graph, grid, window
        rows, columns = (-(-n // grid.stride) for n in self.size)
        self.hidden = walk.hidden(rows, columns, np.random.default_rng(stable_hash(record.id, STAGE)))

    def read(self, contract: Contract) -> dict[str, np.ndarray]:
        """Return an artifact of the image, without what is hidden."""
        if contract is contracts.WALK:
            return {"P": self.walked().numpy()}
        found = self.sources.read(self.id, contract)
        return {"label": self.without_hidden(found["label"])} if "label" in contract.fields else found

    def without_hidden(self, label: UInt8[np.ndarray, "h w"]) -> UInt8[np.ndarray, "h w"]:
        """Return seeds that are unknown at the pixels of hidden nodes."""
        side, (h, w) = self.grid.stride, label.shape
        hidden = self.hidden.numpy().repeat(side, 0).repeat(side, 1)[:h, :w]
        return np.where(hidden, np.uint8(UNKNOWN), label)

    def walked(self) -> Tensor:
        """Return (c, y, x) scores of a random walk from the other seeds, or from the CAMs elsewhere."""
        opt = self.opt
        if opt.seeds == "cam":
            cam = self.sources.read(self.id, contracts.CAM)["cam"]
            start, held = walk.start_of_cam(cam, *self.size, opt.walk_gamma, self.grid), None
        else:
            start = walk.start_of_seeds(self.read(contracts.ALL[opt.seeds])["label"], list(self.record.tags), self.grid)
            held = start.any(dim=0) if opt.walk_hold else None
        start = start.masked_fill(self.hidden, 0)
        E = torch.from_numpy(self.read(contracts.EDGES)["E"]).float()
        return random_walk(start, E, self.window, opt.walk_powers[0], opt.walk_steps[0], held)


class SeedAgreement:
    """Counts of hidden seeds by their class and that of each label map, summed over images."""

    def __init__(self, networks: GraphNetworks, index: Index, opt: Propagate, device: str):
        """Take networks that are on the device already.

        Soft masks of boxes and GrabCut's share are left out of the labels, for they have seen the hidden seeds.
        """
        self.networks, self.index, self.seeds = networks, index, contracts.ALL[opt.seeds]
        alone = opt.model_copy(update={"objects_share": 0.0, "grabcut_share": 0.0})
        self.propagator = Propagator(networks, index, alone, device)
        self.counts = {contract.name: np.zeros((len(index.classes),) * 2, np.int64) for contract in MAPS}

    def run(self, records: Sequence[Record], sources: Manifest) -> None:
        """Add all images. `sources`: as of `HiddenSeeds`."""
        for record in progress(records, STAGE):
            self.add(HiddenSeeds(record, sources, self.networks.opt, self.networks.grid, self.networks.window))

    def add(self, item: HiddenSeeds) -> None:
        """Spread the seeds of an image that are left, and count the hidden ones."""
        photo = item.record.image(self.index.root)
        (trained,) = self.propagator.trained([(item, photo)])
        made, _ = self.propagator.finished(item, photo, trained)
        seeds = labels_at_nodes(item.sources.read(item.id, self.seeds)["label"], item.grid)
        asked = item.hidden.numpy() & np.isin(seeds, [0, *item.record.tags])
        for name, counts in self.counts.items():
            label = cv2.resize(made[name], item.size[::-1], interpolation=cv2.INTER_NEAREST)
            counts += metrics.confusion(seeds[asked], labels_at_nodes(label, item.grid)[asked], len(counts))

    def found(self) -> dict[str, dict[str, float | int | None]]:
        """Return of every label map the mean IoU with the hidden seeds, and their number."""
        return {
            name: {"miou": metrics.mean_iou(counts) if counts.any() else None, "seeds": int(counts.sum())}
            for name, counts in self.counts.items()
        }


def asked_images(index: Index, made: Manifest, networks: GraphNetworks) -> list[Record]:
    """Return some of the images that graphs were made of, as s5_walk chooses them, without those whose truth is used as a label."""
    every = [record for record in index.split("train") if record.id in made.items and not record.truth_sha256]
    return to_choose_by(every, networks.learned)[0]
