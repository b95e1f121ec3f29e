"""The bench of round trips on its made folder: what is hard for a format comes back."""

import importlib.util
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[3]


def load():
    spec = importlib.util.spec_from_file_location("round_trip", ROOT / "bench" / "round_trip.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_format_keeps_boxes_and_masks(tmp_path):
    bench = load()
    folder = bench.made_folder(tmp_path / "made")
    for to in bench.KIND_OF:
        row = bench.round_trip(folder, to, tmp_path / to)
        assert row.images == 6 and row.boxes + row.ruled == 314 and not row.differing, to
        assert min(row.ious) >= 0.98 and len(row.ious) >= 13, to
        assert row.ruled == (4 if to in ("voc", "coco") else 0)
