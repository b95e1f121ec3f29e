"""The texts that Snakemake compares to see that a dataset has changed."""

import os

import pytest

from wsss_stages.data import changes
from wsss_stages.data.index import Index, Record


def listed(*folders):
    changes.listing.cache_clear()
    return changes.listing(*folders)


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "dataset"
    for name in (
        "JPEGImages/a.jpg",
        "JPEGImages/b.jpg",
        "Annotations/a.xml",
        "classes.txt",
        "ImageSets/Main/train.txt",
    ):
        (made / name).parent.mkdir(parents=True, exist_ok=True)
        (made / name).write_text(name)
    return made


def longer(path):
    path.write_text(path.read_text() + " ")


def later(path):
    os.utime(path, ns=(0, path.stat().st_mtime_ns + 1))


def renamed(path):
    path.rename(path.with_name(f"_{path.name}"))


@pytest.mark.parametrize("name", ["JPEGImages/b.jpg", "Annotations/a.xml", "classes.txt", "ImageSets/Main/train.txt"])
@pytest.mark.parametrize("edit", [longer, later, renamed, os.unlink])
def test_every_edited_file_is_noticed(folder, name, edit):
    before = listed(folder)
    assert listed(folder) == before
    edit(folder / name)
    assert listed(folder) != before


def test_a_new_file_is_noticed_and_its_removal_too(folder):
    before = listed(folder)
    (folder / "JPEGImages" / "c.jpg").touch()
    assert listed(folder) != before
    (folder / "JPEGImages" / "c.jpg").unlink()
    assert listed(folder) == before


def test_a_file_that_moves_to_another_folder_is_noticed(folder, tmp_path):
    before = listed(folder, tmp_path / "weak")
    (folder / "Annotations").rename(tmp_path / "weak")
    assert listed(folder, tmp_path / "weak") != before


def test_a_process_lists_once(folder):
    before = listed(folder)
    longer(folder / "classes.txt")
    assert changes.listing(folder) == before


def test_hidden_files_do_not_count(folder):
    before = listed(folder)
    (folder / ".DS_Store").touch()
    (folder / ".snakemake").mkdir()
    (folder / ".snakemake" / "log").touch()
    assert listed(folder) == before


@pytest.mark.parametrize("home", [".", "project"])
def test_what_a_run_writes_beside_the_photographs_does_not_count(folder, monkeypatch, home):
    (folder / home).mkdir(exist_ok=True)
    monkeypatch.chdir(folder / home)
    before = listed(folder)
    for name in ("results", "logs"):
        (folder / home / name).mkdir()
        (folder / home / name / "file").touch()
    (folder / home / "report.html").touch()
    assert listed(folder) == before
    (folder / home / "tags.csv").touch()
    assert listed(folder) != before


def test_results_of_somebody_else_count(folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before = listed(folder)
    (folder / "results").mkdir()
    (folder / "results" / "file").touch()
    assert listed(folder) != before


def test_links_are_followed_but_not_in_circles(folder, tmp_path):
    (folder / "JPEGImages").rename(tmp_path / "elsewhere")
    (folder / "JPEGImages").symlink_to(tmp_path / "elsewhere")
    (folder / "Annotations" / "back").symlink_to(folder)
    (folder / "Annotations" / "nothing.xml").symlink_to(tmp_path / "nothing")
    before = listed(folder)
    assert listed(folder) == before
    later(tmp_path / "elsewhere" / "a.jpg")
    assert listed(folder) != before


def test_a_missing_folder_has_a_listing_of_its_own(folder, tmp_path):
    missing = listed(tmp_path / "missing")
    assert missing == listed(tmp_path / "missing") != listed(folder)
    (tmp_path / "missing").mkdir()
    assert listed(tmp_path / "missing") != missing


def test_the_checksum_of_an_index_changes_with_its_content_only(tmp_path):
    path, records = tmp_path / "index.json", {i: Record(i, f"{i}.jpg", i, 4, 6, 4, 6) for i in "ab"}
    index = Index("made", tmp_path, ["background", "cat"], {"train": ["a", "b"]}, records)
    assert changes.checksum(path) == ""
    index.write(path)
    before = changes.checksum(path)
    assert len(before) == 64 and f'"sha256": "{before}"}}' in path.read_text()
    index.write(path)
    assert changes.checksum(path) == before
    records["a"].tags = [1]
    index.write(path)
    assert changes.checksum(path) not in ("", before)


def test_what_is_no_index_has_no_checksum(tmp_path):
    (tmp_path / "index.json").write_text("{}")
    assert changes.checksum(tmp_path / "index.json") == ""
