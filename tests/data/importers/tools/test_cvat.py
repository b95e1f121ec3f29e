"""CVAT for images 1.1 and Datumaro: shapes of every kind, and what is wrong with them."""

import numpy as np
import pytest

from tests.data.importers.tools.conftest import labels_of
from tests.messages import only
from wsss_stages import UNKNOWN
from wsss_stages.data import rle

META = "<meta><task><labels>{}</labels></task></meta>"


def label(*names):
    return "".join(f"<label><name>{name}</name><color>#ff0000</color></label>" for name in names)


def image(*shapes, name="a.jpg", size='width="20" height="16"', more=""):
    return f'<image id="0" name="{name}" {size} {more}>{"".join(shapes)}</image>'


def xml(*images, labels=("dog", "cat")):
    return f"<annotations><version>1.1</version>{META.format(label(*labels))}{''.join(images)}</annotations>"


BOX = '<box label="cat" occluded="0" xtl="2.00" ytl="4.00" xbr="10.00" ybr="12.00" z_order="0"></box>'
POLYGON = '<polygon label="dog" points="2.0,4.0;10.0,4.0;10.0,12.0;2.0,12.0"></polygon>'
MASK = '<mask label="dog" rle="1, 2, 3, 6" left="3" top="5" width="4" height="3"></mask>'
LINE = '<polyline label="dog" points="1.0,1.0;18.0,1.0"></polyline>'
CLICKS = '<points label="cat" points="3.5,5.2;12.0,9.9"></points>'
TAG = '<tag label="dog" source="manual"></tag>'


@pytest.fixture
def cvat(export):
    export.photo("images/a.jpg")
    return export


def test_every_kind_of_shape_has_its_place(cvat):
    cvat.write("annotations.xml", xml(image(POLYGON, LINE, CLICKS, TAG)))
    index = cvat.read("cvat")
    assert index.classes == ["background", "dog", "cat"]
    record = index.records["a"]
    assert record.boxes == [[2, 4, 10, 12]] and record.box_classes == [1]
    assert record.points == [[3, 5, 2], [12, 9, 2]] and record.tags == [1, 2]
    assert record.kinds == ["box", "scribble", "point", "tag"]
    scribbles = labels_of(index, "a", "scribbles")
    assert (
        record.scribble_classes == [1] and set(np.unique(scribbles)) == {1, UNKNOWN} and (scribbles[1, 1:18] == 1).all()
    )
    assert (labels_of(index, "a")[4:12, 2:10] == 1).all()


def test_a_brush_mask_has_runs_along_the_rows_of_its_box(cvat):
    cvat.write("annotations.xml", xml(image(MASK)))
    index = cvat.read("cvat")
    wanted = np.zeros((16, 20), np.uint8)
    wanted[5:8, 3:7] = np.reshape([0, 1, 1, 0, 0, 0, 1, 1, 1, 1, 1, 1], (3, 4))
    assert (labels_of(index, "a") == wanted).all() and index.records["a"].boxes == [[3, 5, 7, 8]]


def test_a_turned_box_is_its_bounds(cvat):
    cvat.write(
        "annotations.xml", xml(image(BOX.replace("z_order", 'rotation="90.0" z_order').replace('xbr="10', 'xbr="6')))
    )
    index = cvat.read("cvat")
    assert index.records["a"].boxes == [[0, 6, 8, 10]]  # 4x8 about its centre 4, 8
    assert index.notes["turned boxes, taken by their bounds"].count == 1


def test_an_ellipse_is_a_polygon(cvat):
    cvat.write("annotations.xml", xml(image('<ellipse label="cat" cx="10" cy="8" rx="6" ry="3"></ellipse>')))
    index = cvat.read("cvat")
    y, x = np.mgrid[:16, :20] + 0.5
    wanted = ((x - 10) / 6) ** 2 + ((y - 8) / 3) ** 2 < 1
    assert ((labels_of(index, "a") > 0) != wanted).sum() <= 2


