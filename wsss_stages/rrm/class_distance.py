"""Batch-based class distance: features near the centre of their class, centres of classes apart (Eqs. 2.22-2.26)."""

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from wsss_stages import UNKNOWN
from wsss_stages.pairwise.array_checks import FLOATING, INTEGER, check_tensors

READINGS = ("printed", "centres")
EPS = 1e-5
"""Shorter features have a smaller cosine; one of length 0 has a finite gradient."""


def class_distance(
    F_m: Float[Tensor, "b d y x"], M_p: Int[Tensor, "b y x"], classes: int, reading: str
) -> Float[Tensor, ""]:
    r"""Return L_BCD: the means of :math:`1 - \cos(F_i, c)` to a pixel's centre and of :math:`1 + \cos(c, c')` between centres (Eqs. 2.22-2.26).

    A foreground class has one centre over the batch, the background one in each image (Eqs. 2.24-2.25); centres carry
    gradient. Foreground classes are pushed from each other (ff) and from all backgrounds (fb).

    Args:
        F_m: features at the nodes.
        M_p: predicted classes, 0 background, 255 not counted (padding).  classes: N, without background.
        reading: "printed", the sum of the four means of Eq. 2.26; "centres", as released: the mean over all centres of
            their own pixels' mean, plus half of either push.

    Returns: a scalar of at least 0; a term without pixels or pairs is 0.

    Raises: ValueError for tensors of other axes, sizes, types or devices, and for an unknown reading.

    >>> import torch
    >>> F_m = torch.eye(2).view(1, 2, 1, 2)  # two pixels of two classes at right angles
    >>> class_distance(F_m, torch.tensor([[[1, 2]]]), classes=2, reading="printed").item()
    1.0
    """
    check_tensors("class_distance", F_m=(F_m, "b d y x", FLOATING), M_p=(M_p, "b y x", INTEGER))
    if reading not in READINGS:
        raise ValueError(f"class_distance: found reading {reading!r}; wanted {' or '.join(READINGS)}")
    with torch.autocast(F_m.device.type, enabled=False):  # means of many pixels in full precision
        return _class_distance(F_m.float(), M_p, classes, reading)


def _class_distance(F_m: Tensor, M_p: Tensor, classes: int, reading: str) -> Tensor:
    b = len(F_m)
    f = F_m.flatten(2)
    images = torch.arange(b, device=M_p.device).view(b, 1, 1)
    own = torch.where(M_p == 0, classes + images, M_p - 1).masked_fill(M_p == UNKNOWN, -1).flatten(1)
    member = (own[:, None] == torch.arange(classes + b, device=own.device)[:, None]).float()  # foreground, backgrounds
    sizes = member.sum(dim=(0, 2))
    share = member / sizes.clamp(min=1)[:, None]
    centres = F.normalize(_gather(share, f), dim=1, eps=EPS)
    unit = _gather(share / f.norm(dim=1, keepdim=True).clamp(min=EPS), f)
    near = 1 - (centres * unit).sum(dim=1)  # a mean of cosines is the cosine's with the mean of unit features
    present = sizes > 0
    far = 1 + centres[:classes] @ centres.T
    pairs = present[:classes, None] & present & ~torch.eye(classes, classes + b, dtype=torch.bool, device=own.device)
    ff, fb = (_mean(far[:, part], pairs[:, part]) for part in (slice(classes), slice(classes, None)))
    if reading == "centres":
        return _mean(near, present) + (ff + fb) / 2
    pull = (_mean(near[part], sizes[part]) for part in (slice(classes), slice(classes, None)))
    return ff + fb + sum(pull)


def _gather(weights: Float[Tensor, "b k n"], f: Float[Tensor, "b d n"]) -> Float[Tensor, "k d"]:
    return (weights @ f.transpose(1, 2)).sum(dim=0)


def _mean(values: Tensor, weights: Tensor) -> Float[Tensor, ""]:
    """Return the weighted mean; 0 where all weights are 0."""
    return (values * weights).sum() / weights.sum().clamp(min=1)
