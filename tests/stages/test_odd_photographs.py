"""Long and narrow, even, and crowded photographs go from the folder to pseudo labels."""

import numpy as np
import pytest
from PIL import Image

from tests.toy import Toy
from wsss_stages.data.importers.voc_writer import write_boxes
from wsss_stages.data.index import Index
from wsss_stages.shards.manifest import Manifest
from wsss_stages.stages import (
    data,
    s1_classifier,
    s2_cam,
    s3_masks,
    s3_seeds,
    s4_affinity,
    s4_object_net,
    s5_graph,
    s5_object_masks,
    s6_propagate,
    weak_index,
)
from wsss_stages.store import contracts

GRID = [("cat", (7 * x, 7 * y, 7 * x + 7, 7 * y + 7)) for x in range(20) for y in range(15)]
PHOTOGRAPHS = {
    "long": ((480, 24), [("cat", (40, 2, 120, 22))]),
    "narrow": ((24, 360), [("dog", (2, 30, 22, 160))]),
    "white": ((90, 70), [("cat", (10, 10, 50, 60))]),
    "black": ((90, 70), [("dog", (10, 10, 50, 60))]),
    "crowded": ((140, 110), GRID),
}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    toy = Toy(tmp_path_factory.mktemp("odd"))
    root = toy.root / "dataset"
    for name in ("JPEGImages", "Annotations"):
        (root / name).mkdir(parents=True)
    (root / "classes.txt").write_text("background\ncat\ndog\n")
    rng = np.random.default_rng(0)
    for name, ((width, height), boxes) in PHOTOGRAPHS.items():
        pixels = rng.integers(0, 255, (height, width, 3), dtype=np.uint8)
        pixels[:] = {"white": 255, "black": 0}.get(name, pixels)
        Image.fromarray(pixels).save(root / "JPEGImages" / f"{name}.png")
        write_boxes(root / "Annotations" / f"{name}.xml", height, width, boxes)
    data.main(["--root", str(root), "--index", str(toy.full_index), "--dataset", "odd"])
    for stage in (
        weak_index, s1_classifier, s2_cam, s3_masks, s3_seeds, s4_object_net, s5_object_masks, s4_affinity, s5_graph, s6_propagate,
    ):  # fmt: skip
        stage.main(toy.argv(stage.__name__.rpartition(".")[2]))
    return toy


def test_every_one_has_a_pseudo_label_of_its_size_with_its_class(run):
    index, labels = Index.read(run.index), Manifest([run.manifest("s6_propagate")])
    assert sorted(index.splits["train"]) == sorted(PHOTOGRAPHS)
    for record in index.split("train"):
        label = labels.read(record.id, contracts.PSEUDO)["label"]
        assert label.shape == (record.full_height, record.full_width)
        assert set(np.unique(label)) - {0, 255} == set(record.tags)


def test_no_box_of_a_crowd_is_lost_on_the_way_into_the_index(run):
    assert len(Index.read(run.index).records["crowded"].boxes) == 300
