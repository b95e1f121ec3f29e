"""The plan of the toy run against what the run took."""

import csv
import importlib
import shlex
import time
from pathlib import Path

import pytest
import yaml

from tests.messages import raises
from wsss_stages.commands.plan import __main__, measure, sample
from wsss_stages.commands.plan.estimate import plan
from wsss_stages.config import variants
from wsss_stages.data.index import Index, Record, stable_hash
from wsss_stages.stages import cli


@pytest.fixture
def config(finished, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.chdir(finished.folder)
    return variants.load([finished.folder / "config.yaml"], [])


@pytest.mark.slow
def test_the_plan_is_within_a_factor_of_two_of_the_run(finished, config, capsys):
    lines = plan(config, cores=2)
    seconds, jobs = {}, {}
    paths = [
        *finished.folder.glob("benchmarks/scenes/*.tsv"),
        *finished.folder.glob("benchmarks/scenes/s2_cam/**/*.tsv"),
    ]
    for path in [*paths, *finished.folder.glob("benchmarks/scenes/box/ours/**/*.tsv")]:
        stage = next((part for part in path.parts if part[0] == "s" and part[1:2].isdigit()), path.stem).removesuffix(
            ".tsv"
        )
        with path.open() as file:
            seconds[stage] = seconds.get(stage, 0) + float(next(csv.DictReader(file, delimiter="\t"))["s"])
        jobs[stage] = jobs.get(stage, 0) + 1
    happened = sum(seconds[line.stage] / min(jobs[line.stage], 2) for line in lines)
    assert 0.5 < 3600 * sum(line.hours for line in lines) / happened < 2
    assert {line.stage: line.jobs for line in lines} == {line.stage: jobs[line.stage] for line in lines}
    assert "measuring" in capsys.readouterr().out
    again = plan(config, cores=2)
    assert again == lines and "measuring" not in capsys.readouterr().out
    __main__.show(config, lines, 2)
    assert "s5_walk" in {line.stage for line in lines} and "s6_propagate" in capsys.readouterr().out


@pytest.fixture
def here(monkeypatch):
    """Stages run in this process instead of one of their own, each of which loads its libraries anew."""

    def run(command, section, threads):
        began = time.monotonic()
        stage = importlib.import_module(f"wsss_stages.stages.{command[0]}")
        stage.main([*command[1:], *shlex.split(cli.flags(section))])
        return time.monotonic() - began, 0.1

    monkeypatch.setattr(measure, "run", run)


@pytest.mark.slow
@pytest.mark.parametrize(
    "settings, stages",
    [
        (["weak=tag", "variant=rrm"], ["s1_classifier", "s2_cam", "s3_seeds", "rrm_train", "rrm_label", "s8_predict"]),
        (
            ["weak=tag", "variant=rrm", "rrm={start: classifier}"],
            ["s1_classifier", "s2_cam", "s3_seeds", "rrm_train", "rrm_label", "s8_predict"],
        ),
        (["weak=scribble", "variant=dfr"], ["dfr_train", "s8_predict", "s8_predict"]),
        (
            ["weak=scribble"],
            [
                "s1_classifier",
                "s2_cam",
                "s3_seeds",
                "s4_affinity",
                "s5_walk",
                "s5_graph",
                "s6_propagate",
                "s7_segment",
                "s8_predict",
            ],
        ),
    ],
)
def test_the_plan_of_another_road_has_its_stages_only(finished, config, here, settings, stages):
    lines = plan(variants.load([finished.folder / "config.yaml"], settings), cores=2)
    assert [line.stage for line in lines] == stages
    predicted = [line.units for line in lines if line.stage == "s8_predict"]
    assert predicted == ([6, 2] if "dfr_train" in stages else [2])
    assert [(line.jobs, line.units) for line in lines if line.stage == "s5_walk"] == [(1, 6)] * ("s5_walk" in stages)
    assert all(line.hours > 0 for line in lines)


@pytest.mark.slow
def test_the_plan_of_instances_runs(finished, config, here):
    lines = plan(config, cores=2, target="instances")
    assert [line.stage for line in lines][-3:] == ["s6_instance_masks", "s7_instances", "s8_detect"]
    assert [line.jobs for line in lines][-3:-1] == [1, 1] and all(line.hours > 0 for line in lines)


def test_values_and_files_mean_what_they_mean_to_snakemake(project, tmp_path):
    more = tmp_path / "more.yaml"
    more.write_text(yaml.safe_dump({"propagate": {"hidden": 8}}))
    config = variants.load([project.folder / "config.yaml", more], ["variant=thesis_small"])
    section = variants.section(config, "propagate", "truth")
    assert section["hidden"] == 8 and section["mp_weight"] == 1 and config["dataset"] == "scenes"


@pytest.fixture
def many(tmp_path) -> Index:
    """300 images of several sizes, with no, one or two boxes."""
    records = {}
    for number in range(300):
        size, boxes = 40 + number % 7, [[0, 0, 9, 9]] * (number % 3)
        name = f"{number:03d}"
        records[name] = Record(name, "a.jpg", "0", size, 50, size, 50, boxes, [1] * len(boxes), [1], kinds=["box"])
    Index("many", tmp_path, ["background", "cat"], {"train": list(records), "val": []}, records).write(
        tmp_path / "i.json"
    )
    return Index.read(tmp_path / "i.json")


@pytest.mark.parametrize("batch", [4, 40, 1000])
def test_the_sample_is_as_large_as_the_largest_batch(many, batch):
    settings = [
        f"{section}={{batch_size: 2}}" for section in ("classifier", "affinity", "rrm", "dfr", "segment", "instances")
    ]
    root = Path(__file__).parents[2]
    config = variants.load([root / "config.yaml"], [*settings, f"object_net={{batch_size: {batch}}}"])
    by_hash = sorted(many.splits["train"], key=lambda image: stable_hash(image, "plan"))
    boxes, wanted = 0, []
    for image in by_hash:
        wanted.append(image)
        boxes += len(many.records[image].boxes)
        if boxes >= batch:
            break
    assert sample.choose(config, many).splits == {"train": wanted, "val": []}


def test_means_of_many_images_look_at_some(many, monkeypatch):
    wanted = sum((40 + number % 7) * 50 for number in range(300)) / 300
    assert sample.pixels(many, "train") == pytest.approx(wanted)
    assert sample.batches(many, "s4_object_net", {"batch_size": 10}) == 30
    monkeypatch.setattr(sample, "LOOKED_AT", 100)
    assert [r.id for r in sample.evenly_spread(many, "train")] == [f"{number:03d}" for number in range(0, 300, 3)]
    assert sample.pixels(many, "train") == pytest.approx(wanted, rel=0.02)


@pytest.mark.parametrize("share, images", [(0.1, 30), (0, 40)])
def test_the_walk_is_chosen_by_the_held_out_images_or_by_some(many, share, images):
    root = Path(__file__).parents[2]
    config = variants.load([root / "config.yaml"], [f"affinity={{held_out: {share}}}"])
    assert sample.walked(config, many) == images


def test_the_plan_says_which_stage_is_measured_before_it_runs(many, monkeypatch, tmp_path, capsys):
    seen = []

    def run(command, section, threads):
        seen.append((command[0], capsys.readouterr().err.strip()))
        return 1.0, 0.1

    monkeypatch.setattr(measure, "run", run)
    config = variants.load([Path(__file__).parents[2] / "config.yaml"], ["weak=tag", "variant=rrm"])
    measured = sample.choose(config, many)
    costs = list(measure.calibrate(config, measured, 1, tmp_path))
    stages = ["s1_classifier", "s2_cam", "s3_seeds", "rrm_train", "rrm_label"]
    assert [cost.stage for cost in costs] == stages and {stage for stage, _ in seen} == set(stages)
    said = dict(reversed(seen))  # of a stage's two runs the first
    for number, stage in enumerate(stages, 1):
        assert said[stage].startswith(f"plan: {number}/5, {stage}: ")
    assert f"{len(measured.splits['train'])} images of train" in said["s2_cam"]
    assert f"{1 + measure.EPOCHS} epochs" in said["rrm_train"]


def test_the_plan_of_instances_has_the_detector_in_the_segmenter_s_place(many, monkeypatch, tmp_path):
    seen = []

    def run(command, section, threads):
        seen.append(command)
        return 1.0, 0.1

    monkeypatch.setattr(measure, "run", run)
    config = variants.load([Path(__file__).parents[2] / "config.yaml"], ["variant=a2gnn"])
    costs = list(measure.calibrate(config, sample.choose(config, many), 1, tmp_path, "instances"))
    found = [cost.stage for cost in costs]
    assert found[-2:] == ["s6_instance_masks", "s7_instances"]  # there are no validation images to detect in
    assert "s6_propagate" in found and not {"s7_segment", "s8_predict"} & set(found)
    (made, *_) = [c[c.index("--instances") + 1] for c in seen if c[0] == "s6_instance_masks"]
    assert made in [c[c.index("--instances") + 1] for c in seen if c[0] == "s7_instances"]


def test_a_stage_that_fails_is_reported(tmp_path):
    missing = str(tmp_path / "none.json")
    command = ["s2_cam", "--index", missing, "--weights", missing, "--manifest", missing]
    with raises(measure.PlanError, "s2_cam failed", missing):
        measure.run(command, {}, 1)
