"""A disk that is full: nothing half written, one paragraph that says what and how to go on, and the same bytes once there is room."""

import errno
import os
import subprocess

import pytest

from tests.messages import lacking
from wsss_stages.store import artifacts, tidying


def left(folder):
    """Bytes of what a stage left, by path; records of runs and lock files are not compared."""
    found = {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    return {path: content for path, content in found.items() if not path.name.endswith((".made.json", ".lock"))}


def paragraph(said):
    """Return the error of a run, the last paragraph of its output."""
    assert "Traceback" not in said
    return said[said.index("error: ") :]


@pytest.mark.parametrize("stage", ["s2_cam", "s3_seeds", "s6_instance_masks"])
def test_a_file_that_finds_no_room_is_reported_and_leaves_nothing(road, stage, tmp_path):
    undisturbed = left(road.make(stage).parent)
    out = road.out(stage, tmp_path)
    room = min(map(len, undisturbed.values())) - 1
    ended = road.server.run(stage, road.argv(stage, tmp_path), room=room)
    message = paragraph(ended.said)
    assert ended.code == 1 and os.strerror(errno.EFBIG) in message
    assert not lacking(message, f"{out.parent}", "not written", "MB are free")
    assert not left(tmp_path)
    assert road.server.run(stage, road.argv(stage, tmp_path)).code == 0
    assert left(out.parent) == undisturbed


def test_weights_that_find_no_room_are_reported_and_leave_nothing(road, tmp_path):
    """safetensors raises the system's error in a class of its own."""
    road.make("weak_index")
    out = road.out("s1_classifier", tmp_path)
    ended = road.server.run("s1_classifier", road.argv("s1_classifier", tmp_path), room=20_000)
    message = paragraph(ended.said)
    assert ended.code == 1 and not lacking(message, f"{out} ", "not written", os.strerror(errno.EFBIG))
    assert set(map(str, left(out.parent))) <= {"curve.json"}


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 48 kB; `small_disk(size)` makes it larger."""
    if os.geteuid():
        pytest.skip("only root mounts a small tmpfs; RLIMIT_FSIZE is tested in its place")
    folder = tmp_path / "small"
    folder.mkdir()

    def mount(options):
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
        return subprocess.run(command, capture_output=True, text=True)

    done = mount("size=48k")
    if done.returncode:
        pytest.skip(f"no tmpfs can be mounted here: {done.stderr.strip()}")
    yield folder, lambda size: mount(f"remount,size={size}")
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_keeps_what_is_whole_and_nothing_else(road, small_disk):
    folder, grow = small_disk
    undisturbed = left(road.make("s2_cam").parent)
    out = road.out("s2_cam", folder)
    ended = road.server.run("s2_cam", road.argv("s2_cam", folder))
    message = paragraph(ended.said)
    assert ended.code == 1 and not lacking(message, os.strerror(errno.ENOSPC), "not written")
    kept = left(out.parent)
    assert 0 < len(kept) < len(undisturbed) and kept.items() < undisturbed.items()
    grow("8m")
    ended = road.server.run("s2_cam", road.argv("s2_cam", folder))
    assert ended.code == 0 and not {path.relative_to(out.parent) for path in ended.wrote} & set(kept)
    assert left(out.parent) == undisturbed


@pytest.mark.parametrize(
    "message", ["I/O error: No space left on device (os error 28)", "PytorchStreamWriter: file write failed"]
)
def test_messages_of_libraries_about_a_full_disk_are_errors_of_the_disk(tmp_path, message):
    with (
        pytest.raises(OSError, match=r"file write failed|No space") as caught,
        artifacts.whole(tmp_path / "x") as partial,
    ):
        partial.write_text("half")
        raise RuntimeError(message)
    assert not lacking(caught.value.__notes__[0], f"{tmp_path / 'x'} ", "not written", "MB are free")
    assert not list(tmp_path.iterdir())


def test_a_folder_that_may_not_be_written_is_reported_without_a_word_of_room(tmp_path):
    (tmp_path / "folder").write_text("a file")
    with pytest.raises(OSError, match="folder") as caught, artifacts.whole(tmp_path / "folder" / "x"):
        pass
    note = caught.value.__notes__[0]
    assert not lacking(note, str(tmp_path / "folder" / "x"), "folder") and lacking(note, "MB are free")


def test_other_errors_stay_what_they_are(tmp_path):
    with pytest.raises(RuntimeError, match="a fault of ours") as caught, artifacts.whole(tmp_path / "x"):
        raise RuntimeError("a fault of ours")
    assert not hasattr(caught.value, "__notes__")


def test_only_what_was_half_written_of_the_given_files_is_tidied(tmp_path):
    mine, other = tmp_path / "a.png", tmp_path / "b.a.png"
    for path in (mine, other):
        tidying.partial_of(path).write_text("half")
    mine.write_text("whole")
    assert tidying.tidy([mine, tmp_path / "no folder" / "c.png"]) == 1
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.png", tidying.partial_of(other).name]


def test_without_a_lock_only_what_dead_processes_of_this_machine_left_is_tidied(tmp_path):
    done = subprocess.Popen(["true"])
    done.wait()
    path = tmp_path / "scores.json"
    alive = tidying.partial_of(path)
    host = alive.name.removeprefix("scores.json.").removesuffix(f"-{os.getpid()}.partial")
    dead, elsewhere = (path.with_name(f"{path.name}.{name}-{done.pid}.partial") for name in (host, "another"))
    for partial in (alive, dead, elsewhere):
        partial.write_text("half")
    assert tidying.tidy_dead([path]) == 1 and alive.exists() and elsewhere.exists() and not dead.exists()
