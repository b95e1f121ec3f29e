"""Grades on held-out items: which are held out, which weights are kept, moving averages, and whether a training had settled."""

import json

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from tests.messages import lacking
from wsss_stages import training
from wsss_stages.config.options import Training
from wsss_stages.data.selection import Selection
from wsss_stages.training import checkpoints, grading, held_out
from wsss_stages.training.average import Average

OPTIONS = Training(batch_size=2, lr=0.01, workers=0, precision="float32", ema=0.0, grade_every=3)


class KilledError(Exception):
    pass


def job(given=(), kill_at=None, options=OPTIONS, epochs=4):
    """Twelve steps on six items; the grades are `given`, then 0. Seen is what the grade got."""
    torch.manual_seed(0)
    network = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Dropout(0.5), torch.nn.Linear(3, 1))
    calls, seen = [], []

    def loss(batch):
        calls.append(1)
        if len(calls) == kill_at:
            raise KilledError
        return {"square": network(batch["x"]).square().mean()}

    def sample(item, rng):
        return {"x": np.full(2, item, np.float32) if rng is None else rng.random(2, np.float32)}

    def grade(batches):
        rows = [batch["x"][:, 0].tolist() for batch in batches]
        weight = float(network[0].weight.sum())
        seen.append((rows, network.training, weight))
        # a killed training asks again from where it was, so grades follow from the weights' step
        return given[len(seen) - 1] if given else -abs(weight)

    made = training.Job(
        "s7_segment", network, [(list(network.parameters()), 1.0)], list(range(6)), str, sample, loss, epochs, options, "a",
        held=[7.0, 8.0, 9.0], grade=grade,
    )  # fmt: skip
    return made, seen


def curve(path):
    return json.loads(path.with_name("curve.json").read_text())


def test_the_weights_of_the_best_grade_are_written_with_all_grades(tmp_path, capsys):
    made, seen = job(given=[0.5, 0.8, 0.8, 0.7])
    training.fit(made, tmp_path / "w.safetensors", {}, "cpu")
    graded = curve(tmp_path / "w.safetensors")
    assert graded["grades"] == [
        {"step": s, "grade": g} for s, g in zip((3, 6, 9, 12), (0.5, 0.8, 0.8, 0.7), strict=True)
    ]
    assert graded["best_step"] == 6 and graded["held_out"] == 3 and graded["settled"] is None
    written = load_file(tmp_path / "w.safetensors")["0.weight"]
    assert float(written.sum()) == pytest.approx(seen[1][2]) and seen[1][2] != pytest.approx(seen[3][2])
    assert [rows for rows, *_ in seen] == [[[7.0, 8.0], [9.0]]] * 4 and not any(training for _, training, _ in seen)
    assert not lacking(capsys.readouterr().err, "step 6 of 12", "0.8000", grading.SETTLED[None])


def test_a_grade_changes_nothing_of_the_training(tmp_path):
    curves = []
    for name, every in (("often", 1), ("once", 100)):
        made, _ = job(options=OPTIONS.model_copy(update={"grade_every": every}))
        training.fit(made, tmp_path / name / "w.safetensors", {}, "cpu")
        curves.append(curve(tmp_path / name / "w.safetensors"))
    assert curves[0]["steps"] == curves[1]["steps"]
    assert [len(c["grades"]) for c in curves] == [12, 1] and curves[1]["grades"][0]["step"] == 12


@pytest.mark.parametrize("ema", [0.0, 0.9])
def test_a_killed_training_ends_with_the_same_bytes_grades_and_all(tmp_path, monkeypatch, ema):
    monkeypatch.setattr(checkpoints, "SECONDS", 0.0)
    options = OPTIONS.model_copy(update={"ema": ema})
    whole, killed = tmp_path / "whole" / "w.safetensors", tmp_path / "killed" / "w.safetensors"
    training.fit(job(options=options)[0], whole, {}, "cpu")
    for kill_at in (5, 5):
        with pytest.raises(KilledError):
            training.fit(job(kill_at=kill_at, options=options)[0], killed, {}, "cpu")
    training.fit(job(options=options)[0], killed, {}, "cpu")
    assert len(curve(whole)["grades"]) == 4
    assert killed.read_bytes() == whole.read_bytes()
    assert killed.with_name("curve.json").read_bytes() == whole.with_name("curve.json").read_bytes()


