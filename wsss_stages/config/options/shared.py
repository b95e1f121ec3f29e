"""Options of the stages that all roads share: data, classifier, CAMs, segmenter, prediction, evaluation."""

from typing import Any, Literal

from pydantic import Field, model_validator

from wsss_stages.config.options.base import (
    AdamWTraining,
    Crf,
    FilePath,
    Images,
    OwnBackbone,
    Repeated,
    Section,
    Seeded,
    frozen_for,
)


class Data(Section):
    """data: a dataset to index.json."""

    kind: Literal[
        "scenes",
        "voc",
        "voc2012",
        "coco",
        "coco2014",
        "coco2017",
        "context",
        "yolo",
        "cvat",
        "label_studio",
        "labelme",
        "datumaro",
        "auto",
    ] = Field(
        "voc",
        description="embedded demo, a folder in VOC layout, VOC 2012 with SBD (downloaded into dataset_root if it is not there), a folder in "
        "COCO's layout, COCO 2014 or 2017 (downloaded likewise), VOC 2010 with "
        "PASCAL Context's 59 classes, a folder or zip as YOLO, CVAT, Label Studio, LabelMe or Datumaro have it, or the only one of "
        "these that its content fits",
    )
    train_list: str = Field(
        "train",
        description="list of training images in ImageSets/Segmentation (context: SegmentationContext); of coco, NAME of "
        "annotations/instances_NAME.json, annotations/NAME.json, NAME/_annotations.coco.json or NAME.json, "
        "and of its folder of photographs; if there is no file for 'train' and exactly one other list fits, "
        "that list is used and reported; of an annotation tool, NAME.txt or a subset, and every image if there is neither for 'train' "
        "and 'val'; with SBD also train_aug (10,582 images) and train_sbd (5,953, PASCAL-5^i), which are made of its lists",
    )
    val_list: str = Field("val", description="list of validation images, as train_list; may be missing")
    weak_labels: FilePath = Field(
        "",
        description="folder of the weak labels (Annotations, Scribbles, points.json, tags) if it is not the dataset's own",
    )
    sbd: FilePath = Field(
        "",
        description="SBD's folder (benchmark_RELEASE/dataset), whose masks count where VOC has none; empty = the one beside VOC 2012, if any",
    )
    mirror: str = Field(
        "",
        pattern=r"^(https?://\S+)?$",
        description="address of a folder with the published archives, which downloads try first; empty = none",
    )
    truth_list: str = Field(
        "",
        description="list in ImageSets/Segmentation of training images whose true masks may be used for training, for "
        "weak: mixed; empty = none",
    )
    corrections: FilePath = Field(
        "",
        description="folder of labels corrected by hand, which `wsss import` keeps; empty = none",
    )
    saliency: FilePath = Field(
        "",
        description="folder of saliency maps of the training images, ID.png, 8-bit grey as large as the photograph, for weak: tag "
        "(Sec. 3.6.2); empty = none",
    )
    limit: int = Field(0, ge=0, description="number of training images, chosen by a hash of their ids; 0 = all")
    max_side: int = Field(
        1024,
        ge=0,
        description="longest side of a photograph during processing, pixels, which limits time and memory; labels are "
        "written at full size; 0 = no limit",
    )
    scenes_train: int = Field(64, ge=4, description="training images of the demo")
    scenes_val: int = Field(24, ge=2, description="validation images of the demo")


class SimulateWeak(Seeded):
    """simulate_weak: true masks to weak labels."""

    kinds: list[Literal["box", "scribble", "point", "tag"]] = Field(
        ["box", "scribble", "point", "tag"], min_length=1, description="kinds of weak labels to draw"
    )
    box_jitter: float = Field(
        0.0, ge=0, lt=0.5, description="largest error of each side of a box, as a share of the box's side; 0 = tight"
    )
    scribble_ratio: float = Field(
        1.0,
        ge=0,
        le=1,
        description="length of a scribble as a share of the longest path along its object's medial axis; 0 = a dot",
    )
    scribble_width: int = Field(3, ge=1, description="width of the pen, pixels")


