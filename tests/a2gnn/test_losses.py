"""Losses of A²GNN against plain loops, hand-made cases and gradcheck (Eqs. 3.10-3.12, 3.21-3.28)."""

import itertools
import math

import pytest
import torch

from wsss_stages.a2gnn.affinity_cnn import EPS, affinity_losses, pair_likelihood, pair_logs
from wsss_stages.a2gnn.consistency import consistent
from wsss_stages.a2gnn.multi_point import Boxes, choose, multi_point_loss, prototypes
from wsss_stages.a2gnn.propagate import seed_entropy
from wsss_stages.pairwise.windows import offsets


def boxes_of(masks, images, rows):
    return Boxes(torch.tensor(images), torch.tensor(rows), torch.tensor(masks, dtype=torch.bool))


def box(h, w, y0, x0, y1, x1):
    mask = torch.zeros(h, w, dtype=torch.bool)
    mask[y0:y1, x0:x1] = True
    return mask.tolist()


def test_points_are_the_best_of_every_row_and_column_of_a_box():
    score = torch.tensor([[[9.0, 9, 9, 9], [9, 1, 2, 9], [9, 4, 3, 9]]])
    points, counts = choose(score, boxes_of([box(3, 4, 1, 1, 3, 3)], [0], [1]))
    assert points[counts].tolist() == [1 * 4 + 2, 2 * 4 + 1, 2 * 4 + 1, 2 * 4 + 2]
    assert counts.tolist() == [[False, True, True, False, True, True, False]]


def eq_3_26(log_P, H, boxes):
    """L_mp of one image: all pairs of all boxes."""
    h, w, _ = log_P.shape
    entropy, number, apart, pairs = 0.0, 0, 0.0, 0
    for row, mask in zip(boxes.row, boxes.mask, strict=True):
        lines = [[(y, x) for x in range(w) if mask[y, x]] for y in range(h)]
        lines += [[(y, x) for y in range(h) if mask[y, x]] for x in range(w)]
        points = [max(line, key=lambda i: log_P[*i, row].item()) for line in lines if line]
        entropy += sum(-log_P[*k, row] for k in points)
        number += len(points)
        for m, n in itertools.permutations(range(len(points)), 2):
            apart += 1 - torch.nn.functional.cosine_similarity(H[*points[m]], H[*points[n]], dim=0)
            pairs += 1
    return entropy / number + apart / pairs


def test_multi_point_loss_is_eq_3_26_and_its_gradient_is_exact():
    log_P = torch.randn(2, 4, 5, 3, dtype=torch.float64).log_softmax(dim=3)
    H = torch.rand(2, 4, 5, 6, dtype=torch.float64)
    masks = [box(4, 5, 0, 0, 3, 2), box(4, 5, 1, 1, 4, 5), box(4, 5, 2, 2, 3, 3)]
    boxes = boxes_of(masks, [0, 0, 1], [1, 2, 1])
    points, counts = choose(boxes.own_class(log_P), boxes)
    found = multi_point_loss(log_P, H, points, counts, boxes)
    first = Boxes(boxes.image[:2], boxes.row[:2], boxes.mask[:2])
    torch.testing.assert_close(found[0], eq_3_26(log_P[0], H[0], first))
    assert torch.autograd.gradcheck(
        lambda a, b: multi_point_loss(a, b, points, counts, boxes), (log_P.requires_grad_(), H.requires_grad_())
    )


def test_an_image_without_boxes_has_no_multi_point_loss():
    log_P, H = torch.zeros(2, 3, 3, 2), torch.rand(2, 3, 3, 4)
    boxes = boxes_of([box(3, 3, 0, 0, 2, 2)], [1], [1])
    points, counts = choose(boxes.own_class(log_P), boxes)
    assert multi_point_loss(log_P, H, points, counts, boxes)[0] == 0


def test_seed_entropy_by_hand_and_without_seeds():
    P = torch.tensor([[[[0.5, 0.5], [0.25, 0.75], [0.9, 0.1]]], [[[0.5, 0.5]] * 3]])
    seeds = torch.tensor([[[0, 1, 1]], [[-1, -1, -1]]])
    balanced = seed_entropy(P.log(), seeds, True)
    expected = -math.log(0.5) - (math.log(0.75) + math.log(0.1)) / 2
    torch.testing.assert_close(balanced, torch.tensor([expected, 0.0]))
    plain = seed_entropy(P.log(), seeds, False)
    torch.testing.assert_close(plain[0].item(), -(math.log(0.5) + math.log(0.75) + math.log(0.1)) / 3)


