"""A flipped byte in any file of ours is noticed when the file is read, and named with what to do."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors import safe_open
from torch import nn

from tests.messages import lacking, raises
from wsss_stages import training
from wsss_stages.data.few_shot.episode_pools import Episode, Pool
from wsss_stages.data.few_shot.episodes import Episodes
from wsss_stages.shards.manifest import MANIFEST_VERSION, Manifest
from wsss_stages.store import artifacts, contracts, provenance, seals

FLIPS = 60
"""Bytes of each file that are flipped, one at a time."""
LABEL = {"label": np.random.default_rng(0).integers(0, 21, (40, 50), np.uint8)}
CAM = {
    "cam": np.random.default_rng(0).random((2, 9, 12)).astype(np.float16),
    "classes": np.uint8([1, 5]),
}
MANIFEST = {
    "manifest": MANIFEST_VERSION,
    "options": {},
    "items": {"a": {"cam": ["cam/a.h5", 64 * "0"]}},
    "notes": {"x": 1},
}
POOL = Pool({1: ["a", "b"]}, {"a": [1], "b": [1]}, 1)
EPISODES = Episodes(0, [2], POOL, Pool({}, {}, 0), [[Episode("c", ("a",), 2)]], {})


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(3, 5)


def _weights(path: Path) -> None:
    torch.manual_seed(0)
    training.save_weights(path, Net(), {"backbone": "tiny", "seed": 0})


FILES = {
    "h5": (
        "s2_cam/train/cam/a.h5",
        lambda p: artifacts.write(p, contracts.CAM, CAM, {"stage": "s2_cam"}),
        lambda p: artifacts.read(p, contracts.CAM),
        "snakemake --forcerun s2_cam",
    ),
    "palette png": (
        "s3_seeds/train/seeds/a.png",
        lambda p: artifacts.write(p, contracts.SEEDS, LABEL, {"stage": "s3_seeds"}),
        lambda p: artifacts.read(p, contracts.SEEDS),
        "snakemake --forcerun s3_seeds",
    ),
    "16 bit png": (
        "s6_propagate/train/confidence/a.png",
        lambda p: artifacts.write(p, contracts.CONFIDENCE, {"confidence": np.uint16(LABEL["label"]) * 999}, {}),
        lambda p: artifacts.read(p, contracts.CONFIDENCE),
        "snakemake --forcerun s6_propagate",
    ),
    "manifest": (
        "s2_cam/train/1-of-1.json",
        lambda p: artifacts.write_sealed(p, MANIFEST),
        lambda p: Manifest([p]),
        "snakemake --forcerun s2_cam",
    ),
    "curve": (
        "s7_segment/curve.json",
        lambda p: artifacts.write_sealed(p, {"stage": "s7_segment", "steps": [{"step": 0, "lr": 0.1, "ce": 2.5}]}),
        artifacts.read_sealed,
        "snakemake --forcerun s7_segment",
    ),
    "episodes": (
        "scl/fold0/episodes.json",
        EPISODES.write,
        Episodes.read,
        "snakemake --forcerun scl_episodes",
    ),
    "record": (
        "by_hand/out.json.made.json",
        lambda p: artifacts.write_sealed(p, {"runs": [{"stage": "s2_cam", "seconds": 1.0}]}),
        lambda p: provenance.runs(p.with_name("out.json")),
        "Run the stage",
    ),
    "weights": (
        "s1_classifier/weights.safetensors",
        _weights,
        lambda p: training.load_weights(p, Net()),
        "snakemake --forcerun s1_classifier",
    ),
    "metadata of weights": (
        "s1_classifier/weights.safetensors",
        _weights,
        training.read_provenance,
        "snakemake --forcerun s1_classifier",
    ),
}


@pytest.mark.parametrize("kind", FILES)
def test_a_flipped_byte_is_noticed_and_named(kind, tmp_path):
    name, write, read, remedy = FILES[kind]
    path = tmp_path / name
    path.parent.mkdir(parents=True)
    write(path)
    whole = path.read_bytes()
    read(path)
    rng = np.random.default_rng(0)
    for place in sorted({0, len(whole) - 1, *rng.integers(len(whole), size=FLIPS).tolist()}):
        spoilt = bytearray(whole)
        spoilt[place] ^= 1 << int(rng.integers(8))
        path.write_bytes(spoilt)
        with raises(artifacts.ContractError, str(path), "damaged", remedy):
            read(path)


@pytest.mark.parametrize("kind", FILES)
def test_a_byte_more_or_less_is_noticed(kind, tmp_path):
    name, write, read, _ = FILES[kind]
    path = tmp_path / name
    path.parent.mkdir(parents=True)
    write(path)
    whole = path.read_bytes()
    for spoilt in (whole[:-1], whole + b"\0", whole[: len(whole) // 2], b""):
        path.write_bytes(spoilt)
        with raises(artifacts.ContractError, str(path)):
            read(path)


@pytest.mark.parametrize("kind", FILES)
def test_the_same_content_is_the_same_bytes_seal_and_all(kind, tmp_path):
    name, write, _, _ = FILES[kind]
    made = []
    for folder in ("one", "two"):
        path = tmp_path / folder / name
        write(path)
        made.append(path.read_bytes())
    assert made[0] == made[1]


def test_sealed_files_are_what_other_programs_read(tmp_path):
    """The seal stands where the formats keep text; a JSON file's readers among us do not see it."""
    for kind in ("palette png", "weights", "curve"):
        name, write, _, _ = FILES[kind]
        write(tmp_path / name)
    with Image.open(tmp_path / "s3_seeds/train/seeds/a.png") as image:
        assert np.array_equal(np.asarray(image), LABEL["label"]) and image.text["seal"].startswith(seals.MARK)
    with safe_open(tmp_path / "s1_classifier/weights.safetensors", "np") as file:
        assert set(file.keys()) == set(Net().state_dict())
    assert set(artifacts.read_sealed(tmp_path / "s7_segment/curve.json")) == {"stage", "steps"}
    assert "seal" in artifacts.read_json(tmp_path / "s7_segment/curve.json")


def test_a_file_without_a_seal_is_not_taken_for_ours(tmp_path):
    path = tmp_path / "s9_evaluate" / "scores.json"
    artifacts.write_json(path, {"rows": {}})
    with raises(artifacts.ContractError, str(path), f"{path.stat().st_size} bytes", "snakemake --forcerun s9_evaluate"):
        artifacts.read_sealed(path)


def test_a_format_without_room_for_a_seal_is_a_fault_of_ours(tmp_path):
    with raises(ValueError, "place for a seal"), artifacts.whole(tmp_path / "x") as partial:
        partial.write_text("text")
        seals.close(partial)
    assert not list(tmp_path.iterdir())


def test_a_damaged_record_of_runs_costs_the_record_not_the_run(tmp_path, capsys):
    made = tmp_path / "scores.json"
    made.write_text("{}")
    record = provenance.record_of(made)
    record.write_text('{"runs": [')
    with provenance.recording(["s9_evaluate"]):
        provenance.writes(made)
    assert [run["stage"] for run in provenance.runs(made)] == ["s9_evaluate"]
    assert not lacking(capsys.readouterr().err, "warning: ", str(record), "new record")