@pytest.mark.parametrize("subset", ["Validation", "valid", "val"])
def test_subsets_are_splits_and_shapes_of_one_group_one_object(cvat, subset):
    cvat.photo("images/b.jpg")
    part = POLYGON.replace("<polygon", '<polygon group_id="3"')
    other = part.replace("10.0,", "5.0,").replace("2.0,", "1.0,")
    cvat.write(
        "annotations.xml",
        xml(image(part, other, more='subset="Train"'), image(BOX, name="b.jpg", more=f'subset="{subset}"')),
    )
    index = cvat.read("cvat")
    assert index.splits == {"train": ["a"], "val": ["b"]} and index.records["a"].boxes == [[1, 4, 10, 12]]
    assert index.notes["shapes of one group and class, taken as one object"].count == 1


def test_an_object_without_a_mask_leaves_its_image_without_truth(cvat):
    cvat.photo("images/b.jpg")
    cvat.photo("images/c.jpg")
    cuboid = '<cuboid label="cat" xtl1="1"></cuboid>'
    shapes = image(BOX, POLYGON), image(POLYGON, cuboid, name="b.jpg"), image(name="c.jpg")
    cvat.write("annotations.xml", xml(*shapes))
    index = cvat.read("cvat")
    assert index.records["a"].truth is None and index.records["b"].truth is None
    assert not labels_of(index, "c").any()  # annotated, and nothing in it
    assert index.notes["shapes <cuboid>, not read: their images have no truth"].count == 1
    assert index.notes["images with objects that have no mask, without truth"].count == 2


def test_a_photograph_of_half_the_size_has_scaled_shapes_but_no_mask(cvat):
    double = 'width="40" height="32"'
    cvat.write("annotations.xml", xml(image(BOX, size=double)))
    assert cvat.read("cvat").records["a"].boxes == [[1, 2, 5, 6]]


def test_masks_of_another_size_are_refused(cvat):
    cvat.write("annotations.xml", xml(image(MASK, size='width="40" height="32"')))
    only(cvat.findings("cvat"), "a mask for a photograph of 40x32", "20x16")


@pytest.mark.parametrize(
    ("shape", "words"),
    [
        (MASK.replace("6", "7"), ["shape 1 (mask)", "sum to 13", "12"]),
        (MASK.replace("1, 2", "x, 2"), ["run lengths", "12"]),
        (MASK.replace("1, 2", "-1, 4"), ["run lengths"]),
        (MASK.replace('left="3"', 'left="18"'), ["a mask of 4x3", "inside 20x16"]),
        (MASK.replace('width="4"', 'width="1e12"'), ["a mask of 1000000000000x3"]),
        (BOX.replace("2.00", "nan"), ["shape 1 (box)", "xtl 'nan'"]),
        (BOX.replace('label="cat"', ""), ["no label"]),
        (BOX.replace('"10.00"', '"30.00"'), ["shape 1 (box of cat)", "outside", "0..20"]),
        (POLYGON.replace("2.0,4.0;10.0,4.0;", "2.0,4.0;"), []),
        (POLYGON.replace("2.0,4.0;10.0,4.0;10.0", "2.0"), ["3 points"]),
        (CLICKS.replace("3.5,5.2", "3.5"), ["points '3.5;12.0,9.9'"]),
        (BOX.replace("cat", "cow"), ["'cow'", "does not list", "dog, cat"]),
    ],
)
def test_what_is_no_shape_is_a_finding(cvat, shape, words):
    cvat.write("annotations.xml", xml(image(shape)))
    if words:
        only(cvat.findings("cvat"), *words)
    else:
        assert cvat.read("cvat").records["a"].boxes


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("<annotations><image", ["annotations.xml", "no XML"]),
        ("<!DOCTYPE a [<!ENTITY e 'x'>]><annotations></annotations>", ["DOCTYPE"]),
        (xml("<track><box></box></track>"), ["tracks", "CVAT for images 1.1"]),
        (xml(image(BOX, size="")), ["image a.jpg", "height None"]),
        (xml(image(BOX, size='width="1e9" height="3"')), ["size"]),
        ("<annotation></annotation>", ["no XML of CVAT for images 1.1"]),
        (xml(), ["no training image"]),
        (xml(image(BOX), image(BOX)), ["image a.jpg a second time"]),
        (xml(image(BOX, name="")), ["without a name"]),
    ],
)
def test_a_file_that_cannot_be_used_is_a_finding(cvat, text, words):
    cvat.write("annotations.xml", text)
    assert any(all(word in finding for word in words) for finding in cvat.findings("cvat"))


