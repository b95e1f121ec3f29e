"""Settings of a run as a whole: the keys of config.yaml beside the stages' sections."""

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from wsss_stages.config.options.base import FilePath, Section
from wsss_stages.config.options.kinds import KINDS
from wsss_stages.data.names import NAME

ONE_NAME = f"^{NAME}$(?!\\n)"
"""A pattern; Python's `$` alone would let a line feed follow."""


def _matching(pattern: str, wanted: str, description: str) -> Any:
    """Return the type of a text that matches a pattern, which the schema holds too."""

    def check(text: str) -> str:
        if not re.search(pattern, text):
            raise ValueError(wanted)
        return text

    field = Field(description=description, json_schema_extra={"pattern": pattern})
    return Annotated[str, AfterValidator(check), field]


LETTERS = "letters, digits, '_', '.' and '-', the first a letter, a digit or '_'"
DEVICES = "auto, cpu, cuda or cuda:N"


class Run(Section):
    """The whole run."""

    dataset: _matching(  # pyright: ignore[reportInvalidTypeForm]
        f"^$(?!\\n)|{ONE_NAME}", LETTERS, "name of the results folder; empty: the name of dataset_root"
    )
    dataset_root: FilePath = Field(
        description="folder of the dataset; where `dataset` is empty too, the embedded demo runs"
    )
    backbone_weights: FilePath = Field(
        description="local .pth or .safetensors, a folder of timm's, 'package' (installed by pip), 'hub' or 'none'"
    )
    weak: Literal[*KINDS] = Field(description="kind of weak label")  # pyright: ignore[reportInvalidTypeForm]
    variant: _matching(ONE_NAME, LETTERS, "the variant that `rule all` makes")  # pyright: ignore[reportInvalidTypeForm]
    shards: int = Field(ge=1, description="jobs per image-wise stage")
    device: _matching(r"^(auto|cpu|cuda(:[0-9]+)?)$(?!\n)", DEVICES, DEVICES)  # pyright: ignore[reportInvalidTypeForm]
    gpus_per_training: int = Field(
        ge=1, description="GPUs that share the batches of a training; another number does not retrain finished networks"
    )
    tensorboard: bool = Field(
        description="write event files of TensorBoard beside every curve.json (extra `tensorboard`); finished networks are not retrained"
    )
    report_images: int = Field(ge=1, description="rows of the picture in the report")
    variants: dict[Any, Any] = Field(
        description="named sets of overrides: {name: {base: name, section: {option: value}}}",
        json_schema_extra={"propertyNames": {"pattern": ONE_NAME}},
    )
