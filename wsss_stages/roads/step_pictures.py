"""Pictures of every step of a run on an image, from its weak labels to the segmenter's prediction."""

from typing import Any

import cv2
import numpy as np
import torch
from jaxtyping import UInt8

from wsss_stages.data.index import Index, Record
from wsss_stages.evaluation import figures
from wsss_stages.labels.cam import enlarge
from wsss_stages.nets import backbones
from wsss_stages.nets.segmenter import multi_scale
from wsss_stages.pairwise.windows import offsets
from wsss_stages.shards.manifest import Manifest
from wsss_stages.store import contracts

Pictures = dict[str, np.ndarray | None]
"""By their titles; None is an empty cell."""
NODES = 3
"""Most nodes of an image whose edges are shown."""
PROPAGATED = {
    "A²GNN": contracts.GRAPH_LABEL,
    "pseudo label": contracts.PSEUDO,
    "RRM": contracts.RRM_BRANCH,
    "RRM and CRF": contracts.RRM_LABEL,
}
"""Label maps after the edges, by their titles."""


class StepPictures:
    """The steps of a run whose manifests are given; steps that the run did not make are left out."""

    def __init__(self, index: Index, manifest: Manifest, window: dict[str, Any] | None, segmenter: Any):
        """
        Args:
            window: radius, window and stride of s5_graph's edges, where there are any.
            segmenter: the network of the predictions; None while there is none.
        """
        self.index, self.manifest, self.window, self.segmenter = index, manifest, window, segmenter
        mined = {"CAM and CRF M_I": contracts.CAM_LABEL} if contracts.PSEUDO.name not in manifest.made else {}
        self.by_kind = {
            **mined,
            "masks M_B": contracts.GRABCUT,
            "superpixels M_P" if index.weak == "point" else "superpixels M_S": contracts.EXPANDED,
            "seeds M_g": contracts.SEEDS,
            "soft masks": contracts.OBJECT_LABEL,
        }

    def row(self, record: Record) -> Pictures:
        """Return the pictures of an image in the order of the steps."""
        image = record.image(self.index.root)
        truth = record.truth_labels(self.index.root)
        weak = figures.with_marks(image, self.index.scribble_labels(record), record.points)
        return {
            "weak labels": figures.with_boxes(weak, record.boxes, record.box_classes),
            **self.cam(record, image),
            **self.labels(record, image, self.by_kind),
            **self.edges(record, image),
            **self.labels(record, image, PROPAGATED),
            "segmenter": figures.over(image, self.predicted(image)) if self.segmenter else None,
            "truth": None if truth is None else figures.over(image, truth),
        }

    def labels(self, record: Record, image: np.ndarray, maps: dict[str, contracts.Contract]) -> Pictures:
        """Return pictures of those of the label maps that the run made."""
        return {
            title: figures.over(image, self.manifest.read(record.id, contract)["label"])
            for title, contract in maps.items()
            if contract.name in self.manifest.made
        }

    def edges(self, record: Record, image: np.ndarray) -> Pictures:
        """Return a picture of the edges of a few nodes, where the run has any."""
        if self.window is None:
            return {}
        E = self.manifest.read(record.id, contracts.EDGES)["E"]
        middles = shown_nodes(record, self.manifest.read(record.id, contracts.PSEUDO)["label"])
        around = offsets(self.window["radius"], self.window["window"])
        return {f"edges of {NODES} nodes": figures.node_edges(image, E, around, self.window["stride"], middles)}

    def cam(self, record: Record, image: np.ndarray) -> Pictures:
        """Return a picture of the strongest class activation map at every pixel, where the run has any."""
        if contracts.CAM.name not in self.manifest.made:
            return {}
        strength = enlarge(self.manifest.read(record.id, contracts.CAM)["cam"], *image.shape[:2])
        return {"CAM": figures.heat(image, strength.max(axis=0)) if len(strength) else None}

    def predicted(self, image: np.ndarray) -> UInt8[np.ndarray, "h w"]:
        """Return the segmenter's label of a photograph, (h, w, 3) uint8 RGB, at scale 1."""
        tensor = torch.from_numpy(image).permute(2, 0, 1)[None] / 255
        found = multi_scale(self.segmenter, backbones.normalise(tensor), [1.0], False)
        return found.argmax(dim=0).numpy().astype("uint8")


def shown_nodes(record: Record, pseudo: np.ndarray) -> list[tuple[int, int]]:
    """Return x, y of the middles of the three largest boxes, or without boxes of the deepest pixel of up to three classes.

    Args:
        pseudo: the image's pseudo label, of any size.
    """
    if record.boxes:
        largest = sorted(record.boxes, key=lambda b: (b[2] - b[0]) * (b[3] - b[1]), reverse=True)[:NODES]
        return [((x0 + x1) // 2, (y0 + y1) // 2) for x0, y0, x1, y1 in largest]
    pseudo = cv2.resize(pseudo, (record.width, record.height), interpolation=cv2.INTER_NEAREST)
    depths = [cv2.distanceTransform((pseudo == c).astype(np.uint8), cv2.DIST_L2, 3) for c in record.tags[:NODES]]
    deepest = [np.unravel_index(d.argmax(), d.shape) for d in depths if d.max() > 0]
    return [(int(x), int(y)) for y, x in deepest]
