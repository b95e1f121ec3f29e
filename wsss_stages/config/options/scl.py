"""Options of SCL's stages, few-shot segmentation (ch. 5)."""

from typing import Literal

from pydantic import Field

from wsss_stages.config.options.base import Batches, Loop, Section, Seeded


class SclEpisodes(Seeded):
    """scl_episodes: folds of classes and lists of episodes (Secs. 5.2, 5.4.2)."""

    folds: int = Field(
        4, ge=2, description="parts that the classes are cut into; a fold tests one and trains on the others"
    )
    order: Literal["blocks", "strides"] = Field(
        "blocks", description="fold i has neighbouring classes (PASCAL-5^i), or every folds-th from i + 1 (COCO-20^i)"
    )
    min_pixels: int = Field(2048, ge=1, description="an image is a class's if it shows so many pixels of it")
    shots: int = Field(5, ge=1, description="supports of a test episode; an evaluation with fewer takes the first")
    test_images: Literal["val", "all"] = Field(
        "val",
        description="test episodes are of validation images; or of all, and no training image shows a class of the test",
    )
    test_pairs: int = Field(1000, ge=1, description="test episodes of a seed")
    test_seeds: int = Field(5, ge=1, description="lists of test episodes, over which scores are averaged")
    train_pairs: int = Field(
        6000, ge=1, description="training episodes of an epoch, of one support, drawn afresh in each"
    )
    held_out: float = Field(
        0.1, gt=0, lt=1, description="share of the training images kept for the choice of the weights, on base classes"
    )
    held_out_pairs: int = Field(200, ge=1, description="episodes of held-out images, drawn once by the same rule")


class SclFeatures(Section):
    """scl_features: maps of the frozen backbone, once per image (Sec. 5.3.1)."""

    side: int = Field(320, ge=32, multiple_of=16, description="images are fitted on a square of this side, pixels")
    stride: Literal[8, 16] = Field(8, description="output stride of the backbone, pixels")


class Drawing(Section):
    """The choice of training episodes."""

    balanced: bool = Field(
        True,
        description="draw every class as often, and a query of it; or every query as often, and one of its classes, as released",
    )
    several: float = Field(
        0.5,
        ge=0,
        le=1,
        description="share of the episodes whose query shows several base classes, where there are such",
    )
    negative: float = Field(
        0.25,
        ge=0,
        le=1,
        description="share of the episodes whose query does not show the class of the support: its mask is empty",
    )


class Scl(Loop, Batches, Drawing):
    """scl_train: a baseline's head, with or without self-guided learning (Secs. 5.3.2-5.3.3)."""

    baseline: Literal["canet", "pfenet"] = Field("canet", description="CANet or PFENet (Sec. 5.4.1)")
    vectors: list[Literal["initial", "primary", "auxiliary"]] = Field(
        ["primary", "auxiliary"],
        min_length=1,
        description="support vectors v_s, v_pri, v_aux that guide the query (Table 5.8); [initial] is the baseline",
    )
    s1_weight: float = Field(1.0, ge=0, description="weight of the loss of Eq. 5.7; the baseline has 0")
    s2_weight: float = Field(1.0, ge=0, description="weight of the loss of Eq. 5.10; the baseline has 0")
    inner_weight: float = Field(1.0, ge=0, description="weight of the mean loss of PFENet's scales, of each prediction")
    balanced_ce: bool = Field(
        False, description="every loss is the mean of background mean and foreground mean, or one mean (Eq. 5.7)"
    )
    channels: int = Field(256, ge=8, description="d of Fig. 5.1, width of the head")
    bins: list[float] = Field(
        [1.0, 0.5, 0.25, 0.125],
        min_length=1,
        description="PFENet's scales, sides over the map's; on 60 nodes they are 60, 30, 15 and 8",
    )
    dropout: float = Field(
        0.5,
        ge=0,
        lt=1,
        description="share of whole channels that training drops, in CANet everywhere, in PFENet's embeddings; a short training "
        "learns to compare a query with its support only without",
    )
    feature_dropout: float = Field(
        0.5,
        ge=0,
        lt=1,
        description="share of the maps' channels that training hides, the same of a query and its support: classes look new each time",
    )
    history_drop: float = Field(
        0.7, ge=0, le=1, description="share of CANet's training queries without a prediction to refine"
    )
    standardise: int = Field(
        64,
        ge=0,
        description="training images whose channels' means and deviations the maps are standardised by; 0 = maps as they are, as "
        "released",
    )
    directions: int = Field(
        256,
        ge=0,
        description="principal directions of standardised maps that the head sees, which makes a step cheaper; 0 = all channels",
    )
    similarity: bool = Field(
        True,
        description="the query's branch also sees the cosine of each node with the mean of the support's object less that with the "
        "mean of what is around it, and learns what to add to what it says",
    )
    prior: Literal["middle", "deep"] = Field(
        "middle", description="maps that PFENet's prior mask is of: the middle ones, or the last block's as released"
    )
    flip: bool = Field(True, description="mirror maps and masks of half the queries and supports")
    epochs: int = Field(20, ge=1, description="passes over the training episodes; the best on held-out ones is kept")
    batch_size: int = Field(4, ge=1, description="episodes per step")
    lr: float = Field(5e-4, gt=0, description="initial learning rate, poly schedule")
    optimizer: Literal["sgd", "adamw"] = Field("adamw", description="SGD with momentum, or AdamW")
    warm_up: int = Field(20, ge=0, description="first steps, over which the learning rate grows from nothing")
    clip_norm: float = Field(
        5.0, ge=0, description="a longer gradient of all parameters is shortened to this norm; 0 = off"
    )

    @property
    def support_branch(self) -> bool:
        """Return whether the network predicts supports too."""
        return self.vectors != ["initial"] or self.s1_weight > 0 or self.s2_weight > 0


class Guided(Section):
    """The way a trained few-shot network predicts."""

    rounds: int = Field(2, ge=0, description="times that CANet refines its prediction (Fig. 5.4)")
    cross_path: Literal["support", "query"] = Field(
        "support",
        description="branch that predicts supports for the weights of Eq. 5.16: as released, or as printed (the baseline "
        "has the second only)",
    )
    scales: list[float] = Field(
        [1.0], min_length=1, description="scales of the query whose scores are summed (Table 5.6)"
    )


class SclEvaluate(Guided):
    """scl_evaluate: scores on the test episodes (Sec. 5.4.2)."""

    shots: list[int] = Field([1, 5], min_length=1, description="numbers K of supports; at most those of the episodes")


class SclSegment(Guided):
    """scl_segment: a folder of photographs, from a few masks."""

    fusion: Literal["cross", "average"] = Field("cross", description="supports weighted by Eq. 5.16, or all the same")
