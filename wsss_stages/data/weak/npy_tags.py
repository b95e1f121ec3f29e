"""The classes of images from the cls_labels.npy that many repositories for VOC share: a pickle, which may run any program.

This reader runs none: names in it stand for the classes below and for nothing else, and NumPy's own unpickling,
which trusts sizes and flags, is not used either.
"""

import io
import pickle
import re
from pathlib import Path

import numpy as np

from wsss_stages.data.documents import is_number
from wsss_stages.data.findings import Finding

DTYPES = r"[?biuf][1248]?|U\d{1,3}|O8?"


def read_npy(path: Path, classes: list[str], findings: list[Finding]) -> dict[str, list[int]]:
    """Return the classes of each image from a pickled {id without underscores: vector of 0 and 1 per class, background apart}.

    Keys of the result are the ids without underscores.
    """
    try:
        vectors = {_key(key): _vector(pickled) for key, pickled in _dictionary(path).items()}
    except Exception as error:  # a pickle's errors are of any kind
        findings.append(
            Finding(
                path, f"no dictionary of label vectors ({error})", "{id: vector} by np.save", "Use tags.csv instead."
            )
        )
        return {}
    lengths = {vector.shape for vector in vectors.values()}
    if lengths - {(len(classes) - 1,)}:
        findings.append(
            Finding(
                path,
                f"vectors of shapes {sorted(lengths)}",
                f"{len(classes) - 1} numbers, one per class but background",
                "Is classes.txt the list that the labels were made with?",
            )
        )
        return {}
    return {key: (np.flatnonzero(vector > 0) + 1).tolist() for key, vector in vectors.items()}


def _dictionary(path: Path) -> dict:
    with path.open("rb") as file:
        if np.lib.format.read_magic(file) == (1, 0):  # the pickle begins behind the header
            np.lib.format.read_array_header_1_0(file)
        else:
            np.lib.format.read_array_header_2_0(file)
        array = _Unpickler(io.BytesIO(file.read()), encoding="latin1").load()
    if not (isinstance(array, _Array) and array.shape == () and isinstance(array.data, list) and len(array.data) == 1):
        raise ValueError("an array of another type")
    (content,) = array.data
    if type(content) is not dict:
        raise ValueError(f"a {type(content).__name__}")
    return content


def _key(key: object) -> str:
    if type(key) not in (int, str):
        raise ValueError(f"a key of type {type(key).__name__}")
    return str(key)


def _vector(pickled: object) -> np.ndarray:
    """Return the numbers of one image."""
    if isinstance(pickled, _Array):
        values = np.frombuffer(_bytes(pickled.data), pickled.dtype.numpy())
        if values.dtype.kind == "U":
            raise ValueError("a vector of texts")
        vector = values.astype(float).reshape(pickled.shape)
    elif isinstance(pickled, list) and all(map(is_number, pickled)):
        vector = np.array(pickled, float)
    else:
        raise ValueError(f"a vector of type {type(pickled).__name__}")
    if not np.isfinite(vector).all():
        raise ValueError("a vector with NaN or infinity")
    return vector


def _bytes(data: object) -> bytes:
    """Return the bytes of Python 2 as text."""
    if isinstance(data, str):
        return data.encode("latin1")
    if not isinstance(data, bytes):
        raise ValueError("an array without numbers")
    return data


class _Dtype:
    """A stand-in for numpy.dtype: its text, and the byte order of its state."""

    def __init__(self, text: object, *_: object):
        if not isinstance(text, str) or not re.fullmatch(DTYPES, text):
            raise ValueError(f"numbers of type {text!r}")
        self.text, self.order = text, "<"

    def __setstate__(self, state: tuple) -> None:
        self.order = {"<": "<", ">": ">", "|": "<"}[state[1]]

    def numpy(self) -> np.dtype:
        if self.text.startswith("O"):
            raise ValueError("an array of objects")
        return np.dtype(self.order + self.text)


class _Array:
    """A stand-in for numpy.ndarray with its raw state."""

    shape: tuple = (0,)
    dtype = _Dtype("b1")
    data: object = b""

    def __setstate__(self, state: tuple) -> None:
        _, self.shape, self.dtype, _, self.data = state


def _array(*_: object) -> _Array:
    return _Array()


def _scalar(dtype: _Dtype, data: object) -> object:
    return np.frombuffer(_bytes(data), dtype.numpy())[0].item()


def _encode(text: str, encoding: str) -> bytes:
    """Return text encoded as protocol 2 stores bytes."""
    if encoding != "latin1":
        raise ValueError(f"bytes in {encoding!r}")
    return text.encode("latin1")


PARTS = {
    ("numpy", "ndarray"): None,
    ("numpy", "dtype"): _Dtype,
    ("_codecs", "encode"): _encode,
    **{
        (f"numpy.{core}.multiarray", name): part
        for core in ("core", "_core")
        for name, part in (("_reconstruct", _array), ("scalar", _scalar))
    },
}
"""All names in the pickle of a dictionary of arrays."""


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> object:
        if (module, name) not in PARTS:
            raise pickle.UnpicklingError(f"it requires {module}.{name}, which no array needs")
        return PARTS[module, name]
