"""Boxes as annotation tools write them: taken and counted, or findings."""

import math

import pytest

from tests.messages import lacking
from wsss_stages.data.importers.voc_boxes import CLIPPED, FITS, FLIPPED, NO_SIZE, TWICE, UNUSED, read_boxes
from wsss_stages.data.importers.voc_shapes import BOUNDS, SEVERAL

CLASSES = ["background", "cat", "dog"]
SIZE = "<size><width>{}</width><height>{}</height></size>"
SAME = SIZE.format(200, 120)
OBJECT = "<object><name>cat</name>{}</object>"
BOX = "<bndbox><xmin>{}</xmin><ymin>{}</ymin><xmax>{}</xmax><ymax>{}</ymax></bndbox>"


@pytest.fixture
def read(tmp_path):
    """Return boxes, classes, findings and notes of an annotation on a photograph of 200 x 120 pixels."""

    def read(*objects, size=SAME, orientation=1):
        path = tmp_path / "a.xml"
        path.write_text(f"<annotation>{size}{''.join(objects)}</annotation>")
        findings, notes = [], {}
        taken = read_boxes(path, 120, 200, orientation, CLASSES, findings, notes)
        return taken.boxes, taken.classes, [str(finding) for finding in findings], notes

    return read


def test_a_plain_box_needs_no_note(read):
    assert read(OBJECT.format(BOX.format(11, 21, 50, 60))) == ([[10, 20, 50, 60]], [1], [], {})


@pytest.mark.parametrize(
    "box, expected",
    [((0, 0, 59, 54), [0, 0, 59, 54]), ((150, 100, 201, 121), [149, 99, 200, 120]), ((0.0, 5, 9, 9), [0, 4, 9, 9])],
)
def test_a_box_over_the_border_by_a_pixel_is_clipped(read, box, expected):
    assert read(OBJECT.format(BOX.format(*box))) == ([expected], [1], [], {CLIPPED: 1})


@pytest.mark.parametrize("box", [(-1, 5, 9, 9), (5, 5, 202, 9), (5, 5, 9, 122)])
def test_further_out_is_a_finding(read, box):
    boxes, _, (found,), _ = read(OBJECT.format(BOX.format(*box)))
    assert boxes == [] and not lacking(found, "a.xml", "object 1", "1 <= x <= 200")


def test_a_box_given_twice_is_taken_once_of_its_class(read):
    same = BOX.format(11, 21, 50, 60)
    other = "<object><name>dog</name>" + same + "</object>"
    boxes, classes, findings, notes = read(OBJECT.format(same), OBJECT.format(same), other)
    assert (boxes, classes, findings, notes) == ([[10, 20, 50, 60]] * 2, [1, 2], [], {TWICE: 1})


def test_several_boxes_of_one_object(read):
    both = BOX.format(11, 21, 50, 60) + BOX.format(61, 21, 90, 60)
    assert read(OBJECT.format(both)) == ([[10, 20, 50, 60], [60, 20, 90, 60]], [1, 1], [], {SEVERAL: 1})


@pytest.mark.parametrize(
    "polygon",
    [
        "<x1>11</x1><y1>21</y1><x2>50</x2><y2>30</y2><x3>20</x3><y3>60</y3>",
        "<pt><x>11</x><y>21</y></pt><pt><x>50</x><y>30</y></pt><pt><x>20</x><y>60</y></pt>",
        "<point><X>11</X><Y>21</Y></point><point><X>50</X><Y>30</Y></point><point><X>20</X><Y>60</Y></point>",
    ],
)
def test_a_polygon_is_taken_by_its_bounds(read, polygon):
    found = read(OBJECT.format(f"<polygon>{polygon}</polygon>"))
    assert found == ([[10, 20, 50, 60]], [1], [], {BOUNDS["polygon"]: 1})


@pytest.mark.parametrize("angle", [0, math.pi / 2, math.pi / 4, 3.0])
def test_a_turned_box_is_taken_by_its_bounds(read, angle):
    box = f"<robndbox><cx>100</cx><cy>60</cy><w>60</w><h>20</h><angle>{angle}</angle></robndbox>"
    ((x0, y0, x1, y1),), _, findings, notes = read(OBJECT.format(box))
    half_w = 30 * abs(math.cos(angle)) + 10 * abs(math.sin(angle))
    half_h = 30 * abs(math.sin(angle)) + 10 * abs(math.cos(angle))
    assert (x0, y0, x1, y1) == pytest.approx((99 - half_w, 59 - half_h, 100 + half_w, 60 + half_h), abs=1)
    assert findings == [] and notes == {BOUNDS["robndbox"]: 1}


def test_a_turned_box_may_lead_over_the_border(read):
    box = "<robndbox><cx>10</cx><cy>60</cy><w>60</w><h>20</h><angle>0.2</angle></robndbox>"
    ((x0, *_),), _, findings, notes = read(OBJECT.format(box))
    assert x0 == 0 and findings == [] and notes == {BOUNDS["robndbox"]: 1, CLIPPED: 1}