def test_an_average_is_graded_and_kept_and_the_training_goes_on_from_its_own_weights(tmp_path):
    plain, averaged = job(), job(options=OPTIONS.model_copy(update={"ema": 0.9}))
    for name, (made, _) in (("plain", plain), ("averaged", averaged)):
        training.fit(made, tmp_path / name / "w.safetensors", {}, "cpu")
    assert curve(tmp_path / "plain" / "w")["steps"] == curve(tmp_path / "averaged" / "w")["steps"]
    assert plain[1][0][2] != averaged[1][0][2]
    best = curve(tmp_path / "averaged" / "w")["best_step"]
    written = float(load_file(tmp_path / "averaged" / "w.safetensors")["0.weight"].sum())
    assert written == pytest.approx(averaged[1][best // 3 - 1][2])


def test_the_average_is_exponential_and_young_ones_forget_faster():
    network = torch.nn.BatchNorm1d(1)
    average, expected = Average(0.5, network), 1.0
    for step, value in enumerate((3.0, 5.0, -1.0, 2.0, 7.0, 7.0, 1.0, 4.0, 0.0, 6.0)):
        network.weight.data.fill_(value)
        network.num_batches_tracked.fill_(step)
        average.update(network, step)
        decay = min(0.5, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * value
        assert (
            float(average.tensors["weight"]) == pytest.approx(expected)
            and average.tensors["num_batches_tracked"] == step
        )
    with average.inside(network):
        assert network.weight.item() == pytest.approx(expected)
    assert network.weight.item() == 6.0


def test_without_grades_the_average_of_the_end_is_written(tmp_path):
    written = []
    for ema in (0.9, 0.0):
        made, _ = job(options=OPTIONS.model_copy(update={"ema": ema}))
        made.grade = None
        path = tmp_path / str(ema) / "w.safetensors"
        training.fit(made, path, {}, "cpu")
        written.append(load_file(path)["0.weight"])
        assert "grades" not in curve(path)
    assert not torch.equal(*written)
    last, moved = written[1], written[0]
    torch.testing.assert_close(moved, last, atol=0.05, rtol=0)


@pytest.mark.parametrize(
    "late, had",
    [([0.7, 0.71, 0.69], True), ([0.75, 0.8, 0.85], False), ([0.5, 0.4, 0.3], True), ([0.4, 0.75, 0.4], True)],
)
def test_a_training_had_settled_if_its_last_quarter_gained_no_more_than_the_noise(late, had):
    early = [0.2, 0.4, 0.6, 0.68, 0.7, 0.69, 0.7, 0.68, 0.7]
    grades = [{"step": 10 * (n + 1), "grade": grade} for n, grade in enumerate([*early, *late])]
    assert grading.settled(grades, 120) is had
    mean = sum(late) / 3
    deviation = (sum((grade - mean) ** 2 for grade in late) / 2) ** 0.5
    assert (max(late) - 0.7 <= deviation) is had
    assert grading.settled(grades[6:], 120) is had and grading.settled(grades[7:], 120) is None


@pytest.mark.parametrize(
    "items, held, batch, epochs, expected", [(100, 10, 5, 10, 10), (100, 200, 4, 4, 100), (6, 3, 2, 4, 4)]
)
def test_grades_are_twenty_or_cost_half_as_many_images_as_are_learned_from(items, held, batch, epochs, expected):
    made, _ = job(options=OPTIONS.model_copy(update={"grade_every": 0, "batch_size": batch}), epochs=epochs)
    made.items, made.held = list(range(items)), list(range(held))
    assert grading.interval(made) == expected
    assert expected >= made.steps / 20 and expected * batch >= 2 * held


def test_there_is_nothing_to_grade_before_a_share_of_the_steps(tmp_path):
    made, _ = job()
    made.graded_from = 0.6
    training.fit(made, tmp_path / "w.safetensors", {}, "cpu")
    assert [known["step"] for known in curve(tmp_path / "w.safetensors")["grades"]] == [9, 12]


def split(items, seed=0, stage="s7_segment", share=0.1, image_id=str):
    return training.hold_out(items, stage, OPTIONS.model_copy(update={"held_out": share, "seed": seed}), image_id)


def test_a_share_of_the_items_is_held_out_whatever_their_order():
    items = [f"image {n}" for n in range(200)]
    learned, held = split(items)
    assert len(held) == 20 and sorted([*learned, *held]) == sorted(items)
    assert [item for item in items if item in held] == held
    back, held_back = split(items[::-1])
    assert set(held_back) == set(held) and back == learned[::-1]
    assert set(split(items, seed=1)[1]) != set(held) != set(split(items, stage="s1_classifier")[1])


def test_boxes_of_an_image_stay_together():
    items = [(f"image {n}", box) for n in range(40) for box in range(1 + n % 3)]
    learned, held = split(items, share=0.25, image_id=lambda item: item[0])
    assert len({name for name, _ in held}) == 10 and not {name for name, _ in held} & {name for name, _ in learned}


def test_a_selection_stays_one_and_few_images_are_all_learned_from():
    learned, held = split(Selection(str, np.arange(50)))
    assert isinstance(learned, Selection) and len(learned) == 45 and len(held) == 5
    assert split(list(range(19))) == (list(range(19)), ()) and split(list(range(50)), share=0.0)[1] == ()
    assert len(split(list(range(20)), share=0.01)[1]) == 1


def test_no_more_than_a_thousand_are_held_out(monkeypatch):
    monkeypatch.setattr(held_out, "MOST", 7)
    assert len(split(list(range(200)))[1]) == 7