def scene():
    """One row of five nodes: box of class 1 over the last four, whose features turn away from the box's points."""
    H = torch.tensor([[[[0.0, 1.0], [1.0, 0.1], [1.0, 0.0], [0.2, 1.0], [0.0, 1.0]]]])
    seeds = torch.tensor([[[0, 1, 1, 1, -1]]])
    boxes = boxes_of([[[False, True, True, True, True]]], [0], [1])
    return H, torch.tensor([[1.0, 0.0]]), seeds, boxes


@pytest.mark.parametrize(
    "rule, kept",
    [
        ("none", [True, True, True, True, True]),
        ("released", [True, True, True, True, True]),  # cosines of features that are not negative never are
        ("background_margin", [True, True, True, False, True]),  # nearer to the background than to the points
        ("centred", [True, True, True, False, True]),
    ],
)
def test_consistency_rules(rule, kept):
    H, prototype, seeds, boxes = scene()
    assert consistent(H, prototype, seeds, boxes, rule)[0, 0].tolist() == kept


def test_background_margin_keeps_all_where_there_is_no_background():
    H, prototype, seeds, boxes = scene()
    assert consistent(H, prototype, seeds.masked_fill(seeds == 0, -1), boxes, "background_margin").all()


def test_prototype_is_the_mean_of_the_points():
    H = torch.rand(1, 2, 3, 4)
    boxes = boxes_of([box(2, 3, 0, 0, 2, 2)], [0], [1])
    points, counts = choose(torch.rand(1, 2, 3), boxes)
    torch.testing.assert_close(prototypes(H, points, counts, boxes)[0], H.view(6, 4)[points[counts]].mean(dim=0))


def test_affinity_losses_are_means_over_their_own_pairs():
    window = offsets(1, "square", half=True)
    features, labels = (
        torch.randn(1, 4, 3, 4),
        torch.tensor([[[255, 0, 0, 1], [2, 0, 1, 1], [2, 2, 0, 1]]], dtype=torch.uint8),
    )
    valid = torch.ones(1, 3, 4)
    valid[0, 2] = 0
    image = torch.zeros(1, 3, 3, 4)
    groups = {"background": [], "foreground": [], "negative": []}
    reg, pairs = 0.0, 0
    for (y, x), (dy, dx) in itertools.product(itertools.product(range(3), range(4)), window):
        v, u = y + dy, x + dx
        if not (0 <= v < 3 and 0 <= u < 4):
            continue
        d = (features[0, :, y, x] - features[0, :, v, u]).abs().mean()
        a, b = labels[0, y, x].item(), labels[0, v, u].item()
        if 255 not in (a, b):
            group = "negative" if a != b else "foreground" if a else "background"
            near = math.exp(-d)
            groups[group].append(-math.log(1 + EPS - near) if a != b else -math.log(near + EPS))
        if valid[0, y, x] and valid[0, v, u]:
            reg += math.exp(-(dy * dy + dx * dx) / 72) * d.item()
            pairs += 1
    found = affinity_losses(features, labels, image, valid, window, 3.0, 6.0, 0.1)
    share = {"background": 0.25, "foreground": 0.25, "negative": 0.5}
    for name, values in groups.items():
        expected = share[name] * sum(values) / len(values) if values else 0.0
        assert found[name].item() == pytest.approx(expected, rel=1e-4), name
    assert found["reg"].item() == pytest.approx(3 * reg / pairs, rel=1e-4)
    wanted = math.exp(-sum(share[name] * sum(values) / len(values) for name, values in groups.items()))
    logs = pair_logs(features, labels, window)
    assert logs[:, 1].tolist() == [len(values) for values in groups.values()]
    assert pair_likelihood(logs) == pytest.approx(wanted, rel=1e-4)
    assert pair_likelihood(7 * logs) == pytest.approx(wanted, rel=1e-4)
