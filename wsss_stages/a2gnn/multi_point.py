"""Multi-point loss: in every line of a box the likeliest node is the object's (Eqs. 3.23-3.26)."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor

from wsss_stages.pairwise.array_checks import FLOATING, INTEGER, check_tensors


@dataclass
class Boxes:
    """All boxes of a batch, in nodes: which image (in order), which class (row of the probabilities), which nodes."""

    image: Int[Tensor, "k"]
    row: Int[Tensor, "k"]
    mask: Bool[Tensor, "k h w"]

    @property
    def number(self) -> Int[Tensor, "k"]:
        """Return the number of each box among those of its image."""
        return torch.arange(len(self.image), device=self.image.device) - torch.searchsorted(self.image, self.image)

    def own_class(self, x: Float[Tensor, "b h w c"]) -> Float[Tensor, "k h w"]:
        """Return x for each box's own class, on the whole grid."""
        return x[self.image, :, :, self.row]


def choose(score: Float[Tensor, "k h w"], boxes: Boxes) -> tuple[Int[Tensor, "k p"], Bool[Tensor, "k p"]]:
    """Return K_j of Eqs. 3.23-3.24: of every row and column of a box the node with the highest score.

    Returns: flat positions, h rows and then w columns of the grid; whether that line crosses the box.
    """
    h, w = score.shape[1:]
    inside = score.masked_fill(~boxes.mask, float("-inf"))
    y, x = torch.arange(h, device=score.device), torch.arange(w, device=score.device)
    of_rows = y * w + inside.argmax(dim=2)
    of_columns = inside.argmax(dim=1) * w + x
    lines = torch.cat([boxes.mask.any(dim=2), boxes.mask.any(dim=1)], dim=1)
    return torch.cat([of_rows, of_columns], dim=1), lines


def multi_point_loss(
    log_P: Float[Tensor, "b h w c"],
    H: Float[Tensor, "b h w d"],
    points: Int[Tensor, "k p"],
    counts: Bool[Tensor, "k p"],
    boxes: Boxes,
) -> Float[Tensor, "b"]:
    r"""Return L_mp of Eq. 3.26 per image: cross-entropy of the points, and the mean of 1 - cos over pairs of points of a box.

    For n points with unit features u the sum of 1 - cos over ordered pairs is :math:`n^2 - \|\sum u\|^2`.

    Args:
        log_P: log-probabilities of the classes at the nodes.
        H: features of the nodes.
        points, counts: the p points of every box, flat positions in its image, and which of them count (`choose`).
        boxes: of all images.

    Raises: ValueError for tensors of other axes, sizes, types or devices.

    >>> import torch
    >>> log_P, H = torch.full((1, 2, 3, 2), 0.5).log(), torch.ones(1, 2, 3, 4)
    >>> boxes = Boxes(torch.tensor([0]), torch.tensor([1]), torch.ones(1, 2, 3, dtype=torch.bool))
    >>> round(multi_point_loss(log_P, H, *choose(boxes.own_class(log_P), boxes), boxes).item(), 3)
    0.693
    """
    check_tensors(
        "multi_point_loss",
        {},
        None,
        log_P=(log_P, "b h w c", FLOATING),
        H=(H, "b h w d", FLOATING),
        points=(points, "k p", ("int64",)),
        counts=(counts, "k p", ("bool",)),
        **{"boxes.mask": (boxes.mask, "k h w", ("bool",)), "boxes.row": (boxes.row, "k", INTEGER)},
    )
    images = len(log_P)
    own = boxes.own_class(log_P).flatten(1).gather(1, points)
    number = counts.sum(dim=1)
    entropy = -(own * counts).sum(dim=1)
    u = F.normalize(_at(H, points, boxes), dim=2, eps=1e-7) * counts.unsqueeze(2)
    apart = number**2 - u.sum(dim=1).square().sum(dim=1)
    total = torch.stack([entropy, apart, number.float(), (number * (number - 1)).float()], dim=1)
    total = total.new_zeros(images, 4).index_add(0, boxes.image, total)
    return total[:, 0] / total[:, 2].clamp(min=1) + total[:, 1] / total[:, 3].clamp(min=1)


def prototypes(
    H: Float[Tensor, "b h w d"], points: Int[Tensor, "k p"], counts: Bool[Tensor, "k p"], boxes: Boxes
) -> Float[Tensor, "k d"]:
    """Return mean feature of each box's points (Eq. 3.27)."""
    chosen = _at(H, points, boxes) * counts.unsqueeze(2)
    return chosen.sum(dim=1) / counts.sum(dim=1, keepdim=True).clamp(min=1)


def _at(H: Tensor, points: Tensor, boxes: Boxes) -> Float[Tensor, "k p d"]:
    return H.flatten(1, 2)[boxes.image[:, None], points]
