"""Common parts of sections: strictness, seeds, training, the CRF, labels from CAMs."""

import os.path
from dataclasses import fields
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

FilePath = Annotated[str, AfterValidator(os.path.expanduser)]
"""A file or a folder; `~` is the user's home."""


Settings = TypeVar("Settings")
"""A dataclass that the maths owns."""


class Section(BaseModel):
    """A stage's options."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    moved: ClassVar[dict[str, str]] = {}
    """Options that lie elsewhere now, with their new places."""

    @field_validator("*", mode="before")
    @classmethod
    def _truth_is_no_number(cls, value: Any, info: Any) -> Any:
        """Raise where true or false stands for a number, which pydantic would take for 1 or 0."""
        if isinstance(value, bool) and cls.model_fields[info.field_name].annotation in (int, float):
            raise PydanticCustomError("truth_for_number", "a number is no truth value")
        return value

    def fill(self, settings: type[Settings]) -> Settings:
        """Return settings from the options of their fields' names; a section becomes the settings that its field wants."""
        owned: Any = settings  # a dataclass
        found: dict[str, tuple[Any, Any]] = {f.name: (getattr(self, f.name), f.type) for f in fields(owned)}
        return settings(**{n: v.fill(wanted) if isinstance(v, Section) else v for n, (v, wanted) in found.items()})


class Seeded(Section):
    """A stage that draws random numbers."""

    seed: int = Field(0, ge=0, description="random seed; every draw depends on (seed, stage, image id)")


Images = Field(0, ge=0, description="number of images of the split, chosen by a hash of their ids; 0 = all")
"""The option `images` of the stages that a table of variants reruns (options.Tables)."""


class Batches(Seeded):
    """A stage that works on batches."""

    batch_size: int = Field(8, ge=1, description="images per step")


class Crops(Section):
    """Augmentation and learning rates (pretrained layers; new layers)."""

    crop: int = Field(320, ge=32, description="side of the square training crop, pixels")
    lr: float = Field(0.002, gt=0, description="initial learning rate of pretrained layers, poly schedule")
    head_lr_factor: float = Field(50.0, gt=0, description="learning rate of new layers over that of pretrained ones")


class Loop(Section):
    """Options of the training loop."""

    if TYPE_CHECKING:  # fields that every stage with this loop has of other sections, or of its own
        seed: int
        batch_size: int
        epochs: int
        lr: float

    optimizer: Literal["sgd", "adamw"] = Field("sgd", description="optimizer: SGD with momentum, or AdamW")
    warm_up: int = Field(
        0, ge=0, description="warm-up steps, over which the learning rate grows from 0; at most a tenth of all"
    )
    momentum: float = Field(0.9, ge=0, lt=1, description="momentum of SGD; the released code trains with 0")
    weight_decay: float = Field(5e-4, ge=0, description="weight decay of SGD or AdamW")
    clip_norm: float = Field(1.0, ge=0, description="largest norm of the gradient of all parameters; 0 = no limit")
    poly_power: float = Field(0.9, gt=0, description="exponent of the poly learning rate schedule")
    precision: Literal["auto", "float32", "bfloat16"] = Field(
        "auto", description="precision of forward passes (autocast); auto = bfloat16 on a GPU, float32 on a CPU"
    )
    workers: int = Field(2, ge=0, description="threads that read and augment images")
    grade_every: int = Field(
        0,
        ge=0,
        description="steps between two grades on the held-out images; 0 = a twentieth of the steps, or more, so that a "
        "grade costs at most half the images of the steps between",
    )
    ema: float = Field(
        0.999,
        ge=0,
        lt=1,
        description="decay of the exponential moving average of the weights, which is graded and kept, at most (1 + step) / (10 + "
        "step); 0 = the weights themselves",
    )


def frozen_for(share: float) -> Any:
    """Return the field of how long pretrained layers are frozen."""
    return Field(
        share,
        ge=0,
        le=1,
        description="share of the steps, from the first on, in which pretrained layers are frozen; their schedule and "
        "warm-up begin afterwards; 1 = throughout, the default of Vision Transformers",
    )


class Training(Loop, Crops, Batches):
    """A stage that trains a network."""

    held_out: float = Field(
        0.1,
        ge=0,
        lt=1,
        description="share of the training images held out to grade the network and keep its best weights; none of fewer "
        "than 20 images, at most 1,000; 0 = none, and the last weights are kept",
    )
    frozen_share: float = frozen_for(0.0)


