"""Scribbles, points, tags and all of them together through the stages that boxes go through too (Sec. 3.6)."""

import numpy as np
import pytest
from skimage.segmentation import slic

from tests.messages import raises
from wsss_stages.config.options import KINDS
from wsss_stages.data.index import Index
from wsss_stages.labels import cam as cams
from wsss_stages.labels import superpixels
from wsss_stages.roads import report_tables
from wsss_stages.shards.manifest import Manifest
from wsss_stages.stages import (
    cli,
    s3_masks,
    s3_seeds,
    s4_affinity,
    s4_object_net,
    s5_graph,
    s5_object_masks,
    s6_propagate,
    weak_index,
)
from wsss_stages.store import artifacts, contracts

SECTIONS = {"s4_affinity": "affinity", "s5_graph": "graph", "s6_propagate": "propagate"}


class Run:
    """The toy's images under one kind of weak label."""

    def __init__(self, toy, weak, root, full_index=None):
        self.weak, self.root = weak, root
        self.index_path = root / "index.json"
        self.affinity = root / "s4_affinity" / "weights.safetensors"
        weak_index.main(["--index", str(full_index or toy.full_index), "--weak", weak, "--out", str(self.index_path)])
        self.index = Index.read(self.index_path)
        cam, seeds, graph = toy.manifest("s2_cam"), self.path("s3_seeds"), self.path("s5_graph")
        self.cams = Manifest([cam])
        masks = ["--masks", str(self.path("s3_masks"))]
        if weak == "mixed":
            s3_masks.main(self.argv("s3_masks"))
        s3_seeds.main([*self.argv("s3_seeds"), "--cam", str(cam), *(masks if weak == "mixed" else [])])
        s4_affinity.main(
            [
                *self.flags("s4_affinity"), "--index", str(self.index_path), "--seeds-manifests", str(seeds), "--classifier", str(toy.classifier),
                "--weights", str(self.affinity), "--epochs", "1", "--radius", "2", "--crop", "96", "--batch-size", "4",
                "--workers", "0",
            ]
        )  # fmt: skip
        common = ["--seeds-manifest", str(seeds), "--affinity", str(self.affinity)]
        fixed = ["--walk-powers", "[8]", "--walk-steps", "[64]"]
        s5_graph.main([*self.argv("s5_graph"), *common, *fixed, "--cam", str(cam)])
        if weak == "mixed":
            net, objects = str(root / "s4_object_net" / "weights.safetensors"), self.path("s5_object_masks")
            toy_argv = toy.argv("s4_object_net")
            tail = toy_argv[toy_argv.index("--epochs") :]
            start = ["--index", str(self.index_path)]
            s4_object_net.main([*start, *masks, "--classifier", str(toy.classifier), "--weights", net, *tail])
            s5_object_masks.main([*start, *masks, "--object-net", net, "--manifest", str(objects)])
            common += ["--objects", str(objects)]
        self.last = [*common, "--graph", str(graph), "--epochs-first", "3", "--epochs-second", "3", "--features", "32"]
        s6_propagate.main([*self.argv("s6_propagate"), *self.last])

    def path(self, stage):
        return self.root / stage / "train" / "1-of-1.json"

    def flags(self, stage):
        values = KINDS[self.weak].get(SECTIONS.get(stage), {})
        return [word.strip("'\"") for word in cli.flags(values).split()]

    def argv(self, stage, out=None):
        return [*self.flags(stage), "--index", str(self.index_path), "--manifest", str(out or self.path(stage))]

    def read(self, stage, contract, image_id):
        return Manifest([self.path(stage)]).read(image_id, contract)


@pytest.fixture(scope="module", params=["scribble", pytest.param("point", marks=pytest.mark.slow), "tag"])
def run(request, toy, tmp_path_factory):
    return Run(toy, request.param, tmp_path_factory.mktemp(request.param))


def test_seeds_are_marks_over_the_confident_part_of_the_cams(run):
    for record in run.index.split("train"):
        seeds, full, M_I = (
            run.read("s3_seeds", c, record.id)["label"]
            for c in (contracts.SEEDS, contracts.SEEDS_FULL, contracts.CAM_LABEL)
        )
        if run.weak == "tag":
            assert (full == M_I).all() and ((seeds == M_I) | (seeds == 255)).all()
            continue
        image = record.image(run.index.root)
        parts = slic(image, n_segments=400, compactness=10.0, start_label=0)
        marks = (
            run.index.scribble_labels(record)
            if run.weak == "scribble"
            else superpixels.clicked(record.points, *image.shape[:2])
        )
        M_S = run.read("s3_seeds", contracts.EXPANDED, record.id)["label"]
        np.testing.assert_array_equal(M_S, superpixels.spread(marks, parts))
        assert (M_S != 255).any()
        assert (seeds[M_S != 255] == M_S[M_S != 255]).all() and (full[M_S == 255] == M_I[M_S == 255]).all()


