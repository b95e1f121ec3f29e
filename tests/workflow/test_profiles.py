"""The profile for a cluster knows every rule that can use a GPU."""

import re
from pathlib import Path

import yaml

WORKFLOW = Path(__file__).parents[2] / "workflow"


def test_slurm_tells_of_every_rule_that_can_use_a_gpu_whether_it_gets_one():
    text = "\n".join(path.read_text() for path in sorted((WORKFLOW / "rules").glob("*.smk")))
    rules = {
        rule.split(":")[0]
        for rule in re.split(r"^(?:rule|checkpoint) ", text, flags=re.M)[1:]
        if re.search(r"gpu=(TRAINING_)?GPUS", rule)
    }
    told = yaml.safe_load((WORKFLOW / "profiles" / "slurm" / "config.yaml").read_text())["set-resources"]
    assert set(told) == rules
    assert all(resources["gpu"] == ("slurm_partition" in resources) for resources in told.values())
