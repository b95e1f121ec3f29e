"""XML, JSON, lists and pickles made to harm: refused with one kind of error, and what they ask for never happens."""

import json
import pickle
from pathlib import Path

import numpy as np
import pytest

from tests.messages import lacking, raises
from wsss_stages.data import documents
from wsss_stages.data.findings import DatasetError, DefectError, Finding
from wsss_stages.data.importers.voc import import_voc
from wsss_stages.data.weak.npy_tags import read_npy

BOX = "<bndbox><xmin>2</xmin><ymin>3</ymin><xmax>9</xmax><ymax>12</ymax></bndbox>"
LAUGHS = "".join(f"<!ENTITY l{n} '{f'&l{n - 1};' * 10}'>" for n in range(1, 10))
NO_VECTORS = "{id: vector}"
"""What a finding wants where a pickle is no dictionary of vectors."""
DOCTYPES = {
    "internal": "<!DOCTYPE a [<!ENTITY e 'cat'>]>",
    "external": "<!DOCTYPE a [<!ENTITY e SYSTEM 'file:///etc/passwd'>]>",
    "laughs": f"<!DOCTYPE a [<!ENTITY l0 'ha'>{LAUGHS}<!ENTITY e '&l9;'>]>",
    "parameter": "<!DOCTYPE a [<!ENTITY % p SYSTEM 'http://localhost/x'> %p;]>",
    "empty": "<!DOCTYPE a>",
}


def only_finding(voc):
    with pytest.raises(DatasetError) as caught:
        import_voc("toy", voc.root)
    (found,) = caught.value.findings
    return str(found)


@pytest.mark.parametrize("doctype", DOCTYPES)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_doctype_is_refused_and_entities_are_not_expanded(voc, doctype, encoding):
    path = voc.root / "Annotations" / "a.xml"
    text = f"{DOCTYPES[doctype]}<annotation><object><name>&e;</name>{BOX}</object></annotation>"
    path.write_text(text, encoding=encoding)
    found = only_finding(voc)
    assert found.startswith(f"{path}: ") and not lacking(found, "DOCTYPE 'a'", "Remove")


def test_scribbles_refuse_it_too(voc):
    (voc.root / "Annotations" / "a.xml").unlink()
    (voc.root / "Scribbles").mkdir()
    (voc.root / "Scribbles" / "a.xml").write_text(f"{DOCTYPES['internal']}<annotation/>")
    assert not lacking(only_finding(voc), "Scribbles/a.xml", "DOCTYPE 'a'")


@pytest.mark.parametrize(
    "content, keyword",
    [
        (b"<a>" * 100_000, "XML ("),
        (b"<?xml version='1.0' encoding='nonsense'?><a/>", "XML ("),
        (b"<?xml version='1.0' encoding='shift_jis'?><a/>", "XML ("),
        (b"<a>&undefined;</a>", "XML ("),
        (b"<a>\0</a>", "XML ("),
        (b"", "XML ("),
    ],
)
def test_other_xml_that_is_none(tmp_path, content, keyword):
    (tmp_path / "a.xml").write_bytes(content)
    with raises(DefectError, keyword):
        documents.read_xml(tmp_path / "a.xml", "an annotation")


def test_elements_within_one_another_do_no_harm_however_many(tmp_path):
    path = tmp_path / "a.xml"
    path.write_bytes(b"<a>" * 300_000 + b"</a>" * 300_000)
    root = documents.read_xml(path, "an annotation")
    assert root.find("object") is None and len(root.findall("a")) == 1


@pytest.mark.parametrize("kind", ["read_lines", "read_json", "read_xml"])
def test_files_without_end_are_not_read(tmp_path, monkeypatch, kind):
    for limit in ("MAX_TEXT", "MAX_JSON", "MAX_XML"):
        monkeypatch.setattr(documents, limit, 10)
    (tmp_path / "file").write_bytes(b"x" * 11)
    more = ["an annotation"] if kind == "read_xml" else []
    with raises(DefectError, "11 bytes", "at most 10"):
        getattr(documents, kind)(tmp_path / "file", *more)


@pytest.mark.parametrize(
    "text, words",
    [
        ("[" * 100_000, ["nested"]),
        ('{"a":' * 100_000, ["nested"]),
        ("9" * 5000, ["JSON ("]),
        ("{", ["JSON ("]),
        ("", ["JSON ("]),
        ("[]", ["{id: [{x, y, cls}]}"]),
        ('{"a": 3}', ["{id: [{x, y, cls}]}"]),
        ('{"a": "xy"}', ["{id: [{x, y, cls}]}"]),
        ('{"a": ["x"]}', ["point x", "a"]),
        ('{"a": [null]}', ["point None", "a"]),
    ],
)
def test_points_that_are_none(voc, text, words):
    (voc.root / "points.json").write_text(text)
    assert not lacking(only_finding(voc), "points.json", *words)


@pytest.mark.parametrize("value", ["NaN", "Infinity", "1e999", "-1", '"3"', "true", "null", "[]", "1" + "0" * 400])
@pytest.mark.parametrize("key", ["x", "y", "cls"])
def test_numbers_that_are_none(voc, key, value):
    point = {"x": "3", "y": "3", "cls": "1"} | {key: value}
    members = ", ".join(f'"{name}": {text}' for name, text in point.items())
    (voc.root / "points.json").write_text(f'{{"a": [{{{members}}}]}}')
    found = only_finding(voc)
    assert not lacking(found, "points.json", "point", "0 <= x < 20") and len(found) < 1500