class Classifier(AdamWTraining, Repeated):
    """s1_classifier: image tags to a multi-label classifier (Sec. 3.2; SEAM)."""

    method: Literal["cam", "seam"] = Field(
        "cam", description="plain classifier, or siamese with PCM, ER and ECR losses"
    )
    backbone: str = Field(
        "mobilenet_v2",
        description="mobilenet_v2, tf_mobilenet_v2 (for weights trained by TensorFlow), resnet18/50/101, resnet38, tiny, "
        "tiny_vit, a timm model that timm can dilate, such as res2net101_26w_4s or tf_efficientnet_lite0, or a plain Vision "
        "Transformer of timm, such as vit_small_patch14_dinov2",
    )
    stride: Literal[8, 16] = Field(
        16,
        description="output stride of the backbone, pixels: by dilation, or of a Transformer by the size of the image",
    )
    epochs: int = Field(8, ge=1, description="passes over the training images")
    crop: int = Field(384, ge=32, description="side of the square training crop, pixels")
    lr: float = Field(3e-5, gt=0, description="initial learning rate of pretrained layers, poly schedule")
    head_lr_factor: float = Field(300.0, gt=0, description="learning rate of new layers over that of pretrained ones")
    weight_decay: float = Field(0.01, ge=0, description="weight decay of SGD or AdamW")
    frozen_share: float = frozen_for(0.9)
    scale_min: float = Field(0.6, gt=0, description="smallest random scale; at 1 the longer side fills the crop")
    scale_max: float = Field(1.4, gt=0, description="largest random scale")
    seam_scale: float = Field(0.3, gt=0, lt=1, description="scale of SEAM's second branch")


class Cam(Section):
    """s2_cam: class activation maps (Eqs. 2.1-2.3)."""

    source: Literal["classifier", "clip"] = Field(
        "classifier",
        description="origin of the CAMs: the classifier of s1, or CLIP by the names of the classes, without training",
    )
    clip_model: FilePath = Field(
        "openai/clip-vit-base-patch16",
        description="for clip: folder of a CLIP model (config.json, model.safetensors and the tokenizer's files), or its name on the "
        "Hugging Face hub",
    )
    scales: list[float] = Field([0.5, 1.0, 1.5, 2.0], min_length=1, description="scales of Eq. 2.2")
    flip: bool = Field(True, description="average with the mirrored image")
    precision: Literal["auto", "float32", "bfloat16"] = Field(
        "auto",
        description="for classifier: precision (autocast); auto = bfloat16 on a GPU and on CPUs with instructions for it, else float32",
    )
    batch_pixels: int = Field(
        0,
        ge=0,
        description="pixels of images of one size processed at once; 0 = one image on a CPU, 4 million on a GPU",
    )

    def counted(self) -> dict[str, Any]:
        """Return the options that maps depend on, beside the checksum of the weights: CLIP may lie anywhere."""
        return self.model_dump(
            exclude={"clip_model", "precision"} if self.source == "clip" else {"source", "clip_model"}
        )


