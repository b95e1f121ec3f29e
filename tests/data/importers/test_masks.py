"""True masks by their numbers or by their colours: read where it is certain, else a finding that says what was found."""

import numpy as np
import pytest
from PIL import Image

from tests.messages import lacking
from wsss_stages import UNKNOWN
from wsss_stages.data.findings import DatasetError
from wsss_stages.data.importers.masks import BY_COLOUR, VOC_COLOURS, WHITE, WIDE
from wsss_stages.data.importers.voc import import_voc
from wsss_stages.store.palette import VOC_PALETTE

LABELS = np.zeros((16, 20), np.uint8)
LABELS[3:10, 4:12] = 1
LABELS[12:14, 4:12] = UNKNOWN


@pytest.fixture
def folder(voc, tmp_path):
    """A folder whose truth is as given, and what it is read as."""
    voc.truth = tmp_path / "truth"

    def read(image_id="a"):
        index = import_voc("toy", voc.root, truth=voc.truth)
        return index, index.records[image_id].truth_labels(index.root)

    voc.read = read
    return voc


def one_class(folder):
    (folder.root / "classes.txt").write_text("background\ncat\n")


def coloured(labels, table):
    pixels = np.zeros((*labels.shape, 3), np.uint8)
    for number, colour in table.items():
        pixels[labels == number] = colour
    return pixels


def save(folder, image_id, pixels, palette=None, name="SegmentationClass"):
    image = Image.fromarray(pixels)
    if palette:
        image.putpalette(palette)
    image.save(folder.root / name / f"{image_id}.png")


def findings(folder):
    with pytest.raises(DatasetError) as caught:
        folder.read()
    return [str(finding) for finding in caught.value.findings]


@pytest.mark.parametrize("mode", ["L", "1", "RGB", "RGBA"])
def test_in_a_set_of_one_class_255_alone_is_the_object(folder, mode):
    one_class(folder)
    for image_id in "ab":
        Image.fromarray(np.uint8(LABELS == 1) * 255).convert(mode).save(
            folder.root / "SegmentationClass" / f"{image_id}.png"
        )
    index, labels = folder.read()
    assert (labels == (LABELS == 1)).all() and index.notes[WHITE].count == 2
    assert index.records["a"].truth == str(folder.truth / "SegmentationClass" / "a.png")


def test_beside_the_class_255_is_unknown_in_all_masks(folder):
    one_class(folder)
    save(folder, "a", np.where(LABELS == 1, UNKNOWN, 0).astype(np.uint8))
    folder.photo("c")
    folder.list("train", "a", "c")
    save(folder, "c", LABELS)
    index, labels = folder.read()
    assert set(np.unique(labels)) == {0, UNKNOWN} and not {WHITE} & set(index.notes)
    assert index.records["a"].truth == "SegmentationClass/a.png"


def test_the_palette_png_of_one_class_with_a_white_object_is_taken_as_it_lies(folder):
    one_class(folder)
    for image_id in "ab":
        save(folder, image_id, np.uint8(LABELS == 1), [0, 0, 0, 255, 255, 255])
    index, labels = folder.read()
    assert (labels == (LABELS == 1)).all() and not {WHITE, BY_COLOUR} & set(index.notes)


def test_of_two_classes_0_and_255_is_a_finding(folder):
    for image_id in "ab":
        save(folder, image_id, np.where(LABELS == 1, UNKNOWN, 0).astype(np.uint8))
    for split, found in zip(("train", "val"), findings(folder), strict=True):
        assert not lacking(found, "SegmentationClass: ", "only", "[0, 255]", f"masks of {split}")


def test_empty_masks_of_images_that_show_objects_are_a_finding(folder):
    save(folder, "b", np.zeros_like(LABELS))
    (found,) = findings(folder)
    assert not lacking(found, "SegmentationClass: ", "only", "[0]", "masks of val")


def test_empty_masks_of_images_without_objects_are_none(folder):
    save(folder, "b", np.zeros_like(LABELS))
    folder.boxes("b")
    assert folder.read("b")[1].max() == 0


def test_rgb_masks_in_vocs_colours(folder):
    table = {0: (0, 0, 0), 1: VOC_COLOURS[1], UNKNOWN: (224, 224, 192)}
    save(folder, "a", coloured(LABELS, table))
    index, labels = folder.read()
    assert (labels == LABELS).all() and index.notes[BY_COLOUR].names == ["a"]
    assert np.asarray(Image.open(index.records["a"].truth)).tolist() == LABELS.tolist()


@pytest.mark.parametrize("line", ["{} #ff8000", "{} 255 128 0", "{}, 255, 128, 0", "{}\t255,128,0"])
def test_rgb_masks_in_the_colours_of_classes_txt(folder, line):
    text = ["background #000000", line.format("cat"), "dog #0000ff"]
    (folder.root / "classes.txt").write_text("\n".join(text))
    save(folder, "a", coloured(LABELS, {1: (255, 128, 0), UNKNOWN: (224, 224, 192)}))
    index, labels = folder.read()
    assert index.classes == ["background", "cat", "dog"] and (labels == LABELS).all()


