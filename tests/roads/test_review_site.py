"""The review page's server: who may ask, what it answers, and that what it says is saved is on the disk."""

import gzip
import json
import os
import shutil
import signal
import subprocess
import sys
from urllib.parse import quote

import numpy as np
import pytest

from tests.messages import lacking, raises
from tests.roads.review_runs import Client, key_of, results_of, reviewing
from wsss_stages.commands import corrections as corrections_command
from wsss_stages.data.corrections.kept import Kept
from wsss_stages.data.corrections.verdicts import Verdicts
from wsss_stages.data.images import read_labels
from wsss_stages.roads.review_site.images import RunImages


@pytest.fixture
def results(toy, tmp_path):
    return results_of(toy, tmp_path)


@pytest.fixture
def client(results):
    with reviewing(results) as (client, _):
        yield client


def paint(client, image, mask):
    return client.ask(f"api/mask/{key_of(image)}", gzip.compress(mask.tobytes()))[0]


def current(client, image):
    status, headers, content = client.ask(f"mask/{key_of(image)}")
    assert status == 200 and headers["Content-Encoding"] == "gzip"
    return np.frombuffer(gzip.decompress(content), np.uint8)


def test_worst_first_and_every_step(client, toy):
    rows = (toy.root / "s9_review/review_first.csv").read_text().splitlines()[1:]
    status, found = client.json("api/images?start=0&count=100")
    assert status == 200 and [entry["id"] for entry in found["images"]] == [row.split(",")[0] for row in rows]
    assert found["total"] == 8 and found["counts"] == {"open": 8}
    run = client.json("api/run")[1]
    assert (
        run["steps"][:3] == ["CAM M_I", "masks M_B", "seeds M_g"] and "A²GNN" in run["steps"] and not run["read_only"]
    )
    first = found["images"][0]["key"]
    for title in run["steps"]:
        status, _, packed = client.ask(f"step/{first}/{quote(title)}")
        assert status == 200 and set(gzip.decompress(packed)) <= {*range(len(run["classes"])), 255}
    assert client.ask(f"photo/{first}")[2][:2] == client.ask(f"thumbnail/{first}")[2][:2] == b"\xff\xd8"
    assert client.json("api/images?start=6&count=100")[1]["images"][-1] == found["images"][-1]


@pytest.mark.parametrize("token", ["", "x", "..", "%2e%2e"])
def test_without_the_token_nothing_is_answered(client, token):
    for path in ("", "page.js", "api/run", "api/images?start=0&count=9"):
        assert client.ask(path, token=token)[0] in (403, 404)
    assert client.ask("api/verdict/0", b'{"state": "accept"}', token=token)[0] == 403


@pytest.mark.parametrize(
    "headers",
    [{"Host": "evil.example"}, {"Host": "127.0.0.1.evil.example:80"}, {"Host": ""}, {"Origin": "http://evil.example"}],
)
def test_other_sites_are_refused_also_with_the_token(client, headers):
    assert client.ask("api/run", **headers)[0] == 403
    assert client.ask(f"api/verdict/{key_of('scene_0000')}", b'{"state": "accept"}', **headers)[0] == 403


def test_a_forwarded_port_is_this_machine(client):
    host = "localhost:9999"
    assert client.ask("", Host=host)[0] == client.ask("api/run", Host=host, Origin=f"http://{host}")[0] == 200


@pytest.mark.parametrize(
    "path",
    [
        "../../etc/passwd", "photo/../../index.json", "photo/%2e%2e%2findex.json", "photo//etc/passwd", "page.py", "step/KEY/../pseudo",
        "step/KEY/nothing", "photo/scene_0000", "mask/%00", "api/nothing", "KEY", "thumbnail/" + "0" * 16,
    ],
)  # fmt: skip
def test_no_address_leads_to_a_file(client, path):
    assert client.ask(path.replace("KEY", key_of("scene_0000")))[0] == 404


def test_every_answer_forbids_other_origins_and_scripts_in_pages(client):
    for path in ("", "page.css", "api/run", f"photo/{key_of('scene_0000')}", "nothing"):
        headers = client.ask(path)[1]
        assert not lacking(headers["Content-Security-Policy"], "default-src 'none'", "script-src 'self'")
        assert headers["X-Content-Type-Options"] == "nosniff" and headers["Referrer-Policy"] == "no-referrer"
    page = client.ask("")[2].decode()
    assert "http" not in page and "<script src" in page and "onclick" not in page and "style=" not in page
    script = client.ask("page.js")[2].decode()
    assert "innerHTML" not in script and "insertAdjacentHTML" not in script and "http:" not in script


