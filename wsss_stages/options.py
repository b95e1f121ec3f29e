"""Every knob of every stage: type, default, bounds, unit, equation. One home for command line, config and schema.

Defaults are the preset `ours`; the presets `thesis` and `released` are variants in config.yaml.
`python -m wsss_stages.options --write-schema` writes workflow/schemas/config.schema.yaml.
"""

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

SCHEMA_FILE = Path(__file__).parents[1] / "workflow" / "schemas" / "config.schema.yaml"


class Section(BaseModel):
    """A stage's options."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Seeded(Section):
    """A stage that draws random numbers."""

    seed: int = Field(0, ge=0, description="every draw comes from (seed, stage, image id)")


class Training(Seeded):
    """A stage that trains a network."""

    batch_size: int = Field(8, ge=1, description="images per step")
    crop: int = Field(320, ge=32, description="side of the square training crop, pixels")
    lr: float = Field(0.002, gt=0, description="initial learning rate of pretrained layers, poly schedule")
    head_lr_factor: float = Field(50.0, gt=0, description="learning rate of new layers over that of pretrained ones")
    optimizer: Literal["sgd", "adamw"] = Field("sgd", description="SGD with momentum, or AdamW")
    warm_up: int = Field(0, ge=0, description="first steps, over which the learning rate grows from nothing")
    momentum: float = Field(0.9, ge=0, lt=1, description="momentum of SGD; the released code trains with 0")
    weight_decay: float = Field(5e-4, ge=0, description="weight decay of SGD or AdamW")
    clip_norm: float = Field(1.0, gt=0, description="a longer gradient of all parameters is shortened to this norm")
    poly_power: float = Field(0.9, gt=0, description="exponent of the poly learning rate schedule")
    precision: Literal["auto", "float32", "bfloat16"] = Field(
        "auto", description="arithmetic of forward passes (autocast); auto = bfloat16 on a GPU, float32 on a CPU"
    )
    workers: int = Field(2, ge=0, description="threads that read and augment images")


class Data(Section):
    """data: a dataset to index.json."""

    kind: Literal["scenes", "voc", "voc2012"] = Field(
        "voc", description="embedded demo, a folder in VOC layout, or VOC 2012 by download"
    )
    train_list: str = Field("train", description="list of training images in ImageSets/Segmentation")
    val_list: str = Field("val", description="list of validation images; may be missing")
    limit: int = Field(0, ge=0, description="use this many training images, chosen by a hash of their ids; 0 = all")
    max_side: int = Field(
        1024,
        ge=0,
        description="longer photographs are worked on at this longer side, pixels, which bounds time and memory; labels come "
        "out at full size. 0 = no bound",
    )
    scenes_train: int = Field(64, ge=4, description="training images of the demo")
    scenes_val: int = Field(24, ge=2, description="validation images of the demo")


class Classifier(Training):
    """s1_classifier: image tags to a multi-label classifier (Sec. 3.2; SEAM)."""

    method: Literal["cam", "seam"] = Field(
        "cam", description="plain classifier, or siamese with PCM, ER and ECR losses"
    )
    backbone: str = Field(
        "mobilenet_v2",
        description="mobilenet_v2, resnet18/50/101, resnet38, tiny, or any timm features_only model",
    )
    stride: Literal[8, 16] = Field(16, description="output stride of the backbone by dilation, pixels")
    epochs: int = Field(8, ge=1, description="passes over the training images")
    scale_min: float = Field(0.7, gt=0, description="smallest random scale; at 1 the longer side fills the crop")
    scale_max: float = Field(1.3, gt=0, description="largest random scale")
    seam_scale: float = Field(0.3, gt=0, lt=1, description="scale of SEAM's second branch")


class Cam(Section):
    """s2_cam: class activation maps (Eqs. 2.1-2.3)."""

    scales: list[float] = Field([0.5, 1.0, 1.5, 2.0], min_length=1, description="scales of Eq. 2.2")
    flip: bool = Field(True, description="average with the mirrored image")
    batch_pixels: int = Field(
        0, ge=0, description="pixels of images of one size at once. 0 = one image on a CPU, 4 million on a GPU"
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
        description="iterate on one pixel of step x step, then once on all: faster, nearly the same labels",
    )

    def kernels(self) -> dict[str, float]:
        """Arguments of labels.crf.DenseCrf."""
        return self.model_dump(exclude={"iterations"})


class Seeds(Seeded):
    """s3_seeds: boxes and CAMs to confident pixel seeds (Eqs. 2.4-2.7, 3.1-3.5)."""

    cam_normalise: Literal["max", "minmax"] = Field(
        "max", description="CAM over its maximum (Eq. 2.3) or min-max (released)"
    )
    gamma_low: float = Field(4.0, gt=0, description="background exponent that decides foreground (Eq. 2.4)")
    gamma_high: float = Field(24.0, gt=0, description="background exponent that decides background")
    cam_in_boxes: bool = Field(True, description="a class may live in its boxes only, which is certain knowledge")
    keep: float = Field(0.4, gt=0, le=1, description="share of most confident CAM pixels kept per class (Sec. 3.3.2)")
    min_cam: float = Field(0.01, ge=0, lt=1, description="CAM below this is never confident")
    min_background: float = Field(0.8, ge=0, le=1, description="background score above which background is confident")
    min_crf: float = Field(0.8, ge=0, le=1, description="CRF probability above which a label is confident")
    strict_class_agreement: bool = Field(
        True, description="CAM and CRF must agree on the class (Eq. 2.7), not only be sure"
    )
    crf: Crf = Field(
        Crf(iterations=10, bilateral_xy=80, bilateral_rgb=13, bilateral_weight=10),
        description="CRF on the CAM",
    )
    grabcut_iterations: int = Field(5, ge=1, description="iterations of GrabCut per box (Eq. 3.2)")
    grabcut_min_iou: float = Field(
        0.15, ge=0, le=1, description="a GrabCut mask that fills less of its box is replaced by the box"
    )
    grabcut_min_side: int = Field(3, ge=1, description="boxes with a shorter side are taken whole, pixels")
    fusion: Literal["agreement", "literal_eq_3_5"] = Field(
        "agreement", description="M_g: M_B where M'_I agrees, or the printed rule, by which M_g = M_F"
    )
    background_in_boxes: bool = Field(True, description="GrabCut's background inside boxes is a background seed")


class ObjectNet(Training):
    """s4_object_net: one network for all boxes, crop of a box to its object, from GrabCut's masks."""

    batch_size: int = Field(32, ge=1, description="boxes per step")
    crop: int = Field(160, ge=32, description="side that a box with its margins is resized to, pixels")
    epochs: int = Field(8, ge=1, description="passes over the boxes of the training images")
    optimizer: Literal["sgd", "adamw"] = Field("adamw", description="SGD with momentum, or AdamW")
    lr: float = Field(3e-4, gt=0, description="initial learning rate of pretrained layers, poly schedule")
    head_lr_factor: float = Field(3.0, gt=0, description="learning rate of new layers over that of pretrained ones")
    warm_up: int = Field(20, ge=0, description="first steps, over which the learning rate grows from nothing")
    weight_decay: float = Field(1e-4, ge=0, description="weight decay of SGD or AdamW")
    clip_norm: float = Field(5.0, gt=0, description="a longer gradient of all parameters is shortened to this norm")
    width: int = Field(96, ge=8, multiple_of=8, description="channels of the feature pyramid")
    margin_min: float = Field(0.12, ge=0, description="smallest random margin around a box, share of its side")
    margin_max: float = Field(0.4, ge=0, description="largest random margin")
    outside_weight: float = Field(0.3, ge=0, description="weight of the mean loss outside the box; inside it is 1")


