"""Pseudo labels of the images of a shard: a graph of each, its A²GNN, and the labels read off it (Eqs. 3.15-3.28)."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor

from wsss_stages import UNKNOWN
from wsss_stages.a2gnn import graph as graphs
from wsss_stages.a2gnn import nodes, object_masks, pixels
from wsss_stages.a2gnn.edge_crf import edge_crf
from wsss_stages.a2gnn.node_net import NodeNet
from wsss_stages.a2gnn.propagate import Graph, Settings, Trained, train
from wsss_stages.config.options import Propagate
from wsss_stages.data.index import Index, stable_hash
from wsss_stages.data.record import Record
from wsss_stages.labels.enlarge import most_likely
from wsss_stages.labels.superpixels import superpixels
from wsss_stages.nets import backbones
from wsss_stages.nets.grid import PIXELS, labels_at_nodes, onto
from wsss_stages.pairwise.dense import memory_left
from wsss_stages.roads.merge_labels import MAKER, STAGE, BoxedImage, LabelMerger
from wsss_stages.shards.shard import Shard
from wsss_stages.store import contracts
from wsss_stages.store.check_finite import finite
from wsss_stages.store.prefetch import Prefetch
from wsss_stages.store.progress import progress
from wsss_stages.training.graph_networks import GraphNetworks
from wsss_stages.training.memory import MicroBatches

SUPERPIXELS, COMPACTNESS = 400, 10.0
"""Nodes of an image for --nodes superpixels, about, and how square they are."""
CRF_ITERATIONS = 10
"""Of the CRF on the edges; labels settle in fewer."""
BYTES_OF_A_NODE = 2**18
"""GPU memory that a training takes for a node, at most: 20 rows of 4,000 numbers (pairwise.dense)."""
SHARE = 0.5
"""Share of a GPU's free memory that a batch of graphs may take."""


@runtime_checkable
class SeededImage(Protocol):
    """An image and the artifacts of earlier stages: an item of a shard, or one whose seeds are hidden in part."""

    record: Record
    id: str

    @property
    def size(self) -> tuple[int, int]:
        """Return height and width."""
        ...

    def read(self, contract: contracts.Contract) -> dict[str, np.ndarray]:
        """Return the artifact that an earlier stage made of this image."""
        ...


