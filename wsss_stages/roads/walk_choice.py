"""Choice of the random walk's power and steps by hidden seeds, and the mean edges at the seeds' outlines."""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Bool, Float, Int, UInt8
from torch import Tensor

from wsss_stages import training
from wsss_stages.a2gnn import nodes, walk
from wsss_stages.a2gnn.pixels import only_where_allowed
from wsss_stages.config.options import Affinity, Graph
from wsss_stages.data.hashes import sample
from wsss_stages.data.index import Index, Record, stable_hash
from wsss_stages.evaluation import metrics
from wsss_stages.evaluation.agreement import mean_edges
from wsss_stages.labels.boxes import allowed
from wsss_stages.nets.grid import labels_at_nodes
from wsss_stages.shards.manifest import Manifest
from wsss_stages.store import contracts
from wsss_stages.store.progress import progress
from wsss_stages.training.graph_networks import GraphNetworks

STAGE, MAKER = "s5_walk", "s4_affinity"
IMAGES = 40
"""Most images to choose by."""


def to_choose_by(every: Sequence[Record], learned: Affinity | None) -> tuple[list[Record], bool]:
    """Return some images, those that the affinity CNN did not learn from if there are any, and whether there are.

    `learned`: None where no affinity CNN is trained; the images are those that it would leave out by default, so that edges with and
    without it are compared on the same ones.
    """
    learned = learned or Affinity()  # pyright: ignore[reportCallIssue]
    held = training.hold_out(every, MAKER, learned, lambda record: record.id)[1]
    ids = set(sample([record.id for record in held or every], IMAGES))
    return [record for record in every if record.id in ids], bool(held)


def asked_for(opt: Graph) -> contracts.Contract:
    """Return the seeds of which a part is hidden: the seeds that the walk starts with, or for --seeds cam the
    confident ones.
    """
    return contracts.SEEDS if opt.seeds == "cam" else contracts.ALL[opt.seeds]


class WalkChoice:
    """Sums over images of how well every walk finds hidden seeds, and of edges at the seeds' outlines."""

    def __init__(self, networks: GraphNetworks, index: Index, opt: Graph, device: str):
        """Take networks that are on the device already."""
        self.networks, self.index, self.opt, self.device = networks, index, opt, device
        self.counts: dict[tuple[float, int], np.ndarray] = {}
        self.across, self.inside = np.zeros(2), np.zeros(2)

    def run(self, records: Sequence[Record], seeds: Manifest, cams: Manifest) -> None:
        """Add all images. `cams`: read for --seeds cam alone, beside the seeds that are asked for."""
        of_cam = self.opt.seeds == "cam"
        for record in progress(records, STAGE):
            label = seeds.read(record.id, asked_for(self.opt))["label"]
            self.add(record, label, cams.read(record.id, contracts.CAM)["cam"] if of_cam else None)

    def add(self, record: Record, label: UInt8[np.ndarray, "h w"], cam: np.ndarray | None) -> None:
        """Walk over an image's graph with a part of its seeds hidden. `cam`: for --seeds cam, else None."""
        classes = [0, *record.tags]
        E = self.networks.edges(record.image(self.index.root), STAGE, record.id, self.device)
        rows = nodes.rows_of(labels_at_nodes(label, self.networks.grid), classes).to(self.device)
        sums = walk.outline_sums(E, rows, self.networks.window)
        self.across, self.inside = self.across + sums[0], self.inside + sums[1]
        rng = np.random.default_rng(stable_hash(record.id, STAGE))
        asked = walk.hidden(*rows.shape, rng=rng).to(self.device)
        start = self.start(record, label, cam).to(self.device).masked_fill(asked, 0)
        self.compare(start, E, rows, asked, classes, self.known(record))

    def start(self, record: Record, label: np.ndarray, cam: np.ndarray | None) -> Float[Tensor, "c y x"]:
        """Return where the walk starts, background and the image's tags at the nodes."""
        if cam is not None:
            return walk.start_of_cam(cam, record.height, record.width, self.opt.walk_gamma, self.networks.grid)
        return walk.start_of_seeds(label, record.tags, self.networks.grid)

    def known(self, record: Record) -> Tensor | None:
        """Return (c, y, x) which classes boxes allow at a node; None where there need not be a box around every object."""
        if not record.all_boxed:
            return None
        masks = allowed(*record.box_arrays(), record.tags, record.height, record.width)
        return torch.from_numpy(np.stack([labels_at_nodes(mask, self.networks.grid) for mask in masks])).to(self.device)

    def compare(
        self,
        start: Float[Tensor, "c y x"],
        E: Float[Tensor, "n y x"],
        rows: Int[Tensor, "y x"],
        asked: Bool[Tensor, "y x"],
        classes: list[int],
        known: Tensor | None,
    ) -> None:
        """Add every walk's predictions at hidden seeds.

        Args:
            start: scores, 0 at hidden nodes.  rows: of the seeds among `classes`, -1 unknown.  asked: hidden nodes.  known: of `known`.
        """
        opt, count = self.opt, len(self.index.classes)
        keep = start.any(dim=0) if opt.walk_hold and opt.seeds != "cam" else None
        for pair, P in walk.walks(start, E, self.networks.window, opt.walk_powers, opt.walk_steps, keep):
            P = P if known is None else only_where_allowed(P, known)
            self.counts[pair] = self.counts.get(pair, 0) + walk.at_hidden(P, rows, asked, classes, count)

    def chosen(self) -> dict:
        """Return power and steps of the best walk, the agreement of every walk, and the mean edges."""
        agreements = {pair: metrics.mean_iou(found) for pair, found in self.counts.items()}
        power, steps = walk.choose(agreements)
        return {
            "power": power,
            "steps": steps,
            "agreements": [{"power": p, "steps": s, "miou": miou} for (p, s), miou in agreements.items()],
            "outlines": mean_edges(self.across, self.inside),
        }
