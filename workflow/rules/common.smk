import shlex
import shutil
from pathlib import Path

from snakemake.settings.types import DeploymentMethod

from wsss_stages.config import dag, variants
from wsss_stages.store import contracts
from wsss_stages.config.dag import STAGES
from wsss_stages.config.home import import_folder
from wsss_stages.data import changes
from wsss_stages.data.names import NAME
from wsss_stages.shards.lost import lost
from wsss_stages.config.options import KINDS
from wsss_stages.stages.cli import flags

if set("{}") & set(str(workflow.basedir)):
    raise WorkflowError(
        f"the Snakefile lies in {str(workflow.basedir)!r}: found braces, which Snakemake takes for wildcards in the paths of rules; "
        "wanted a path without. Move the project or rename the folder (--directory, data and weights may have braces)."
    )

try:  # a file of the command line counts more than config.yaml
    variants.complete(
        config,
        sorted(
            map(Path, workflow.configfiles),
            key=lambda file: file in map(Path, workflow.overwrite_configfiles),
        ),
    )
except variants.ConfigError as error:
    raise WorkflowError(str(error))

# envs/wsss.yaml holds the libraries alone: a job in it takes the package, and no other, from where it is installed
if DeploymentMethod.CONDA in workflow.deployment_settings.deployment_method:
    package = shlex.quote(str(import_folder(Path(".snakemake/package"))))
    escaped = package.replace("{", "{{").replace("}", "}}")
    shell.prefix(f"set -euo pipefail; export PYTHONPATH={escaped}; ")

DEVICE = config["device"]
GPUS = int(
    DEVICE.startswith("cuda")
    or (DEVICE == "auto" and shutil.which("nvidia-smi") is not None)
)
TRAINING_GPUS = GPUS * config["gpus_per_training"]
WEIGHTS = config["backbone_weights"]
HOURS = 60  # minutes, which `runtime` is given in
INDEX = "results/{dataset}/index.json"
WEAK_INDEX = "results/{dataset}/{weak}/index.json"


wildcard_constraints:
    dataset=r"[A-Za-z0-9_.-]+",
    weak="|".join(KINDS),
    variant=NAME,
    split="train|val",
    shard=rf"\d+-of-{config['shards']}",


def section(name, wildcards=None):
    """A section's options, those of the variant and of the kind of weak label of a job if it has them."""
    chosen = (wildcards.get("variant"), wildcards.get("weak")) if wildcards else ()
    try:
        return variants.section(config, name, *chosen)
    except variants.ConfigError as error:
        raise WorkflowError(str(error))


def section_flags(name):
    """Params function: a section's options as flags, for all variants. Snakemake would take braces in a text for wildcards."""
    return lambda wildcards: flags(section(name))


def optional(name):
    """Params function: the flag --NAME with the input NAME, or nothing where that has no files."""
    return lambda wildcards, input: (
        f"--{name} {input.get(name)}" if input.get(name) else ""
    )


def grows(first):
    """Resource function: so much in the first try, twice as much in the second, three times as much in the third."""
    return lambda wildcards, attempt: first * attempt


def training_threads(name):
    """Threads function: of a training on GPUs one for each process and for each of the readers of its section, else up to 16."""
    return lambda wildcards: (
        TRAINING_GPUS * (1 + section(name, wildcards)["workers"])
        if TRAINING_GPUS
        else 16
    )


def stage_folder(wildcards, stage):
    home = dag.home(config, wildcards.variant, stage, wildcards.weak)
    return f"results/{wildcards.dataset}/{wildcards.weak}/{home}/{stage}"


def cam_folder(wildcards):
    """The folder of a variant's CAMs: that of the run, which all supervisions share, unless the variant has options of its own."""
    own = section("cam", wildcards) != section("cam")
    shared = f"results/{wildcards.dataset}/s2_cam"
    return stage_folder(wildcards, "s2_cam") if own else shared


def weights_of(stage):
    """Input function: the weights that a training stage wrote for this variant."""
    return lambda wildcards: f"{stage_folder(wildcards, stage)}/weights.safetensors"


def same_shard(stage):
    """Input function: the manifest of an earlier stage with the same images."""
    return (
        lambda wildcards: f"{stage_folder(wildcards, stage)}/{wildcards.split}/{wildcards.shard}.json"
    )


def all_shards(stage, split):
    """Input function: all manifests of an earlier stage."""
    return lambda wildcards: [
        f"{stage_folder(wildcards, stage)}/{split}/{shard}.json" for shard in shards()
    ]


def whole(manifest):
    """Input function without files: a manifest that names an artifact which is gone or empty is made again, as with --forcerun."""

    def look(wildcards):
        path = Path(manifest.format(**dict(wildcards.items())))
        broken = lost(path.parent, config["shards"]) if workflow.is_main_process else {}
        if path in broken and str(path) not in workflow.dag.forcefiles:
            logger.warning(
                f"{broken[path]} is gone or empty: its shard is made again, and what was made of it is looked at. To make it and "
                f"nothing else: snakemake {path} --forcerun {path}"
            )
            workflow.dag.forcefiles.add(str(path))
        return []

    return look


def shards():
    n = config["shards"]
    return [f"{k}-of-{n}" for k in range(1, n + 1)]


def variant_flags(stage):
    """Params function: the stage's options of this variant as flags."""
    return lambda wildcards: flags(section(STAGES[stage], wildcards))


def launch(wildcards, resources):
    """Params function: what starts a training, a process for each GPU of the job. As it looks at resources, it counts for no rerun.

    A training's command begins with `exec`: a shell that waited for it would die of SIGTERM at once, and SLURM would kill the
    training before it leaves its checkpoint.
    """
    gpus, wanted = int(resources.get("gpu", 0)), config["gpus_per_training"]
    if gpus and gpus != wanted:
        raise WorkflowError(
            f"gpus_per_training is {wanted}, but a profile, --resources or --set-resources gives a training gpu={gpus}; "
            f"write the same number in both, on one machine --resources gpu={wanted}."
        )
    return variants.launcher(gpus, config["tensorboard"])


def dataset_root(wildcards):
    """The user's folder, or where the demo is made."""
    return config["dataset_root"] or f"results/{wildcards.dataset}/dataset"


def listing_of_dataset(wildcards):
    """Params function: a digest of what the user's folders list. Those that the job makes or downloads itself do not count."""
    options = section("data")
    made = options["kind"] in ("scenes", "voc2012", "coco2014", "coco2017")
    folders = [
        options[name] for name in ("weak_labels", "saliency", "corrections", "sbd")
    ]
    folders += [] if made else [dataset_root(wildcards)]
    return changes.listing(*map(Path, filter(None, folders)))


def content_of(index):
    """Params function: the checksum of an index. Rules take the index itself as `ancient`: that it was written again with the same
    content, which the checkpoints `data` and `weak_index` may do, makes nothing run."""
    return lambda wildcards: changes.checksum(
        Path(index.format(**dict(wildcards.items())))
    )
