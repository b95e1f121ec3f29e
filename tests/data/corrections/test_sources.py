"""Corrections out of masks, exports and reviews: the same labels as they were drawn, and what is refused."""

import json
import shutil
import zipfile

import numpy as np
import pytest
from PIL import Image

from tests.messages import lacking, raises
from wsss_stages.data.corrections.sources import corrections_of
from wsss_stages.data.corrections.verdicts import Verdict, Verdicts
from wsss_stages.data.findings import DatasetError
from wsss_stages.data.images import read_labels
from wsss_stages.data.index import Index
from wsss_stages.roads.export import export
from wsss_stages.roads.exported import Pictures
from wsss_stages.roads.exported import Run as Exported


def read(path, index):
    made = corrections_of(path, index)
    return {correction.image: correction for correction in made.read()}, made


@pytest.mark.parametrize("to", ["png", "voc", "coco", "yolo", "cvat", "label-studio", "labelme"])
def test_masks_come_back_from_every_format_that_is_written(toy, tmp_path, to):
    out, index = tmp_path / "out", Index.read(toy.full_index)
    pictures = Pictures(Exported.open(toy.root, "truth", True), "truth", True)
    export(pictures, to, out, index.classes, index.dataset)
    found, made = read(out, index)
    assert set(found) == set(index.splits["train"]) and made.count == 8
    assert any("not for training" in text for text in made.notes) and made.notes.counts
    for image, correction in found.items():
        truth = read_labels(index.root / index.records[image].truth)
        known = (truth != 255) & (correction.mask != 255)
        same = known & (truth == correction.mask)
        assert same.sum() >= 0.99 * known.sum() and known.mean() > 0.8
        for cls in index.records[image].tags:
            union = (truth == cls) & known | (correction.mask == cls) & known
            assert ((truth == cls) & (correction.mask == cls)).sum() >= 0.98 * union.sum()


def test_boxes_of_an_export_are_boxes_and_no_mask(toy, tmp_path):
    index = Index.read(toy.full_index)
    export(
        Pictures(Exported.open(toy.root, "boxes", True), "boxes", True), "cvat", tmp_path / "o", index.classes, "toy"
    )
    found, made = read(tmp_path / "o", index)
    assert made.kind == "cvat" and all(c.mask is None for c in found.values())
    for image, correction in found.items():
        assert sorted(correction.boxes) == sorted(index.records[image].full_boxes().tolist())


def test_masks_are_found_by_the_names_of_photographs(run, painted):
    folder = run.root / "masks"
    run.mask(folder, "A.png", painted)
    run.mask(folder, "0123abcd-c1.png", np.pad([[2]], ((4, 19), (20, 9))))
    found, made = read(folder, run.index)
    assert made.kind == "masks" and set(found) == {"a", "c1"} and (found["a"].mask == painted).all()


def test_a_palette_in_the_colours_of_classes_txt_and_other_numbers_of_classes(run, painted):
    folder = run.root / "masks"
    run.mask(folder, "a.png", painted, [0, 0, 0, 1, 2, 3, 250, 0, 0])
    (folder / "classes.txt").write_text("background\ndog #fa0000\ncat #010203\n")
    found, _ = read(folder, run.index)
    assert (found["a"].mask == painted).all()


def test_classes_that_the_run_lacks_are_findings_where_a_mask_shows_them(run, painted):
    folder = run.root / "masks"
    (run.mask(folder, "a.png", painted * 3), run.mask(folder, "c1.png", np.full((24, 30), 2)))
    (folder / "classes.txt").write_text("background\nbird\ndog\ncat\n")
    found, _ = read(folder, run.index)
    assert (found["a"].mask == painted).all() and (found["c1"].mask == 2).all()
    run.mask(folder, "a.png", painted)
    with raises(DatasetError, "1 finding", "a.png ... bird ... dog"):
        corrections_of(folder, run.index)


def test_all_defects_of_masks_are_findings_together(run, painted):
    folder = run.root / "masks"
    run.mask(folder, "a.png", painted[:, 1:])
    run.mask(folder, "c1.png", np.zeros((24, 30)))
    run.mask(folder, "dd22.png", np.full((10, 12), 7))
    with raises(DatasetError, "3 finding", "a.png ... 19x16 ... 20x16", "c1 ... empty", "dd22.png ... values [7]"):
        corrections_of(folder, run.index)


def test_a_mask_counts_more_than_boxes_beside_it_and_these_are_noted(run, painted):
    folder = run.root / "voc_folder"
    run.mask(folder / "SegmentationClass", "a.png", painted)
    (folder / "Annotations").mkdir()
    for image in ("a", "c1"):
        shutil.copy(run.index.root / "Annotations" / f"{image}.xml", folder / "Annotations")
    found, made = read(folder, run.index)
    assert (found["a"].mask == painted).all() and found["a"].boxes is None and len(found["c1"].boxes) == 2
    assert made.notes.counts["boxes of images that have a mask, left out"] == 1


def test_an_empty_mask_of_an_image_without_objects_is_right(run):
    run.mask(run.root / "masks", "dd22.png", np.zeros((10, 12)))
    assert set(read(run.root / "masks", run.index)[0]) == {"dd22"}


