"""Options of A²GNN's stages (ch. 3), from seeds to pseudo labels."""

from typing import Any, ClassVar, Literal

from pydantic import Field, field_validator

from wsss_stages.config.options.base import (
    AdamWTraining,
    Crf,
    FilePath,
    Images,
    Mining,
    Section,
    Seeded,
    frozen_for,
)

SeedKind = Literal["seeds", "seeds_full", "grabcut", "checked", "expanded"]
"""Contracts of s3_seeds: M_g, M_F; of boxes M_B; of scribbles M_S, of points M_P."""
EdgeKind = Literal["affinity", "distance", "features", "colour"]
"""Sources of edges, as `a2gnn.edge_sources` registers them."""
OF_AFFINITY_CNN = {"affinity", "distance"}
"""Sources that need the affinity CNN: its features, or those of its trained backbone."""


class Seeds(Mining):
    """s3_seeds: weak labels and CAMs to confident pixel seeds (Eqs. 2.4-2.7, 3.1-3.5, Sec. 3.6.1)."""

    moved: ClassVar[dict[str, str]] = {
        "seed": "masks.seed",
        "grabcut_iterations": "masks.grabcut_iterations",
        "grabcut_min_side": "masks.grabcut_min_side",
        "grabcut_min_iou": "masks.min_share",
    }

    cam_in_boxes: bool = Field(True, description="allow a class only inside its own boxes")
    fusion: Literal["agreement", "literal_eq_3_5"] = Field(
        "agreement", description="rule of M_g: M_B where M'_I agrees, or as printed, which gives M_g = M_F"
    )
    background_in_boxes: bool = Field(
        True, description="take the mask source's background inside boxes as background seeds"
    )
    superpixels: int = Field(
        400, ge=1, description="superpixels of an image, over which scribbles and points spread (Sec. 3.6.1)"
    )
    compactness: float = Field(
        10.0, gt=0, description="compactness of superpixels: large for squares, small to follow colours"
    )
    salient: float = Field(
        0.5,
        gt=0,
        le=1,
        description="saliency threshold: objects lie at or above it, background below it, for data.saliency",
    )


class ObjectNet(AdamWTraining):
    """s4_object_net: one network for all boxes, crop of a box to its object, from the mask source's masks."""

    batch_size: int = Field(32, ge=1, description="boxes per step")
    crop: int = Field(160, ge=64, description="side of the crop of a box with its margins, pixels")
    epochs: int = Field(8, ge=1, description="passes over the boxes of the training images")
    head_lr_factor: float = Field(3.0, gt=0, description="learning rate of new layers over that of pretrained ones")
    width: int = Field(96, ge=8, multiple_of=8, description="channels of the feature pyramid")
    margin_min: float = Field(0.12, ge=0, description="smallest random margin around a box, share of its side")
    margin_max: float = Field(0.4, ge=0, description="largest random margin")
    outside_weight: float = Field(
        0.3, ge=0, description="weight of the mean loss outside the box; the weight inside is 1"
    )
    colour_weight: float = Field(
        0.5, ge=0, description="weight of the loss of neighbours of one colour, which are of one kind; 0 = without"
    )
    colour_ramp: float = Field(
        0.33, ge=0, le=1, description="share of the steps over which colour_weight grows from nothing"
    )
    nearest_colour: float = Field(
        2.4, gt=0, description="colours whose distance in CIE L*a*b* is smaller count as one colour"
    )
    line_weight: float = Field(
        0.3, ge=0, description="weight of the loss of a box's rows and columns, which all meet its object; 0 = without"
    )


class ObjectMasks(Section):
    """s5_object_masks: the object network and the mask source to a soft mask of every box."""

    margins: list[float] = Field(
        [0.1, 0.2, 0.3, 0.4, 0.5],
        min_length=1,
        description="margins of the crops of a box that are averaged, shares of its side",
    )
    flip: bool = Field(True, description="average with the mirrored crop")
    grabcut_share: float = Field(
        0.3, ge=0, le=1, description="share of the mask source's foreground in a box's probabilities"
    )
    tight_share: float = Field(
        0.98,
        ge=0,
        le=1,
        description="share of a box's rows and columns in which its probabilities must exceed 1/2 somewhere, raised "
        "where needed, as boxes are tight; 0 = never",
    )

    @field_validator("margins")
    @classmethod
    def _around(cls, margins: list) -> list:
        """Raise ValueError for a margin inside the box."""
        if min(margins) < 0:
            raise ValueError("margins from 0 on")
        return margins