@pytest.mark.parametrize("text", ["1_0", "٣", "nan", "1e999", "-inf", "", "0x5", "9" * 5000])
def test_corners_of_boxes_that_are_none(voc, text):
    voc.boxes("a", ("cat", 2, 3, text, 12))
    assert not lacking(only_finding(voc), "a.xml", "object 1", "box")


@pytest.mark.parametrize("text", ["1_0", "٣", "nan", "1e999", "-inf", ""])
def test_points_of_scribbles_that_are_none(voc, text):
    (voc.root / "Annotations" / "a.xml").unlink()
    (voc.root / "Scribbles").mkdir()
    points = f"<point><X>{text}</X><Y>3</Y></point><point><X>4</X><Y>5</Y></point>"
    (voc.root / "Scribbles" / "a.xml").write_text(
        f"<annotation><polygon><tag>cat</tag>{points}</polygon></annotation>", encoding="utf-8"
    )
    assert not lacking(only_finding(voc), "a.xml", "scribble 1", "points")


@pytest.mark.parametrize("name", ["tags.csv", "classes.txt", "ImageSets/Segmentation/train.txt", "points.json"])
def test_what_is_no_utf_8(voc, name):
    (voc.root / name).write_bytes(b"\xff\xfe\x00")
    with raises(DatasetError, name, "UTF-8"):
        import_voc("toy", voc.root)


def test_a_cell_without_end(voc):
    (voc.root / "tags.csv").write_text("id,class\n" + "x" * 200_000)
    assert not lacking(only_finding(voc), "tags.csv", "CSV (")


def test_a_finding_shows_no_control_characters_and_has_an_end():
    text = str(Finding(Path("a\x1b[31m"), "b\nc" + "x" * 10**6, "d\u202e", "Mend it."))
    assert text.startswith("a\\x1b[31m: ") and not lacking(text, "b\\ncxxx", "d\\u202e") and len(text) < 1100


def calls(function, *arguments):
    class Evil:
        def __reduce__(self):
            return function, arguments

    return Evil()


def object_array(content):
    """A .npy whose pickle is ours."""
    return (
        b"\x93NUMPY\x01\x00\x46\x00"
        + b"{'descr': '|O', 'fortran_order': False, 'shape': ()}".ljust(69)
        + b"\n"
        + content
    )


def refused(path, classes=("background", "cat", "dog")):
    findings = []
    assert read_npy(path, list(classes), findings) == {}
    (found,) = findings
    return str(found)


@pytest.mark.parametrize(
    "content, word",
    [
        (pickle.dumps(calls(eval, "open('pwned', 'w')")), "builtins.eval"),
        (pickle.dumps(calls(np.load, "x")), "numpy.load"),
        (pickle.dumps({"a": calls(np.ndarray, (1 << 40,))}), NO_VECTORS),
        (pickle.dumps({"a": calls(np.dtype, "O")}), NO_VECTORS),
        (b"\x80\x04\x8e\xff\xff\xff\xff\xff\xff\xff\x7f", NO_VECTORS),
        (b"cnumpy\ndtype\n(VV9\ntR.", "'V9'"),
        (b"(" * 100_000, NO_VECTORS),
        (b".", NO_VECTORS),
    ],
)
def test_a_pickle_runs_nothing(tmp_path, monkeypatch, content, word):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.npy").write_bytes(object_array(content))
    assert not lacking(refused(tmp_path / "x.npy"), "x.npy", word) and not (tmp_path / "pwned").exists()


@pytest.mark.parametrize(
    "vector", [np.array([np.nan, 1]), np.array([np.inf, 0]), np.array(["1", "0"]), "10", [1, None], {}]
)
def test_vectors_that_are_none(tmp_path, vector):
    np.save(tmp_path / "x.npy", {"a": vector}, allow_pickle=True)
    assert not lacking(refused(tmp_path / "x.npy"), "x.npy", NO_VECTORS)


@pytest.mark.parametrize(
    "dtype, key, protocol",
    [
        *((dtype, "2007000032", 4) for dtype in ("f4", "f8", ">f8", "u1", "i8", "?")),
        *(("f4", key, 2) for key in ("2007000032", 2007000032, np.int64(2007000032), np.str_("2007000032"))),
        *(("f4", key, 4) for key in (np.int64(2007000032), np.str_("2007000032"))),
    ],
)
def test_vectors_of_all_numbers_and_protocols(tmp_path, dtype, key, protocol):
    array = np.empty((), object)
    array[()] = {key: np.array([0, 1], dtype), "other": [1, 0]}
    (tmp_path / "x.npy").write_bytes(object_array(pickle.dumps(array, protocol)))
    findings = []
    assert read_npy(tmp_path / "x.npy", ["background", "cat", "dog"], findings) == {"2007000032": [2], "other": [1]}
    assert not findings


def test_json_values_that_look_like_numbers():
    values = json.loads(f'[1, 1.5, -2, true, "1", null, NaN, 1e999, 1{"0" * 400}]')
    assert [documents.is_number(value) for value in values] == [True] * 3 + [False] * 6