class AdamWLoop(Loop):
    """The training loop with defaults for AdamW."""

    optimizer: Literal["sgd", "adamw"] = Field("adamw", description="optimizer: SGD with momentum, or AdamW")
    warm_up: int = Field(
        20, ge=0, description="warm-up steps, over which the learning rate grows from 0; at most a tenth of all"
    )
    weight_decay: float = Field(1e-4, ge=0, description="weight decay of SGD or AdamW")
    clip_norm: float = Field(5.0, ge=0, description="largest norm of the gradient of all parameters; 0 = no limit")


class AdamWTraining(AdamWLoop, Training):
    """A stage that trains a network with AdamW."""

    lr: float = Field(3e-4, gt=0, description="initial learning rate of pretrained layers, poly schedule")
    head_lr_factor: float = Field(5.0, gt=0, description="learning rate of new layers over that of pretrained ones")


class OwnBackbone(Section):
    """A training that may have another backbone than the classifier."""

    backbone: str = Field(
        "", description="as classifier.backbone; empty: the classifier's (not allowed when the stage is run by hand)"
    )
    backbone_weights: FilePath = Field(
        "",
        description="local .pth or .safetensors, a folder of timm's, 'package', 'hub' or 'none'; empty: the run's backbone_weights (not "
        "allowed when the stage is run by hand)",
    )


class Repeated(Section):
    """A training that shows images of rare classes more often."""

    repeat_below: float = Field(
        0.0,
        ge=0,
        le=1,
        description="repeat-factor threshold t (Gupta et al. 2019): images of a class that only a share f < t of the "
        "images show are drawn sqrt(t / f) times as often; 0 = all equally often",
    )


class Crf(Section):
    """Dense CRF: Gaussian and bilateral kernel, as pydensecrf counts its numbers."""

    iterations: int = Field(5, ge=0, description="mean-field iterations; 0 = no CRF")
    gaussian_xy: float = Field(3.0, gt=0, description="sigma of the Gaussian kernel, pixels")
    gaussian_weight: float = Field(3.0, ge=0, description="weight of the Gaussian kernel")
    bilateral_xy: float = Field(30.0, gt=0, description="spatial sigma of the bilateral kernel, pixels")
    bilateral_rgb: float = Field(8.0, gt=0, description="colour sigma of the bilateral kernel, grey levels of 255")
    bilateral_weight: float = Field(3.0, ge=0, description="weight of the bilateral kernel")
    step: int = Field(
        1,
        ge=1,
        le=8,
        description="iterate on one pixel of step x step, then once on all pixels: faster, with nearly the same labels",
    )


class Mining(Section):
    """CAMs to the pixels whose label is reliable (Eqs. 2.3-2.7)."""

    cam_normalise: Literal["max", "minmax"] = Field(
        "max", description="normalisation of a CAM: by its maximum (Eq. 2.3), or min-max (released)"
    )
    thresholds: Literal["quantiles", "fixed"] = Field(
        "quantiles",
        description="source of both background exponents: quantiles of the CAMs of the training images (s3_seeds) or of "
        "the batch (rrm_train), or fixed values (printed, released)",
    )
    background_share: float = Field(
        0.25, gt=0, lt=1, description="for quantiles: share of the weakest pixels of all images that are background"
    )
    foreground_share: float = Field(
        0.4, gt=0, lt=1, description="for quantiles: share of the strongest pixels of all images that are foreground"
    )
    gamma_low: float = Field(4.0, gt=0, description="for fixed: background exponent that decides foreground (Eq. 2.4)")
    gamma_high: float = Field(24.0, gt=0, description="for fixed: background exponent that decides background")
    keep: float = Field(
        0.4, gt=0, le=1, description="share of the most confident CAM pixels kept per class (Sec. 3.3.2)"
    )
    min_cam: float = Field(0.01, ge=0, lt=1, description="CAM value below which a pixel is never confident")
    min_background: float = Field(
        0.8, ge=0, le=1, description="for fixed: background score above which background is confident"
    )
    min_crf: float = Field(0.8, ge=0, le=1, description="CRF probability above which a label is confident")
    strict_class_agreement: bool = Field(
        True, description="require that CAM and CRF agree on the class (Eq. 2.7), not only that both are confident"
    )
    crf: Crf = Field(
        Crf(iterations=10, bilateral_xy=80, bilateral_rgb=13, bilateral_weight=10),  # pyright: ignore[reportCallIssue]
        description="CRF on the CAM",
    )

    @model_validator(mode="after")
    def _shares_do_not_overlap(self) -> "Mining":
        if self.background_share + self.foreground_share > 1:
            raise ValueError(
                f"background_share {self.background_share:g} and foreground_share {self.foreground_share:g}; wanted at most 1 together"
            )
        return self
