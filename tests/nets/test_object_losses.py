"""The object network's losses, against plain loops."""

import math

import pytest
import torch

from wsss_stages.nets.object_losses import APART, colour_loss, line_loss, mask_loss


def test_the_loss_is_a_mean_inside_and_a_mean_outside_of_each_box():
    torch.manual_seed(1)
    logits = torch.randn(2, 4, 4)
    target = torch.randint(0, 3, (2, 4, 4)).to(torch.uint8)
    target[target == 2] = 255
    target[1, :2] = 255  # nothing is known inside the second box
    inside = torch.zeros(2, 4, 4)
    inside[0, 1:3, 1:4] = inside[1, :2] = 1
    expected = 0.0
    for k in range(2):
        sums, counts = {0.0: 0.0, 1.0: 0.0}, {0.0: 0, 1.0: 0}
        for y in range(4):
            for x in range(4):
                if target[k, y, x] != 255:
                    p = 1 / (1 + math.exp(-logits[k, y, x].item()))
                    where = inside[k, y, x].item()
                    sums[where] -= math.log(p if target[k, y, x] == 1 else 1 - p)
                    counts[where] += 1
        expected += (sums[1.0] / max(1, counts[1.0]) + 0.3 * sums[0.0] / max(1, counts[0.0])) / 2
    assert mask_loss(logits, target, inside, 0.3).item() == pytest.approx(expected, rel=1e-5)


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


def test_neighbours_of_one_colour_against_the_formula():
    torch.manual_seed(0)
    h, w, nearest = 6, 7, 1.2
    logits, colours = torch.randn(2, h, w), torch.randn(2, 3, h, w)
    inside = torch.zeros(2, h, w)
    inside[0, 2:5, 1:4] = inside[1, 0:3, 3:7] = 1
    expected = 0.0
    for k in range(2):
        entropies = []
        for y in range(h):
            for x in range(w):
                for dy, dx in ((0, APART), (APART, 0), (APART, APART), (APART, -APART)):
                    v, u = y + dy, x + dx
                    if v >= h or not 0 <= u < w or not (inside[k, y, x] or inside[k, v, u]):
                        continue
                    if math.dist(colours[k, :, y, x].tolist(), colours[k, :, v, u].tolist()) < nearest:
                        p, q = sigmoid(logits[k, y, x].item()), sigmoid(logits[k, v, u].item())
                        entropies.append(-math.log(p * q + (1 - p) * (1 - q)))
        assert len(entropies) > 3
        expected += sum(entropies) / len(entropies) / 2
    assert colour_loss(logits, colours, inside, nearest).item() == pytest.approx(expected, rel=1e-5)


def test_colours_all_apart_cost_nothing():
    colours = 100 * torch.arange(36.0).view(1, 1, 6, 6).expand(1, 3, 6, 6)
    assert colour_loss(torch.randn(1, 6, 6), colours, torch.ones(1, 6, 6), 2.4).item() == 0


def test_an_outline_where_the_colour_changes_costs_nothing_and_elsewhere_does():
    colours = torch.zeros(1, 3, 8, 8)
    colours[..., 4:] = 50
    here, elsewhere = torch.full((1, 8, 8), -30.0), torch.full((1, 8, 8), -30.0)
    here[..., 4:], elsewhere[..., 6:] = 30, 30
    inside = torch.ones(1, 8, 8)
    assert colour_loss(here, colours, inside, 2.4).item() == pytest.approx(0, abs=1e-6)
    assert colour_loss(elsewhere, colours, inside, 2.4).item() > 1


def test_lines_of_a_box_against_the_formula():
    torch.manual_seed(0)
    logits, inside = torch.randn(2, 5, 6), torch.zeros(2, 5, 6)
    inside[0, 1:4, 2:6] = inside[1, 0:1, 0:2] = 1
    expected = 0.0
    for k, (y0, y1, x0, x1) in enumerate(((1, 4, 2, 6), (0, 1, 0, 2))):
        rows = [max(logits[k, y, x].item() for x in range(x0, x1)) for y in range(y0, y1)]
        columns = [max(logits[k, y, x].item() for y in range(y0, y1)) for x in range(x0, x1)]
        expected += sum(-math.log(sigmoid(best)) for best in rows + columns) / len(rows + columns) / 2
    assert line_loss(logits, inside).item() == pytest.approx(expected, rel=1e-5)


def test_a_crop_without_a_box_costs_nothing_and_has_gradients():
    logits = torch.randn(1, 4, 4, requires_grad=True)
    nothing = torch.zeros(1, 4, 4)
    loss = line_loss(logits, nothing) + colour_loss(logits, torch.zeros(1, 3, 4, 4), nothing, 2.4)
    loss.backward()
    assert loss.item() == 0 and logits.grad.eq(0).all()


def test_gradients():
    torch.manual_seed(1)
    logits = torch.randn(1, 4, 5, dtype=torch.double, requires_grad=True)
    inside, colours = torch.ones(1, 4, 5, dtype=torch.double), torch.zeros(1, 3, 4, 5, dtype=torch.double)
    assert torch.autograd.gradcheck(lambda x: line_loss(x, inside), logits)
    assert torch.autograd.gradcheck(lambda x: colour_loss(x, colours, inside, 2.4), logits)