class Propagator:
    """The work of s6_propagate on images of an index."""

    def __init__(self, networks: GraphNetworks, index: Index, opt: Propagate, device: str):
        """Take the networks of the graphs, which are on the device already."""
        self.networks, self.index, self.opt, self.device = networks, index, opt, device
        self.grid, self.window = networks.grid, networks.window
        self.merger = LabelMerger(opt, device)
        self.training = MicroBatches(STAGE, self.trained, "propagate.batch_nodes")

    def run(self, shard: Shard) -> None:
        """Make every image of the shard that is not whole yet, many at once."""
        limit = self.opt.batch_nodes or nodes_at_once(self.device)
        batches = shard.batches(lambda r: -(-r.height // self.grid.stride) * -(-r.width // self.grid.stride), limit)
        loading = Prefetch(batches, lambda batch: [item.image for item in batch])
        for batch, photos in progress(loading, f"{STAGE} (batches)"):
            results, parted = self.training.results([*zip(batch, photos, strict=True)])
            for item, photo, trained in zip(batch, photos, results, strict=True):
                if not item.done:
                    maps, notes = self.finished(item, photo, trained)
                    item.write(maps, notes | parted)
        shard.finish()

    def trained(self, batch: Sequence[tuple[SeededImage, np.ndarray]]) -> list[Trained | None]:
        """Return the trained A²GNN of every image with its photograph; none where the labels come of the random walk or of a CRF alone."""
        if self.opt.walk_share == 1 or self.opt.propagator != "a2gnn":
            return [None] * len(batch)
        graphs = [self.graph(*pair) for pair in batch]
        return [*train(graphs, self.window, self.opt.fill(Settings))]

    def classes(self, record: Record) -> list[int]:
        """Return the classes that an image may show, background first."""
        return [0, *record.tags] if self.opt.restrict_classes else list(range(len(self.index.classes)))

    def graph(self, item: SeededImage, photo: np.ndarray) -> Graph:
        """Return an image's graph. Raises ValueError for features that are no numbers."""
        E = torch.from_numpy(item.read(contracts.EDGES)["E"]).float()
        return graph_of(
            self.networks.nodes,
            photo,
            BoxedImage.from_record(item.record, self.classes(item.record)),
            E.to(self.device),
            item.read(contracts.ALL[self.opt.seeds])["label"],
            self.opt.features,
            stable_hash(item.id, STAGE, self.opt.seed),
            self.parts(photo, *E.shape[1:]) if self.opt.nodes == "superpixels" else None,
        )

    def parts(self, photo: np.ndarray, h: int, w: int) -> Tensor:
        """Return (h, w) the superpixel of each node, numbered without gaps; padding belongs to the last row's and column's."""
        parts = labels_at_nodes(superpixels(photo, SUPERPIXELS, COMPACTNESS), self.grid)
        parts = np.pad(parts, ((0, h - parts.shape[0]), (0, w - parts.shape[1])), mode="edge")
        numbers = np.unique(parts, return_inverse=True)[1].reshape(h, w)
        return torch.from_numpy(numbers).to(self.device)

    def objects(self, item: SeededImage, image: BoxedImage) -> Tensor:
        """Return (c, h, w) class probabilities by the soft masks of the boxes."""
        P = object_masks.unpack(item.read(contracts.OBJECTS)["P"], image.boxes)
        return object_masks.merge(P, image.boxes, image.box_rows, len(image.classes), *image.size)

    def walk(self, item: SeededImage, image: BoxedImage) -> Tensor:
        """Return (c, h, w) class probabilities by the random walk; where it brings nothing, those of background."""
        scores = torch.from_numpy(item.read(contracts.WALK)["P"]).float()
        rows = nodes.rows_of(np.array([0, *item.record.tags]), image.classes)
        P = torch.zeros(len(image.classes), *scores.shape[1:]).index_copy(0, rows, scores)
        return pixels.normalised(pixels.enlarged(P, self.grid, *image.size))

    def spread(self, item: SeededImage, image: BoxedImage, trained: Trained | None) -> Tensor:
        """Return (c, h, w) class probabilities by what spreads the seeds: A²GNN, the random walk, a CRF on the edges, or nothing."""
        if trained is not None:
            return pixels.probabilities(trained.logits, self.grid, *image.size)
        if self.opt.walk_share == 1:
            return self.walk(item, image).to(self.device)
        label = item.read(contracts.ALL[self.opt.seeds])["label"]
        if self.opt.propagator == "none":
            return pixels.sure(nodes.rows_of(label, image.classes), len(image.classes)).to(self.device)
        E = torch.from_numpy(item.read(contracts.EDGES)["E"]).float().to(self.device)
        seeds = nodes.rows_of(labels_at_nodes(label, self.grid), image.classes)
        P = pixels.sure(seeds, len(image.classes)).to(self.device)
        E = E ** self.networks.opt.walk_powers[0]
        P = edge_crf(P, E, self.window, self.opt.edge_weight, CRF_ITERATIONS)
        return pixels.enlarged(P, self.grid, *image.size)

    def finished(self, item: SeededImage, photo: np.ndarray, trained: Trained | None) -> tuple[dict, dict[str, int]]:
        """Return the three maps of an image by the names of their contracts, and notes. Raises ValueError for scores that are no numbers."""
        image, opt = BoxedImage.from_record(item.record, self.classes(item.record)), self.opt
        P = self.spread(item, image, trained)
        finite(P, "the graph network's scores", STAGE, item.id, MAKER)
        P = self.merger.restricted(P, image)
        graph_label = np.array(image.classes, np.uint8)[most_likely(P, *image.full_size)[0].cpu().numpy()]
        P = self.merger.mixed(
            P,
            image,
            grabcut=item.read(contracts.GRABCUT)["label"] if opt.grabcut_share > 0 else None,
            objects=self.objects(item, image) if opt.objects_share > 0 and image.all_boxed else None,
            walk=self.walk(item, image) if opt.walk_share > 0 else None,
        )
        label, confidence, notes = self.merger.label(self.merger.refined(P, photo, image), image)
        if item.record.truth_sha256:
            by_hand = item.record.learned_mask(self.index.root)
            known = by_hand != UNKNOWN
            label[known], confidence[known] = by_hand[known], 1
        if trained is not None:
            notes |= {"object_seeds": trained.object_seeds, "object_seeds_inconsistent": trained.inconsistent}
        steps = (confidence * 65535).round().astype(np.uint16)
        return {"graph_label": graph_label, "pseudo": label, "confidence": steps}, notes


def nodes_at_once(device: str) -> int:
    """Return the number of nodes that train together: as many as fill a GPU; on a CPU one image is fastest, as it stays in the cache."""
    return max(1, int(SHARE * memory_left(torch.device(device))) // BYTES_OF_A_NODE)


@torch.no_grad()
def graph_of(
    network: NodeNet,
    photo: np.ndarray,
    image: BoxedImage,
    E: Tensor,
    label: np.ndarray,
    directions: int,
    seed: int,
    parts: Tensor | None = None,
) -> Graph:
    """Return a photograph's graph: features, edges, seeds and boxes at the nodes. Raises ValueError for features that are no numbers.

    Args:
        photo: (h, w, 3) uint8 RGB.  E: (n, y, x) edges, on the network's device.  label: (h, w) uint8 seeds, 255 unknown.
        directions: principal directions of the features that are kept; 0 = all features.  seed: of the image's draws.
    """
    grid, (h, w) = network.grid, E.shape[1:]
    pixels_in = torch.from_numpy(photo).permute(2, 0, 1)[None].to(E.device) / 255
    normalised = nodes.whole_nodes(backbones.normalise(pixels_in), grid.stride)
    X = graphs.node_features(network.maps(normalised))
    finite(X, "the node features", STAGE, image.name, MAKER)
    at_nodes = nodes.boxes_at_nodes(image.boxes, grid, h, w)
    return Graph(
        name=image.name,
        X=(graphs.principal(X, directions) if directions else X).view(h, w, -1),
        E=E,
        colour=onto(normalised, PIXELS, grid, (h, w))[0],
        seeds=nodes.rows_of(labels_at_nodes(label, grid), image.classes).to(E.device),
        boxes=torch.from_numpy(at_nodes).to(E.device),
        box_rows=image.box_rows.to(E.device),
        rows=len(image.classes),
        seed=seed,
        parts=parts,
    )
