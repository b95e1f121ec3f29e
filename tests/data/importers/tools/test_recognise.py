"""The kind of a folder by its content: the one that fits, and a question where two do."""

import json

import pytest

from tests.data.importers.tools.test_cvat import BOX, datumaro, image, xml
from tests.data.importers.tools.test_label_studio import box, task
from tests.data.importers.tools.test_labelme import file
from tests.data.importers.tools.test_yolo import OUTLINE
from tests.messages import only
from wsss_stages.config.options import Data
from wsss_stages.data.importers.kinds import KINDS
from wsss_stages.data.importers.recognise import fitting, only_kind

COCO = {"images": [{"id": 1}], "annotations": [], "categories": [{"id": 1, "name": "cat"}]}
CONTENTS = {
    "yolo": ("labels/a.txt", OUTLINE),
    "cvat": ("annotations.xml", xml(image(BOX))),
    "label_studio": ("project-3-at-2026.json", json.dumps([task(box())])),
    "labelme": ("a.json", json.dumps(file())),
    "datumaro": ("annotations/default.json", json.dumps(datumaro())),
    "coco": ("annotations/instances_default.json", json.dumps(COCO)),
    "voc": ("JPEGImages/a.jpg", ""),
}


@pytest.mark.parametrize("kind", CONTENTS)
@pytest.mark.parametrize("zipped", [False, True])
def test_a_kind_is_recognised_alone(export, kind, zipped):
    export.photo("images/a.jpg")
    export.write("readme.txt", "2026 was a year")
    export.write("config.json", {"a": 1})
    export.write(*CONTENTS[kind])
    if zipped and kind != "voc":
        assert fitting(export.zip()) == [kind]
    else:
        assert fitting(export.root) == [kind] and only_kind(export.root) == kind


def test_two_kinds_are_a_question_and_none_names_all(export):
    export.write(*CONTENTS["cvat"])
    export.write(*CONTENTS["labelme"])
    only(export.findings("auto"), "cvat and of labelme", "data.kind")
    for name, _ in (CONTENTS["cvat"], CONTENTS["labelme"]):
        (export.root / name).unlink()
    only(export.findings("auto"), "no kind", "annotations.xml (cvat)", "data.kind")


def test_auto_reads_what_it_recognises(export):
    export.photo("a.jpg")
    export.write(*CONTENTS["cvat"])
    index = export.read("auto")
    assert index.classes == ["background", "dog", "cat"] and "kind of the dataset by its content: cvat" in index.notes
    export.truth = export.truth.parent.parent / "other" / "truth"
    only(export.findings("auto", export.root / "nothing"), "no such file or folder")


def test_every_kind_is_an_option():
    assert set(Data.model_json_schema()["properties"]["kind"]["enum"]) == set(KINDS)


@pytest.mark.parametrize("kind", ["yolo", "cvat", "label_studio", "labelme", "datumaro"])
def test_options_without_a_meaning_are_refused(export, kind):
    with pytest.raises(ValueError, match=r"data\.weak_labels"):
        export.read(kind, weak_labels="x")
