"""R-FAM: every node gathers features from all nodes, most from those of middle affinity (Eqs. 2.8-2.12)."""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from wsss_stages.pairwise.array_checks import FLOATING, check_tensors

READINGS = ("printed", "bounded", "off")
"""Readings of the weights A_w."""
ENTRIES = 2**22
"""Entries of A that are held at once; a crop of 321 at stride 8 has 2.8 million."""


class ReweightedAttention(nn.Module):
    r"""R-FAM: a feature map F to :math:`F_g = \mathrm{concat}((\mathrm{softmax}(A) \odot A_w) F_3, F_3)` (Eqs. 2.8-2.12, Fig. 2.4).

    Shapes: F (b, channels, y, x) to (b, 2 width, y, x). Every node gathers from all nodes, so time grows with their square.

    Raises: ValueError for a map of other axes, channels, type or device, and for an unknown `reweight`.

    >>> import torch
    >>> ReweightedAttention(channels=8, width=4, reweight="printed")(torch.rand(2, 8, 5, 6)).shape
    torch.Size([2, 8, 5, 6])
    """

    def __init__(self, channels: int, width: int, reweight: str):
        """
        Args:
            channels: of F.  width: C_1, half the channels of F_g.
            reweight: "printed", "bounded" to at most 1, or "off", as in `reweighting`.
        """
        super().__init__()
        if reweight not in READINGS:
            raise ValueError(f"ReweightedAttention: found reweight {reweight!r}; wanted {' or '.join(READINGS)}")
        self.reweight = reweight
        self.project = nn.Conv2d(channels, 3 * width, 1, bias=False)

    def forward(self, m: Float[Tensor, "b d y x"]) -> Float[Tensor, "b w y x"]:
        sizes = {"d": self.project.in_channels}
        check_tensors("ReweightedAttention", sizes, self.project.weight.device, m=(m, "b d y x", FLOATING))
        F_1, F_2, F_3 = self.project(m).flatten(2).transpose(1, 2).chunk(3, dim=2)
        F_g = torch.cat([attend(F_1, F_2, F_3, self.reweight), F_3], dim=2)
        return F_g.transpose(1, 2).unflatten(2, m.shape[2:])


def attend(
    F_1: Float[Tensor, "b n w"], F_2: Float[Tensor, "b n w"], F_3: Float[Tensor, "b n w"], reweight: str
) -> Float[Tensor, "b n w"]:
    r"""Return :math:`F_a = (\mathrm{softmax}(A) \odot A_w)\,F_3` with :math:`A = F_1 F_2^\top` (Eqs. 2.8, 2.11), in float32.

    Some rows of A are made at a time, and again for their gradient, so that memory does not grow with HW x HW; rows do
    not sum to 1 after A_w. Eq. 2.8 prints F_2 as C_1 x HW and transposes it once more (Deviations).
    """
    b, n, _ = F_1.shape
    with torch.autocast(F_1.device.type, enabled=False):  # ranks need more than half precision
        F_1, F_2, F_3 = F_1.float(), F_2.float(), F_3.float()
        chunks = F_1.split(max(1, ENTRIES // (b * n)), dim=1)
        made = [checkpoint(_rows, rows, F_2, F_3, reweight, use_reentrant=False) for rows in chunks]
    return torch.cat(made, dim=1)


def _rows(F_1: Tensor, F_2: Tensor, F_3: Tensor, reweight: str) -> Tensor:
    A = F_1 @ F_2.transpose(1, 2)
    attention = A.softmax(dim=2)
    return (attention if reweight == "off" else attention * reweighting(A, reweight)) @ F_3


def reweighting(A: Float[Tensor, "*rows n"], reweight: str) -> Float[Tensor, "*rows n"]:
    r"""Return A_w of Eqs. 2.9-2.10: with the rank e of an entry in its row, from 1 for the largest, and N₊ > 0 entries above 0,

    :math:`e / N_+` where A > 0, else :math:`\sqrt{|N_+ - e| / N_+}`.

    Args:
        A: equal entries are ranked in their order; ranks carry no gradient.
        reweight: "printed"; "bounded" to at most 1, which the most negative entries exceed; "off" is not asked here.
            Without an entry above 0, N₊ is 1.
    """
    return by_rank(A, ranks(A, A.argsort(dim=-1, descending=True, stable=True)), reweight)


def ranks(A: Float[Tensor, "*rows n"], order: Int[Tensor, "*rows n"]) -> Float[Tensor, "*rows n"]:
    """Return the rank of every entry in its row, from 1, of the order of the row's entries."""
    number = torch.arange(1, A.shape[-1] + 1, dtype=A.dtype, device=A.device)
    return torch.zeros_like(A).scatter(-1, order, number.expand_as(A))


def by_rank(A: Float[Tensor, "*rows n"], e: Float[Tensor, "*rows n"], reweight: str) -> Float[Tensor, "*rows n"]:
    """Return A_w of `reweighting` from the ranks e."""
    N = (A > 0).sum(dim=-1, keepdim=True).clamp(min=1)
    A_w = torch.where(A > 0, e / N, ((N - e).abs() / N).sqrt())
    return A_w.clamp(max=1) if reweight == "bounded" else A_w
