"""Edges of images' graphs across the outlines of their true masks and inside: how well an affinity separates objects."""

import cv2
import numpy as np
import torch
from jaxtyping import UInt8

from wsss_stages.a2gnn import walk
from wsss_stages.data.record import Record
from wsss_stages.nets.grid import Grid, labels_at_nodes
from wsss_stages.pairwise.windows import offsets
from wsss_stages.shards.manifest import Manifest
from wsss_stages.store import contracts


def edge_sums(record: Record, manifest: Manifest, truth: UInt8[np.ndarray, "H W"]) -> tuple[np.ndarray, np.ndarray]:
    """Return (sum of edges, number of pairs) of an image's nodes that touch by a side: across true outlines, and inside."""
    graph = next(made for made in manifest.options if "offset" in made)
    E = torch.from_numpy(manifest.read(record.id, contracts.EDGES)["E"])
    small = cv2.resize(truth, (record.width, record.height), interpolation=cv2.INTER_NEAREST)
    at_nodes = torch.from_numpy(labels_at_nodes(small, Grid(graph["stride"], graph["offset"])).astype(np.int64))
    return walk.outline_sums(E, at_nodes, offsets(graph["radius"], graph["window"]))