def test_seeds_have_background_and_the_notes_tell_how_much(run):
    counted = {"pixels": 0, "background": 0, "foreground": 0, "classes": 0, "classes_lost": 0}
    for record in run.index.split("train"):
        seeds = run.read("s3_seeds", contracts.SEEDS, record.id)["label"]
        values = [int(v) for v in seeds.ravel()]
        counted["pixels"] += len(values)
        counted["background"] += values.count(0)
        counted["foreground"] += sum(0 < v < 255 for v in values)
        counted["classes"] += len(record.tags)
        counted["classes_lost"] += sum(c not in values for c in record.tags)
    notes = Manifest([run.path("s3_seeds")]).notes
    assert {name: notes[f"seeds_{name}"] for name in counted} == counted
    assert counted["background"] > 0.05 * counted["pixels"] and counted["foreground"] > 0
    rows = dict(report_tables.substitutions(notes))
    assert rows["seeds_background_share, %"] == pytest.approx(100 * counted["background"] / counted["pixels"])
    assert rows["seeds_classes_lost, %"] == pytest.approx(100 * counted["classes_lost"] / counted["classes"])
    assert not any(name in rows for name in notes if name.startswith("seeds_"))


def test_labels_are_of_the_images_tags_and_not_bound_to_boxes(run):
    for record in run.index.split("train"):
        found = run.read("s6_propagate", contracts.PSEUDO, record.id)["label"]
        assert record.boxes == [] and set(np.unique(found)) <= {0, *record.tags}


