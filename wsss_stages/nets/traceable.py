"""Segmenters in a form that a tracer can follow at every size of image, with equal outputs."""

from copy import deepcopy
from functools import partial

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from wsss_stages.nets.depthwise import DilatedDepthwise
from wsss_stages.nets.grid import sampled
from wsss_stages.nets.heads.tree_fcn import TreeFcn
from wsss_stages.nets.inputs import normalise
from wsss_stages.nets.relu6 import ReLU6
from wsss_stages.nets.replace import convolution_as, replace
from wsss_stages.nets.segmenter import Segmenter
from wsss_stages.rrm.attention import ReweightedAttention, by_rank, ranks


class PhotoNetwork(nn.Module):
    """A segmenter that takes a photograph as it is read and gives labels of the same size; its preparation is inside.

    Shapes: image (h, w, 3) uint8 RGB, h and w at least 32, to labels (h, w) uint8 and probabilities (c, h, w) float32.
    """

    def __init__(self, network: Segmenter):
        super().__init__()
        self.network = network

    def forward(self, image: UInt8[Tensor, "h w 3"]) -> tuple[UInt8[Tensor, "h w"], Float[Tensor, "c h w"]]:
        images = image.permute(2, 0, 1).unsqueeze(0).float() / 255
        logits = self.network(normalise(images))
        rows, columns = (torch.arange(n) for n in image.shape[:2])
        P = sampled(logits, self.network.grid, rows, columns).softmax(dim=1)[0]
        return P.argmax(dim=0).to(torch.uint8), P


class CellMeans(nn.Module):
    """Means over a grid of `side` x `side` cells, as nn.AdaptiveAvgPool2d's: cell i covers floor(i n / side) .. ceil((i + 1) n / side)."""

    def __init__(self, side: int):
        super().__init__()
        self.side = side

    def forward(self, m: Float[Tensor, "b d y x"]) -> Float[Tensor, "b d side side"]:
        y, x = (self._weights(m, axis) for axis in (2, 3))
        return y @ m @ x.transpose(0, 1)

    def _weights(self, m: Tensor, axis: int) -> Float[Tensor, "side n"]:
        n = m.shape[axis]
        cell, node = torch.arange(self.side)[:, None], torch.arange(n)
        begins = torch.div(cell * n, self.side, rounding_mode="floor")
        ends = torch.div((cell + 1) * n + self.side - 1, self.side, rounding_mode="floor")
        inside = ((node >= begins) & (node < ends)).to(m.dtype)
        return inside / inside.sum(dim=1, keepdim=True)


class WholeAttention(nn.Module):
    """R-FAM with all rows of A at once, (nodes x nodes) numbers; without gradient."""

    def __init__(self, attention: ReweightedAttention):
        super().__init__()
        self.project, self.reweight = attention.project, attention.reweight

    def forward(self, m: Float[Tensor, "b d y x"]) -> Float[Tensor, "b w y x"]:
        F_1, F_2, F_3 = self.project(m).flatten(2).transpose(1, 2).chunk(3, dim=2)
        A = F_1 @ F_2.transpose(1, 2)
        weight = A.softmax(dim=2)
        if self.reweight != "off":
            order = A.sort(dim=2, descending=True)[
                1
            ]  # ONNX has no argsort; equal entries keep their order here and there
            weight = weight * by_rank(A, ranks(A, order), self.reweight)
        F_g = torch.cat([weight @ F_3, F_3], dim=2)
        return F_g.transpose(1, 2).reshape(m.shape[0], F_g.shape[2], m.shape[2], m.shape[3])


def traceable(network: Segmenter) -> PhotoNetwork:
    """Return a copy of a network in eval mode that a tracer can follow. Raises ValueError for Tree-FCN."""
    if isinstance(network, TreeFcn):
        raise ValueError(
            "found a network with head tree_fcn; wanted one whose operations are the same for every photograph: its tree filter builds "
            "another spanning tree for each, outside the network. Train s7_segment with another head."
        )
    copy = deepcopy(network).cpu().eval().requires_grad_(False)
    replace(copy, partial(_is, nn.AdaptiveAvgPool2d), lambda pool: CellMeans(_side(pool)))
    replace(copy, partial(_is, ReweightedAttention), WholeAttention)
    replace(copy, partial(_is, ReLU6), lambda _: nn.ReLU6())  # these two have a backward of their own, in Python
    replace(copy, partial(_is, DilatedDepthwise), partial(convolution_as, nn.Conv2d))
    branches = getattr(copy, "branches", None)
    if isinstance(branches, nn.ModuleDict):  # a branch's name, `global`, is a word of TorchScript's
        copy.branches = nn.ModuleDict({f"{name}_branch": branch for name, branch in branches.items()})
    return PhotoNetwork(copy).eval()


def _is(kind: type[nn.Module], module: nn.Module) -> bool:
    return isinstance(module, kind)


def _side(pool: nn.Module) -> int:
    size = pool.output_size
    side = size[0] if isinstance(size, tuple) else size
    if not isinstance(side, int):
        raise ValueError(f"found a pooling to {size}; wanted one to squares. The network cannot be exported.")
    return side
