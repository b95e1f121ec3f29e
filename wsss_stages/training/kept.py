"""A finished training's files under a second name, so that the very same training need not run again.

Snakemake deletes a rule's outputs before it runs the rule again, also where only the number of shards, a device or something
else that this training does not depend on has changed. The second names are hard links in a folder `kept` beside the
files: they take no room, and on a file system without such links nothing is kept.
"""

import os
import shutil
from contextlib import suppress
from pathlib import Path

from wsss_stages.store import artifacts, provenance, tidying
from wsss_stages.store.contracts import CHECKPOINT_VERSION
from wsss_stages.training.job import Job

NOTE = "training.json"


def keep(weights: Path, job: Job, seconds: float) -> None:
    """Link the files that a training has written, with its fingerprint and the seconds of a step."""
    folder = _folder(weights)
    shutil.rmtree(folder, ignore_errors=True)
    files = _files(weights)
    with suppress(OSError):
        folder.mkdir()
        for file in files:
            os.link(file, folder / file.name)
        sha256 = {file.name: artifacts.sha256(file) for file in files}
        artifacts.write_sealed(folder / NOTE, {"made_of": _made_of(job), "seconds": seconds, "sha256": sha256})


def restore(weights: Path, job: Job) -> float | None:
    """Put back the files of the very same training and return the seconds of a step; None if none is kept whole."""
    folder = _folder(weights)
    try:
        note = artifacts.read_sealed(folder / NOTE)
        same = note["made_of"] == _made_of(job)
        if not same or any(artifacts.sha256(folder / name) != sha for name, sha in note["sha256"].items()):
            return None
        for file in _files(weights):
            partial = tidying.partial_of(file)
            os.link(folder / file.name, partial)
            os.replace(partial, file)
            partial.unlink(missing_ok=True)  # rename does nothing between two names of one file
    except (artifacts.ContractError, OSError):
        return None
    return note["seconds"]


def _folder(weights: Path) -> Path:
    return weights.with_name("kept")


def _files(weights: Path) -> list[Path]:
    return [weights, weights.with_name("curve.json")]


def _made_of(job: Job) -> str:
    """Return a fingerprint of all that decides the weights: the job's inputs, the code and the libraries."""
    code = provenance.code()
    parts = job.stage, job.fingerprint, CHECKPOINT_VERSION, code["version"], code["sources"], provenance.libraries()
    return artifacts.fingerprint(*parts)
