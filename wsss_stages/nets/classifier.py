"""Classification networks whose last layer is a class activation map (Eq. 2.1): plain, and SEAM's (Eq. 3.1)."""

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor, nn

from wsss_stages.nets.backbones import Backbone
from wsss_stages.nets.grid import PIXELS, onto


class CamClassifier(nn.Module):
    """Backbone, dropout, 1x1 convolution to N classes, global average pooling."""

    def __init__(self, backbone: Backbone, classes: int):
        """
        Args:
            classes: N, without background.
        """
        super().__init__()
        self.backbone, self.dropout = backbone, nn.Dropout2d(0.5)
        self.head = nn.Conv2d(backbone.dims[-1], classes, 1, bias=False)

    def forward(self, image: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b n y x"]:
        """Return the activation of every class at every node, not rectified; its mean over nodes is the class's logit."""
        return self.head(self.dropout(self.backbone(image)[-1]))

    def tags(self, image: Float[Tensor, "b 3 h w"], valid: Bool[Tensor, "b h w"]) -> Float[Tensor, "b n"]:
        """Return the logits of the classes of an image.  valid: False at the padding of a crop."""
        return mean_inside(self(image).float(), valid)

    @torch.no_grad()
    def cam(self, image: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b n y x"]:
        """Return rectified activations (Eq. 2.1)."""
        return F.relu(self(image))


class SeamClassifier(nn.Module):
    """SEAM: classes with background, and the pixel correlation module (PCM) that refines its CAM."""

    def __init__(self, backbone: Backbone, classes: int):
        super().__init__()
        self.backbone, self.dropout = backbone, nn.Dropout2d(0.5)
        self.head = nn.Conv2d(backbone.dims[-1], classes + 1, 1, bias=False)
        self.reduce = nn.ModuleList(
            nn.Conv2d(dim, width, 1, bias=False) for dim, width in zip(backbone.dims[:2], (64, 128), strict=True)
        )
        self.embed = nn.Conv2d(64 + 128 + 3, 192, 1, bias=False)

    def forward(self, image: Float[Tensor, "b 3 h w"]) -> tuple[Float[Tensor, "b c y x"], Float[Tensor, "b c y x"]]:
        """Return activations and refined activations, background first."""
        *shallow, deep = self.backbone(image)
        raw = self.head(self.dropout(deep))
        size, (*grids, nodes) = deep.shape[2:], self.backbone.grids
        reduced = [
            F.relu(onto(conv(m.detach()), grid, nodes, size))
            for conv, m, grid in zip(self.reduce, shallow, grids, strict=True)
        ]
        small = onto(image, PIXELS, nodes, size)
        f = F.normalize(self.embed(torch.cat([small, *reduced], dim=1)).flatten(2), dim=1, eps=1e-5)  # b 192 n
        return raw, correlate(f, winners(raw.detach())).view_as(raw)

    def tags(self, image: Float[Tensor, "b 3 h w"], valid: Bool[Tensor, "b h w"]) -> Float[Tensor, "b n"]:
        """Return the logits of the classes of an image, without background.  valid: False at the padding of a crop."""
        return mean_inside(self(image)[0][:, 1:].float(), valid)

    @torch.no_grad()
    def cam(self, image: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b n y x"]:
        """Return refined, rectified activations without background."""
        return F.relu(self(image)[1][:, 1:])


def correlate(f: Float[Tensor, "b d n"], cam: Float[Tensor, "b c y x"]) -> Float[Tensor, "b c n"]:
    """Refine by PCM: every node takes the mean of all nodes' CAM, weighted by the rectified cosine of their features."""
    affinity = F.relu(f.transpose(1, 2) @ f)  # b n n
    affinity = affinity / (affinity.sum(dim=1, keepdim=True) + 1e-5)
    return cam.flatten(2) @ affinity


def winners(raw: Float[Tensor, "b c y x"]) -> Float[Tensor, "b c y x"]:
    """Return the CAM over its maximum, background 1 - max, and per node only the strongest foreground class."""
    cam = F.relu(raw - 1e-5)
    cam = cam / (raw.amax(dim=(2, 3), keepdim=True).clamp(min=0) + 1e-5)
    foreground = cam[:, 1:]
    best = foreground.amax(dim=1, keepdim=True)
    return torch.cat([1 - best, foreground * (foreground >= best)], dim=1)


def mean_inside(P: Float[Tensor, "b c y x"], valid: Bool[Tensor, "b h w"]) -> Float[Tensor, "b c"]:
    """Return the mean of maps over the nodes of the photograph.  valid: False at the padding of a crop."""
    inside = F.interpolate(valid[:, None].float(), P.shape[2:])
    return (P * inside).sum(dim=(2, 3)) / inside.sum(dim=(2, 3)).clamp(min=1)
