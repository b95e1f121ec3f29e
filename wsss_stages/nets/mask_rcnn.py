"""torchvision's Mask R-CNN (He et al. 2017) on any of our backbones, the final detector of instances of Sec. 3.4."""

from typing import Any, NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torchvision.models.detection import MaskRCNN
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.faster_rcnn import FastRCNNPredictor, TwoMLPHead
from torchvision.models.detection.mask_rcnn import MaskRCNNHeads, MaskRCNNPredictor
from torchvision.ops import FeaturePyramidNetwork, MultiScaleRoIAlign
from torchvision.ops.feature_pyramid_network import LastLevelMaxPool

from wsss_stages.nets.backbones import MEAN, STD, Backbone

LEVELS = [str(level) for level in range(4)]
RATIOS = (0.5, 1.0, 2.0)


class Detections(NamedTuple):
    """Detections of one image, the surest first; boxes x0 y0 x1 y1 and masks in its full size, classes 1..N."""

    boxes: Float[Tensor, "k 4"]
    scores: Float[Tensor, " k"]
    classes: Int[Tensor, " k"]
    masks: Bool[Tensor, "k h w"]


class Pyramid(nn.Module):
    """A pyramid backbone and the FPN on it: five maps of `width` channels, the last with half the resolution of the one before."""

    def __init__(self, backbone: Backbone, width: int):
        super().__init__()
        self.backbone, self.out_channels = backbone, width
        self.fpn = FeaturePyramidNetwork(backbone.dims, width, LastLevelMaxPool())

    def forward(self, image: Float[Tensor, "b 3 h w"]) -> dict[str, Tensor]:
        return self.fpn(dict(zip(LEVELS, self.backbone(image), strict=True)))


class Detector(nn.Module):
    """Mask R-CNN for images in [0, 1] whose longer side is `side` pixels; anchors of side / 16 up to the whole side.

    Args:
        classes: with background.  width: channels of FPN and heads.  hidden: of the box head.
        mask_layers: convolutions of the mask head.
        proposals: boxes of the RPN kept in an image.  samples: proposals used in a training step.
    """

    def __init__(
        self,
        backbone: Backbone,
        classes: int,
        side: int,
        width: int,
        hidden: int,
        mask_layers: int,
        proposals: int,
        samples: int,
    ):
        super().__init__()
        before = {f"rpn_pre_nms_top_n_{phase}": 2 * proposals for phase in ("train", "test")}
        after = {f"rpn_post_nms_top_n_{phase}": proposals for phase in ("train", "test")}
        self.network = MaskRCNN(
            Pyramid(backbone, width),
            min_size=side,
            max_size=side,
            image_mean=list(MEAN),
            image_std=list(STD),
            rpn_anchor_generator=AnchorGenerator([(side >> k,) for k in (4, 3, 2, 1, 0)], [RATIOS] * 5),
            **before,
            **after,
            box_roi_pool=MultiScaleRoIAlign(LEVELS, 7, 2),
            box_head=TwoMLPHead(width * 7**2, hidden),
            box_predictor=FastRCNNPredictor(hidden, classes),
            box_batch_size_per_image=samples,
            mask_roi_pool=MultiScaleRoIAlign(LEVELS, 14, 2),
            mask_head=MaskRCNNHeads(width, [width] * mask_layers, dilation=1),
            mask_predictor=MaskRCNNPredictor(width, width, classes),
        )

    def losses(
        self, images: Float[Tensor, "b 3 h w"], boxes: list[Tensor], classes: list[Tensor], masks: list[Tensor]
    ) -> dict[str, Float[Tensor, ""]]:
        """Return the five losses.

        For every image: boxes (k, 4) float, classes (k,) int64 from 1, masks (k, h, w) uint8 of 0 and 1.
        """
        targets = [{"boxes": b, "labels": c, "masks": m} for b, c, m in zip(boxes, classes, masks, strict=True)]
        return self.network(list(images), targets)

    @torch.no_grad()
    def detect(self, image: Float[Tensor, "3 h w"], height: int, width: int, min_score: float, most: int) -> Detections:
        """Return the detections of an image whose photograph is height x width: at most `most`, with scores of at
        least `min_score`.
        """
        net: Any = self.network
        net.roi_heads.score_thresh, net.roi_heads.detections_per_img = min_score, most
        images, _ = net.transform([image])
        features = net.backbone(images.tensors)
        proposals, _ = net.rpn(images, features)
        found, _ = net.roi_heads(features, proposals, images.image_sizes)
        (found,) = net.transform.postprocess(found, images.image_sizes, [(height, width)])
        masks = found["masks"].squeeze(1) > 0.5
        seen = masks.flatten(1).any(dim=1)
        return Detections(found["boxes"][seen], found["scores"][seen], found["labels"][seen], masks[seen])

    def deciding(self) -> list[nn.Module]:
        """Return the outputs that boxes, classes and masks are chosen by; boxes with NaN scores would be dropped
        unnoticed.
        """
        net: Any = self.network
        return [net.rpn.head, net.roi_heads.box_predictor, net.roi_heads.mask_predictor]
