"""A new version of what a rule writes makes the rule run again: the version stands in its params."""

import re
from pathlib import Path

import pytest

from wsss_stages.store import contracts

RULES = {
    part.split(":")[0]: part
    for path in sorted((Path(__file__).parents[2] / "workflow" / "rules").glob("*.smk"))
    for part in re.split(r"^(?:rule|checkpoint) ", path.read_text(), flags=re.M)[1:]
}
OUTPUTS = {
    r'index=(?:update\()?"': "version=contracts.INDEX_VERSION,",
    r'episodes="': "version=contracts.EPISODES_VERSION,",
    r'weights="': "version=contracts.CHECKPOINT_VERSION,",
}


def directive(rule: str, name: str) -> str:
    """The lines of a rule's directive; empty without one."""
    found = re.search(rf"^    {name}:\n((?:        .*\n)+)", RULES[rule], re.M)
    return found[1] if found else ""


def test_every_stage_that_makes_artifacts_has_its_rule():
    of_rules = {rule for rule in RULES if re.search(r'^        manifest="', directive(rule, "output"), re.M)}
    assert of_rules == {contract.made_by for contract in contracts.ALL.values()}


@pytest.mark.parametrize("stage", sorted({contract.made_by for contract in contracts.ALL.values()}))
def test_rules_of_artifacts_tell_the_version_of_their_contracts(stage):
    assert re.search(rf"""contracts\.version_of\(\s*["']{stage}["']""", directive(stage, "params"))


@pytest.mark.parametrize("output", OUTPUTS)
def test_rules_of_other_files_tell_their_version(output):
    writers = [rule for rule in RULES if re.search(rf"^        {output}", directive(rule, "output"), re.M)]
    assert writers
    assert [rule for rule in writers if OUTPUTS[output] not in directive(rule, "params")] == []
