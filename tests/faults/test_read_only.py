"""A dataset's folder is only read: no stage that sees photographs opens anything in it for writing, and its bytes stay as they are."""

import hashlib
import os
import shutil
import subprocess

import pytest

STAGES = ("weak_index", "s2_cam", "s3_seeds")
"""After data; the networks between them are taken from the undisturbed run."""


def state(folder):
    """Name, mode, time of change and sha256 of all that is below a folder."""
    found = {}
    for path in sorted(folder.rglob("*")):
        status = path.stat()
        content = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
        found[path.relative_to(folder)] = (status.st_mode, status.st_mtime_ns, content)
    return found


def argv(road, stage, dataset, root):
    """A stage's command line on a dataset in VOC layout, all that it reads of images and writes below root."""
    if stage == "data":
        return ["--root", dataset, "--kind", "voc", "--dataset", "toy", "--index", root / "data" / "index.json"]
    command = road.argv(stage, root)
    for source in ("data", "weak_index", "s2_cam"):
        command = [road.out(source, root) if part == road.out(source) else part for part in command]
    return command


@pytest.fixture
def read_only(road, tmp_path):
    """A copy of the dataset whose files and folders may not be written; of root, whom that does not stop, on a file system that may not."""
    road.make("s2_cam")
    folder = tmp_path / "dataset"
    shutil.copytree(road.dataset, folder)
    for path in (*folder.rglob("*"), folder):
        path.chmod(0o555 if path.is_dir() else 0o444)
    mounted = False
    if os.geteuid() == 0:
        bound = subprocess.run(["mount", "--bind", folder, folder], capture_output=True)
        mounted = bound.returncode == 0
        if mounted:
            subprocess.run(["mount", "-o", "remount,bind,ro", folder], check=True)
    yield folder
    if mounted:
        subprocess.run(["umount", folder], check=True)
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)


def test_a_dataset_that_may_not_be_written_is_enough(road, read_only, tmp_path):
    before, root = state(read_only), tmp_path / "results"
    for stage in ("data", *STAGES):
        ended = road.server.run(stage, argv(road, stage, read_only, root), read_only=str(read_only))
        assert ended.code == 0, ended.said
        assert ended.wrote and not any(read_only in path.parents for path in ended.wrote)
    assert state(read_only) == before


def test_the_watch_sees_what_is_written_there(road, read_only, tmp_path):
    """An index that is to lie in the dataset's folder is what the test above would notice."""
    command = ["--root", read_only, "--kind", "voc", "--dataset", "toy", "--index", read_only / "index.json"]
    ended = road.server.run("data", command, read_only=str(read_only))
    assert ended.code == 1 and "would change the dataset" in ended.said