class Affinity(AdamWTraining):
    """s4_affinity: affinity CNN (Eqs. 3.6-3.13)."""

    lr: float = Field(1e-4, gt=0, description="initial learning rate of pretrained layers, poly schedule")
    head_lr_factor: float = Field(30.0, gt=0, description="learning rate of new layers over that of pretrained ones")

    seeds: SeedKind = Field("grabcut", description="labels of the pairs: as of propagate.seeds")
    stride: Literal[8, 16] = Field(8, description="stride of the graph's nodes, pixels")
    epochs: int = Field(3, ge=1, description="passes over the training images")
    frozen_share: float = frozen_for(0.9)
    radius: int = Field(4, ge=1, description="r of Eq. 3.7, nodes")
    window: Literal["square", "disc"] = Field(
        "square", description="square of side 2r+1 (released) or Euclidean disc (Eq. 3.7)"
    )
    reg_weight: float = Field(3.0, ge=0, description="lambda of Eq. 3.9")
    sigma_xy: float = Field(6.0, gt=0, description="sigma_xy of Eq. 3.13, nodes")
    sigma_rgb: float = Field(0.1, gt=0, description="sigma_rgb of Eq. 3.13, units of the normalised image")
    train_backbone: bool = Field(True, description="train the backbone too, or the three heads only")


class Graph(Section):
    """s5_graph: edges of every image (Eq. 3.14) and the random walk baseline."""

    threshold: float = Field(1e-3, ge=0, lt=1, description="sigma of Eq. 3.14")
    edges: list[EdgeKind] = Field(
        ["affinity"],
        min_length=1,
        description="sources of the edges, of several the product: the affinity CNN, the distance of its backbone's features "
        "(Table 3.6), the cosine of a frozen backbone's features, or the colours of the nodes; without the first two no "
        "affinity CNN is trained",
    )
    feature_backbone: str = Field(
        "",
        description="frozen backbone whose features are compared, and which gives the nodes their features where no affinity CNN "
        "is trained; empty: the classifier's, as it was trained",
    )
    feature_weights: FilePath = Field(
        "",
        description="its weights: local .pth or .safetensors, 'package', 'hub' or 'none'; empty: the run's backbone_weights (not "
        "allowed when the stage is run by hand)",
    )
    sigma_lab: float = Field(
        8.0, gt=0, description="deviation of the Gaussian of colours, units of CIE L*a*b*, for edges by colour"
    )
    stride: Literal[8, 16] = Field(
        8,
        description="stride of the nodes where no affinity CNN is trained, which has its own (affinity.stride), pixels",
    )
    radius: int = Field(4, ge=1, description="likewise r of Eq. 3.7, nodes")
    window: Literal["square", "disc"] = Field(
        "square", description="likewise square of side 2r+1, or Euclidean disc (Eq. 3.7)"
    )
    seeds: SeedKind | Literal["cam"] = Field(
        "grabcut",
        description="start of the random walk: M_g, M_F, M_B, M_B checked by CAMs, or M_S (M_P); or the CAMs",
    )
    walk_gamma: float = Field(6.0, gt=0, description="background exponent of CAMs that the random walk starts from")
    walk_powers: list[float] = Field(
        [2.0, 4.0, 8.0, 16.0],
        min_length=1,
        description="exponents of the affinity in the random walk; of several, the one that predicts hidden seeds best "
        "is chosen",
    )
    walk_steps: list[int] = Field(
        [0, 4, 16, 64], min_length=1, description="steps of the random walk; of several, one is chosen in the same way"
    )
    walk_hold: bool = Field(
        False, description="keep the labels of seeds fixed during the walk; it must start at seeds, not at CAMs"
    )
    images: int = Images

    @field_validator("walk_powers", "walk_steps")
    @classmethod
    def _walkable(cls, values: list, info: Any) -> list:
        """Raise ValueError for a power or a number of steps that no walk has."""
        least = 0 if info.field_name == "walk_steps" else 1e-6
        if min(values) < least:
            raise ValueError("powers above 0" if info.field_name == "walk_powers" else "steps from 0 on")
        return values

    @property
    def needs_affinity(self) -> bool:
        """Return whether the edges need the affinity CNN."""
        return not OF_AFFINITY_CNN.isdisjoint(self.edges)

    @property
    def needs_features(self) -> bool:
        """Return whether a frozen backbone is needed, for edges or for the features of the nodes."""
        return "features" in self.edges or not self.needs_affinity

    @property
    def needs_classifier(self) -> bool:
        """Return whether the frozen backbone is the classifier's."""
        return self.needs_features and not self.feature_backbone

    @property
    def chooses_walk(self) -> bool:
        """Return whether there is more than one walk to choose from."""
        return len(set(self.walk_powers)) * len(set(self.walk_steps)) > 1


