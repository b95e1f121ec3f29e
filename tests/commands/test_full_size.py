"""Plans of full-size runs: operations of networks against loops, images and steps by the run files, every stage has its work."""

from pathlib import Path

import pytest

from wsss_stages.commands.plan import full_size, operations, published
from wsss_stages.commands.plan.full_size import FullSize
from wsss_stages.config import dag

ROOT = Path(__file__).parents[2]


@pytest.fixture
def quick(monkeypatch):
    """Networks of a billion operations and a megabyte."""
    monkeypatch.setattr(full_size, "counted", lambda *_: (1e9, 1e6))


def test_operations_are_two_for_every_weight_at_every_node():
    small, weights = operations.counted("backbone", 64, 64, "tiny", 8)
    large, same = operations.counted("backbone", 128, 64, "tiny", 8)
    assert large == 2 * small and same == weights > 0
    with_head, more = operations.counted("segmenter", 64, 64, "tiny", 8, 5, "deeplab_v2", 8)
    channels = round((more - weights) / 4 / 4 / 5 - 1) // 9
    assert (
        with_head - small == 2 * 4 * 9 * channels * 5 * 8 * 8
    )  # four convolutions of 3 x 3 to five classes on 8 x 8 nodes


def test_steps_images_and_hours_follow_from_the_run_file(quick):
    lines = {line.stage: line for line in FullSize(["context_scribble"]).lines()}
    assert set(lines) == {"dfr_train", "s8_predict"} and lines["dfr_train"].work.units == 128 * (4998 // 16)
    machine = full_size.read()[2]
    step = 3 * 16 * 1e9 / machine.operations
    assert lines["dfr_train"].hours == pytest.approx(128 * (4998 // 16) * step / 3600)
    assert lines["s8_predict"].work.units == 4998 + 5105 and lines["s8_predict"].jobs == 8


@pytest.mark.parametrize("name", published.RUNS)
def test_a_plan_has_every_stage_of_its_road(quick, name):
    runs, target = published.RUNS[name]
    made = FullSize(runs, target)
    stages = set(made.works())
    trained = set(dag.trainings(*made.road))
    if target == "scl":
        assert stages == {"scl_features", "scl_train", "scl_evaluate"}
    elif target == "instances":
        assert stages >= (trained - {"s7_segment"}) | {"s6_instance_masks", "s7_instances", "s8_detect"}
    else:
        assert stages >= trained | {"s8_predict"} | set(dag.label_stages(*made.road))
    assert all(line.hours > 0 and line.work.units > 0 for line in made.lines())


def test_every_run_file_has_a_plan():
    files = {path.stem for path in (ROOT / "workflow" / "runs").glob("*.yaml")}
    of_thesis = {name for name in files if name.startswith(("voc12_", "context", "coco", "pascal5i"))}
    assert of_thesis == {*published.RUNS, "voc12_tag_saliency"}  # the plan of that one is voc12_tag's


@pytest.mark.slow
def test_the_page_is_the_command_s():
    assert (ROOT / "docs" / "plans.md").read_text() == published.page(), (
        "run: python -m wsss_stages.commands.plan.published > docs/plans.md"
    )
