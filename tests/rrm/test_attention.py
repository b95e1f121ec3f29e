"""R-FAM against plain loops, its readings by hand, and in few rows at a time (Eqs. 2.8-2.12)."""

import math

import pytest
import torch

from wsss_stages.rrm import attention
from wsss_stages.rrm.attention import ReweightedAttention, attend, reweighting

READINGS = ("printed", "bounded", "off")


def eq_2_9(row, reweight):
    """Coefficients of one row of A."""
    n = len(row)
    ranked = sorted(range(n), key=lambda m: -row[m])
    N = max(1, sum(a > 0 for a in row))
    found = [0.0] * n
    for e, m in enumerate(ranked, start=1):
        found[m] = e / N if row[m] > 0 else math.sqrt(abs(N - e) / N)
    return [min(1.0, a) for a in found] if reweight == "bounded" else found


def eq_2_11(F_1, F_2, F_3, reweight):
    """F_a of one image, pixel by pixel."""
    n = len(F_1)
    rows = []
    for k in range(n):
        a = [float(F_1[k] @ F_2[m]) for m in range(n)]
        total = sum(math.exp(v) for v in a)
        A_w = [1.0] * n if reweight == "off" else eq_2_9(a, reweight)
        rows.append(sum(math.exp(a[m]) / total * A_w[m] * F_3[m] for m in range(n)))
    return torch.stack(rows)


def maps(b=2, n=15, width=3):
    torch.manual_seed(0)
    return [torch.randn(b, n, width) for _ in range(3)]


@pytest.mark.parametrize("reweight", READINGS)
def test_attended_features_are_eq_2_11(reweight):
    F_1, F_2, F_3 = maps()
    expected = torch.stack([eq_2_11(*one, reweight) for one in zip(F_1, F_2, F_3, strict=True)])
    torch.testing.assert_close(attend(F_1, F_2, F_3, reweight), expected, atol=1e-5, rtol=1e-4)


def test_coefficients_by_hand():
    row = torch.tensor([[0.5, -3.0, 2.0, 0.0, -1.0, -2.0]])  # ranks 2 6 1 3 4 5; two are positive
    printed = [2 / 2, math.sqrt(4 / 2), 1 / 2, math.sqrt(1 / 2), math.sqrt(2 / 2), math.sqrt(3 / 2)]
    torch.testing.assert_close(reweighting(row, "printed"), torch.tensor([printed]))
    torch.testing.assert_close(reweighting(row, "bounded"), torch.tensor([[min(1.0, a) for a in printed]]))


def test_without_a_positive_entry_and_with_equal_ones_coefficients_are_finite():
    rows = torch.tensor([[-1.0, -1.0, -2.0], [0.0, 0.0, 0.0], [4.0, 4.0, 4.0]])
    expected = [[0.0, 1.0, math.sqrt(2)], [0.0, 1.0, math.sqrt(2)], [1 / 3, 2 / 3, 1.0]]
    torch.testing.assert_close(reweighting(rows, "printed"), torch.tensor(expected))


@pytest.mark.parametrize("reweight", READINGS)
def test_rows_at_a_time_change_neither_values_nor_gradients(monkeypatch, reweight):
    upstream = torch.randn(2, 15, 3)
    found = []
    for entries in (2**22, 2 * 15 * 4, 1):  # all rows, four, one
        monkeypatch.setattr(attention, "ENTRIES", entries)
        leaves = [m.requires_grad_() for m in maps()]
        out = attend(*leaves, reweight)
        found.append([out, *torch.autograd.grad(out, leaves, upstream)])
    for other in found[1:]:
        torch.testing.assert_close(found[0], other, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("training", [True, False])
def test_no_more_of_the_affinity_is_held_than_the_bound(monkeypatch, training):
    """Whatever is kept for the backward pass or made on the way has fewer entries than n x n of the batch."""
    b, n, width = 2, 60, 4
    monkeypatch.setattr(attention, "ENTRIES", b * n * 5)
    kept = []
    monkeypatch.setattr(attention, "reweighting", lambda A, how: kept.append(A.numel()) or reweighting(A, how))
    leaves = [torch.randn(b, n, width, requires_grad=training) for _ in range(3)]
    sizes = []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: sizes.append(t.numel()) or t, lambda t: t):
        attend(*leaves, "printed")
    assert max(kept) == b * n * 5 and max(sizes, default=0) <= b * n * width


def test_ranks_and_thresholds_carry_no_gradient():
    """The gradient is that of softmax times constants."""
    F_1, F_2, F_3 = (m.requires_grad_() for m in maps(b=1))
    A = F_1 @ F_2.transpose(1, 2)
    constants = reweighting(A.detach(), "printed")
    expected = torch.autograd.grad(((A.softmax(dim=2) * constants) @ F_3).square().sum(), (F_1, F_2, F_3))
    found = torch.autograd.grad(attend(F_1, F_2, F_3, "printed").square().sum(), (F_1, F_2, F_3))
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-4)


def test_renumbering_pixels_renumbers_outputs():
    F_1, F_2, F_3 = maps()
    order = torch.randperm(15)
    torch.testing.assert_close(
        attend(F_1[:, order], F_2[:, order], F_3[:, order], "printed"), attend(F_1, F_2, F_3, "printed")[:, order]
    )


def test_the_module_puts_F_a_before_F_3_in_image_order():
    torch.manual_seed(0)
    module, m = ReweightedAttention(6, 3, "printed"), torch.randn(2, 6, 4, 5)
    F_1, F_2, F_3 = module.project(m).chunk(3, dim=1)
    F_g = module(m)
    assert F_g.shape == (2, 6, 4, 5) and torch.equal(F_g[:, 3:], F_3)
    rows = [f.flatten(2).transpose(1, 2) for f in (F_1, F_2, F_3)]
    torch.testing.assert_close(F_g[0, :3].flatten(1).T, eq_2_11(*(r[0].detach() for r in rows), "printed"))


def test_half_precision_does_not_blur_ranks():
    module, m = ReweightedAttention(6, 3, "printed"), torch.randn(1, 6, 4, 5)
    with torch.autocast("cpu", torch.bfloat16):
        assert module(m).dtype == torch.float32
