"""Saliency maps: what the index knows of them, and every refusal."""

import numpy as np
import pytest
from PIL import Image

from tests.messages import lacking, raises
from wsss_stages.data.findings import DatasetError
from wsss_stages.data.importers.voc import import_voc
from wsss_stages.data.index import Index
from wsss_stages.store import artifacts


@pytest.fixture
def folder(voc, tmp_path):
    """A folder of its own with a map of the training image `a`: the left half is salient."""
    made = tmp_path / "saliency"
    made.mkdir()
    Image.fromarray(left_half(16, 20)).save(made / "a.png")
    return made


def left_half(h, w):
    grey = np.zeros((h, w), np.uint8)
    grey[:, : w // 2] = 255
    return grey


def only_finding(voc, folder):
    with pytest.raises(DatasetError) as caught:
        import_voc("toy", voc.root, saliency=folder)
    (found,) = caught.value.findings
    return str(found)


def test_training_images_have_a_map_and_validation_images_need_none(voc, folder, tmp_path):
    import_voc("toy", voc.root, saliency=folder).write(tmp_path / "index.json")
    index = Index.read(tmp_path / "index.json")
    a, b = index.records["a"], index.records["b"]
    assert (a.saliency, a.saliency_sha256) == (str(folder / "a.png"), artifacts.sha256(folder / "a.png"))
    assert b.saliency is None and index.saliency(b) is None
    np.testing.assert_array_equal(index.saliency(a), left_half(16, 20) / 255)
    assert index.saliency(a).dtype == np.float32


def test_a_map_inside_the_dataset_is_relative_to_it(voc):
    voc.mask("a", left_half(16, 20), "Saliency")
    index = import_voc("toy", voc.root, saliency=voc.root / "Saliency")
    assert index.records["a"].saliency == "Saliency/a.png" and index.saliency(index.records["a"]).max() == 1


def test_a_map_is_as_large_as_the_image_that_stages_work_on(voc, folder):
    index = import_voc("toy", voc.root, max_side=10, saliency=folder)
    np.testing.assert_array_equal(index.saliency(index.records["a"]), left_half(8, 10) / 255)


def test_only_runs_on_tags_depend_on_it(voc, folder):
    without, index = import_voc("toy", voc.root), import_voc("toy", voc.root, saliency=folder)
    for weak, uses in (("tag", True), ("box", False), ("scribble", False), ("point", False)):
        found = index.with_weak(weak).records["a"]
        assert (found.saliency is not None) == uses
        assert (found.evidence() != without.with_weak(weak).records["a"].evidence()) == uses


def test_a_map_that_changed_is_refused(voc, folder):
    index = import_voc("toy", voc.root, saliency=folder)
    Image.fromarray(left_half(8, 10)).save(folder / "a.png")
    with raises(artifacts.ContractError, "a.png", "changed", "snakemake --forcerun data"):
        index.saliency(index.records["a"])


@pytest.mark.parametrize(
    "image, words",
    [
        (Image.new("L", (16, 20)), ["16x20 ... 20x16"]),
        (Image.new("RGB", (20, 16)), ["mode RGB", "8-bit grey PNG"]),
        (Image.new("P", (20, 16)), ["mode P", "8-bit grey PNG"]),
        (Image.new("I;16", (20, 16)), ["mode I;16", "8-bit grey PNG"]),
        (None, ["file", "training image", "data.saliency"]),
    ],
    ids=["size", "colour", "palette", "16-bit", "missing"],
)
def test_bad_maps(voc, folder, image, words):
    (folder / "a.png").unlink()
    if image:
        image.save(folder / "a.png")
    found = only_finding(voc, folder)
    assert found.startswith(f"{folder / 'a.png'}: ") and not lacking(found, *words)


def test_a_damaged_map(voc, folder):
    (folder / "a.png").write_bytes((folder / "a.png").read_bytes()[:48])
    assert not lacking(only_finding(voc, folder), "a.png", "damaged", "48 bytes")


def test_a_folder_that_is_not_there(voc, tmp_path):
    assert not lacking(only_finding(voc, tmp_path / "nowhere"), f"{tmp_path / 'nowhere'}: ", "saliency")
