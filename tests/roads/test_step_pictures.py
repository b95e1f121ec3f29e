"""Pictures of a run's steps: which there are, and the nodes whose edges are shown."""

from pathlib import Path

import numpy as np
import torch

from wsss_stages.data.index import Index
from wsss_stages.data.record import Record
from wsss_stages.nets.grid import PIXELS
from wsss_stages.nets.segmenter import Segmenter
from wsss_stages.roads.report import short
from wsss_stages.roads.step_pictures import StepPictures, shown_nodes
from wsss_stages.shards.manifest import Manifest
from wsss_stages.store import contracts

IMAGE = np.zeros((8, 12, 3), np.uint8)


def record(**labels) -> Record:
    return Record("a", "a.jpg", "", 8, 12, 8, 12, **labels)


class Made(Manifest):
    """A manifest of artifacts that are all alike."""

    def __init__(self, *made: contracts.Contract, cam: np.ndarray | None = None):
        super().__init__([])
        self.made, self.cam = {contract.name for contract in made}, cam

    def read(self, image_id, contract):
        return {"label": np.ones((4, 6), np.uint8), "cam": self.cam}


class Left(Segmenter):
    """A segmenter that finds class 2 in the left half."""

    grid = PIXELS

    def __init__(self):
        torch.nn.Module.__init__(self)

    def forward(self, images):
        logits = torch.zeros(len(images), 3, *images.shape[2:])
        logits[:, 2, :, : images.shape[3] // 2] = 9.0
        return logits


def pictures(*made, weak="box", **more) -> StepPictures:
    index = Index("toy", Path("none"), ["background", "cat"], {}, {}, weak=weak)
    return StepPictures(index, Made(*made, **more), None, Left())


def test_nodes_are_in_the_middle_of_the_largest_boxes():
    boxes = [[0, 0, 2, 2], [0, 0, 10, 8], [4, 2, 8, 6], [1, 1, 6, 4]]
    assert shown_nodes(record(boxes=boxes, box_classes=[1] * 4), IMAGE[..., 0]) == [(5, 4), (6, 4), (3, 2)]


def test_without_boxes_nodes_are_deepest_inside_their_class():
    pseudo = np.zeros((16, 24), np.uint8)  # at twice the working size
    pseudo[2:12, 4:14] = 3
    (node,) = shown_nodes(record(tags=[3, 5]), pseudo)  # nowhere a 5
    assert 3 <= node[0] <= 5 and 2 <= node[1] <= 4


def test_only_maps_that_the_run_made_are_shown():
    maps = pictures(contracts.SEEDS, contracts.PSEUDO).by_kind
    found = pictures(contracts.SEEDS, contracts.PSEUDO).labels(record(), IMAGE, maps)
    assert list(found) == ["seeds M_g"] and found["seeds M_g"].shape == IMAGE.shape
    assert not pictures().edges(record(), IMAGE) and not pictures().cam(record(), IMAGE)


def test_maps_of_cams_are_shown_where_no_pseudo_label_is():
    assert "CAM and CRF M_I" in pictures(contracts.CAM_LABEL).by_kind
    assert "CAM and CRF M_I" not in pictures(contracts.CAM_LABEL, contracts.PSEUDO).by_kind
    assert (
        "superpixels M_P" in pictures(weak="point").by_kind and "superpixels M_S" in pictures(weak="scribble").by_kind
    )


def test_an_image_without_classes_has_an_empty_cell_for_its_cam():
    assert pictures(contracts.CAM, cam=np.zeros((0, 4, 6), np.float16)).cam(record(), IMAGE) == {"CAM": None}
    cell = pictures(contracts.CAM, cam=np.eye(4, 6, dtype=np.float16)[None]).cam(record(), IMAGE)["CAM"]
    assert cell.shape == IMAGE.shape and cell.std() > 0


def test_a_prediction_is_the_segmenters_likeliest_class():
    expected = np.zeros((8, 12), np.uint8)
    expected[:, :6] = 2
    found = pictures().predicted(IMAGE)
    assert found.dtype == np.uint8 and np.array_equal(found, expected)


def test_long_names_show_their_end():
    assert short("x" * 21) == "x" * 21 and short("a" + "x" * 21) == "…" + "x" * 20
