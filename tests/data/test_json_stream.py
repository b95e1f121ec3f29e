"""JSON read an element at a time: the same as json.loads, in little memory, and damaged files are findings."""

import io
import json
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.messages import raises
from wsss_stages.data import json_stream
from wsss_stages.data.findings import DefectError

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


def read(text, *streamed):
    return list(json_stream.entries(io.BytesIO(text.encode()), streamed))


@pytest.fixture(params=[1, 7, 1 << 16])
def _chunk(request, monkeypatch):
    monkeypatch.setattr(json_stream, "CHUNK", request.param)


@given(
    st.lists(values, max_size=6), st.dictionaries(st.text(max_size=5), values, max_size=5), st.sampled_from([None, 1])
)
@settings(max_examples=20, deadline=None, derandomize=True)
def test_elements_and_members_are_those_of_json_loads(elements, members, indent):
    assert [value for _, value in read(json.dumps(elements, indent=indent))] == elements
    assert dict(read(json.dumps(members, indent=indent))) == members
    members["many"] = elements
    found = read(json.dumps(members, ensure_ascii=False), "many")
    assert [value for key, value in found if key == "many"] == elements


@pytest.mark.usefixtures("_chunk")
def test_however_it_is_cut():
    content = {"ä": [1, 23, 4.5e3], "list": [{"a": "犬" * 9}, -17, "x"], "last": 12}
    found = read("\ufeff" + json.dumps(content, ensure_ascii=False), "list")
    assert found == [("ä", [1, 23, 4500.0]), *(("list", value) for value in content["list"]), ("last", 12)]


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "begins with ''"), ("7", "begins with '7'"), ("[1, 2", "too early"), ("[1 2]", "'2'"), ("[1,]", "no JSON"), ("{1: 2}", "name"),
        ('{"a" 1}', "name"), ("[] []", "after"), ('{"a": [1}', "'}'"), ("[" * 100_000, "deeply"), ('["\udcff"]', "UTF-8"),
    ],
)  # fmt: skip
def test_what_is_no_json_is_a_defect(text, word):
    with raises(DefectError, word):
        list(json_stream.entries(io.BytesIO(text.encode(errors="surrogateescape")), ("a",)))


def test_memory_does_not_grow_with_the_file():
    element = json.dumps({"name": "x" * 2000})
    text = b"[" + b",".join([element.encode()] * 600) + b"]"
    tracemalloc.start()
    assert sum(1 for _ in json_stream.entries(io.BytesIO(text))) == 600
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(text) > 1_200_000 and peak < 600_000


def test_an_endless_element_is_refused(monkeypatch):
    monkeypatch.setattr(json_stream, "LONGEST", 1000)
    with raises(DefectError, "at most 1000"):
        read(json.dumps(["x" * 100_000]))
