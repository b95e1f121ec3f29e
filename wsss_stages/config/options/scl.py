"""Options of SCL's stages, few-shot segmentation (ch. 5)."""

from typing import Literal

from pydantic import Field

from wsss_stages.config.options.base import AdamWLoop, Batches, Section, Seeded


class SclEpisodes(Seeded):
    """scl_episodes: folds of classes and lists of episodes (Secs. 5.2, 5.4.2)."""

    folds: int = Field(4, ge=2, description="parts of the classes; a fold tests one part and trains on the others")
    order: Literal["blocks", "strides"] = Field(
        "blocks",
        description="classes of fold i: neighbouring ones (PASCAL-5^i), or every folds-th from i + 1 (COCO-20^i)",
    )
    min_pixels: int = Field(2048, ge=1, description="pixels of a class from which an image counts as showing it")
    shots: int = Field(5, ge=1, description="supports of a test episode; evaluations with fewer use the first")
    test_images: Literal["val", "all"] = Field(
        "val",
        description="images of test episodes: validation images, or all, in which case no training image shows a test class",
    )
    test_pairs: int = Field(1000, ge=1, description="test episodes of a seed")
    test_seeds: int = Field(5, ge=1, description="lists of test episodes, over which scores are averaged")
    train_pairs: int = Field(
        6000, ge=1, description="training episodes of an epoch, each with one support, drawn anew every epoch"
    )
    held_out: float = Field(
        0.1, gt=0, lt=1, description="share of the training images kept for the choice of the weights, on base classes"
    )
    held_out_pairs: int = Field(200, ge=1, description="episodes of held-out images, drawn once, in the same way")


class SclFeatures(Section):
    """scl_features: maps of the frozen backbone, once per image (Sec. 5.3.1)."""

    side: int = Field(320, ge=32, multiple_of=16, description="side of the square that images are fitted on, pixels")
    stride: Literal[8, 16] = Field(8, description="output stride of the backbone, pixels")


class Drawing(Section):
    """The choice of training episodes."""

    balanced: bool = Field(
        True,
        description=(
            "drawing of training episodes: every class equally often, with a query of it; or every query equally "
            "often, with one of its classes, as released"
        ),
    )
    several: float = Field(
        0.5,
        ge=0,
        le=1,
        description="share of the episodes whose query shows several base classes, if the images allow it",
    )
    negative: float = Field(
        0.25,
        ge=0,
        le=1,
        description="share of the episodes whose query does not show the class of the support: its mask is empty",
    )


class Scl(AdamWLoop, Batches, Drawing):
    """scl_train: a baseline's head, with or without self-guided learning (Secs. 5.3.2-5.3.3)."""

    baseline: Literal["canet", "pfenet"] = Field("canet", description="CANet or PFENet (Sec. 5.4.1)")
    vectors: list[Literal["initial", "primary", "auxiliary"]] = Field(
        ["primary", "auxiliary"],
        min_length=1,
        description="support vectors v_s, v_pri, v_aux that guide the query (Table 5.8); [initial] is the baseline",
    )
    s1_weight: float = Field(1.0, ge=0, description="weight of the loss of Eq. 5.7; the baseline has 0")
    s2_weight: float = Field(1.0, ge=0, description="weight of the loss of Eq. 5.10; the baseline has 0")
    inner_weight: float = Field(
        1.0, ge=0, description="weight of the mean loss over PFENet's scales, for each prediction"
    )
    balanced_ce: bool = Field(
        False,
        description="balance every loss: mean of background mean and foreground mean, instead of one mean (Eq. 5.7)",
    )
    channels: int = Field(256, ge=8, description="d of Fig. 5.1, width of the head")
    bins: list[float] = Field(
        [1.0, 0.5, 0.25, 0.125],
        min_length=1,
        description="PFENet's scales: sides relative to the map's; on 60 nodes they are 60, 30, 15 and 8",
    )
    dropout: float = Field(
        0.5,
        ge=0,
        lt=1,
        description="channel dropout rate (CANet: all blocks; PFENet: embeddings); use 0 for short trainings",
    )
    feature_dropout: float = Field(
        0.5,
        ge=0,
        lt=1,
        description=(
            "share of the maps' channels hidden in training, the same for a query and its support, so that "
            "classes look new each time"
        ),
    )
    history_drop: float = Field(
        0.7, ge=0, le=1, description="share of CANet's training queries without a prediction to refine"
    )
    standardise: int = Field(
        64,
        ge=0,
        description="training images that give the means and deviations to standardise the maps; 0 = maps as they are, "
        "as released",
    )
    directions: int = Field(
        256,
        ge=0,
        description="principal directions of standardised maps given to the head, which makes a step cheaper; 0 = all channels",
    )
    similarity: bool = Field(
        True,
        description="give the query's branch the cosine of each node with the mean of the support's object less that "
        "with the mean of its surroundings, and learn a correction of it",
    )
    prior: Literal["middle", "deep"] = Field(
        "middle", description="maps for PFENet's prior mask: the middle ones, or the last block's as released"
    )
    flip: bool = Field(True, description="mirror maps and masks of half the queries and supports")
    epochs: int = Field(20, ge=1, description="passes over the training episodes; the best on held-out ones is kept")
    batch_size: int = Field(4, ge=1, description="episodes per step")
    lr: float = Field(5e-4, gt=0, description="initial learning rate, poly schedule")
    weight_decay: float = Field(5e-4, ge=0, description="weight decay of SGD or AdamW")

    @property
    def support_branch(self) -> bool:
        """Return whether the network predicts supports too."""
        return self.vectors != ["initial"] or self.s1_weight > 0 or self.s2_weight > 0


class Guided(Section):
    """The way a trained few-shot network predicts."""

    rounds: int = Field(2, ge=0, description="number of CANet's refinements of a prediction (Fig. 5.4)")
    cross_path: Literal["support", "query"] = Field(
        "support",
        description="branch that predicts supports for the weights of Eq. 5.16: 'support' as released, 'query' as "
        "printed (the only one of the baseline)",
    )
    scales: list[float] = Field(
        [1.0], min_length=1, description="scales of the query whose scores are summed (Table 5.6)"
    )


class SclEvaluate(Guided):
    """scl_evaluate: scores on the test episodes (Sec. 5.4.2)."""

    shots: list[int] = Field([1, 5], min_length=1, description="numbers K of supports, each at most scl_episodes.shots")


class FewShotPhotos(Guided):
    """few_shot: photographs or videos of anyone's, from a few masks."""

    fusion: Literal["cross", "average"] = Field("cross", description="weight supports by Eq. 5.16 instead of equally")
    max_side: int = Field(
        1024,
        ge=0,
        description="longest side at which masks are made, pixels, which bounds memory; they are written at the photograph's own size; "
        "0 = no limit",
    )
    every: int = Field(1, ge=1, description="of a video one frame in this many is predicted")
