"""Folders of pretrained models as hubs keep them, config.json beside weights; of the weights only safetensors are read."""

import json
import re
from pathlib import Path
from typing import Any

from wsss_stages.store.packages import WeightsError

WEIGHTS = "model.safetensors"
PICKLES = (".bin", ".pth", ".pt", ".ckpt", ".pkl")
"""Suffixes of weights in which code may hide."""


def config_of(folder: Path, name: str = "config.json") -> dict[str, Any]:
    """Return the config.json of a model folder, or another file like it. Raises WeightsError."""
    path = folder / name
    try:
        content = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise WeightsError(
            f"{path}: found {'no such file' if not path.is_file() else f'no JSON text ({error})'}; wanted a "
            "model's description. Copy the whole folder of the model."
        ) from error
    if not isinstance(content, dict):
        raise WeightsError(
            f"{path}: found {type(content).__name__}; wanted a mapping. Copy the folder of the model again."
        )
    return content


def weights_of(folder: Path) -> Path:
    """Return the file with the weights of a model folder. Raises WeightsError for pickles alone and for none."""
    path = folder / WEIGHTS
    if path.is_file():
        return path
    pickles = sorted(file.name for file in folder.glob("*") if file.suffix in PICKLES)
    raise WeightsError(
        f"{folder}: found {', '.join(pickles) or 'no weights'}; wanted {WEIGHTS}. Code may hide in a pickle and is never run: take a "
        "version of the model with safetensors, or convert it on a machine that you trust."
    )


def answer_of(error: BaseException) -> str:
    """Return a hub's answer in one sentence: the first line of an error's message that is no status, without addresses."""
    lines = [re.sub(r"^Got: |\s*\(Request ID[^)]*\)", "", line.strip()) for line in str(error).splitlines()]
    answers = [line for line in lines if line and not re.fullmatch(r"\d+ \w+ Error.*", line)] or [type(error).__name__]
    sentence = re.split(r"(?<=[.!?])\s", answers[0])[0]
    return re.sub(r"\s*(for|at) url:?\s*\S+|\s*https?://\S+", "", sentence).rstrip(".")