def test_names_with_markup_are_text(toy, tmp_path):
    name = "<script>alert(1)<!-- ü猫"
    results = results_of(toy, tmp_path)
    content = toy.read_index(toy.index)
    content["index"].classes[1] = name
    (results / "box/index.json").unlink()
    toy.write_index(results / "box/index.json", content)
    with reviewing(results) as (client, _):
        status, headers, body = client.ask("api/run")
    assert headers["Content-Type"] == "application/json" and json.loads(body)["classes"][1] == name and status == 200


def test_what_is_painted_drawn_and_decided_is_on_the_disk(client, results, toy):
    images = RunImages.open(results, "box", "ours")
    one, two, three, four = images.ids[:4]
    label = current(client, one).copy()
    label[:50] = 1
    assert paint(client, one, label) == 200 and (current(client, one) == label).all()
    state = client.json(f"api/image/{key_of(one)}")[1]
    assert state["state"] == "fix" and state["painted"] and state["who"] == "Ada"
    assert client.json(f"api/verdict/{key_of(one)}", {"state": "accept"})[1]["state"] == "accept"
    drawn = {"boxes": [[1, 2, 30, 40]], "classes": [2]}
    assert client.json(f"api/boxes/{key_of(two)}", drawn)[1]["boxes"] == [[1, 2, 30, 40]]
    for image, decision in ((two, "accept"), (three, "accept"), (four, "skip")):
        assert client.json(f"api/verdict/{key_of(image)}", {"state": decision})[0] == 200
    kept = Verdicts(results / "review", images.index.classes).by_image
    assert {i: (v.state, v.how) for i, v in kept.items()} == {
        one: ("accept", "painted"), two: ("accept", "boxes"), three: ("accept", "accepted"), four: ("skip", ""),
    }  # fmt: skip
    painted, accepted = (read_labels(results / "review/masks" / kept[i].mask) for i in (one, three))
    assert (painted.ravel() == label).all() and (accepted == images.label(three)).all() and not kept[two].mask
    assert client.json("api/images?start=0&count=9&state=accept")[1]["total"] == 3
    corrections_command.main([str(results), "--corrections", str(results / "review")])
    entries = Kept.read(results / "corrections").entries
    assert {i: (e.how, e.who) for i, e in entries.items()} == {
        one: ("painted", "Ada"),
        two: ("boxes", "Ada"),
        three: ("accepted", "Ada"),
    }
    assert client.json(f"api/verdict/{key_of(one)}", {"state": "open"})[1]["state"] == "open"
    assert (current(client, one) == images.label(one).ravel()).all()
    assert len(list((results / "review/masks").iterdir())) == 1


def test_a_stroke_at_working_size_leaves_the_other_pixels_of_a_large_label(toy, tmp_path):
    results = results_of(toy, tmp_path)
    content = toy.read_index(toy.index)
    for entry in content["records"]:
        entry["height"], entry["width"] = entry["full_height"] // 2, entry["full_width"] // 2
        entry["boxes"] = [[v // 2 for v in box] for box in entry["boxes"]]
    (results / "box/index.json").unlink()
    toy.write_index(results / "box/index.json", content)
    with reviewing(results) as (client, session):
        image = session.images.ids[0]
        record, before = session.images.record(image), session.images.label(image)
        small = current(client, image).reshape(record.height, record.width).copy()
        small[:2, :3] = 3
        assert paint(client, image, small) == 200
        after = read_labels(results / "review/masks" / session.verdicts.by_image[image].mask)
    assert (after[:4, :6] == 3).all()
    before[:4, :6] = 3
    assert (after == before).all()


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        pytest.param("api/mask/KEY", b"no gzip", 422, id="not packed"),
        pytest.param("api/mask/KEY", gzip.compress(b"\0" * 10), 422, id="too small"),
        pytest.param("api/mask/KEY", gzip.compress(b"\0" * 10_000_000), 422, id="too large"),
        pytest.param("api/mask/KEY", gzip.compress(b"\x63" * 49152), 422, id="unknown class"),
        ("api/boxes/KEY", b"[", 422),
        ("api/boxes/KEY", b'{"boxes": [[1, 2, 3]], "classes": [1]}', 422),
        ("api/boxes/KEY", b'{"boxes": [[0, 0, 9999, 5]], "classes": [1]}', 422),
        ("api/boxes/KEY", b'{"boxes": [[0, 0, 9, true]], "classes": [1]}', 422),
        ("api/boxes/KEY", b'{"boxes": [[0, 0, 9, 9]], "classes": [77]}', 422),
        ("api/verdict/KEY", b'{"state": "perfect"}', 422),
        ("api/verdict/KEY", b"[]", 422),
        ("api/verdict/unknown", b'{"state": "accept"}', 404),
        ("api/run", b"{}", 404),
    ],
)
def test_bad_content_is_refused_and_nothing_is_saved(client, results, path, body, status):
    found, _, content = client.ask(path.replace("KEY", key_of("scene_0000")), body)
    assert found == status and "error" in json.loads(content)
    assert not (results / "review/verdicts.jsonl").exists()


