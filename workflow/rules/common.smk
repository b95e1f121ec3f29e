from wsss_stages import options
from wsss_stages.stages.cli import flags, merge


def section(name):
    """A section's effective options."""
    values = merge(options.SECTIONS[name], config.get(name, {}))
    return options.SECTIONS[name](**values).model_dump()


def dataset_root(wildcards):
    """The user's folder, or where the demo is made."""
    return config["dataset_root"] or f"results/{wildcards.dataset}/dataset"


wildcard_constraints:
    dataset=r"[A-Za-z0-9_.-]+",
