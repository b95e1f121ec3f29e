"""The folder and the archive of VOC's test server."""

import io
import tarfile

import numpy as np
import pytest
from PIL import Image

from tests.messages import raises
from wsss_stages.data.exporters.formats import FORMATS
from wsss_stages.data.exporters.formats.voc_test import ARCHIVE
from wsss_stages.data.exporters.pictures import Picture, Thing
from wsss_stages.data.importers.voc import VOC_CLASSES
from wsss_stages.data.patches import Patch
from wsss_stages.store.palette import VOC_PALETTE

PLACE = "results/VOC2012/Segmentation/comp6_test_cls/2008_000006.png"


def predicted(labels):
    made = Picture("2008_000006", "2008_000006.jpg", "JPEGImages/2008_000006.jpg", "val", *labels.shape)
    made.labels = labels
    made.things = [Thing(15, [0, 0, 2, 1], Patch.of(labels == 15))]
    return made


@pytest.fixture
def labels():
    labels = np.zeros((6, 8), np.uint8)
    labels[1:3, 2:7] = 15
    return labels


def writer(folder, classes=VOC_CLASSES, objects=False):
    return FORMATS["voc-test"](folder, classes, "voc12", objects)


def test_predictions_lie_in_the_servers_folder_and_in_an_archive_of_it(tmp_path, labels):
    made = writer(tmp_path)
    made.add(predicted(labels))
    made.close()
    with tarfile.open(tmp_path / ARCHIVE) as archive:
        files = [member.name for member in archive if member.isfile()]
        again = archive.extractfile(PLACE).read()
    assert files == [PLACE]
    for content in ((tmp_path / PLACE).read_bytes(), again):
        with Image.open(io.BytesIO(content)) as image:
            assert image.mode == "P" and image.getpalette() == VOC_PALETTE and (np.asarray(image) == labels).all()
    (patch,) = made.read(predicted(labels))
    assert patch.area == 10


def test_pixels_without_a_class_are_refused(tmp_path, labels):
    labels[0, 0] = 255
    with raises(ValueError, "2008_000006", "class for every pixel", "--what prediction"):
        writer(tmp_path).add(predicted(labels))


def test_other_classes_and_objects_are_refused(tmp_path):
    with raises(ValueError, "cat", "VOC's 21", "--to png"):
        writer(tmp_path, ["background", "cat"])
    with raises(ValueError, "--objects", "classes"):
        writer(tmp_path, objects=True)
