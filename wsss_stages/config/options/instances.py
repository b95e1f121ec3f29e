"""Options of instance segmentation (Sec. 3.4, Tables 3.2-3.3)."""

from typing import Literal

from pydantic import Field

from wsss_stages.config.options.base import AdamWTraining, OwnBackbone, Section


class InstanceMasks(Section):
    """s6_instance_masks: label maps and boxes to instances."""

    labels: Literal["pseudo", "grabcut", "truth"] = Field(
        "pseudo",
        description="training labels: masks of boxes from pseudo labels or M_B, or true instances for the upper bound",
    )
    overlap: Literal["smaller", "thesis"] = Field(
        "smaller", description="owner of a pixel in several boxes of its class: the smallest box, or all boxes (thesis)"
    )


class Instances(AdamWTraining, OwnBackbone):
    """s7_instances: Mask R-CNN on instances (Sec. 3.4)."""

    batch_size: int = Field(4, ge=1, description="images per step")
    crop: int = Field(256, ge=64, multiple_of=32, description="longer side of the resized photographs, pixels")
    epochs: int = Field(12, ge=1, description="passes over the training images with objects")
    scale_min: float = Field(0.7, gt=0, description="smallest random scale; at 1 the longer side fills the crop")
    scale_max: float = Field(1.4, gt=0, description="largest random scale")
    head_lr_factor: float = Field(3.0, gt=0, description="learning rate of new layers over that of pretrained ones")
    warm_up: int = Field(
        50, ge=0, description="warm-up steps, over which the learning rate grows from 0; at most a tenth of all"
    )
    width: int = Field(64, ge=8, description="channels of the feature pyramid and the heads; torchvision has 256")
    hidden: int = Field(256, ge=8, description="width of the box head; torchvision has 1024")
    mask_layers: int = Field(2, ge=1, description="convolutions of the mask head; torchvision has 4")
    proposals: int = Field(
        200, ge=1, description="proposals of the RPN kept in an image; torchvision has 2000 and 1000"
    )
    samples: int = Field(64, ge=1, description="proposals of an image used in a step; torchvision has 512")

    def heads(self) -> dict[str, int]:
        """Return arguments of nets.mask_rcnn.Detector."""
        return self.model_dump(include={"width", "hidden", "mask_layers", "proposals", "samples"})


class Detect(Section):
    """s8_detect: the detector on images of a split."""

    min_score: float = Field(0.05, ge=0, lt=1, description="smallest score of a detection that is kept")
    most: int = Field(100, ge=1, description="most detections kept in an image, by their scores; COCO counts 100")
