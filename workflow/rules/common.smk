import shutil
from pathlib import Path

from snakemake.utils import update_config, validate

from wsss_stages import contracts, options
from wsss_stages.stages.cli import flags, merge

validate(config, "../schemas/config.schema.yaml")
if not config["dataset_root"]:
    update_config(config, config["demo"])
if config["variant"] not in config["variants"]:
    raise WorkflowError(
        f"no variant {config['variant']!r} in config; there are {', '.join(config['variants'])}"
    )
config["dataset"] = config["dataset"] or Path(config["dataset_root"]).resolve().name

STAGES = {
    "s3_seeds": "seeds",
    "s4_affinity": "affinity",
    "s5_graph": "graph",
    "s6_propagate": "propagate",
    "s7_segment": "segment",
    "s8_predict": "predict",
    "s9_evaluate": "evaluate",
}
"""Stages that a variant may change, in the order of the data, and their config sections."""
DEVICE = config["device"]
GPUS = int(
    DEVICE.startswith("cuda")
    or (DEVICE == "auto" and shutil.which("nvidia-smi") is not None)
)
WEIGHTS = config["backbone_weights"]
BACKBONE_FILE = [] if WEIGHTS in ("none", "hub") else [WEIGHTS]


wildcard_constraints:
    dataset=r"[A-Za-z0-9_.-]+",
    weak="box",
    variant="|".join(config["variants"]),
    split="train|val",
    scatteritem=rf"\d+-of-{config['shards']}",


def section(name, variant=None):
    """A section's options: defaults, config.yaml, then the variant's base and the variant itself."""
    chain = []
    while variant is not None:
        if variant not in config["variants"]:
            raise WorkflowError(
                f"no variant {variant!r} in config; there are {', '.join(config['variants'])}"
            )
        chain.append(config["variants"][variant])
        variant = chain[-1].get("base")
        if len(chain) > len(config["variants"]):
            raise WorkflowError("the bases of the variants go round in a circle")
    values = merge(options.SECTIONS[name], config.get(name, {}))
    for overrides in reversed(chain):
        for key, value in overrides.get(name, {}).items():
            nested = isinstance(value, dict) and isinstance(values[key], dict)
            values[key] = {**values[key], **value} if nested else value
    return options.SECTIONS[name](**values).model_dump()


def home(variant, stage):
    """The variant whose artifacts of a stage are this one's too: its base as long as nothing up to there differs."""
    base = config["variants"][variant].get("base")
    if base is None:
        return variant
    before = list(STAGES)[: list(STAGES).index(stage) + 1]
    same = all(section(STAGES[s], variant) == section(STAGES[s], base) for s in before)
    return home(base, stage) if same else variant


def stage_folder(wildcards, stage):
    return f"results/{wildcards.dataset}/{wildcards.weak}/{home(wildcards.variant, stage)}/{stage}"


def weights_of(stage):
    """Input function: the weights that a training stage wrote for this variant."""
    return lambda wildcards: f"{stage_folder(wildcards, stage)}/weights.safetensors"


def same_shard(stage):
    """Input function: the manifest of an earlier stage with the same images."""
    return (
        lambda wildcards: f"{stage_folder(wildcards, stage)}/{wildcards.split}/{wildcards.scatteritem}.json"
    )


def all_shards(stage, split):
    """Input function: all manifests of an earlier stage."""
    return lambda wildcards: [
        f"{stage_folder(wildcards, stage)}/{split}/{shard}.json" for shard in shards()
    ]


def shards():
    n = config["shards"]
    return [f"{k}-of-{n}" for k in range(1, n + 1)]


def variant_flags(stage):
    """Params function: the stage's options of this variant as flags."""
    return lambda wildcards: flags(section(STAGES[stage], wildcards.variant))


def dataset_root(wildcards):
    """The user's folder, or where the demo is made."""
    return config["dataset_root"] or f"results/{wildcards.dataset}/dataset"