def test_images_that_were_renamed_or_are_not_there(cvat):
    cvat.write("annotations.xml", xml(image(BOX), image(BOX, name="old name.jpg")))
    only(cvat.findings("cvat"), "image 'old name.jpg' without a photograph")
    cvat.photo("images/new name.jpg")
    only(cvat.findings("cvat"), "'old name.jpg'", "no image has images/new name.jpg")
    for name in ("a", "new name"):
        (cvat.root / f"images/{name}.jpg").unlink()
    only(cvat.findings("cvat"), "an export without its images", "none of 2", "a.jpg")


def test_the_background_is_no_class(cvat):
    ground = POLYGON.replace("dog", "Background").replace("10.0", "6.0")
    cvat.write("annotations.xml", xml(image(POLYGON, ground), labels=("Background", "dog")))
    index = cvat.read("cvat")
    assert index.classes == ["background", "dog"] and index.records["a"].box_classes == [1]
    assert labels_of(index, "a")[5, 3] == 0 and labels_of(index, "a")[5, 8] == 1


def datumaro(*annotations, **more):
    item = {"id": "a", "annotations": list(annotations), "image": {"path": "a.jpg", "size": [16, 20]}}
    return {"info": {}, "categories": {"label": {"labels": [{"name": "dog"}, {"name": "cat"}]}}, "items": [item | more]}


def test_datumaro_has_the_same_shapes(cvat):
    mask = np.zeros((16, 20), bool)
    mask[5:8, 3:7] = True
    (code,) = rle.encode(mask[None])
    cvat.write(
        "annotations/train.json",
        datumaro(
            {"type": "mask", "label_id": 0, "rle": code},
            {"type": "polygon", "label_id": 1, "points": [10, 9, 14, 9, 14, 13, 10, 13], "group": 0},
            {"type": "polyline", "label_id": 1, "points": [1, 1, 18, 1]},
            {"type": "points", "label_id": 0, "points": [4, 6]},
            {"type": "label", "label_id": 1},
        ),
    )
    index = cvat.read("datumaro")
    record = index.records["a"]
    assert (
        record.boxes == [[3, 5, 7, 8], [10, 9, 14, 13]]
        and record.box_classes == [1, 2]
        and record.points == [[4, 6, 1]]
    )
    assert (labels_of(index, "a") == 1).sum() == 12 and (labels_of(index, "a") == 2).sum() == 16


@pytest.mark.parametrize(
    ("annotation", "words"),
    [
        ({"type": "bbox", "label_id": 7, "bbox": [1, 2, 3, 4]}, ["annotation 1", "label_id 7", "0..1"]),
        ({"type": "bbox", "label_id": 0, "bbox": [1, 2, 3]}, ["bbox [1, 2, 3]"]),
        ({"type": "mask", "label_id": 0, "rle": {"counts": [3], "size": [16, 20]}}, ["sum to 3"]),
        ({"type": "mask", "label_id": 0, "rle": {"counts": [9], "size": [3, 3]}}, ["a mask for a photograph of 3x3"]),
        ({"type": "mask", "label_id": 0}, ["run-length code"]),
        ("x", ["annotation 1", "an object"]),
    ],
)
def test_what_is_no_annotation_of_datumaro_is_a_finding(cvat, annotation, words):
    cvat.write("annotations/default.json", datumaro(annotation))
    only(cvat.findings("datumaro"), *words)
