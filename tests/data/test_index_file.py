"""The index on disk: records that are read one at a time equal those of the whole JSON; damage and other versions are reported."""

import hashlib
import json
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.messages import raises
from wsss_stages.data.index import Index, Record, sample
from wsss_stages.data.notes import Note, Notes
from wsss_stages.store import artifacts

GOLDEN = Path(__file__).parents[1] / "golden"


NOTES = Notes({"tiny boxes": Note(3, ["a", "b"])})


def record(image_id: str, number: int = 0) -> Record:
    made = Record(image_id, f"JPEGImages/{number}.jpg", f"{number:064x}", 30, 40, 30, 40, tags=[1 + number % 2])
    if number % 3:
        made.boxes, made.box_classes, made.kinds = [[1, 2, 3 + number % 7, 9]], [1], ["box", "point"]
    if number % 4 == 0:
        made.points, made.truth = [[number % 40, 1, 2]], f"SegmentationClass/{number}.png"
    return made


def made(train: list[str], val: list[str]) -> Index:
    """An index in memory, as importers make it."""
    records = {image_id: record(image_id, number) for number, image_id in enumerate(train + val)}
    classes = ["background", "Katze", "犬"]
    return Index("toy", Path("/data/toy"), classes, {"train": train, "val": val}, records, NOTES)


@pytest.fixture
def pair(tmp_path) -> tuple[Index, Index]:
    """The same index in memory and on disk; ids are not in the order of letters."""
    ids = [f"{number * 7919 % 101:03d}" for number in range(101)]
    eager = made(ids[:80], ids[80:])
    eager.write(tmp_path / "index.json")
    return eager, Index.read(tmp_path / "index.json")


def test_it_is_one_json_object_with_a_line_for_every_record(pair, tmp_path):
    eager, _ = pair
    text = (tmp_path / "index.json").read_text()
    content = json.loads(text)
    assert content["splits"] == {"train": 80, "val": 21} and content["classes"] == eager.classes
    assert [Record(**entry) for entry in content["records"]] == list(eager.records.values())
    lines = text.splitlines()
    assert len(lines) == 101 + 4 and all(line.startswith('{"id": "') for line in lines[2:-2])


def test_read_lazily_it_is_what_was_written(pair):
    eager, lazy = pair
    assert (lazy.dataset, lazy.root, lazy.notes, lazy.weak) == ("toy", Path("/data/toy"), NOTES, "")
    assert lazy.splits == eager.splits and lazy.splits["val"][3] == eager.splits["val"][3]
    assert list(lazy.records) == list(eager.records) and dict(lazy.records) == eager.records
    for split in ("train", "val"):
        records = lazy.split(split)
        assert list(records) == list(eager.split(split)) == [eager.records[image] for image in eager.splits[split]]
        assert list(records[3:9:2]) == [records[n] for n in (3, 5, 7)] and records[-1] == list(records)[-1]
    with pytest.raises(KeyError, match="unknown"):
        lazy.records["unknown"]
    with raises(ValueError, "'test'", "train, val"):
        lazy.split("test")


def test_what_passes_a_test_comes_in_order(pair):
    for index in pair:
        wanted = [r for r in index.split("train") if r.truth]
        found = index.split("train", having=lambda r: r.truth)
        assert 0 < len(found) < 80 and list(found) == wanted
        assert list(found.having(lambda r: r.boxes)) == [r for r in wanted if r.boxes]