def test_the_walk_starts_where_its_kind_says(run, tmp_path, toy):
    """Node k of the toy's network, which was drawn at random, lies at pixel 8 k."""
    argv = [
        *run.argv("s5_graph", tmp_path / "1-of-1.json"),
        "--walk-powers",
        "[8]",
        "--walk-steps",
        "[0]",
        "--affinity",
        str(run.affinity),
    ]
    s5_graph.main([*argv, "--cam", str(toy.manifest("s2_cam")), "--seeds-manifest", str(run.path("s3_seeds"))])
    record = run.index.split("train")[0]
    made = Manifest([tmp_path / "1-of-1.json"])
    P = made.read(record.id, contracts.WALK)["P"]
    if run.weak == "tag":
        cam = run.cams.read(record.id, contracts.CAM)["cam"].astype(np.float32)
        scores = cams.with_background(cams.enlarge(cam, record.height, record.width), 6.0)
        rows, columns = ([range(max(0, 8 * k - 4), min(8 * k + 4, n)) for k in range(n // 8)] for n in scores.shape[1:])
        rows[-1], columns[-1] = range(rows[-1].start, record.height), range(columns[-1].start, record.width)
        expected = [[scores[:, y][..., x].mean(axis=(1, 2)) for x in columns] for y in rows]
        np.testing.assert_allclose(P, np.transpose(expected, (2, 0, 1)), atol=1e-3)
    else:
        contract = contracts.EXPANDED if run.weak == "scribble" else contracts.SEEDS
        label = run.read("s3_seeds", contract, record.id)["label"][::8, ::8]
        np.testing.assert_array_equal(P, [label == c for c in (0, *record.tags)])


def test_the_random_walk_has_its_share(run, tmp_path):
    """At a share of 1, without CRF, the label is the walk's."""
    out = tmp_path / "1-of-1.json"
    s6_propagate.main([*run.argv("s6_propagate", out), *run.last, "--walk-share", "1", "--crf.iterations", "0"])
    found = Manifest([out])
    for record in run.index.split("train"):
        label = found.read(record.id, contracts.PSEUDO)["label"]
        walked = run.read("s5_graph", contracts.RANDOM_WALK, record.id)["label"]
        assert (label == walked).mean() > 0.99, "but for rounding to 16 bits"


def test_seeds_need_the_index_of_one_kind(toy, tmp_path):
    argv = [
        "--index",
        str(toy.full_index),
        "--cam",
        str(toy.manifest("s2_cam")),
        "--manifest",
        str(tmp_path / "1-of-1.json"),
    ]
    with raises(ValueError, str(toy.full_index), "every kind", "python -m wsss_stages.stages.weak_index"):
        s3_seeds.main(argv)


def test_a_walk_from_cams_needs_them(toy, tmp_path):
    with raises(ValueError, "--seeds cam", "--cam", "s2_cam"):
        s5_graph.main([*toy.argv("s5_graph", tmp_path), "--seeds", "cam"])


ORDER = ("truth", "scribble", "point", "box", "tag")


def keep_one(root, record, kind):
    """Leave one kind of label of a record, as it stands in index.json."""
    boxes, points = ("box",), ("point",)
    if kind not in boxes:
        record["boxes"], record["box_classes"] = [], []
    if kind not in points:
        record["points"] = []
    if kind != "scribble":
        record["scribbles"], record["scribbles_sha256"], record["scribble_classes"] = None, "", []
    if kind == "truth":
        record["truth_sha256"] = artifacts.sha256(root / record["truth"])
    record["kinds"] = [kind]


@pytest.fixture(scope="module")
def mixed(toy, tmp_path_factory):
    """Training images that carry one kind each, in turns."""
    folder = tmp_path_factory.mktemp("mixed")
    content = toy.read_index(toy.full_index)
    train = content["splits"]["train"]
    root = Index.read(toy.full_index).root
    for record in content["records"]:
        if record["id"] in train:
            keep_one(root, record, ORDER[train.index(record["id"]) % len(ORDER)])
    toy.write_index(folder / "full.json", content)
    return Run(toy, "mixed", folder, folder / "full.json")


def test_every_image_is_seeded_by_what_it_has(mixed):
    for number, record in enumerate(mixed.index.split("train")):
        seeds, M_S, M_B, M_I = (
            mixed.read("s3_seeds", c, record.id)["label"]
            for c in (contracts.SEEDS, contracts.EXPANDED, contracts.GRABCUT, contracts.CAM_LABEL)
        )
        truth = record.truth_labels(mixed.index.root)
        kind = ORDER[number % len(ORDER)]
        assert record.kinds == [kind]
        if kind == "truth":
            assert (seeds[truth != 255] == truth[truth != 255]).all()
        elif kind in ("scribble", "point"):
            assert (M_S != 255).any() and (seeds[M_S != 255] == M_S[M_S != 255]).all() and (M_B == 255).all()
        elif kind == "box":
            assert (seeds == M_B).all() and (M_S == 255).all()
        else:
            assert (M_S == 255).all() and (M_B == 255).all() and ((seeds == M_I) | (seeds == 255)).all()


def test_truth_stays_truth(mixed):
    for number, record in enumerate(mixed.index.split("train")):
        found = mixed.read("s6_propagate", contracts.PSEUDO, record.id)["label"]
        truth = record.truth_labels(mixed.index.root)
        same = (found == truth)[truth != 255].mean()
        assert (same == 1) == (ORDER[number % len(ORDER)] == "truth"), "truth that is for scores only is not looked at"


def test_precedence_where_one_image_has_all(toy, tmp_path):
    """Truth over scribbles over points over boxes over tags, pixel by pixel."""
    content = toy.read_index(toy.full_index)
    root = Index.read(toy.full_index).root
    record = next(r for r in content["records"] if r["id"] == content["splits"]["train"][0])
    record["truth_sha256"] = artifacts.sha256(root / record["truth"])
    record["kinds"].append("truth")
    toy.write_index(tmp_path / "full.json", content)
    weak_index.main(["--index", str(tmp_path / "full.json"), "--weak", "mixed", "--out", str(tmp_path / "index.json")])
    out = tmp_path / "s3_seeds" / "1-of-1.json"
    index, masks = ["--index", str(tmp_path / "index.json")], str(tmp_path / "s3_masks" / "1-of-1.json")
    s3_masks.main([*index, "--manifest", masks])
    s3_seeds.main([*index, "--cam", str(toy.manifest("s2_cam")), "--masks", masks, "--manifest", str(out)])
    found, index = Manifest([out]), Index.read(tmp_path / "index.json")
    for number, record in enumerate(index.split("train")):
        layers = [found.read(record.id, c)["label"] for c in (contracts.EXPANDED, contracts.GRABCUT)]
        if number == 0:
            layers.insert(0, record.truth_labels(index.root))
        seeds = found.read(record.id, contracts.SEEDS)["label"]
        for y in range(0, record.height, 7):
            for x in range(0, record.width, 7):
                known = [layer[y, x] for layer in layers if layer[y, x] != 255]
                assert seeds[y, x] == known[0]