class ObjectMasks(Section):
    """s5_object_masks: the object network and GrabCut to a soft mask of every box."""

    margin: float = Field(0.25, ge=0, description="margin around a box, share of its side")
    flip: bool = Field(True, description="average with the mirrored crop")
    grabcut_share: float = Field(0.3, ge=0, le=1, description="share of GrabCut's foreground in a box's probabilities")
    tight_share: float = Field(
        0.98,
        ge=0,
        le=1,
        description="a box's probabilities are raised until over 1/2 somewhere in this share of its rows and columns: "
        "boxes are tight; 0 = never",
    )


class Affinity(Training):
    """s4_affinity: affinity CNN (Eqs. 3.6-3.13)."""

    seeds: Literal["seeds", "seeds_full", "grabcut"] = Field(
        "grabcut", description="labels of the pairs: M_g, M_F or M_B"
    )
    stride: Literal[8, 16] = Field(8, description="stride of the graph's nodes, pixels")
    epochs: int = Field(8, ge=1, description="passes over the training images")
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
    seeds: Literal["seeds", "seeds_full", "grabcut"] = Field(
        "grabcut", description="where the random walk starts: M_g, M_F or M_B; as propagate.seeds, to be comparable"
    )
    walk_power: float = Field(8.0, gt=0, description="exponent of the affinity in the random walk")
    walk_steps: int = Field(64, ge=0, description="steps of the random walk")