def test_colours_of_no_class_are_a_finding_that_lists_them(folder):
    save(folder, "a", coloured(LABELS, {1: (1, 2, 3), UNKNOWN: (255, 0, 255)}))
    (found,) = findings(folder)
    assert not lacking(found, "a.png", "2 colours", "#010203, #ff00ff", "cat #ff8000")


def test_colours_that_contradict_the_boxes_are_a_finding(folder):
    """Green is VOC's second class, but many tools' first."""
    save(folder, "a", coloured(LABELS == 1, {1: VOC_COLOURS[2]}))
    (found,) = findings(folder)
    assert not lacking(found, "a.png", "colours ... [2] ... weak labels ... [1]")


def test_a_palette_in_another_order_is_read_by_the_colours_that_its_boxes_show(folder):
    """Index 2 has the colour of class 1, which is what the box says."""
    save(folder, "a", np.where(LABELS == 1, 2, 0).astype(np.uint8), [0, 0, 0, *VOC_COLOURS[2], *VOC_COLOURS[1]])
    index, labels = folder.read()
    assert (labels == (LABELS == 1)).all() and index.notes[BY_COLOUR].count == 1


def test_and_by_its_indices_where_those_are_what_the_boxes_show(folder):
    save(folder, "a", np.uint8(LABELS == 1), [0, 0, 0, *VOC_COLOURS[2]])
    index, labels = folder.read()
    assert (labels == (LABELS == 1)).all() and BY_COLOUR not in index.notes


def test_by_its_colours_where_its_indices_are_no_classes(folder):
    palette = list(VOC_PALETTE)
    palette[21:24] = VOC_COLOURS[1]
    save(folder, "a", np.where(LABELS == 1, 7, 0).astype(np.uint8), palette)
    assert (folder.read()[1] == (LABELS == 1)).all()


def test_where_nothing_decides_it_is_a_finding(folder):
    (folder.root / "Annotations" / "a.xml").unlink()
    save(folder, "a", np.uint8(LABELS == 1), [0, 0, 0, *VOC_COLOURS[2]])
    (found,) = findings(folder)
    assert not lacking(found, "a.png", "indices [0, 1] ... [0, 2]", "palette", "classes.txt")


def test_the_colours_of_classes_txt_decide_it(folder):
    (folder.root / "Annotations" / "a.xml").unlink()
    (folder.root / "classes.txt").write_text("background\ncat #008000\ndog #800000\n")
    save(folder, "a", np.uint8(LABELS == 1) * 2, [0, 0, 0, 128, 0, 0, 0, 128, 0])
    assert (folder.read()[1] == (LABELS == 1)).all()


def test_a_palette_of_colours_that_mean_nothing_is_taken_by_its_indices(folder):
    save(folder, "a", np.uint8(LABELS == 1), [9, 9, 9, 200, 100, 50])
    index, labels = folder.read()
    assert (labels == (LABELS == 1)).all() and BY_COLOUR not in index.notes


def test_masks_of_16_bits(folder):
    Image.fromarray(LABELS.astype(np.uint16)).save(folder.root / "SegmentationClass" / "a.png")
    index, labels = folder.read()
    assert (labels == LABELS).all() and index.notes[WIDE].count == 1


def test_grey_levels_of_no_class_are_a_finding_with_the_values(folder):
    save(folder, "a", np.where(LABELS == 1, 127, 0).astype(np.uint8))
    (found,) = findings(folder)
    assert not lacking(found, "a.png", "[0, 127] ... 0..2", "255")


def test_transparent_masks_are_a_finding(folder):
    Image.new("RGBA", (20, 16), (0, 0, 0, 0)).save(folder.root / "SegmentationClass" / "a.png")
    (found,) = findings(folder)
    assert "a.png" in found and "transparent" in found


def test_numbered_objects_in_vocs_colours(folder):
    (folder.root / "SegmentationObject").mkdir()
    numbers = np.zeros((16, 20), np.uint8)
    numbers[2:5, 2:5], numbers[8:12, 8:12] = 1, 200
    save(folder, "a", coloured(numbers, {1: VOC_COLOURS[1], 200: VOC_COLOURS[200]}), name="SegmentationObject")
    index, _ = folder.read()
    assert np.asarray(Image.open(index.records["a"].instances)).tolist() == numbers.tolist()


@pytest.mark.parametrize(
    "text, keyword",
    [("background\ncat #ff0000\ndog\n", "dog"), ("background\ncat #ff0000\ndog 255 0 0\n", "one colour")],
)
def test_colours_of_some_classes_or_one_twice_are_a_finding(folder, text, keyword):
    (folder.root / "classes.txt").write_text(text)
    assert not lacking(findings(folder)[0], "classes.txt", "colour", keyword)


@pytest.mark.parametrize("name", ["cat 7", "route 66", "cat 1 2", "cat 300 1 2", "#ff0000"])
def test_names_with_numbers_are_no_colours(folder, name):
    (folder.root / "classes.txt").write_text(f"background\ncat\n{name}\n")
    assert folder.read()[0].classes[2] == name


def test_drawing_wants_a_folder(folder):
    save(folder, "a", coloured(LABELS, {1: VOC_COLOURS[1], UNKNOWN: (224, 224, 192)}))
    with pytest.raises(ValueError, match="folder `truth`"):
        import_voc("toy", folder.root)
