"""A finished run on the user's own folder, then one change: which jobs the very same command starts."""

import json
import os
import re
import shutil

import numpy as np
import pytest
from PIL import Image

from tests.messages import lacking
from tests.workflow.jobs import nothing, planned, started

pytestmark = pytest.mark.slow

SEEDS = "results/mine/mixed/ours/s3_seeds/train/1-of-1.json"
CHAIN = {"data": 1, "weak_index": 1, "s1_classifier": 1, "s2_cam": 1, "s3_masks": 1, "s3_seeds": 1}
IMAGE = "scene_0003"


def again(mine, *arguments):
    """What a dry run plans, and what the run then does; after it nothing is to be done."""
    plan, output = planned(mine.run("-n", *arguments)), mine.run(*arguments)
    assert nothing(mine.run("-n", *arguments))
    return plan, started(output)


def trained(project, log):
    """Whether a training's last run took a step."""
    return bool(lacking((project.folder / f"logs/{log}.log").read_text(), "unchanged ... weights.safetensors"))


def appended(path):
    path.write_bytes(path.read_bytes() + b"\n")


def added(path):
    shutil.copy(path, path.with_name(f"new{path.suffix}"))


EDITS = {  # one of each folder that the settings name; tests/data/test_changes.py has the kinds of files
    "a photograph": (f"mine/JPEGImages/{IMAGE}.jpg", os.utime),
    "a box": (f"weak/Annotations/{IMAGE}.xml", appended),
    "a saliency map": (f"salient/{IMAGE}.png", added),
}


def test_every_folder_is_watched_and_an_untouched_one_starts_nothing(mine):
    assert nothing(mine.run("-n"))
    for what, (name, edit) in EDITS.items():
        path = mine.folder / name
        status, content = path.stat(), path.read_bytes()
        edit(path)
        assert planned(mine.run("-n")) == {"data": 1}, what
        path.with_name(f"new{path.suffix}").unlink(missing_ok=True)
        path.write_bytes(content)
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert nothing(mine.run("-n"))


@pytest.mark.parametrize("limit", ["1000000", "10"])
def test_a_touched_but_equal_file_starts_data_alone_however_large_the_index_is(mine, limit):
    """`limit`: bytes of the files that Snakemake compares by content."""
    os.utime(mine.dataset / "JPEGImages" / f"{IMAGE}.jpg")
    assert again(mine, "--max-checksum-file-size", limit) == ({"data": 1}, {"data": 1})


def test_an_edited_box_makes_its_image_again_and_no_training_that_does_not_see_it(mine):
    seeds = sorted((mine.folder / "results/mine/mixed/ours/s3_seeds/train/seeds").iterdir())
    before = {path: path.stat().st_ino for path in seeds}
    xml = mine.weak / "Annotations" / f"{IMAGE}.xml"
    left, right = (int(re.search(rf"<{side}>(\d+)", xml.read_text())[1]) for side in ("xmin", "xmax"))
    xml.write_text(xml.read_text().replace(f"<xmax>{right}<", f"<xmax>{(left + right) // 2}<", 1))
    assert again(mine) == ({"data": 1}, CHAIN)
    assert {path.stem for path, inode in before.items() if path.stat().st_ino != inode} == {IMAGE}
    assert not trained(mine, "mine/s1_classifier")


def test_an_edited_true_mask_changes_the_index_for_the_scores(mine):
    index = mine.folder / "results/mine/index.json"
    before, mask = index.read_bytes(), mine.dataset / "SegmentationClass" / "scene_0006.png"
    with Image.open(mask) as image:
        labels, palette = np.array(image), image.getpalette()
    labels[:2] = 255
    changed = Image.fromarray(labels)
    changed.putpalette(palette)
    changed.save(mask)
    mine.run("--until", "data")
    assert index.read_bytes() != before


def test_a_broken_file_is_told_and_mended_by_the_same_command(mine):
    xml = mine.weak / "Annotations" / f"{IMAGE}.xml"
    whole = xml.read_text()
    xml.write_text(whole[:-20])
    assert planned(mine.run("-n")) == {"data": 1}
    mine.run(fails=True)
    assert xml.name in (mine.folder / "logs/mine/data.log").read_text()
    xml.write_text(whole)
    assert started(mine.run()) == {"data": 1} and nothing(mine.run("-n"))


def test_the_folder_of_a_demo_does_not_count(own):
    for path in (own.folder / "results/scenes/dataset/JPEGImages").iterdir():
        os.utime(path)
    assert nothing(own.snakemake("-n"))


@pytest.mark.parametrize("lose", [os.unlink, lambda path: path.write_bytes(b"")])
def test_lost_artifacts_are_named_and_made_again_by_the_same_command(mine, lose):
    folder = mine.folder / SEEDS
    files = [folder.parent / "seeds" / f"{IMAGE}.png", folder.parent / "grabcut" / f"{IMAGE}.png"]
    contents, manifest = [path.read_bytes() for path in files], folder.read_bytes()
    for path in files:
        lose(path)
    output = mine.run("-n")
    assert planned(output) == {"s3_seeds": 1} and f"snakemake {SEEDS} --forcerun {SEEDS}" in output
    mine.run()
    assert [path.read_bytes() for path in files] == contents and folder.read_bytes() == manifest
    assert nothing(mine.run("-n"))


def test_a_lost_artifact_of_an_earlier_stage_is_made_again_and_what_follows_is_as_it_was(mine):
    cam = mine.folder / "results/mine/s2_cam/train/cam" / f"{IMAGE}.h5"
    before = cam.read_bytes(), (mine.folder / SEEDS).read_bytes()
    cam.unlink()
    assert again(mine) == ({"s2_cam": 1, "s3_seeds": 1}, {"s2_cam": 1, "s3_seeds": 1})
    assert (cam.read_bytes(), (mine.folder / SEEDS).read_bytes()) == before


def test_another_number_of_shards_trains_nothing_and_gives_the_same_predictions(own):
    weights = sorted((own.folder / "results/scenes").rglob("weights.safetensors"))
    before = {path: path.read_bytes() for path in weights}
    score = "results/scenes/box/ours/s9_evaluate/val/scores.json"
    miou = json.loads((own.folder / score).read_text())
    assert started(own.snakemake("--config", "shards=2"))["s3_seeds"] == 2
    assert {path: path.read_bytes() for path in weights} == before
    assert json.loads((own.folder / score).read_text()) == miou
    stages = ("s4_affinity", "s4_object_net", "s7_segment")
    assert not any(trained(own, f"scenes/box/ours/{stage}") for stage in stages)
    assert nothing(own.snakemake("-n", "--config", "shards=2"))
