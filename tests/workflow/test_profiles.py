"""Profiles: the default one is loaded, the one for a cluster knows every rule that can use a GPU."""

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]


def test_the_default_profile_is_loaded_by_itself_and_another_replaces_it(project):
    output = project.snakemake("-n", "results/scenes/index.json")
    assert "Using workflow specific profile" in output and "profiles/default" in output
    assert "Shell command: python -m wsss_stages.stages.data" in output  # printshellcmds
    output = project.snakemake("-n", "--workflow-profile", "profiles/slurm")
    assert "profiles/slurm" in output and "profiles/default" not in output


ONE_AT_A_TIME = """
case "$*" in *STAGE*)
  mkdir gpu || echo "$*" >> shared
  for _ in $(seq PATIENCE); do test -e shared && break; sleep 0.1; done
  rmdir gpu 2> /dev/null
esac
"""
"""A job that needs the GPU finds it free, or notes that it shares it; it waits a while for another."""
MASKS = "box/ours/s3_masks"


@pytest.mark.parametrize(
    "stage, settings, shares, patience",
    [
        ("s2_cam", ("device=cuda",), False, 3),
        ("s2_cam", ("device=cpu",), True, 300),
        (MASKS, ("device=cuda", "masks={source: sam}"), False, 3),
        (MASKS, ("device=cuda",), True, 300),  # GrabCut leaves the GPU to others, and takes all cores beside them
    ],
)
def test_two_jobs_do_not_share_a_gpu(project, stage, settings, shares, patience):
    project.pretend(ONE_AT_A_TIME.replace("PATIENCE", str(patience)).replace("STAGE", Path(stage).name))
    jobs = [f"results/scenes/{stage}/train/{number}-of-4.json" for number in range(1, 5)]
    project.snakemake(*jobs, "--config", "shards=4", *settings)
    assert all((project.folder / job).exists() for job in jobs)
    assert (project.folder / "shared").exists() == shares


def test_slurm_tells_of_every_rule_that_can_use_a_gpu_whether_it_gets_one():
    text = "\n".join(path.read_text() for path in sorted((ROOT / "workflow" / "rules").glob("*.smk")))
    rules = {
        rule.split(":")[0]
        for rule in re.split(r"^(?:rule|checkpoint) ", text, flags=re.M)[1:]
        if re.search(r"gpu=((TRAINING_)?GPUS|gpus_of_masks)", rule)
    }
    rules |= {name for base, name in re.findall(r"^use rule (\w+) as (\w+) with:", text, re.M) if base in rules}
    resources = yaml.safe_load((ROOT / "profiles" / "slurm" / "config.yaml").read_text())["set-resources"]
    assert set(resources) == rules
    assert all(of_rule["gpu"] == ("slurm_partition" in of_rule) for of_rule in resources.values())
