"""Options of RRM's stages (ch. 2)."""

from typing import Literal

from pydantic import Field

from wsss_stages.config.options.base import AdamWTraining, Crf, Mining
from wsss_stages.config.options.shared import Views


class Rrm(AdamWTraining, Mining):
    """rrm_train: image tags to a network that classifies and segments (Secs. 2.2-2.3)."""

    stride: Literal[8, 16] = Field(16, description="output stride of the backbone, pixels")
    channels: int = Field(256, ge=8, multiple_of=2, description="width of F_l and of F_g (thesis: 512)")
    branches: list[Literal["local", "global"]] = Field(
        ["local", "global"], min_length=1, description="sub-branches of the segmentation branch (Eq. 2.13)"
    )
    reweight: Literal["printed", "bounded", "off"] = Field(
        "printed", description="R-FAM's A_w: as printed in Eq. 2.9, bounded to at most 1, or off (plain attention)"
    )
    start: Literal["backbone", "classifier"] = Field(
        "backbone",
        description="initial weights of both branches: the backbone's own, or the trained backbone and last layer of "
        "s1_classifier, as in the authors' recipe of 40 thousand steps; then class_epochs may be 0",
    )
    crop: int = Field(384, ge=32, description="side of the square training crop, pixels")
    epochs: int = Field(12, ge=1, description="passes over the training images")
    class_epochs: int = Field(
        8,
        ge=0,
        description="first epochs, in which the classification branch learns alone; labels come from its CAMs, which "
        "degrade with too many joint epochs",
    )
    lr: float = Field(1e-4, gt=0, description="initial learning rate of pretrained layers, poly schedule")
    head_lr_factor: float = Field(10.0, gt=0, description="learning rate of new layers over that of pretrained ones")
    scale_min: float = Field(0.7, gt=0, description="smallest random scale; at 1 the longer side fills the crop")
    scale_max: float = Field(1.3, gt=0, description="largest random scale")
    scales: list[float] = Field([0.5, 1.0, 1.5, 2.0], min_length=1, description="scales of the CAMs (Eq. 2.2)")
    gamma_high: float = Field(32.0, gt=0, description="for fixed: background exponent that decides background")
    min_cam: float = Field(0.1, ge=0, lt=1, description="CAM value below which a pixel is never confident")
    energy_weight: float = Field(0.5, ge=0, description="lambda_1 of Eq. 2.15, of the dense energy; 0 = without")
    energy_scale: float = Field(0.5, gt=0, le=1, description="size of the grid of the dense energy over the crop's")
    sigma_xy: float = Field(100.0, gt=0, description="sigma_d of Eq. 2.18, pixels")
    released_gradient: bool = Field(
        False, description="use the gradient of the dense energy as released instead of the exact one (Deviations)"
    )
    distance_weight: float = Field(1.0, ge=0, description="weight of the class distance (Eq. 2.26); 0 = without")
    distance_ramp: float = Field(
        1.0,
        ge=0,
        le=1,
        description="share of the joint epochs over which the weight of the class distance grows from 0, as predictions "
        "are random at first; 0 = full weight from the first (printed, released)",
    )
    distance_above: float = Field(
        0.7,
        ge=0,
        lt=1,
        description="probability above which a prediction counts in the class distance; 0 = all (printed, released)",
    )
    distance: Literal["printed", "centres"] = Field(
        "centres",
        description="reading of Eq. 2.26: its four means, or as released, means of centres with half of either push",
    )


class RrmLabel(Views):
    """rrm_label: the segmentation branch on the training images, among their tags."""

    scales: list[float] = Field(
        [0.5, 0.75, 1.0],
        min_length=1,
        description="scales whose probabilities are averaged; training shows photographs at about the size of the crop",
    )
    crf: Crf = Field(
        Crf(),  # pyright: ignore[reportCallIssue]
        description="CRF on the probabilities; 0 iterations = none",
    )
