"""Files that are no tensors are named for what they are, and no code in them is run."""

import argparse
import gzip
import pickle
import zipfile

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from tests.messages import raises
from wsss_stages.store import tensor_files
from wsss_stages.store.tensor_files import TensorFileError

STATE = {"conv.weight": torch.arange(12.0).view(3, 4), "norm.count": torch.tensor(3)}


class Code:
    """Leaves a file behind wherever it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


@pytest.mark.parametrize("name", ["w.safetensors", "w.pth", "safetensors_under_a_wrong_name.pth"])
@pytest.mark.parametrize("wrapper", [None, "state_dict", "model"])
def test_tensors_come_back_from_either_format(tmp_path, name, wrapper):
    path = tmp_path / name
    if "safetensors" in name:
        save_file(STATE, path)
    else:
        torch.save({wrapper: STATE, "epoch": 3} if wrapper else STATE, path)
    found = tensor_files.read(path)
    assert found.keys() == STATE.keys() and all(torch.equal(found[n], t) for n, t in STATE.items())


def test_torchs_old_format_is_read(tmp_path):
    torch.save(STATE, tmp_path / "w.pth", _use_new_zipfile_serialization=False)
    assert tensor_files.read(tmp_path / "w.pth").keys() == STATE.keys()


def half(path):
    """Cut a file in two."""
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def cut_safetensors(path):
    save_file({"a": torch.zeros(1000)}, path)
    half(path)


def cut_in_the_header(path):
    save_file({"a": torch.zeros(1000)}, path)
    path.write_bytes(path.read_bytes()[:30])


def cut_torch(path):
    torch.save({"a": torch.zeros(1000)}, path)
    half(path)


def zipped(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("weights/readme.txt", "unpack me")


FOUND = {
    "HTML ... login": b"\n<!DOCTYPE html><html>not found</html>",
    "Git LFS ... git lfs pull": b"version https://git-lfs.github.com/spec/v1\noid sha256:12\nsize 3\n",
    "empty": b"",
    "gzip ... bytes": gzip.compress(b"weights"),
    "NumPy": b"\x93NUMPY\x01\x00",
    "HDF5": b"\x89HDF\r\n\x1a\n",
    """JSON ... 12 bytes ... b'{"lr": 0.01}'""": b'{"lr": 0.01}',
    "tensors ... 9 bytes ... b'no tensor'": b"no tensor",
    "safetensors ... 1 tensor ... cut off ... bytes ... missing": cut_safetensors,
    "safetensors ... cut off ... header ... 30 bytes": cut_in_the_header,
    "torch ... zip archive ... cut off ... bytes": cut_torch,
    "zip archive ... 1 file ... weights/readme.txt ... unpack": zipped,
}


@pytest.mark.parametrize("suffix", ["pth", "safetensors"])
@pytest.mark.parametrize("what", FOUND)
def test_an_error_describes_the_file_that_was_found_and_the_one_that_was_wanted(tmp_path, what, suffix):
    path, make = tmp_path / f"w.{suffix}", FOUND[what]
    if callable(make):
        make(path)
    else:
        path.write_bytes(make)
    with raises(TensorFileError, f"w.{suffix}: ", what, "plain tensors", ".safetensors or .pth"):
        tensor_files.read(path)


@pytest.mark.parametrize(
    "save", [torch.save, lambda content, path: path.write_bytes(pickle.dumps(content, protocol=2))]
)
def test_code_is_named_and_not_run(tmp_path, save):
    save({"weights": Code(tmp_path / "run")}, tmp_path / "w.pth")
    with raises(TensorFileError, "w.pth: ", "code ... .open) ... convert"):
        tensor_files.read(tmp_path / "w.pth")
    assert not (tmp_path / "run").exists()


def test_a_training_scripts_arguments_are_code_too(tmp_path):
    torch.save({"args": argparse.Namespace(lr=1), "state_dict": STATE}, tmp_path / "w.pth")
    with raises(TensorFileError, "w.pth: ", "torch", "code", "argparse.Namespace"):
        tensor_files.read(tmp_path / "w.pth")


@pytest.mark.parametrize(
    "content, words", [([1, 2], ["list", "dictionary of tensors"]), ({"a": 1}, ["a is int", "dictionary of tensors"])]
)
def test_other_things_than_tensors_are_reported(tmp_path, content, words):
    torch.save(content, tmp_path / "w.pth")
    with raises(TensorFileError, "w.pth: ", *words):
        tensor_files.read(tmp_path / "w.pth")


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_nan_is_reported_with_the_tensor(tmp_path, bad):
    save_file({**STATE, "head.bias": torch.tensor([0.0, bad])}, tmp_path / "w.safetensors")
    with raises(TensorFileError, "w.safetensors: ", "head.bias", "NaN", "1 of 3"):
        tensor_files.read(tmp_path / "w.safetensors")


def test_a_missing_file_is_reported(tmp_path):
    with raises(TensorFileError, f"{tmp_path / 'w.pth'}: ", ".safetensors", "'package', 'hub' or 'none'"):
        tensor_files.read(tmp_path / "w.pth")
