"""Jobs that a finished run starts again, and errors before anything runs; nothing here changes the run."""

import os

import pytest

from tests.messages import lacking
from tests.workflow.jobs import nothing, planned

pytestmark = pytest.mark.slow


def test_a_second_run_has_nothing_to_do(finished):
    assert nothing(finished.snakemake("-n"))


def test_a_changed_option_reruns_its_stage_and_what_follows(finished, tmp_path):
    (tmp_path / "more.yaml").write_text("graph: {walk_steps: [3]}")
    jobs = planned(finished.snakemake("-n", "--configfile", str(tmp_path / "more.yaml")))
    assert "s5_graph" in jobs and "s6_propagate" in jobs and "s4_affinity" not in jobs and "s3_seeds" not in jobs


def test_touching_a_manifest_without_changing_it_reruns_nothing(own):
    os.utime(own.folder / "results/scenes/s2_cam/train/1-of-1.json")
    assert nothing(own.snakemake("-n"))


def test_a_variant_makes_only_what_it_changes(finished):
    jobs = planned(finished.snakemake("-n", "--config", "variant=a2gnn"))
    assert jobs == {"s6_propagate": 1, "s7_segment": 1, "s8_predict": 1, "s9_evaluate": 2, "s9_review": 1, "report": 1}


def test_instances_without_boxes_are_reported_before_anything_runs(finished):
    output = finished.snakemake("-n", "instances", "--config", "weak=tag", fails=True)
    assert not lacking(output, "boxes ... weak: tag ... weak: box")
    jobs = planned(finished.snakemake("-n", "instances", "--config", "weak=tag", "variant=truth"))
    assert jobs["s7_instances"] == 1 and not {"s3_seeds", "s6_propagate"} & set(jobs)