class Segment(AdamWTraining, Repeated, OwnBackbone):
    """s7_segment: the final segmenter on pseudo labels (Sec. 3.4)."""

    labels: Literal["pseudo", "grabcut", "seeds", "rrm", "cam", "truth"] = Field(
        "pseudo",
        description="training labels: pseudo labels; M_B, M_g (seeds) or M_I (cam) for comparison; RRM's, for the two-step variant; "
        "or truth for the upper bound",
    )
    head: Literal["deeplab_v3", "deeplab_v3plus", "deeplab_v2", "pspnet", "tree_fcn"] = Field(
        "deeplab_v3plus",
        description="head on the backbone; deeplab_v3plus also uses earlier maps; the thesis has deeplab_v2, pspnet and tree_fcn",
    )
    stride: Literal[8, 16] = Field(16, description="output stride of the backbone, pixels; tree_fcn always works at 32")
    epochs: int = Field(20, ge=1, description="passes over the training images")
    lr: float = Field(1e-4, gt=0, description="initial learning rate of pretrained layers, poly schedule")
    head_lr_factor: float = Field(10.0, gt=0, description="learning rate of new layers over that of pretrained ones")
    frozen_share: float = frozen_for(0.33)
    head_channels: int = Field(128, ge=8, description="width of the head; unused by deeplab_v2")
    scale_min: float = Field(0.5, gt=0, description="smallest random scale")
    scale_max: float = Field(1.5, gt=0, description="largest random scale")
    balanced_ce: bool = Field(
        True, description="balance the loss: mean of background mean and foreground mean, instead of one mean"
    )
    loss_scales: list[float] = Field(
        [],
        description="scales of the image that are graded beside 1, and the largest logits of all: [0.75, 0.5] as DeepLab-v2 has it; "
        "empty = scale 1 alone",
    )
    bias_lr_factor: float = Field(
        1.0, gt=0, description="learning rate of biases of new layers over that of their weights; DeepLab-v2 has 2"
    )

    @model_validator(mode="after")
    def _coarsest_map_has_nodes(self) -> "Segment":
        if self.head == "tree_fcn" and self.crop < 64:
            raise ValueError(
                f"found crop {self.crop} with head tree_fcn; wanted at least 64: its coarsest map is at stride 32, and the norm of a "
                "map of one node needs more images than one"
            )
        return self


class Views(Section):
    """A segmenter on images, over scales and mirror, with a CRF on the result."""

    scales: list[float] = Field([0.75, 1.0, 1.25], min_length=1, description="scales whose probabilities are averaged")
    flip: bool = Field(True, description="average with the mirrored image")
    crf: Crf = Field(
        Crf(iterations=0),  # pyright: ignore[reportCallIssue]
        description="CRF on the probabilities; 0 iterations = none",
    )


class Predict(Views):
    """s8_predict: the segmenter on images of a split."""

    network: Literal["segmenter", "rrm", "dfr"] = Field(
        "segmenter",
        description=(
            "network that predicts: the segmenter of s7_segment, RRM's segmentation branch (its one-step "
            "variant), or DFR's"
        ),
    )


class PredictPhotos(Views):
    """predict: a trained network on photographs or videos of anyone's."""

    max_side: int = Field(
        1024,
        ge=0,
        description="longest side at which the network sees a photograph, pixels, as data.max_side of its training; masks have the "
        "photograph's own size; 0 = no limit",
    )
    tile: int = Field(
        1024,
        ge=256,
        description="side of the tiles that a photograph, if it is larger at that size, is predicted in, pixels; bounds memory",
    )
    overlap: int = Field(
        256,
        ge=32,
        description="least overlap of neighbouring tiles, pixels, over which their probabilities are blended; at most half a tile",
    )
    every: int = Field(1, ge=1, description="of a video one frame in this many is predicted")

    @model_validator(mode="after")
    def _tiles_have_a_middle(self) -> "PredictPhotos":
        if 2 * self.overlap > self.tile:
            raise ValueError(f"found overlap {self.overlap} of tiles of {self.tile} pixels; wanted at most half a tile")
        return self


class Tables(Section):
    """tables: the thesis's tables, `snakemake table_3_4` (workflow/tables.yaml)."""

    base: str = Field("thesis_small", description="base variant of the rows, unless the table names its own")
    images: int = Field(
        0,
        ge=0,
        description="number of training images that rows scored on them are made from; trainings use all; 0 = all",
    )
    seeds: int = Field(
        2, ge=1, description="runs of each row with different seeds of the affinity CNN and A²GNN, or RRM, or DFR"
    )
    folds: list[int] = Field(
        [0, 1, 2, 3], min_length=1, description="folds of few-shot segmentation for the tables of chapter 5"
    )


class Evaluate(Section):
    """s9_evaluate: scores against truth."""

    boundary_share: float = Field(
        0.02, gt=0, lt=1, description="width of the boundary band as a share of the image diagonal (boundary IoU)"
    )
    frequent_from: int = Field(
        20,
        ge=1,
        description="number of training images from which a class counts as frequent, for the mIoU of frequent classes",
    )
    images: int = Images
