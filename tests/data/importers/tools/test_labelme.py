"""LabelMe's JSON files: shapes of every type, photographs that were renamed, and what is wrong with them."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from tests.data.importers.tools.conftest import labels_of
from tests.messages import only


def png(mask):
    made = io.BytesIO()
    Image.fromarray(np.uint8(mask)).save(made, "PNG")
    return base64.b64encode(made.getvalue()).decode()


def shape(kind, points, name="cat", **more):
    return {"label": name, "points": points, "group_id": None, "shape_type": kind, "flags": {}, **more}


BOX = shape("rectangle", [[10.0, 12.0], [2.0, 4.0]])
POLYGON = shape("polygon", [[2, 4], [10, 4], [10, 12], [2, 12]], "dog")
MASK = shape("mask", [[3, 5], [6, 7]], "dog", mask=png([[0, 1, 1, 0], [1, 1, 1, 1], [1, 1, 1, 1]]))


def file(*shapes, path="a.jpg", **more):
    size = {"imageHeight": 16, "imageWidth": 20}
    return {
        "version": "5.5.0",
        "flags": {},
        "shapes": list(shapes),
        "imagePath": path,
        "imageData": None,
        **size,
        **more,
    }


@pytest.fixture
def labelme(export):
    export.photo("a.jpg")
    return export


def test_every_type_of_shape_has_its_place(labelme):
    shapes = (
        POLYGON,
        shape("linestrip", [[1, 1], [5, 1], [18, 2]]),
        shape("line", [[1, 14], [9, 14]]),
        shape("point", [[15, 9]]),
    )
    labelme.write("a.json", file(*shapes))
    index = labelme.read("labelme")
    record = index.records["a"]
    assert index.classes == ["background", "cat", "dog"] and record.boxes == [[2, 4, 10, 12]]
    assert (
        record.points == [[15, 9, 1]]
        and record.scribble_classes == [1]
        and record.kinds == ["box", "scribble", "point"]
    )
    scribbles = labels_of(index, "a", "scribbles")
    assert scribbles[1, 3] == 1 and scribbles[14, 5] == 1 and scribbles[8, 8] == 255


def test_a_mask_is_the_pixels_of_its_rectangle_with_both_ends(labelme):
    labelme.write("a.json", file(MASK))
    index = labelme.read("labelme")
    wanted = np.zeros((16, 20), np.uint8)
    wanted[5:8, 3:7] = [[0, 1, 1, 0], [1, 1, 1, 1], [1, 1, 1, 1]]
    assert (labels_of(index, "a") == wanted).all() and index.records["a"].boxes == [[3, 5, 7, 8]]


def test_rectangles_in_any_order_circles_and_groups(labelme):
    circle = shape("circle", [[10, 8], [10, 12]], "dog")
    parts = [shape("polygon", [[x, 1], [x + 2, 1], [x + 2, 3], [x, 3]], "cow", group_id=4) for x in (1, 8)]
    labelme.write("a.json", file(BOX, circle, *parts))
    index = labelme.read("labelme")
    assert index.records["a"].boxes == [[2, 4, 10, 12], [6, 4, 14, 12], [1, 1, 10, 3]]
    assert index.notes["circles, taken as polygons"].count == 1
    assert index.notes["shapes of one group and class, taken as one object"].count == 1


def test_labels_txt_gives_the_order_without_labelme_s_own_names(labelme):
    labelme.write("a.json", file(BOX, POLYGON))
    labelme.write("labels.txt", "__ignore__\n_background_\ndog\ncat\n")
    assert labelme.read("labelme").classes == ["background", "dog", "cat"]


def test_a_renamed_photograph_is_found_by_the_bytes_that_the_export_embeds(labelme):
    content = base64.b64encode((labelme.root / "a.jpg").read_bytes()).decode()
    (labelme.root / "a.jpg").rename(labelme.root / "renamed.jpg")
    labelme.photo("other.jpg", seed=7)
    labelme.write("a.json", file(BOX, imageData=content))
    index = labelme.read("labelme")
    assert index.splits["train"] == ["renamed"]
    assert index.notes["photographs that were renamed, found by the bytes that the export embeds"].count == 1
    (labelme.root / "copy.jpg").write_bytes(
        (labelme.root / "renamed.jpg").read_bytes()
    )  # which one it was is not certain
    labelme.truth = labelme.truth.parent.parent / "other" / "truth"
    only(labelme.findings("labelme"), "without its images")


@pytest.mark.parametrize("path", ["..\\photos\\a.jpg", "C:\\Users\\ann\\a.jpg", "/home/ann/a.jpg", "A.JPG", "./a.jpg"])
def test_paths_of_other_machines_lead_to_the_photograph_of_that_name(labelme, path):
    labelme.write("labels/a.json", file(BOX, path=path))
    assert labelme.read("labelme").records["a"].boxes


def test_files_in_subfolders_belong_to_the_photographs_beside_them(labelme):
    for folder in ("one", "two"):
        labelme.photo(f"{folder}/x.jpg", seed=len(folder))
    labelme.write("one/x.json", file(BOX, path="x.jpg"))
    labelme.write("two/x.json", file(POLYGON, path="x.jpg"))
    index = labelme.read("labelme")
    assert index.records["one_x"].box_classes == [1] and index.records["two_x"].box_classes == [2]
    assert index.notes["images whose id is their path, as several files have one name"].count == 2


def test_lists_choose_the_images_and_truth_may_be_learned(labelme):
    for name in "bcd":
        labelme.photo(f"{name}.jpg")
    for name in "abcd":
        labelme.write(f"{name}.json", file(POLYGON, path=f"{name}.jpg"))
    labelme.write("mine.txt", "a.jpg\nphotos/b.jpg\n")
    labelme.write("val.txt", "c\n")
    labelme.write("exact.txt", "a.jpg\n")
    index = labelme.read("labelme", train_list="mine", truth_list="exact")
    assert index.splits == {"train": ["a", "b"], "val": ["c"]}
    assert index.records["a"].kinds == ["box", "truth"] and index.records["a"].truth_sha256
    assert not index.records["b"].truth_sha256
    labelme.truth = labelme.truth.parent.parent / "other" / "truth"
    only(labelme.findings("labelme", train_list="nobody"), "nobody.txt", "no such list")
    labelme.write("mine.txt", "z.jpg\n")
    only(labelme.findings("labelme", train_list="mine"), "mine.txt", "z.jpg")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (file(shape("rectangle", [[1, 2]])), ["shape 1", "2 or more"]),
        (file(shape("polygon", [[1, 2], [3, None], [4, 5]])), ["shape 1", "finite"]),
        (file(shape("polygon", "x")), ["shape 1"]),
        (file({**BOX, "label": ""}), ["label"]),
        (file({**BOX, "label": 7}), ["label 7"]),
        (file({**MASK, "mask": "%%%"}), ["base64"]),
        (file({**MASK, "mask": png(np.ones((2, 2)))}), ["a mask of 2x2", "3..6"]),
        (file({**MASK, "mask": base64.b64encode(b"GIF89a").decode()}), ["no PNG"]),
        (file({**MASK, "points": [[18, 5], [21, 7]]}), ["inside 20x16"]),
        (file(BOX, imageHeight="x"), ["size"]),
        (file(BOX, imageHeight=99), ["20x16", "20x99"]),
        (file(BOX, imagePath=7), ["imagePath"]),
        (file(BOX, imagePath="b.jpg"), ["without its images", "b.jpg"]),
        (file(7), ["shape 1", "an object"]),
        ("[", ["a.json", "no JSON"]),
    ],
)
def test_what_cannot_be_used_is_a_finding(labelme, content, words):
    labelme.write("a.json", content)
    assert any(all(word in finding for word in words) for finding in labelme.findings("labelme"))


def test_a_polygon_thinner_than_a_pixel_is_boxed_and_unknown(labelme):
    labelme.write("a.json", file(shape("polygon", [[2.6, 3], [2.9, 3], [2.9, 9], [2.6, 9]]), POLYGON))
    index = labelme.read("labelme")
    assert index.records["a"].boxes[0] == [2, 3, 3, 9]
    assert (labels_of(index, "a")[3:4, 2] == 255).all()
    assert index.notes["polygons without the centre of a pixel, boxed and unknown in truth"].count == 1


def test_a_point_on_a_scribble_of_another_class_is_a_finding(labelme):
    labelme.write("a.json", file(shape("linestrip", [[1, 1], [18, 1]]), shape("point", [[5, 1]], "dog")))
    only(labelme.findings("labelme"), "point at 5, 1")


def test_three_hundred_objects_have_boxes_and_classes_but_no_numbers(labelme):
    labelme.photo("a.jpg", size=(64, 64))
    squares = [
        shape("polygon", [[x, y], [x + 2, y], [x + 2, y + 2], [x, y + 2]])
        for y in range(0, 60, 3)
        for x in range(0, 45, 3)
    ]
    labelme.write("a.json", file(*squares, imageHeight=64, imageWidth=64))
    index = labelme.read("labelme")
    assert len(index.records["a"].boxes) == 300 and (labels_of(index, "a") == 1).sum() == 1200
    assert index.records["a"].instances is None
    assert index.notes["images of more than 254 objects, without numbered masks"].count == 1
