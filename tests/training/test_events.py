"""Event files of TensorBoard hold what curve.json holds, every step once."""

import json
import sys

import numpy as np
import pytest

from tests.messages import raises
from tests.training import shared
from wsss_stages import training
from wsss_stages.config import variants
from wsss_stages.training import checkpoints, events

pytest.importorskip("tensorboard", reason="of the extra `tensorboard`")


def scalars(folder) -> dict[str, list[tuple[int, float]]]:
    """Return steps and values of every name."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    found = EventAccumulator(str(folder))
    found.Reload()
    return {name: [(e.step, e.value) for e in found.Scalars(name)] for name in found.Tags()["scalars"]}


def expected(folder) -> dict[str, list[tuple[int, float]]]:
    """Return the same of curve.json, an entry after the other."""
    values: dict[str, list[tuple[int, float]]] = {}
    curve = json.loads((folder / "curve.json").read_text())
    for entry in curve["steps"]:
        for name in set(entry) - {"step"}:
            values.setdefault(name if name == "lr" else f"loss/{name}", []).append((entry["step"], entry[name]))
    for entry in curve.get("grades", []):
        values.setdefault("grade", []).append((entry["step"], entry["grade"]))
    return values


def graded():
    """Return a job with two held-out items."""
    job = shared.job("plain")
    sample = job.sample
    job.sample = lambda item, rng: sample(item, np.random.default_rng(0) if rng is None else rng)
    job.held, job.grade = [3, 4], lambda batches: float(sum(batch["x"].mean() for batch in batches))
    return job


def same(found, wanted):
    assert found.keys() == wanted.keys()
    for name, pairs in wanted.items():
        assert [step for step, _ in found[name]] == [step for step, _ in pairs]
        assert [value for _, value in found[name]] == pytest.approx([value for _, value in pairs], rel=1e-6)


def test_events_are_the_curve(tmp_path, monkeypatch):
    monkeypatch.setenv(events.WANTED, "1")
    training.fit(graded(), tmp_path / "weights.safetensors", {}, "cpu")
    same(scalars(tmp_path), expected(tmp_path))
    assert "grade" in expected(tmp_path) and "loss/squared" in expected(tmp_path)


def test_a_resumed_training_writes_no_step_twice(tmp_path, monkeypatch):
    monkeypatch.setenv(events.WANTED, "1")
    monkeypatch.setattr(checkpoints, "SECONDS", 0.0)
    job = graded()
    sample, count = job.sample, iter(range(10_000))

    def dying(item, rng):
        if next(count) > 27:
            raise RuntimeError("killed")
        return sample(item, rng)

    job.sample = dying
    with pytest.raises(RuntimeError, match="killed"):
        training.fit(job, tmp_path / "weights.safetensors", {}, "cpu")
    assert list(tmp_path.glob(events.PATTERN))
    training.fit(graded(), tmp_path / "weights.safetensors", {}, "cpu")
    assert len(list(tmp_path.glob(events.PATTERN))) == 1
    same(scalars(tmp_path), expected(tmp_path))


def test_without_the_setting_there_are_none(tmp_path):
    training.fit(graded(), tmp_path / "weights.safetensors", {}, "cpu")
    assert not list(tmp_path.glob(events.PATTERN))


def test_a_missing_package_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv(events.WANTED, "1")
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard.writer", None)
    with raises(ValueError, "wsss-stages[tensorboard]"):
        training.fit(graded(), tmp_path / "weights.safetensors", {}, "cpu")


def test_the_setting_reaches_trainings_and_wants_the_package(monkeypatch):
    assert variants.launcher(1, True) == "env WSSS_TENSORBOARD=1 python -m" and variants.launcher(1) == "python -m"
    assert variants.load([variants.DEFAULTS], ["tensorboard=true"])["tensorboard"] is True
    monkeypatch.setattr(variants.importlib.util, "find_spec", lambda name: None)
    with raises(variants.ConfigError, "tensorboard: ", "wsss-stages[tensorboard]"):
        variants.load([variants.DEFAULTS], ["tensorboard=true"])
