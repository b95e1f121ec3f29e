"""Documents that test_fuzz.py found before the importers were made safe: each once ended in a traceback."""

import copy
import io
import json

import pytest
from PIL import Image

from tests.messages import lacking, raises
from wsss_stages.data import instances
from wsss_stages.data.findings import DatasetError
from wsss_stages.data.images import ImageError, read_photo
from wsss_stages.data.importers.coco import import_coco
from wsss_stages.data.importers.voc import import_voc
from wsss_stages.store import artifacts

COCO = {
    "images": [{"id": 1, "file_name": "a.jpg", "width": 20, "height": 16}],
    "categories": [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}],
    "annotations": [
        {"id": 1, "image_id": 1, "category_id": 1, "bbox": [2, 3, 8, 9], "segmentation": {"size": [16, 20], "counts": [320]}}
    ],
}  # fmt: skip


def changed(value, *keys):
    """COCO's with another value at a place; `...` takes it away."""
    content = node = copy.deepcopy(COCO)
    for key in keys[:-1]:
        node = node[key]
    if value is ...:
        del node[keys[-1]]
    else:
        node[keys[-1]] = value
    return content


@pytest.mark.parametrize(
    "name, content, word",
    [
        ("points.json", b'{\x00"a": []}', "JSON ("),
        ("points.json", b"\x80{}", "UTF-8"),
        ("points.json", b'0{"a": []}', "JSON ("),
        ("points.json", b'{"a": null}', "{id: [{x, y, cls}]}"),
        ("points.json", b"null", "{id: [{x, y, cls}]}"),
        ("background_points.json", b"\x00{}", "JSON ("),
        ("tags.csv", b"\x80id,class\na,dog\na,cat\nb,\n", "UTF-8"),
        ("classes.txt", b"\x80background\ncat\ndog\n", "UTF-8"),
        ("ImageSets/Segmentation/train.txt", b"\x80a\n", "UTF-8"),
    ],
)
def test_a_folder_in_voc_layout(voc, name, content, word):
    (voc.root / name).write_bytes(content)
    with pytest.raises(DatasetError) as caught:
        import_voc("toy", voc.root)
    assert not lacking(str(caught.value.findings[0]), f"{name}: ", word)


@pytest.mark.parametrize(
    "content, words",
    [
        (changed([], "categories", 0, "id"), ["categories", "([], 'cat')"]),
        (changed([], "annotations", 0, "category_id"), ["annotation 1", "category []"]),
        (changed(None, "categories", 0), ["None", "categories", "objects"]),
        (changed([], "annotations", 0), ["[]", "annotations", "objects"]),
        (changed("x", "images", 0), ["x", "images", "objects"]),
        (changed([], "annotations", 0, "image_id"), ["annotation", "image []"]),
        (changed({}, "images", 0, "id"), ["image {}"]),
        (changed(10**400, "annotations", 0, "bbox", 1), ["annotation 1", "box", "four", "finite"]),
        (changed(..., "images", 0, "id"), ["image None"]),
    ],
)
def test_a_coco_folder(voc, tmp_path, content, words):
    (voc.root / "annotations").mkdir()
    (voc.root / "JPEGImages").rename(voc.root / "train")
    (voc.root / "annotations" / "instances_train.json").write_text(json.dumps(content))
    with pytest.raises(DatasetError) as caught:
        import_coco("toy", voc.root, "train", "val", tmp_path / "truth")
    assert not lacking(str(caught.value.findings[0]), "instances_train.json", *words)


@pytest.mark.parametrize(
    "content",
    [
        None,
        {},
        changed(None, "images"),
        changed("", "images"),
        changed("x", "images", 0),
        changed(..., "images", 0, "file_name"),
        changed(..., "annotations", 0, "bbox"),
        changed([], "annotations", 0, "bbox"),
        changed(None, "annotations", 0, "bbox"),
        changed([None] * 4, "annotations", 0, "bbox"),
        changed(..., "annotations", 0, "category_id"),
        changed(9, "annotations", 0, "category_id"),
        changed([1 << 20, 1 << 20], "annotations", 0, "segmentation", "size"),
        changed("o" * 100_000, "annotations", 0, "segmentation", "counts"),
    ],
)
def test_instances(voc, content):
    index = import_voc("toy", voc.root)
    if (
        content
        and content.get("images")
        and isinstance(content["images"][0], dict)
        and "file_name" in content["images"][0]
    ):
        content["images"][0]["file_name"] = "JPEGImages/a.jpg"
    with raises(artifacts.ContractError, "here", "JSON ... instances", "snakemake --forcerun s6_instance_masks"):
        instances.by_photo(content, index, "here")


@pytest.mark.parametrize("at, more", [(2, b"\0"), (8, b"\0\0\0\0")])
def test_tags_of_a_photograph_that_lead_nowhere(tmp_path, at, more):
    """Pillow warns, which is an error here; it may read such a photograph or not."""
    made = io.BytesIO()
    Image.new("RGB", (20, 16)).save(made, "TIFF", compression="tiff_lzw")
    content = made.getvalue()
    (tmp_path / "a.tif").write_bytes(content[:at] + more + content[at:])
    try:
        assert read_photo(tmp_path / "a.tif").ndim == 3
    except ImageError as error:
        assert not lacking(str(error), "damaged", str((tmp_path / "a.tif").stat().st_size))