class Propagate(Seeded):
    """s6_propagate: one A²GNN per image (Eqs. 3.15-3.28), many images trained at once."""

    seeds: Literal["seeds", "seeds_full", "grabcut", "objects"] = Field(
        "grabcut", description="node labels: M_g, M_F, M_B, or where the soft masks of boxes are sure"
    )
    sure: float = Field(
        0.8,
        ge=0,
        lt=1,
        description="soft masks of boxes label a node whose most likely class is at least this probable",
    )
    features: int = Field(256, ge=0, description="principal components of X kept; 0 = all (Sec. 3.4)")
    hidden: int = Field(64, ge=1, description="width of the embedding and attention layers (thesis: 256)")
    edge_weight: float = Field(10.0, ge=0, description="beta of Eq. 3.18")
    dropout: float = Field(0.5, ge=0, lt=1, description="dropout after the embedding")
    epochs_first: int = Field(20, ge=0, description="epochs of cross-entropy and multi-point loss")
    epochs_second: int = Field(20, ge=0, description="epochs of all losses and consistency checking")
    stop_below: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="an image's second stage ends when an epoch changes the labels of less than this share of its nodes; "
        "0 = never",
    )
    lr: float = Field(0.03, gt=0, description="learning rate of Adam")
    weight_decay: float = Field(5e-4, ge=0, description="weight decay of Adam")
    reg_weight: float = Field(0.01, ge=0, description="lambda_1 of Eq. 3.20; 0 = without")
    reg_radius: int = Field(5, ge=1, description="half window of the regularised loss, nodes")
    sigma_xy: float = Field(6.0, gt=0, description="sigma_xy of Eq. 3.13, nodes")
    sigma_rgb: float = Field(0.1, gt=0, description="sigma_rgb of Eq. 3.13, units of the normalised image")
    mp_weight: float = Field(1.0, ge=0, description="weight of the multi-point loss (Eq. 3.26); 0 = without")
    mp_choose: Literal["probability", "logit"] = Field("probability", description="what Eq. 3.23 maximises")
    consistency: Literal["none", "released", "background_margin", "centred"] = Field(
        "background_margin", description="rule of Eq. 3.28 in the second stage"
    )
    balanced_ce: bool = Field(
        True, description="mean over background plus mean over foreground, or one mean (Eq. 3.21)"
    )
    restrict_classes: bool = Field(True, description="predict only classes of the image's boxes")
    classes_in_boxes: bool = Field(
        True, description="a class only inside its boxes, background elsewhere: certain knowledge"
    )
    objects_share: float = Field(
        0.0, ge=0, le=1, description="share of the soft masks of boxes in the probabilities before the CRF"
    )
    grabcut_share: float = Field(0.3, ge=0, lt=1, description="share of M_B in the probabilities before the CRF")
    tight_share: float = Field(
        0.98,
        ge=0,
        le=1,
        description="a box's class is raised inside it until it wins somewhere in this share of the box's rows and columns, "
        "before and after the CRF: boxes are tight; 0 = never",
    )
    crf: Crf = Field(Crf(), description="CRF on the probabilities")
    batch_nodes: int = Field(
        0, ge=0, description="nodes trained at once; bounds memory. 0 = one image on a CPU, 30 000 nodes on a GPU"
    )