def test_images_of_other_projects_and_of_validation(run, painted):
    folder = run.root / "masks"
    run.mask(folder, "stranger.png", painted)
    run.mask(folder, "b.png", painted)
    with raises(DatasetError, "no correction", "stranger.png", "not for training ... b", "another project"):
        corrections_of(folder, run.index)
    run.mask(folder, "a.png", painted)
    notes = corrections_of(folder, run.index).notes
    assert sorted(str(note) for note in notes.values()) == ["1 (b)", "1 (stranger.png)"]


def labelme(folder, name, size, *shapes, **more):
    folder.mkdir(exist_ok=True)
    entries = [
        {"label": label, "points": points, "shape_type": kind, "group_id": None} for label, kind, points in shapes
    ]
    content = {
        "version": "5",
        "imagePath": name,
        "imageHeight": size[1],
        "imageWidth": size[0],
        "shapes": entries,
        **more,
    }
    (folder / f"{name}.json").write_text(json.dumps({"imageData": None, "flags": {}, **content}))


def test_boxes_clicks_and_scribbles_of_a_tool(run):
    folder = run.root / "lm"
    labelme(folder, "a.jpg", (20, 16), ("cat", "rectangle", [[3, 4], [9, 12]]), ("dog", "point", [[12.5, 2]]))
    labelme(folder, "c1.jpg", (30, 24), ("dog", "linestrip", [[16, 8], [25, 8]]))
    found, _ = read(folder, run.index)
    assert found["a"].boxes == [[3, 4, 9, 12]] and found["a"].box_classes == [1] and found["a"].points == [[12, 2, 2]]
    assert (
        found["a"].mask is None
        and set(np.unique(found["c1"].mask)) == {2, 255}
        and (found["c1"].mask[8, 16:26] == 2).all()
    )


def test_a_renamed_photograph_is_found_by_its_bytes_and_else_named(run):
    folder = run.root / "lm"
    labelme(folder, "holiday.jpg", (30, 24), ("cat", "rectangle", [[3, 4], [9, 12]]))
    with raises(DatasetError, "holiday.jpg", "no correction"):
        corrections_of(folder, run.index)
    shutil.copy(run.index.root / "JPEGImages/c1.jpg", folder / "holiday.jpg")
    assert set(read(folder, run.index)[0]) == {"c1"}
    with zipfile.ZipFile(run.root / "lm.zip", "w") as archive:
        for path in folder.iterdir():
            archive.write(path, path.name)
    assert set(read(run.root / "lm.zip", run.index)[0]) == {"c1"}


def test_classes_sizes_and_places_that_do_not_fit_are_findings(run):
    folder = run.root / "lm"
    labelme(folder, "a.jpg", (20, 16), ("horse", "rectangle", [[3, 4], [9, 12]]))
    with raises(DatasetError, "horse", "cat, dog"):
        corrections_of(folder, run.index)
    labelme(folder, "a.jpg", (20, 9), ("cat", "rectangle", [[3, 4], [9, 8]]))
    labelme(folder, "c1.jpg", (30, 24), ("cat", "rectangle", [[3, 4], [90, 8]]))
    with raises(DatasetError, "2 finding", "20x9 ... 20x16", "c1.jpg ... outside"):
        corrections_of(folder, run.index)


def verdict(run, image, state, **more):
    return Verdict(image, state, "Ada", "2026-01-01T00:00:00+00:00", run.index.records[image].sha256, **more)


def test_a_review_gives_what_was_accepted(run, painted):
    verdicts = Verdicts(run.root / "review", run.index.classes)
    name, digest = verdicts.store(painted)
    verdicts.add(verdict(run, "a", "accept", how="painted", mask=name, mask_sha256=digest))
    verdicts.add(verdict(run, "c1", "accept", how="boxes", boxes=[[1, 2, 9, 8]], box_classes=[2]))
    verdicts.add(verdict(run, "dd22", "fix", mask=name, mask_sha256=digest))
    for path in (run.root / "review", run.root / "review/verdicts.jsonl"):
        found, made = read(path, run.index)
        assert set(found) == {"a", "c1"} and (found["a"].mask == painted).all() and found["a"].who == "Ada"
        assert found["c1"].mask is None and found["c1"].boxes == [[1, 2, 9, 8]] and not lacking(str(made.notes), "dd22")
    (run.root / "review/masks" / name).write_bytes(b"")
    with raises(DatasetError, name, "Accept the image once more"):
        corrections_of(run.root / "review", run.index)


def test_a_half_written_line_is_no_verdict_and_the_next_one_takes_its_place(run):
    folder = run.root / "review"
    Verdicts(folder, run.index.classes).add(verdict(run, "a", "skip"))
    with (folder / "verdicts.jsonl").open("ab") as file:
        file.write(b'{"image": "c1", "sta')
    again = Verdicts(folder, run.index.classes)
    assert set(again.by_image) == {"a"}
    again.add(verdict(run, "c1", "fix"))
    assert {k: v.state for k, v in Verdicts(folder, run.index.classes).by_image.items()} == {"a": "skip", "c1": "fix"}
    with raises(DatasetError, "horse"):
        Verdicts(folder, ["background", "horse"])


@pytest.mark.parametrize("what", ["nothing", "text", "photographs"])
def test_what_is_no_correction_is_named(run, what):
    path = run.root / what
    if what == "text":
        path.mkdir()
        (path / "readme.md").write_text("hello")
    if what == "photographs":
        path.mkdir()
        Image.new("RGB", (20, 16)).save(path / "a.jpg")
    with raises(DatasetError, what):
        corrections_of(path, run.index)
