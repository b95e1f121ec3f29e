"""Directives that every rule has, read in the rule files."""

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
TEXT = "\n\n".join(path.read_text() for path in sorted((ROOT / "workflow" / "rules").glob("*.smk")))
RULES = {
    found[1]: found[0]
    for found in re.finditer(r"^(?:rule|checkpoint) (\w+):\n(?: .*\n|\n(?= ))+", TEXT, re.M)
    if "localrule" not in found[0]
}
TRAININGS = {name for name, rule in RULES.items() if "launch=launch" in rule}


def test_rules_are_found():
    assert {"data", "weak_index", "s1_classifier", "scl_table", "table", "report"} < set(RULES) and len(RULES) > 25
    assert len(TRAININGS) == 8


@pytest.mark.parametrize("name", RULES)
def test_a_rule_has_a_benchmark_and_resources_that_grow(name):
    for directive in (r"benchmark:\n", r"log:\n", r"conda:\n", r"mem_mb=grows\(", r"runtime=grows\("):
        assert re.search(rf"^ +{directive}", RULES[name], re.M), directive


@pytest.mark.parametrize("name", RULES)
def test_only_trainings_take_the_place_of_their_shell_and_have_threads_of_their_own(name):
    command = re.search(r'shell:\n +"(.*)"', RULES[name])[1]
    training = name in TRAININGS
    assert command == f"{'exec {params.launch}' if training else 'python -m'} wsss_stages.stages.{name}"
    assert ("threads: training_threads(" in RULES[name]) == training


def test_a_command_has_one_flag_a_line():
    commands = [rule.partition("    shell:\n")[2] for rule in RULES.values()]
    lines = [line for command in commands for line in re.findall(r'^ +"(.*)"$', command, re.M)]
    assert lines and not [line for line in lines if re.search(r"\S --", line)]


def test_slurm_gives_every_training_the_threads_of_a_process_and_its_readers():
    profile = yaml.safe_load((ROOT / "profiles" / "slurm" / "config.yaml").read_text())
    assert set(profile["set-threads"]) == TRAININGS
