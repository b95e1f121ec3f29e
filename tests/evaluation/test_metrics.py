"""Scores against torchmetrics, loops and cases by hand."""

import numpy as np
import pytest
import torch
from torchmetrics.classification import MulticlassJaccardIndex, MultilabelAveragePrecision

from tests.messages import raises
from wsss_stages import UNKNOWN
from wsss_stages.evaluation import metrics


def maps(seed=0, classes=4):
    rng = np.random.default_rng(seed)
    truth, label = (rng.integers(0, classes, (20, 30)).astype(np.uint8) for _ in range(2))
    truth[rng.random((20, 30)) < 0.1] = UNKNOWN
    return truth, label


def test_iou_by_hand():
    counts = metrics.confusion(np.uint8([[0, 0, 1, UNKNOWN]]), np.uint8([[0, 1, 1, 1]]), 3)
    assert counts.tolist() == [[1, 1, 0], [0, 1, 0], [0, 0, 0]]
    np.testing.assert_array_equal(metrics.iou(counts), [0.5, 0.5, np.nan])
    assert metrics.mean_iou(counts) == 0.5


def test_the_mean_is_over_the_classes_that_count():
    counts = metrics.confusion(np.uint8([[0, 0, 1, 2]]), np.uint8([[0, 1, 1, 1]]), 4)  # 1/2, 1/3, 0, none
    assert metrics.mean_iou(counts, np.array([True, True, False, True])) == pytest.approx((1 / 2 + 1 / 3) / 2)
    assert metrics.mean_iou(counts, np.array([False, False, False, True])) is None
    assert metrics.mean_iou(counts, np.zeros(4, bool)) is None


def test_mean_iou_is_torchmetrics():
    truth, label = maps()
    ours = metrics.mean_iou(metrics.confusion(truth, label, 4))
    theirs = MulticlassJaccardIndex(4, ignore_index=UNKNOWN)(
        torch.from_numpy(label).long(), torch.from_numpy(truth).long()
    )
    assert ours == pytest.approx(theirs.item(), abs=1e-6)


def test_renaming_classes_renames_scores():
    truth, label = maps()
    order = np.array([2, 0, 3, 1])
    names = np.append(order, np.full(252, UNKNOWN)).astype(np.uint8)
    renamed = metrics.iou(metrics.confusion(names[truth], names[label], 4))
    np.testing.assert_allclose(renamed[order], metrics.iou(metrics.confusion(truth, label, 4)))


def test_nothing_scored_is_none():
    assert metrics.mean_iou(np.zeros((3, 3), np.int64)) is None
    assert metrics.boundary_iou(np.zeros((2, 3), np.int64)) is None


def test_an_unknown_pixel_must_be_given_a_class():
    with raises(ValueError, "label of 255", "3 classes"):
        metrics.confusion(np.uint8([[0]]), np.uint8([[UNKNOWN]]), 3)


def band_by_loops(mask, width):
    h, w = mask.shape
    out = np.zeros_like(mask)
    for y, x in np.argwhere(mask):
        around = [(y + dy, x + dx) for dy in range(-width, width + 1) for dx in range(-width, width + 1)]
        out[y, x] = any(not (0 <= v < h and 0 <= u < w) or not mask[v, u] for v, u in around)
    return out


def test_boundary_counts_against_loops():
    truth, label = np.zeros((2, 16, 12), np.uint8)
    truth[3:12, 2:9], label[4:13, 2:10] = 1, 1
    found = metrics.boundary_counts(truth, label, 2, 0.1)  # 0.1 of a diagonal of 20: bands of 2 pixels
    for c in (0, 1):
        a, b = (band_by_loops(m == c, 2) for m in (truth, label))
        assert found[:, c].tolist() == [(a & b).sum(), (a | b).sum()]


def test_boundary_iou_of_equal_maps_is_one():
    truth, _ = maps()
    label = np.where(truth == UNKNOWN, 0, truth).astype(np.uint8)
    assert metrics.boundary_iou(metrics.boundary_counts(truth, label, 4, 0.05)) == 1


def test_rank_correlation_is_that_of_ranks():
    a, b = [0.1, 0.5, 0.5, 0.9, 0.2], [3.0, 4.0, 9.0, 8.0, 1.0]

    def ranks(values):
        return np.array([sum(w < v for w in values) + (sum(w == v for w in values) + 1) / 2 for v in values])

    assert metrics.rank_correlation(a, b) == pytest.approx(np.corrcoef(ranks(a), ranks(b))[0, 1])
    assert metrics.rank_correlation([1.0, 2.0, 3.0], [1.0, 4.0, 9.0]) == pytest.approx(1)


@pytest.mark.parametrize("a, b", [([], []), ([1.0], [2.0]), ([1.0, 1.0], [1.0, 2.0]), ([1.0, 2.0], [3.0, 3.0])])
def test_no_ranks_no_correlation(a, b):
    assert metrics.rank_correlation(a, b) is None


def test_mean_accuracy_is_the_mean_recall_of_the_true_classes():
    counts = metrics.confusion(np.uint8([[0, 0, 0, 0, 1, UNKNOWN]]), np.uint8([[0, 0, 0, 1, 1, 2]]), 3)
    assert metrics.mean_accuracy(counts) == (3 / 4 + 1) / 2
    assert metrics.mean_accuracy(np.zeros((3, 3), np.int64)) is None


@pytest.mark.parametrize("digits", [8, 1])
def test_mean_average_precision_is_that_of_loops_and_torchmetrics(digits):
    """Scores of one digit have many ties."""
    rng = np.random.default_rng(0)
    scores, truth = rng.random((30, 5)).round(digits).astype(np.float32), rng.random((30, 5)) < 0.3
    truth[:, 3] = False
    expected = []
    for c in (0, 1, 2, 4):
        shown = [i for i in range(30) if truth[i, c]]
        precisions = [
            sum(scores[j, c] >= scores[i, c] for j in shown) / sum(scores[j, c] >= scores[i, c] for j in range(30))
            for i in shown
        ]
        expected.append(sum(precisions) / len(shown))
    found = metrics.mean_average_precision(scores, truth)
    assert found == pytest.approx(np.mean(expected))
    columns = [c for c in range(5) if c != 3]
    theirs = MultilabelAveragePrecision(4)(
        torch.from_numpy(scores[:, columns]), torch.from_numpy(truth[:, columns]).long()
    )
    assert found == pytest.approx(theirs.item(), abs=1e-6)
    assert metrics.mean_average_precision(scores, np.zeros_like(truth)) is None
