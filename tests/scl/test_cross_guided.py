"""Cross-guided fusion: Eqs. 5.15 to 5.17 in plain loops; order, copies and number of the supports."""

import numpy as np
import pytest
import torch

from tests.messages import raises
from wsss_stages.scl.cross_guided import fuse, iou, mutual_iou, quality

KNOWN = torch.ones(3, 6, 5, dtype=torch.bool)


def plain_iou(predicted, M, known):
    both = either = 0
    for i in np.ndindex(*M.shape):
        both += bool(known[i] and predicted[i] and M[i])
        either += bool(known[i] and (predicted[i] or M[i]))
    return both / either if either else 0.0


def eq_5_15_and_5_16(network, supports, M_s, known, path):
    K = len(M_s)
    U = torch.zeros(K)
    for k in range(K):
        of_k, M_k = supports.take([k]), M_s[[k]]
        for i in range(K):
            if path == "query":
                scores = network(supports.take([i]), of_k, M_k, known[[k]])
            else:
                F_i = network.head.embed_support(supports.take([i]).middle)
                scores = network.head.support(F_i, network.guide(of_k, M_k).V)
            predicted = scores.logits[0, 1] > scores.logits[0, 0]
            U[k] += plain_iou(predicted, M_s[i], known[i]) / K
    return U


@pytest.mark.parametrize("path", ["support", "query"])
def test_a_support_counts_as_it_segments_the_others(small, name, path):
    network = small.network(name, channels=16).eval()
    supports, M_s, known = small.maps(3), small.masks(3), KNOWN.clone()
    known[1, 2:] = False
    found = mutual_iou(network.head, network.guide(supports, M_s), supports, M_s, known, path)
    assert found.shape == (3, 3) and found.min() < found.max()
    torch.testing.assert_close(quality(found), eq_5_15_and_5_16(network, supports, M_s, known, path))


def test_iou_of_masks_without_foreground_is_nothing():
    M = torch.zeros(2, 2, 2, dtype=torch.bool)
    predicted = M.clone()
    predicted[1, 0, 0] = M[1, 0, 0] = M[1, 1, 1] = True
    assert iou(predicted, M, torch.ones_like(M)).tolist() == [0, 0.5]


def test_scores_are_weighted_by_quality():
    logits, U = torch.randn(4, 2, 3, 5), torch.tensor([0.1, 0.0, 0.6, 0.3])
    total = sum(U[k] * logits[k] for k in range(4)) / sum(U)
    torch.testing.assert_close(fuse(logits, U), total)
    by_print = (sum(U[k] * logits[k] for k in range(4)) / 4).argmax(dim=0)  # Eq. 5.17 as printed has the same classes
    assert torch.equal(fuse(logits, U).argmax(dim=0), by_print)


def test_without_quality_or_where_no_support_has_any_the_average():
    logits = torch.randn(3, 2, 4, 4)
    torch.testing.assert_close(fuse(logits), logits.mean(dim=0))
    torch.testing.assert_close(fuse(logits, torch.zeros(3)), logits.mean(dim=0))


def test_no_support_is_refused():
    with raises(ValueError, "no support", "K = 0"):
        fuse(torch.zeros(0, 2, 3, 3))


def answer(network, query, supports, M_s, path):
    """The fused score of one query."""
    K = len(M_s)
    guidance = network.guide(supports, M_s)
    hints = network.head.hints(query, supports, M_s, torch.ones_like(M_s))
    logits = network.head.query(query, guidance.V, hints).logits
    ious = mutual_iou(network.head, guidance, supports, M_s, KNOWN[:1].expand(K, -1, -1), path)
    return fuse(logits, quality(ious))


def test_one_query_under_all_supports_is_a_query_under_each(small, name):
    network = small.network(name).eval()
    query, supports, M_s = small.maps(1, seed=1), small.maps(3), small.masks(3)
    hints = network.head.hints(query, supports, M_s, torch.ones_like(M_s))
    found = network.head.query(query, network.guide(supports, M_s).V, hints).logits
    torch.testing.assert_close(found, network(query.take([0, 0, 0]), supports, M_s).logits)


@pytest.mark.parametrize("path", ["support", "query"])
def test_the_order_of_the_supports_changes_nothing(small, name, path):
    network = small.network(name, channels=16).eval()
    query, supports, M_s = small.maps(1, seed=1), small.maps(4), small.masks(4)
    with torch.no_grad():
        expected = answer(network, query, supports, M_s, path)
        order = [2, 0, 3, 1]
        torch.testing.assert_close(answer(network, query, supports.take(order), M_s[order], path), expected)


@pytest.mark.parametrize("path", ["support", "query"])
def test_k_copies_of_one_support_are_that_support(small, name, path):
    network = small.network(name, channels=16).eval()
    query, support, M_s = small.maps(1, seed=1), small.maps(1), small.masks(1)
    with torch.no_grad():
        one = network(query, support, M_s).logits[0]
        for K in (1, 2, 5):
            rows = [0] * K
            torch.testing.assert_close(answer(network, query, support.take(rows), M_s[rows], path), one)


def test_the_baseline_has_no_support_branch_to_weigh_by(small, name):
    network = small.network(name, small.baseline, False).eval()
    supports, M_s = small.maps(3), small.masks(3)
    guidance = network.guide(supports, M_s)
    with raises(ValueError, "support branch", "cross_path: query"):
        mutual_iou(network.head, guidance, supports, M_s, KNOWN)
    assert mutual_iou(network.head, guidance, supports, M_s, KNOWN, "query").shape == (3, 3)
