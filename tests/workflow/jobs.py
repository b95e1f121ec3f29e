"""Jobs in the output of snakemake, by rule."""

import re


def planned(output: str) -> dict[str, int]:
    """Return the numbers of jobs of a run's or a dry run's plan."""
    jobs = re.findall(r"^(\w+) +(\d+)$", output, re.M)
    return {rule: int(count) for rule, count in jobs if rule not in ("total", "all")}


def started(output: str) -> dict[str, int]:
    """Return the numbers of jobs that ran to their end."""
    rules = re.findall(r"^Finished jobid: \d+ \(Rule: (\w+)\)", output, re.M)
    return {rule: rules.count(rule) for rule in rules}


def nothing(output: str) -> bool:
    """Return whether there was nothing to be done."""
    return "Nothing to be done" in output
