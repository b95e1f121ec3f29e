"""The notebooks in examples/ run from their first cell to their last."""

import json
from pathlib import Path

import matplotlib
import numpy as np
import pytest

NOTEBOOKS = sorted((Path(__file__).parents[1] / "examples").glob("*.ipynb"))


def run(path: Path) -> dict:
    """Return the names that a notebook defines."""
    matplotlib.use("Agg")
    names: dict = {}
    for cell in json.loads(path.read_text())["cells"]:
        if cell["cell_type"] == "code":
            exec(compile("".join(cell["source"]), path.name, "exec"), names)
    return names


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_and_finds_an_object(path):
    found = run(path)
    label, photo = found["label"], found["photo"]
    assert label.shape == photo.shape[:2]
    assert 0.05 < np.mean(label > 0) < 0.9


def test_there_are_two_notebooks_without_stored_outputs():
    assert [path.stem for path in NOTEBOOKS] == ["crf", "one_image"]
    for path in NOTEBOOKS:
        assert not any(cell.get("outputs") for cell in json.loads(path.read_text())["cells"])