def test_parts_alone_are_taken_by_their_bounds_and_are_not_used_beside_a_box(read):
    parts = "".join(f"<part><name>head</name>{BOX.format(*b)}</part>" for b in [(11, 21, 30, 40), (20, 30, 50, 60)])
    assert read(OBJECT.format(parts)) == ([[10, 20, 50, 60]], [1], [], {BOUNDS["part"]: 1})
    beside = read(OBJECT.format(BOX.format(1, 1, 100, 100) + parts))
    assert beside == ([[0, 0, 100, 100]], [1], [], {UNUSED.format("part"): 1})


@pytest.mark.parametrize(
    "shape, keyword",
    [
        ("", "nothing"),
        ("<pose>Left</pose><mask>1,2</mask>", "<pose>, <mask>"),
        ("<polygon><x1>1</x1><y1>2</y1></polygon>", "polygon of 1 points"),
        ("<polygon><x1>1</x1><y1>a</y1><x2>1</x2><y2>2</y2><x3>4</x3><y3>5</y3></polygon>", "polygon ['1', 'a', "),
        ("<robndbox><cx>5</cx></robndbox>", "turned box"),
        ("<part><name>head</name></part>", "<part>"),
        ("<robndbox><cx>500</cx><cy>60</cy><w>60</w><h>20</h><angle>0</angle></robndbox>", "a pixel of the image"),
    ],
)  # fmt: skip
def test_what_is_no_box_is_a_finding(read, shape, keyword):
    boxes, _, (found,), _ = read(OBJECT.format(shape), OBJECT.format(BOX.format(2, 2, 9, 9)))
    assert boxes == [[1, 1, 9, 9]] and not lacking(found, "a.xml", "object 1", keyword)


def test_every_kind_of_element_that_is_not_used_is_noted_once(read):
    extra = "<score>1</score><size><width>200</width><height>120</height><scale>2</scale></size>"
    one = OBJECT.format(BOX.format(2, 2, 9, 9) + "<attributes/><mask>1</mask>")
    two = OBJECT.format(BOX.format(12, 2, 19, 9) + "<mask>2</mask>")
    _, _, findings, notes = read(extra, one, two)
    assert findings == [] and notes == {UNUSED.format(tag): 1 for tag in ("score", "scale", "attributes", "mask")}


def test_elements_that_every_voc_file_has_are_not_noted(read):
    extra = "<folder>VOC2012</folder><filename>a.jpg</filename><path>/a.jpg</path><owner/><segmented>1</segmented>"
    extra += (
        "<source><database>VOC</database></source><size><width>200</width><height>120</height><depth>3</depth></size>"
    )
    of_object = "<pose>Left</pose><truncated>0</truncated><difficult>1</difficult><occluded>1</occluded>"
    assert read(extra, OBJECT.format(BOX.format(2, 2, 9, 9) + of_object)) == ([[1, 1, 9, 9]], [1], [], {})


def test_boxes_on_the_stored_raster_are_turned_with_the_photograph(read):
    """A photograph of 120 x 200, upright 200 x 120 by orientation 6 (a quarter clockwise): x' = 200 - y, y' = x."""
    drawn = OBJECT.format(BOX.format(11, 21, 40, 80))
    boxes, _, findings, notes = read(drawn, size=SIZE.format(120, 200), orientation=6)
    assert (boxes, findings, notes) == ([[200 - 80, 10, 200 - 20, 40]], [], {FITS["turned"]: 1})


def test_boxes_on_a_smaller_copy_are_scaled(read):
    boxes, _, findings, notes = read(OBJECT.format(BOX.format(6, 11, 25, 30)), size=SIZE.format(100, 60))
    assert (boxes, findings, notes) == ([[10, 20, 50, 60]], [], {FITS["scaled"]: 1})


def test_boxes_on_another_photograph_are_a_finding(read):
    boxes, _, (found,), _ = read(OBJECT.format(BOX.format(6, 11, 25, 30)), size=SIZE.format(120, 200))
    assert boxes == [] and not lacking(found, "a.xml", "120x200 ... 200x120", "<size>")


@pytest.mark.parametrize("size", ["", "<size/>", SIZE.format(0, 0), SIZE.format("x", 120)])
def test_without_a_size_nothing_is_compared_and_that_is_noted(read, size):
    boxes, _, findings, notes = read(OBJECT.format(BOX.format(11, 21, 50, 60)), size=size)
    assert (boxes, findings, notes) == ([[10, 20, 50, 60]], [], {NO_SIZE: 1})


def test_a_photograph_turned_by_half_is_noted(read):
    assert read(OBJECT.format(BOX.format(11, 21, 50, 60)), orientation=3)[3] == {FLIPPED: 1}
