"""s3_masks on the toy: the user's own masks, a tiny random SAM 2 for every kind of weak label, and the seeds made from them."""

import numpy as np
import pytest
from PIL import Image

from tests.messages import raises
from wsss_stages import UNKNOWN
from wsss_stages.commands.tiny_models import write
from wsss_stages.data.index import Index
from wsss_stages.labels.prompt_masks import StoredMasks
from wsss_stages.shards.manifest import Manifest
from wsss_stages.stages import s3_masks, s3_seeds, weak_index
from wsss_stages.store import contracts


class Run:
    """Masks and seeds of the toy's images from one kind of weak label."""

    def __init__(self, toy, root, weak):
        self.toy, self.root, self.index = toy, root, root / "index.json"
        weak_index.main(["--index", str(toy.full_index), "--weak", weak, "--out", str(self.index)])
        self.masks, self.seeds = root / "s3_masks" / "1-of-1.json", root / "s3_seeds" / "1-of-1.json"

    def argv(self, *more):
        return [str(a) for a in ("--index", self.index, "--cam", self.toy.manifest("s2_cam"), *more)]

    def run(self, *options):
        s3_masks.main(self.argv("--manifest", self.masks, *options))
        s3_seeds.main(self.argv("--masks", self.masks, "--manifest", self.seeds, "--crf.iterations", 2))
        return Manifest([self.masks, self.seeds])

    def records(self):
        return Index.read(self.index).split("train")


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sam2")
    write("sam2", folder)
    return folder


def test_masks_of_ones_own_are_the_labels_and_a_changed_file_remakes_its_image(toy, tmp_path):
    run, folder = Run(toy, tmp_path, "box"), tmp_path / "own"
    for record in run.records():
        for number, (x0, y0, x1, y1) in enumerate(record.boxes[1:], 1):
            mask = np.zeros((record.height, record.width), np.uint8)
            mask[y0 : (y0 + y1) // 2, x0:x1] = 255
            (folder / record.id).mkdir(parents=True, exist_ok=True)
            Image.fromarray(mask).save(folder / record.id / f"{number}.png")
    options = ("--source", "folder", "--folder", folder)
    found = run.run(*options)
    for record in run.records():
        stored = StoredMasks(found.read(record.id, contracts.MASKS), record.width)
        assert stored.substituted.tolist() == [number == 0 for number in range(len(record.boxes))]
        x0, y0, x1, y1 = record.boxes[0]
        assert stored.hard[0].sum() == (x1 - x0) * (y1 - y0) and len(found.read(record.id, contracts.MASKS)["P"]) == 0
        M_B = found.read(record.id, contracts.GRABCUT)["label"]
        outside = ~stored.hard.any(axis=0)
        assert (M_B[outside] == 0).all() and (M_B[~outside] > 0).all()
    boxes = [len(record.boxes) for record in run.records()]
    assert found.notes["mask_missing"] == found.notes["boxes_substituted"] == len(boxes)
    assert found.notes["prompts"] == found.notes["boxes"] == sum(boxes)

    times = {p.stem: p.stat().st_mtime_ns for p in run.masks.parent.glob("masks/*.h5")}
    changed = next(path for path in folder.rglob("*.png"))
    Image.fromarray(np.asarray(Image.open(changed)) // 2).save(changed)
    again = run.run(*options)
    assert {p.stem for p in run.masks.parent.glob("masks/*.h5") if p.stat().st_mtime_ns != times[p.stem]} == {
        changed.parent.name
    }
    assert len(again.read(changed.parent.name, contracts.MASKS)["P"]) > 0, "a grey mask is a soft one"


@pytest.mark.parametrize("weak", ["box", "scribble", "point", "tag", "mixed"])
def test_a_promptable_network_serves_every_kind_of_label(toy, model, tmp_path, weak):
    run = Run(toy, tmp_path, weak)
    found = run.run("--source", "sam", "--model", model, "--prompts-at-once", 4)
    index, kinds = Index.read(run.index), set()
    for record in run.records():
        stored = found.read(record.id, contracts.MASKS)
        masks = StoredMasks(stored, record.width)
        kinds |= set(stored["kind"].tolist())
        assert set(stored["classes"].tolist()) <= set(record.tags) and masks.of("box").sum() == len(record.boxes)
        seeds = found.read(record.id, contracts.SEEDS)["label"]
        assert set(np.unique(seeds).tolist()) <= {0, UNKNOWN, *record.tags}
        if weak in ("scribble", "point", "mixed"):
            M_S = found.read(record.id, contracts.EXPANDED)["label"]
            marks = index.scribble_labels(record)
            known = marks != UNKNOWN if marks is not None else np.zeros(1, bool)
            assert weak == "point" or (M_S[known] == marks[known]).all()
            assert weak == "scribble" or all(M_S[y, x] in (c, *stored["classes"]) for x, y, c in record.points)
    assert kinds == {"box": {0}, "scribble": {1}, "point": {2}, "tag": {3}, "mixed": {0, 1, 2}}[weak]
    assert found.notes["prompts"] > 0


def test_prompts_from_cams_and_masks_of_boxes_are_missed_where_they_are_not_given(toy, model, tmp_path):
    for weak, words in (("point", ["--cam", "s2_cam"]), ("box", ["--masks", "s3_masks"])):
        run = Run(toy, tmp_path / weak, weak)
        stage, more = (
            (s3_masks, ["--source", "sam", "--model", model])
            if weak == "point"
            else (s3_seeds, ["--cam", toy.manifest("s2_cam")])
        )
        argv = ["--index", run.index, "--manifest", run.masks, *more]
        with raises(ValueError, weak, *words):
            stage.main([str(a) for a in argv])