def test_a_shard_is_what_its_hash_says(pair):
    def shard_of(image_id, n):
        return (int.from_bytes(hashlib.sha256(image_id.encode()).digest()[:8], "big") // 2) % n

    for index in pair:
        for n in (1, 3, 7):
            shards = [index.shard("train", f"{k}-of-{n}") for k in range(1, n + 1)]
            for k, records in enumerate(shards):
                assert records == [r for r in index.split("train") if shard_of(r.id, n) == k]
            assert sum(map(len, shards)) == 80


def test_some_images_and_one_kind_are_the_same_lazily(pair, tmp_path):
    eager, lazy = pair
    assert lazy.sample("train", 9).splits == eager.sample("train", 9).splits
    assert list(lazy.sample("train", 9).split("train")) == list(eager.sample("train", 9).split("train"))
    assert lazy.sample("train", 9).shard("train", "1-of-2") == eager.sample("train", 9).shard("train", "1-of-2")
    by_hash = sorted(eager.splits["train"], key=lambda i: hashlib.sha256(f"{i}\0data.limit".encode()).digest()[:8])
    assert sample(eager.splits["train"], 9) == [i for i in eager.splits["train"] if i in by_hash[:9]]
    for weak in ("box", "point", "mixed"):
        first, second = eager.with_weak(weak), lazy.with_weak(weak)
        assert dict(second.records) == first.records and second.weak == weak
        assert list(second.split("val")) == [r.with_weak(weak) for r in eager.split("val")]
        first.write(tmp_path / "a.json")
        second.write(tmp_path / "b.json")
        assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
        assert Index.read(tmp_path / "b.json").weak == weak


def test_the_bytes_are_the_same_after_reading_and_writing(pair, tmp_path):
    pair[1].write(tmp_path / "again.json")
    assert (tmp_path / "again.json").read_bytes() == (tmp_path / "index.json").read_bytes()
    pair[1].write(tmp_path / "index.json")  # onto itself: what is open stays what it was
    assert (tmp_path / "again.json").read_bytes() == (tmp_path / "index.json").read_bytes()


@settings(deadline=None, max_examples=60)
@given(st.lists(st.text(min_size=1), unique=True, max_size=8), st.data())
def test_odd_ids_come_back(ids, data):
    cut = data.draw(st.integers(0, len(ids)))
    eager = made(ids[:cut], ids[cut:])
    with tempfile.TemporaryDirectory() as folder:
        eager.write(Path(folder) / "index.json")
        lazy = Index.read(Path(folder) / "index.json")
        assert dict(lazy.records) == eager.records and lazy.splits == eager.splits
        assert all(lazy.records[image].id == image for image in ids)
        assert "" not in lazy.records and 7 not in lazy.splits["train"]


def test_ids_with_one_hash_are_distinguished(pair):
    lazy = pair[1]
    lazy.records.file.hashes[:] = lazy.records.file.hashes[lazy.records.file.position("000")]
    assert lazy.records["000"].id == "000"


def test_any_changed_byte_is_noticed(tmp_path):
    path = tmp_path / "index.json"
    made(["a", "b"], ["c"]).write(path)
    whole = path.read_bytes()
    for at in range(len(whole)):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        with raises(artifacts.ContractError, "index.json", "snakemake --forcerun data"):
            Index.read(path)
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with raises(artifacts.ContractError, "index.json", "snakemake --forcerun data"):
            Index.read(path)
    lines = whole.splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:2], lines[3], lines[2], *lines[4:]]))
    with raises(artifacts.ContractError, "index.json", "sha256", "last line"):
        Index.read(path)


def test_an_older_index_is_refused():
    path = GOLDEN / "index_v4.json"
    with raises(artifacts.ContractError, str(path), "index v4 ... v6", "snakemake --forcerun data"):
        Index.read(path)


def test_an_index_is_written_whole_or_not_at_all(pair, tmp_path):
    eager, _ = pair
    before = (tmp_path / "index.json").read_bytes()
    twice = replace(eager, splits={"train": eager.splits["train"], "val": eager.splits["train"][:1]})
    with raises(ValueError, "index.json", "splits", "twice"):
        twice.write(tmp_path / "index.json")
    with pytest.raises(KeyError, match="lost"):
        replace(eager, splits={"train": [*eager.splits["train"], "lost"]}).write(tmp_path / "index.json")
    assert (tmp_path / "index.json").read_bytes() == before and len(list(tmp_path.iterdir())) == 1
