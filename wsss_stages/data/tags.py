"""Which classes an image shows, from a CSV or from the cls_labels.npy that many repositories for VOC share."""

import csv
import io
import pickle
from pathlib import Path

import numpy as np

from wsss_stages.data.findings import Finding

NPY_PARTS = {
    ("numpy", "ndarray"), ("numpy", "dtype"), ("_codecs", "encode"),
    ("numpy.core.multiarray", "_reconstruct"), ("numpy._core.multiarray", "_reconstruct"),
    ("numpy.core.multiarray", "scalar"), ("numpy._core.multiarray", "scalar"),
}  # fmt: skip
"""All that a dictionary of arrays needs; a pickle may otherwise run any program."""


def read_csv(path: Path, classes: list[str], findings: list[Finding]) -> dict[str, list[int]]:
    """Classes of each image from lines `id,class` under that header; an empty class means an image without objects."""
    found: dict[str, set[int]] = {}
    with path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.reader(file)
        header = [cell.strip() for cell in next(reader, [])]
        if header != ["id", "class"]:
            findings.append(
                Finding(path, f"header {header}", "id,class", "Write one line per image and class under it.")
            )
            return {}
        for number, row in enumerate(reader, 2):
            cells = [cell.strip() for cell in row]
            if not any(cells):
                continue
            if len(cells) != 2 or not cells[0] or (cells[1] and cells[1] not in classes[1:]):
                findings.append(
                    Finding(
                        path,
                        f"line {number} {','.join(row)!r}",
                        f"an id and one of {', '.join(classes[1:])}",
                        "Correct the line or add the class to classes.txt.",
                    )
                )
                continue
            found.setdefault(cells[0], set()).update([classes.index(cells[1])] if cells[1] else [])
    return {image_id: sorted(its) for image_id, its in found.items()}


def read_npy(path: Path, classes: list[str], findings: list[Finding]) -> dict[str, list[int]]:
    """Classes of each image from a pickled {id without underscores: vector of 0 and 1 per class, background apart}.

    Keys of the answer are the ids without underscores.
    """
    try:
        with path.open("rb") as file:
            if np.lib.format.read_magic(file) == (1, 0):  # the pickle begins behind the header
                np.lib.format.read_array_header_1_0(file)
            else:
                np.lib.format.read_array_header_2_0(file)
            content = _Unpickler(io.BytesIO(file.read())).load().item()
        vectors = {str(key): np.asarray(vector, float) for key, vector in content.items()}
    except (ValueError, AttributeError, pickle.UnpicklingError, EOFError, TypeError) as error:
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


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> object:
        if (module, name) not in NPY_PARTS:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}, which no array needs")
        return super().find_class(module, name)