class Propagate(Seeded):
    """s6_propagate: one A²GNN per image (Eqs. 3.15-3.28), many images trained at once."""

    seeds: SeedKind = Field(
        "checked",
        description="node labels: M_g, M_F, M_B, M_B where confident CAMs do not contradict it, or M_S (M_P)",
    )
    propagator: Literal["a2gnn", "crf", "none"] = Field(
        "a2gnn",
        description="way to spread the seeds: a network of each image; a CRF whose pairwise term is the edges to the walk's power, of "
        "weight edge_weight; or none, which leaves them to `crf`. walk_share 1 takes the random walk instead",
    )
    nodes: Literal["grid", "superpixels"] = Field(
        "grid",
        description="nodes: places of the feature map, or superpixels, linked with their neighbours by the distance of "
        "their features (Table 3.6)",
    )
    layer: Literal["affinity", "edges", "gcn", "gat", "agnn"] = Field(
        "affinity",
        description="affinity attention, only the second term of Eq. 3.18 (Table 3.7), or PyG's layers (Fig. 3.7); "
        "edge_weight 0 leaves the first term only",
    )
    features: int = Field(256, ge=0, description="principal components of X kept; 0 = all (Sec. 3.4)")
    hidden: int = Field(64, ge=1, description="width of the embedding and attention layers (thesis: 256)")
    edge_weight: float = Field(10.0, ge=0, description="beta of Eq. 3.18")
    dropout: float = Field(0.5, ge=0, lt=1, description="dropout after the embedding")
    epochs_first: int = Field(20, ge=0, description="epochs of cross-entropy and multi-point loss")
    epochs_second: int = Field(20, ge=0, description="epochs of all losses with the consistency check")
    stop_below: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="share of an image's nodes: its second stage ends when an epoch changes fewer labels; 0 = never",
    )
    lr: float = Field(0.03, gt=0, description="learning rate of Adam")
    weight_decay: float = Field(5e-4, ge=0, description="weight decay of Adam")
    reg_weight: float = Field(0.1, ge=0, description="lambda_1 of Eq. 3.20 (thesis: 0.01); 0 = without")
    reg_radius: int = Field(5, ge=1, description="half window of the regularised loss, nodes")
    sigma_xy: float = Field(6.0, gt=0, description="sigma_xy of Eq. 3.13, nodes")
    sigma_rgb: float = Field(0.1, gt=0, description="sigma_rgb of Eq. 3.13, units of the normalised image")
    mp_weight: float = Field(1.0, ge=0, description="weight of the multi-point loss (Eq. 3.26); 0 = without")
    mp_choose: Literal["probability", "logit"] = Field("probability", description="score that Eq. 3.23 maximises")
    consistency: Literal["none", "released", "background_margin", "centred"] = Field(
        "background_margin", description="rule of Eq. 3.28 in the second stage"
    )
    balanced_ce: bool = Field(
        False,
        description="balance the loss: mean over background plus mean over foreground, instead of one mean (Eq. 3.21)",
    )
    restrict_classes: bool = Field(True, description="predict only classes of the image's boxes")
    classes_in_boxes: bool = Field(True, description="allow a class only inside its boxes, and background elsewhere")
    objects_share: float = Field(
        0.85, ge=0, le=1, description="share of the soft masks of boxes in the probabilities before the CRF"
    )
    grabcut_share: float = Field(
        0.0, ge=0, lt=1, description="share of M_B in the probabilities that soft masks are mixed with"
    )
    walk_share: float = Field(
        0.0,
        ge=0,
        le=1,
        description="share of the random walk in the probabilities before the CRF (Sec. 3.6.1); 1 trains no A²GNN",
    )
    tight_share: float = Field(
        0.98,
        ge=0,
        le=1,
        description="share of a box's rows and columns in which its class must win somewhere, raised where needed, "
        "before and after the CRF, as boxes are tight; 0 = never",
    )
    keep_share: float = Field(
        0.1,
        ge=0,
        le=1,
        description="smallest share of a box's pixels with its class; below it, or below tight_share of the rows and "
        "columns, the most probable pixels are added, so that no box loses its object; 0 = never",
    )
    crf: Crf = Field(
        Crf(gaussian_weight=0.5, bilateral_weight=0.5),  # pyright: ignore[reportCallIssue]
        description="CRF on the probabilities",
    )
    batch_nodes: int = Field(
        0,
        ge=0,
        description="nodes trained at once, which limits memory; 0 = one image on a CPU, half of a GPU's free memory",
    )
    images: int = Images