class Segment(Training):
    """s7_segment: DeepLab on pseudo labels (Sec. 3.4)."""

    labels: Literal["pseudo", "grabcut", "truth"] = Field(
        "pseudo", description="train on pseudo labels, on M_B to see what they gain, or on truth for the upper bound"
    )
    stride: Literal[8, 16] = Field(16, description="output stride of the backbone, pixels")
    epochs: int = Field(20, ge=1, description="passes over the training images")
    lr: float = Field(0.003, gt=0, description="initial learning rate of pretrained layers, poly schedule")
    head_lr_factor: float = Field(5.0, gt=0, description="learning rate of new layers over that of pretrained ones")
    aspp_channels: int = Field(128, ge=8, description="width of the ASPP head")
    scale_min: float = Field(0.5, gt=0, description="smallest random scale")
    scale_max: float = Field(1.5, gt=0, description="largest random scale")
    balanced_ce: bool = Field(True, description="mean of background mean and foreground mean, or one mean")


class Predict(Section):
    """s8_predict: the segmenter on images of a split."""

    scales: list[float] = Field([0.75, 1.0, 1.25], min_length=1, description="scales whose probabilities are averaged")
    flip: bool = Field(True, description="average with the mirrored image")
    crf: Crf = Field(Crf(iterations=0), description="CRF on the probabilities; 0 iterations = none")


class Evaluate(Section):
    """s9_evaluate: scores against truth."""

    boundary_share: float = Field(
        0.02, gt=0, lt=1, description="width of the boundary band over the image diagonal (boundary IoU)"
    )


SECTIONS: dict[str, type[Section]] = {
    "data": Data,
    "classifier": Classifier,
    "cam": Cam,
    "seeds": Seeds,
    "object_net": ObjectNet,
    "affinity": Affinity,
    "object_masks": ObjectMasks,
    "graph": Graph,
    "propagate": Propagate,
    "segment": Segment,
    "predict": Predict,
    "evaluate": Evaluate,
}


def merge(section: type[BaseModel], values: dict[str, Any]) -> dict[str, Any]:
    """Values over the section's defaults, also inside nested sections whose default differs from their type's."""
    merged = section().model_dump()
    for key, value in values.items():
        if isinstance(value, dict) and isinstance(merged.get(key), dict):
            merged[key] = {**merged[key], **value}
        else:
            merged[key] = value
    return merged


def json_schema() -> dict:
    """JSON schema of config.yaml: run settings and one object per section."""
    sections = {
        name: section.model_json_schema(ref_template=f"#/$defs/{name}/$defs/{{model}}")
        for name, section in SECTIONS.items()
    }
    partial = {name: {**schema, "required": []} for name, schema in sections.items()}
    run = {
        "dataset": {
            "type": "string",
            "pattern": "^[A-Za-z0-9_.-]*$",
            "description": "name of the results folder; empty: the name of dataset_root",
        },
        "dataset_root": {
            "type": "string",
            "description": "folder of the dataset; empty for the embedded demo",
        },
        "backbone_weights": {"type": "string", "description": "local .pth/.safetensors, 'hub', or 'none'"},
        "weak": {"enum": ["box"], "description": "kind of weak label"},
        "variant": {"type": "string", "description": "the variant that `rule all` makes"},
        "shards": {"type": "integer", "minimum": 1, "description": "jobs per image-wise stage"},
        "device": {"type": "string", "description": "auto, cpu, cuda or cuda:N"},
        "report_images": {
            "type": "integer",
            "minimum": 1,
            "description": "rows of the picture in the report",
        },
        "demo": {"type": "object", "description": "what replaces the rest while dataset_root is empty"},
        "variants": {
            "type": "object",
            "description": "named sets of overrides: {name: {base: name, section: {option: value}}}",
        },
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$defs": partial,
        "type": "object",
        "additionalProperties": False,
        "required": list(run),
        "properties": run | {name: {"$ref": f"#/$defs/{name}"} for name in SECTIONS},
    }


if __name__ == "__main__":
    import sys

    import yaml

    text = yaml.safe_dump(json_schema(), sort_keys=False, width=120)
    if "--write-schema" in sys.argv:
        SCHEMA_FILE.write_text(text)
    else:
        sys.stdout.write(text)
