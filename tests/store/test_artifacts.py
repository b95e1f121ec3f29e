"""Artifacts: whole or absent, checked against contracts, with messages that name where, found, wanted and remedy."""

import json

import h5py
import numpy as np
import pytest
from PIL import Image

from tests.messages import lacking, raises
from wsss_stages.store import artifacts, contracts, seals

CAM = {"cam": np.zeros((2, 3, 4), np.float16), "classes": np.uint8([1, 5])}
LABEL = {"label": np.uint8([[0, 7], [255, 1]])}


@pytest.mark.parametrize("contract, arrays", [(contracts.CAM, CAM), (contracts.SEEDS, LABEL)])
def test_what_is_written_is_read(tmp_path, contract, arrays):
    path = tmp_path / f"x{contract.suffix}"
    artifacts.write(path, contract, arrays, {"stage": "test"})
    found, meta = artifacts.read(path, contract)
    assert all(np.array_equal(found[name], arrays[name]) for name in arrays)
    assert (meta["contract"], meta["version"], meta["stage"]) == (contract.name, contract.version, "test")
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_the_same_content_gives_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        artifacts.write(tmp_path / f"{name}.h5", contracts.CAM, CAM, {})
        artifacts.write(tmp_path / f"{name}.png", contracts.SEEDS, LABEL, {})
    assert (tmp_path / "a.h5").read_bytes() == (tmp_path / "b.h5").read_bytes()
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_labels_are_palette_pngs_that_any_viewer_shows_in_vocs_colours(tmp_path):
    artifacts.write(tmp_path / "x.png", contracts.SEEDS, LABEL, {})
    with Image.open(tmp_path / "x.png") as image:
        assert image.mode == "P" and np.array_equal(np.asarray(image), LABEL["label"])
        assert image.getpalette()[3:6] == [128, 0, 0] and image.getpalette()[-3:] == [224, 224, 192]


def test_confidence_is_a_16_bit_png(tmp_path):
    values = {"confidence": np.uint16([[0, 65535], [1, 300]])}
    artifacts.write(tmp_path / "x.png", contracts.CONFIDENCE, values, {})
    found, _ = artifacts.read(tmp_path / "x.png", contracts.CONFIDENCE)
    assert np.array_equal(found["confidence"], values["confidence"])


@pytest.mark.parametrize(
    "change, words",
    [
        ({"classes": np.uint8([1])}, ["x.h5/classes", "(1,) ... cam v1 ... uint8 (k)", "{'k': 2"]),
        ({"cam": np.zeros((2, 3, 4), np.float32)}, ["x.h5/cam", "float32 ... cam v1 ... float16"]),
        ({"cam": np.full((2, 3, 4), np.nan, np.float16)}, ["x.h5/cam", "NaN"]),
    ],
)
def test_what_breaks_the_contract_is_not_written(tmp_path, change, words):
    path = tmp_path / "x.h5"
    with raises(artifacts.ContractError, "snakemake --forcerun s2_cam", *words):
        artifacts.write(path, contracts.CAM, CAM | change, {})
    assert not list(tmp_path.iterdir())


def test_a_missing_field_is_named(tmp_path):
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file.attrs["wsss"] = json.dumps({"contract": "cam", "version": 1})
        file.attrs["seal"] = np.bytes_(seals.BLANK)
    seals.close(tmp_path / "x.h5")
    with raises(artifacts.ContractError, "x.h5 ", "no cam", "cam v1", "snakemake --forcerun s2_cam"):
        artifacts.read(tmp_path / "x.h5", contracts.CAM)


@pytest.mark.parametrize("spoil", [b"", b"text"])
@pytest.mark.parametrize("contract", [contracts.CAM, contracts.SEEDS])
def test_damaged_files_are_named(tmp_path, contract, spoil):
    path = tmp_path / f"x{contract.suffix}"
    path.write_bytes(spoil)
    with raises(artifacts.ContractError, f"{path} ", "damaged", f"snakemake --forcerun {contract.made_by}"):
        artifacts.read(path, contract)


def test_a_truncated_png_is_damaged(tmp_path):
    path = tmp_path / "x.png"
    artifacts.write(path, contracts.SEEDS, {"label": np.random.default_rng(0).integers(0, 9, (50, 50), np.uint8)}, {})
    path.write_bytes(path.read_bytes()[:-100])
    with raises(artifacts.ContractError, "x.png", "damaged"):
        artifacts.read(path, contracts.SEEDS)


def test_a_missing_file_tells_who_makes_it(tmp_path):
    with raises(artifacts.ContractError, "x.h5 ", "missing", "snakemake --forcerun s2_cam"):
        artifacts.read(tmp_path / "x.h5", contracts.CAM)


def test_another_version_is_refused(tmp_path):
    artifacts.write(tmp_path / "x.png", contracts.GRABCUT, LABEL, {})
    with raises(artifacts.ContractError, "x.png ", "grabcut v1 ... seeds v1"):
        artifacts.read(tmp_path / "x.png", contracts.SEEDS)


def test_an_interrupted_write_leaves_what_was_there(tmp_path):
    path = tmp_path / "x.json"
    path.write_text("old")
    with pytest.raises(KeyboardInterrupt), artifacts.whole(path) as partial:
        partial.write_text("half")
        raise KeyboardInterrupt
    assert path.read_text() == "old" and len(list(tmp_path.iterdir())) == 1


def test_a_full_disk_says_so(tmp_path):
    with pytest.raises(OSError, match="No space left") as caught, artifacts.whole(tmp_path / "x.json"):
        raise OSError(28, "No space left on device")
    assert not lacking(caught.value.__notes__[0], str(tmp_path / "x.json"), "not written", "MB are free")
