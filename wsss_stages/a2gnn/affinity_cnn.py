"""Features whose distance shows whether two pixels are of one class: the affinity CNN (Eqs. 3.6-3.13)."""

import torch
import torch.nn.functional as F
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from wsss_stages import UNKNOWN
from wsss_stages.a2gnn.node_net import NodeNet
from wsss_stages.nets.backbones import Backbone
from wsss_stages.pairwise.affinity import mean_absolute_difference
from wsss_stages.pairwise.array_checks import FLOATING, check_tensors
from wsss_stages.pairwise.kernels import colour_position
from wsss_stages.pairwise.windows import neighbours

EPS = 1e-5
PAIR_WEIGHTS = (0.25, 0.25, 0.5)
"""Weights of background, foreground and negative pairs in Eq. 3.10."""


class AffinityCnn(NodeNet):
    r"""Three 1x1 heads on a backbone's last three blocks, joined: F_A with 448 channels (Fig. 3.2), :math:`D_{ij} = e^{-|F_i - F_j|}` (Eq. 3.8).

    Shapes: image (b, 3, H, W), as `nets.backbones.normalise` leaves it, with sides that are multiples of the backbone's stride. Returns
    (b, 448, H / stride, W / stride).

    Raises: ValueError for an image of other axes, type or device.

    >>> import torch
    >>> from wsss_stages.nets import backbones
    >>> network = AffinityCnn(backbones.build("tiny", stride=8, pretrained=False))
    >>> network(torch.rand(2, 3, 32, 48)).shape
    torch.Size([2, 448, 4, 6])
    """

    def __init__(self, backbone: Backbone):
        super().__init__(backbone)
        widths = (64, 128, 256)
        self.heads = nn.ModuleList(
            nn.Conv2d(dim, width, 1, bias=False) for dim, width in zip(backbone.dims, widths, strict=True)
        )
        self.join = nn.Conv2d(sum(widths), sum(widths), 1, bias=False)
        for head in self.heads:
            nn.init.kaiming_normal_(head.get_parameter("weight"))
        nn.init.xavier_uniform_(self.join.weight, gain=4)

    def forward(self, image: Float[Tensor, "b 3 H W"]) -> Float[Tensor, "b d h w"]:
        """Return F_A at the stride of the backbone; the image's sides are multiples of it."""
        return self.embed(self.maps(image))

    def embed(self, maps: list[Tensor]) -> Float[Tensor, "b d h w"]:
        """Return F_A of given feature maps."""
        joined = torch.cat([F.elu(head(m)) for head, m in zip(self.heads, maps, strict=True)], dim=1)
        return F.elu(self.join(joined))


def affinity_losses(
    features: Float[Tensor, "b d h w"],
    labels: UInt8[Tensor, "b h w"],
    image: Float[Tensor, "b 3 h w"],
    valid: Float[Tensor, "b h w"],
    window: list[tuple[int, int]],
    reg_weight: float,
    sigma_xy: float,
    sigma_rgb: float,
) -> dict[str, Tensor]:
    r"""Return L_Ac as 1/4 background + 1/4 foreground + 1/2 negative pairs (Eq. 3.10) and λ L_Ar (Eq. 3.12), both means.

    With :math:`D = \exp(-|F_i - F_j|)` pairs of one label cost :math:`-\log D`, of two labels :math:`-\log(1 - D)`.

    Args:
        features: F_A at the nodes.
        labels: seeds at nodes, 0 background, 255 unknown.
        image: normalised, at nodes.
        valid: 1, or 0 at the padding of a crop.
        window: a half window, so each pair is met once.
        reg_weight: λ.  sigma_xy: in nodes.  sigma_rgb: in units of the normalised image.

    Returns: the terms background, foreground, negative and reg, which are added; a mean of nothing is 0.

    Raises: ValueError for tensors of other axes, sizes, types or devices.

    >>> import torch
    >>> from wsss_stages.pairwise.windows import offsets
    >>> window, image = offsets(1, "square", half=True), torch.zeros(1, 3, 1, 2)
    >>> labels = torch.tensor([[[1, 2]]], dtype=torch.uint8)  # two classes whose features are alike
    >>> found = affinity_losses(torch.ones(1, 8, 1, 2), labels, image, torch.ones(1, 1, 2), window, 3.0, 6.0, 0.1)
    >>> {name: round(float(loss), 2) for name, loss in found.items()}
    {'background': 0.0, 'foreground': 0.0, 'negative': 5.76, 'reg': 0.0}
    """
    check_tensors(
        "affinity_losses",
        features=(features, "b d h w", FLOATING),
        labels=(labels, "b h w", ("uint8",)),
        image=(image, "b 3 h w", FLOATING),
        valid=(valid, "b h w", FLOATING),
    )
    d = mean_absolute_difference(features, window)
    D = torch.exp(-d)
    background, foreground, negative = _kinds(labels, window)
    attract, repel = -torch.log(D + EPS), -torch.log(1 + EPS - D)
    pairs = valid.unsqueeze(1) * neighbours(valid, window, 0.0).transpose(0, 1)
    K = colour_position(image, window, sigma_xy, sigma_rgb) * pairs
    return {
        "background": PAIR_WEIGHTS[0] * masked_mean(attract, background),
        "foreground": PAIR_WEIGHTS[1] * masked_mean(attract, foreground),
        "negative": PAIR_WEIGHTS[2] * masked_mean(repel, negative),
        "reg": reg_weight * (K * d).sum() / pairs.sum().clamp(min=1),
    }


@torch.no_grad()
def pair_logs(
    features: Float[Tensor, "b d h w"], labels: UInt8[Tensor, "b h w"], window: list[tuple[int, int]]
) -> Float[Tensor, "3 2"]:
    """Return the sums of the logarithms in Eqs. 3.10-3.11 over background, foreground and negative pairs, and the numbers of pairs."""
    D = torch.exp(-mean_absolute_difference(features, window))
    logs = (torch.log(D + EPS), torch.log(D + EPS), torch.log(1 + EPS - D))
    kinds = _kinds(labels, window)
    sums = [[(log * kind).double().sum(), kind.double().sum()] for log, kind in zip(logs, kinds, strict=True)]
    return torch.stack([torch.stack(row) for row in sums]).float().cpu()


def pair_likelihood(logs: Float[Tensor, "3 2"]) -> float:
    """Return exp(-L_Ac), in [0, 1]: the geometric mean of D's probability of the true relation of a pair, weighted
    as in Eq. 3.10.
    """
    means = logs[:, 0] / logs[:, 1].clamp(min=1)
    return float(means.dot(torch.tensor(PAIR_WEIGHTS)).clamp(max=0).exp())


def _kinds(labels: UInt8[Tensor, "b h w"], window: list[tuple[int, int]]) -> tuple[Tensor, Tensor, Tensor]:
    """Return where pairs are of background, of one foreground class, of two classes; (b, n, h, w) bool each."""
    centre = labels.unsqueeze(1)
    other = neighbours(labels.float(), window, float(UNKNOWN)).transpose(0, 1).to(torch.uint8)
    both = (centre != UNKNOWN) & (other != UNKNOWN)
    same = both & (centre == other)
    return same & (centre == 0), same & (centre != 0), both & ~same


def masked_mean(x: Tensor, mask: Tensor) -> Float[Tensor, ""]:
    """Return the mean of x where the mask is true; 0 where it is empty."""
    return (x * mask).sum() / mask.sum().clamp(min=1)
