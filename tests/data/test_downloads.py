"""Downloads from a server on this machine: resumed, begun anew, from a mirror, refused, and what they unpack."""

import hashlib
import io
import shutil
import tarfile
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests import miniatures
from tests.messages import lacking, raises
from wsss_stages.data import downloads, published
from wsss_stages.data.downloads import Archive, DownloadError, fetch, provide, unpack
from wsss_stages.data.importers.kinds import KINDS, Settings

CONTENT = bytes(range(256)) * 4000
MB = 1 << 20


class Server(ThreadingHTTPServer):
    """Files of a dictionary; `requests` are the paths and ranges that were asked for."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files = {"a.tar": CONTENT}
        self.requests = []
        self.ranges, self.stops = True, []
        """Whether Range is heeded; bytes after which the next answers break off."""

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        server, wanted = self.server, self.headers.get("Range")
        server.requests.append((self.path, wanted))
        content = server.files.get(self.path.rsplit("/", 1)[-1])
        if content is None:
            self.send_error(404)
            return
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and server.ranges else 0
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        stop = server.stops.pop(0) if server.stops else len(content)
        self.wfile.write(content[start : start + stop])

    def log_message(self, *arguments):
        pass


@pytest.fixture
def server():
    with Server() as made:
        thread = threading.Thread(target=made.serve_forever, daemon=True)
        thread.start()
        yield made
        made.shutdown()
        thread.join()


def archive(server, content=CONTENT, name="a.tar", **more):
    md5 = hashlib.md5(content, usedforsecurity=False).hexdigest()
    fields = {
        "md5": md5,
        "url": f"{server.url}/{name}",
        "holds": ("VOCdevkit/VOC2012",),
        "page": "http://example.org/voc",
    }
    return Archive(**{"file": name, "size": len(content), **fields, **more})


def tar_of(folder, mode="w"):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as made:
        for path in sorted(folder.iterdir()):
            made.add(path, path.name)
    return buffer.getvalue()


def test_a_file_is_downloaded_once_and_checked(server, tmp_path):
    one = archive(server)
    assert fetch(one, tmp_path).read_bytes() == CONTENT and fetch(one, tmp_path).is_file()
    assert server.requests == [("/a.tar", None)] and [p.name for p in tmp_path.iterdir()] == ["a.tar"]


def test_it_goes_on_where_it_broke_off(server, tmp_path):
    server.stops = [300_000, 200_000]
    assert fetch(archive(server), tmp_path).read_bytes() == CONTENT
    assert [wanted for _, wanted in server.requests] == [None, "bytes=300000-", "bytes=500000-"]


def test_it_goes_on_where_an_earlier_run_was_killed(server, tmp_path):
    (tmp_path / "a.tar.part").write_bytes(CONTENT[: MB // 2])
    assert fetch(archive(server), tmp_path).read_bytes() == CONTENT
    assert server.requests == [("/a.tar", f"bytes={MB // 2}-")]


def test_a_server_that_ignores_ranges_sends_all_and_the_file_begins_anew(server, tmp_path, monkeypatch):
    monkeypatch.setattr(downloads, "CHUNK", 10_000)
    server.ranges = False
    (tmp_path / "a.tar.part").write_bytes(b"x" * 500_000)
    assert fetch(archive(server), tmp_path).read_bytes() == CONTENT


def test_a_wrong_checksum_is_refused_and_nothing_stays(server, tmp_path):
    one = archive(server, md5="0" * 32)
    with raises(DownloadError, "a.tar", hashlib.md5(CONTENT).hexdigest(), "0" * 32, "by hand", one.page):
        fetch(one, tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_damaged_part_is_dropped_and_the_next_address_begins_anew(server, tmp_path):
    (tmp_path / "a.tar.part").write_bytes(b"x" * 1000)
    assert fetch(archive(server), tmp_path, f"{server.url}/mirror").read_bytes() == CONTENT
    assert server.requests == [("/mirror/a.tar", "bytes=1000-"), ("/a.tar", None)]


def test_a_mirror_is_tried_first(server, tmp_path):
    assert fetch(archive(server), tmp_path / "one", f"{server.url}/mirror/").read_bytes() == CONTENT
    server.files["b.tar"] = CONTENT
    other = archive(server, name="b.tar")
    fetch(other, tmp_path / "two", f"{server.url}/mirror")
    assert [path for path, _ in server.requests] == ["/mirror/a.tar", "/mirror/b.tar"]


def test_no_address_says_what_to_fetch_by_hand(server, tmp_path):
    one = archive(server, url=f"{server.url}/gone", file="gone.tar")
    with raises(DownloadError, "404", "mirror", "gone.tar", one.page, str(tmp_path), "by hand", "data.mirror", one.md5):
        fetch(one, tmp_path, f"{server.url}/mirror")
    assert len(server.requests) == 2


def test_what_was_fetched_by_hand_is_checked(server, tmp_path):
    (tmp_path / "a.tar").write_bytes(CONTENT[1:])
    one = archive(server)
    with raises(
        DownloadError, str(tmp_path / "a.tar"), f"{len(CONTENT) - 1:,} bytes", f"{len(CONTENT):,} bytes", "Delete"
    ):
        fetch(one, tmp_path)
    (tmp_path / "a.tar").write_bytes(CONTENT[::-1])
    with raises(DownloadError, str(tmp_path / "a.tar"), "md5", one.md5):
        fetch(one, tmp_path)
    assert not server.requests


def test_a_disk_too_small_is_said_before_the_first_byte(server, tmp_path, monkeypatch):
    one = archive(server, unpacked=3 * len(CONTENT))
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(downloads.shutil, "disk_usage", lambda _: usage._replace(free=4 * len(CONTENT) - 1))
    with raises(DownloadError, str(tmp_path), "GB free", "a.tar", "Make room", "dataset_root"):
        fetch(one, tmp_path)
    assert not server.requests and not list(tmp_path.iterdir())
    (tmp_path / "a.tar.part").write_bytes(CONTENT[:1])
    assert fetch(one, tmp_path).is_file()


@pytest.mark.parametrize("size", [10, len(CONTENT) + 10])
def test_another_size_is_refused(server, tmp_path, size):
    with raises(DownloadError, f"{size:,} bytes"):
        fetch(archive(server, size=size, md5=""), tmp_path)


def test_voc_is_unpacked_and_another_year_is_not(server, tmp_path):
    folder = miniatures.write("voc2012", tmp_path / "published")
    server.files["a.tar"] = tar_of(folder)
    one = archive(server, server.files["a.tar"])
    provide(one, tmp_path / "data")
    provide(one, tmp_path / "data")
    assert len(server.requests) == 1
    assert sorted(p.name for p in (tmp_path / "data").iterdir()) == ["VOCdevkit", "a.tar"]
    (folder / "VOCdevkit" / "VOC2012").rename(folder / "VOCdevkit" / "VOC2007")
    path = tmp_path / "other.tar"
    path.write_bytes(tar_of(folder))
    with raises(DownloadError, "other.tar", "VOCdevkit/VOC2007", "VOCdevkit/VOC2012", "another year", one.page):
        unpack(one, path, tmp_path / "again")
    assert not list((tmp_path / "again").iterdir())


@pytest.mark.parametrize("name", ["a.tar", "a.zip"])
def test_a_damaged_archive_is_refused(server, tmp_path, name):
    path = tmp_path / name
    with zipfile.ZipFile(path, "w") as made:
        made.writestr("train2014/a.jpg", CONTENT)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2] if name == "a.tar" else content[:200] + content[400:])
    with raises(DownloadError, name, "damaged"):
        unpack(archive(server, holds=("train2014",)), path, tmp_path / "data")


@pytest.mark.parametrize("safe", [None, {}], ids=["with tarfile's filter", "without"])
@pytest.mark.parametrize("kind", [tarfile.REGTYPE, tarfile.SYMTYPE])
def test_members_that_lead_out_are_refused(server, tmp_path, monkeypatch, kind, safe):
    if safe is not None:
        monkeypatch.setattr(downloads, "SAFE", safe)
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w") as made:
        member = tarfile.TarInfo("../out.txt" if kind == tarfile.REGTYPE else "in.txt")
        member.type, member.linkname = kind, "../out.txt" if kind == tarfile.SYMTYPE else ""
        made.addfile(member, io.BytesIO())
    with raises(DownloadError, "a.tar", "damaged", member.name):
        unpack(archive(server), path, tmp_path / "data")
    assert not (tmp_path / "out.txt").exists()


def test_the_published_archives_have_a_size_a_page_and_what_they_hold():
    made = [
        published.voc2012(),
        published.sbd(),
        *published.coco("2014", ("train2014", "val2014")),
        *published.coco("2017", ("mine",)),
    ]
    assert [one.file for one in made] == [
        "VOCtrainval_11-May-2012.tar", "benchmark.tgz", "annotations_trainval2014.zip", "train2014.zip", "val2014.zip",
        "annotations_trainval2017.zip",
    ]  # fmt: skip
    assert all(one.size > 10**8 and one.page.startswith("http") and one.url.endswith(one.file) for one in made)
    assert [bool(one.md5) for one in made] == [True, True, False, False, False, False]


@pytest.mark.parametrize("kind", ["voc2012", "coco2014"])
def test_a_dataset_goes_from_nothing_to_an_index(kind, server, tmp_path, monkeypatch):
    root, folder = tmp_path / "data", tmp_path / "published"
    for name in ("voc2012", "sbd") if kind == "voc2012" else ("coco2014",):
        miniatures.write(name, folder)
    made = _pack(server, folder)
    if kind == "voc2012":
        monkeypatch.setattr(published, "voc2012", lambda: made["VOCdevkit"])
        monkeypatch.setattr(published, "sbd", lambda: made["benchmark_RELEASE"])
    else:
        monkeypatch.setattr(published, "coco", lambda year, lists: [made[name] for name in ("annotations", *lists)])
    lists = ("train_aug", "val") if kind == "voc2012" else ("train", "val")
    settings = Settings(*lists, "", "", "", 0, 0, 0, 0)
    index = KINDS[kind]("toy", root, tmp_path / "truth", settings)
    assert {split: len(ids) for split, ids in index.splits.items()} == {"train": 8, "val": 4}
    assert all(record.truth for record in index.records.values())
    asked = len(server.requests)
    assert asked == len(made)
    KINDS[kind]("toy", root, tmp_path / "truth", settings)
    assert len(server.requests) == asked


def test_the_message_of_a_site_that_is_down_names_both_archives(server, tmp_path, monkeypatch):
    one = archive(server, url=f"{server.url}/gone.tar", file="VOCtrainval_11-May-2012.tar")
    monkeypatch.setattr(published, "voc2012", lambda: one)
    with pytest.raises(DownloadError) as caught:
        KINDS["voc2012"]("toy", tmp_path, tmp_path / "truth", Settings("train", "val", "", "", "", 0, 0, 0, 0))
    assert not lacking(str(caught.value), "VOCtrainval_11-May-2012.tar", "by hand", str(tmp_path))


def _pack(server, folder):
    """Serve each folder as a tar of its own; return the archives by the folders' names."""
    made = {}
    for path in sorted(folder.iterdir()):
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
            tar.add(path, path.name)
        content = server.files[f"{path.name}.tgz"] = buffer.getvalue()
        held = {"VOCdevkit": "VOCdevkit/VOC2012", "benchmark_RELEASE": "benchmark_RELEASE/dataset"}.get(
            path.name, path.name
        )
        made[path.name] = archive(server, content, f"{path.name}.tgz", holds=(held,), unpacked=1)
    return made