def test_numbers_methods_and_lengths(client):
    assert client.ask("api/images?start=-1&count=9")[0] == client.ask("api/images?start=x")[0] == 422
    assert client.ask("api/verdict/0", b"{}", **{"Content-Length": "999999999999"})[0] == 413


def test_an_empty_label_is_not_accepted(client, toy):
    image = "scene_0000"
    empty = np.zeros_like(current(client, image))
    assert paint(client, image, empty) == 200
    status, found = client.json(f"api/verdict/{key_of(image)}", {"state": "accept"})
    assert status == 422 and not lacking(found["error"], "empty mask", "Paint the object")


def test_a_full_disk_is_said(client, results, monkeypatch):
    monkeypatch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    status, found = client.json(f"api/verdict/{key_of('scene_0000')}", {"state": "skip"})
    assert status == 500 and not lacking(found["error"], "Nothing was saved", "No space left")


def test_to_look_only_takes_nothing(results):
    with reviewing(results, read_only=True) as (client, _):
        assert client.json("api/run")[1]["read_only"] and client.ask(f"api/mask/{key_of('scene_0000')}", b"x")[0] == 403
        assert client.json(f"api/verdict/{key_of('scene_0000')}", {"state": "skip"})[0] == 403
    assert not (results / "review").exists()


def test_a_second_person_only_looks_and_what_was_said_to_be_saved_survives_a_kill(results):
    command = [sys.executable, "-m", "wsss_stages.commands.review", str(results), "--who", "Ada"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        ada = Client.at(process.stdout.readline().strip())
        with reviewing(results, "Bob") as (bob, session):
            assert session.read_only and not lacking(bob.json("api/run")[1]["busy"], "Ada reviews this run since")
            status, found = bob.json(f"api/verdict/{key_of('scene_0000')}", {"state": "skip"})
            assert status == 403 and not lacking(found["error"], "Ada")
            assert ada.json(f"api/verdict/{key_of('scene_0002')}", {"state": "accept"})[0] == 200
            assert bob.json(f"api/image/{key_of('scene_0002')}")[1]["state"] == "accept"
        process.send_signal(signal.SIGKILL)
    assert (results / "review/reviewer.json").exists()
    with reviewing(results, "Bob") as (bob, session):
        assert not session.read_only and bob.json(f"api/image/{key_of('scene_0002')}")[1]["who"] == "Ada"
        assert bob.json(f"api/verdict/{key_of('scene_0000')}", {"state": "skip"})[0] == 200


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_page_in_the_background_of_a_script_too(results, number):
    with subprocess.Popen(
        [sys.executable, "-m", "wsss_stages.commands.review", str(results)],
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
    ) as process:
        Client.at(process.stdout.readline().strip())
        process.send_signal(number)
        try:
            assert process.wait(20) == 0 and "accepted" in process.stdout.read()
        finally:
            process.kill()


def test_results_without_labels_and_lists(toy, tmp_path):
    results = results_of(toy, tmp_path)
    (results / "box/ours/s9_review").unlink()
    images = RunImages.open(results, "box", "ours")
    assert images.ids == list(images.index.splits["train"]) and not images.scores
    shutil.rmtree(results / "box/ours")
    with raises(ValueError, "box/ours", "snakemake masks"):
        RunImages.open(results, "box", "ours")
