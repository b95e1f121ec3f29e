"""Options of DFR's stage (ch. 4)."""

from typing import Literal

from pydantic import Field, model_validator

from wsss_stages.config.options.base import AdamWTraining, FilePath


class Dfr(AdamWTraining):
    """dfr_train: scribbles to a network that segments, by dynamic feature regularisation (Sec. 4.2)."""

    labels: Literal["scribbles", "truth"] = Field(
        "scribbles", description="training labels: scribbles, or truth for the upper bound"
    )
    scribble_share: float = Field(
        1.0, ge=0, le=1, description="share of every scribble's length used as labels (Fig. 4.3); 0 = one dot"
    )
    backbone: str = Field(
        "",
        description="mobilenet_v2, tf_mobilenet_v2, resnet18/50/101, resnet38, tiny, a timm model, Vision or Swin Transformer, "
        "such as swin_base_patch4_window7_224; empty: the classifier's (not allowed when the stage is run by "
        "hand)",
    )
    backbone_weights: FilePath = Field(
        "",
        description="local .pth or .safetensors, a folder of timm's, 'package', 'hub' or 'none'; empty: the run's backbone_weights (not "
        "allowed when the stage is run by hand)",
    )
    channels: int = Field(64, ge=8, description="width of each block in the fused map (thesis: 512, four make 2048)")
    features: int = Field(64, ge=1, description="d, width of the feature head (thesis: 128)")
    blocks: list[Literal[1, 2, 3, 4]] = Field(
        [1, 2, 3, 4], min_length=1, description="blocks that are fused, 1 at stride 4 to 4 at stride 32 (Table 4.4)"
    )
    epochs: int = Field(20, ge=1, description="passes over the training images")
    batch_size: int = Field(4, ge=1, description="images per step")
    accumulate: int = Field(
        1,
        ge=1,
        description="parts of a batch, trained one after the other to save memory; at most batch_size",
    )
    crop: int = Field(
        256, ge=64, description="side of the square training crop, pixels; the coarsest map is at stride 32"
    )
    warm_up: int = Field(
        50, ge=0, description="warm-up steps, over which the learning rate grows from 0; at most a tenth of all"
    )
    weight_decay: float = Field(0.01, ge=0, description="weight decay of all but norms and position biases")
    poly_power: float = Field(1.0, gt=0, description="exponent of the poly learning rate schedule")
    scale_min: float = Field(0.5, gt=0, description="smallest random scale; at 1 the longer side fills the crop")
    scale_max: float = Field(2.0, gt=0, description="largest random scale")
    balanced_ce: bool = Field(
        False,
        description="balance the cross-entropy: mean of background mean and foreground mean, for the upper bound; Eq. "
        "4.2 of scribbles has one mean",
    )
    dfr_weight: float = Field(
        0.1, ge=0, description="lambda_1 of Eq. 4.1, of L_dfr (thesis: 0.01); 0 = partial cross-entropy alone"
    )
    ramp_begins: float = Field(
        0.33,
        ge=0,
        le=1,
        description=(
            "share of the steps after which lambda_1 starts to grow from 0; early on the kernel would suppress "
            "rare classes"
        ),
    )
    ramp_ends: float = Field(
        0.67,
        ge=0,
        le=1,
        description="share of the steps after which lambda_1 has its full value; both 0: from the first step (thesis)",
    )
    kernel: list[Literal["position", "colour", "feature"]] = Field(
        ["position", "colour", "feature"],
        min_length=1,
        description="terms of K (Eq. 4.6); without 'feature' there is no feature head, and the kernel is static",
    )
    radius: int = Field(5, ge=1, description="r of Eq. 4.3: a pixel has (2r+1)² - 1 neighbours, in nodes of stride 4")
    sigma_xy: float = Field(6.0, gt=0, description="sigma_1 of Eqs. 4.6 and 4.13, nodes")
    sigma_rgb: float = Field(
        0.1, gt=0, description="sigma_2, units of the normalised image, of 58 grey levels (thesis: 0.5)"
    )
    sigma_feature: float = Field(
        20.0,
        gt=0,
        description="sigma_3 of Eq. 4.6 for 128 features, scaled by the square root of their number (thesis: 50); at 20 "
        "a pair that L_fd separates, by 3 in every channel, has a weight of a quarter",
    )
    gamma: float = Field(0.98, ge=0, lt=1, description="probability above which a prediction is confident (Eq. 4.7)")
    distance_weight: float = Field(1e-3, ge=0, description="lambda_2 of Eq. 4.1 for L_fd; 0 = without")
    smooth_weight: float = Field(1e-3, ge=0, description="lambda_2 of Eq. 4.1 for L_fr; 0 = without")
    supervision: Literal["confident", "scribbles", "both"] = Field(
        "confident",
        description="labels of the feature head: M of Eq. 4.7, the scribbles, or scribbles over M (Table 4.7)",
    )
    smooth_pairs: Literal["all", "confident"] = Field(
        "all", description="pairs of L_fr: all of R, or R_A as printed in Eq. 4.12 (Deviations)"
    )

    @model_validator(mode="after")
    def _every_part_has_an_image(self) -> "Dfr":
        if self.batch_size < self.accumulate:
            raise ValueError(
                f"batch_size {self.batch_size} and accumulate {self.accumulate}; wanted at least one image in each part"
            )
        return self

    @model_validator(mode="after")
    def _ramp_goes_up(self) -> "Dfr":
        if self.ramp_ends < self.ramp_begins:
            raise ValueError(
                f"ramp_begins {self.ramp_begins:g} and ramp_ends {self.ramp_ends:g}; wanted an end that is not before the beginning"
            )
        return self

    def feature_head(self) -> int:
        """Return the width of the feature head; 0 if no option uses it."""
        return self.features if self.dfr_weight and "feature" in self.kernel else 0
