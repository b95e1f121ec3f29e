"""Prototypes and similarities in plain loops, several supports together, and what they find without training."""

import numpy as np
import pytest
import torch

from wsss_stages.scl.head import Maps
from wsss_stages.scl.similarity import joined, prototypes, similarity
from wsss_stages.scl.untrained import THRESHOLDS, Untrained, best_threshold, confusions


def cosine(a, b):
    return (a @ b / (a.norm() * b.norm())).item() if a.norm() and b.norm() else 0.0


def means(middle, M_s, known):
    """Return the means of an image's background and foreground over known nodes."""
    nodes = [[middle[:, *i] for i in np.ndindex(*M_s.shape) if known[i] and M_s[i] == label] for label in (False, True)]
    return [torch.stack(vectors).mean(dim=0) if vectors else torch.zeros(len(middle)) for vectors in nodes]


def test_the_similarity_is_the_cosine_with_the_object_less_that_with_the_rest(small):
    query, support, M_s, known = small.maps(seed=1), small.maps(), small.masks(), small.masks(seed=2)
    found = similarity(query.middle - 0.5, prototypes(support.middle - 0.5, M_s, known))
    for b in range(2):
        background, foreground = means(support.middle[b] - 0.5, M_s[b], known[b])
        for i in np.ndindex(6, 5):
            node = query.middle[b][:, *i] - 0.5
            assert found[b, *i].item() == pytest.approx(cosine(node, foreground) - cosine(node, background), abs=1e-5)


def test_a_support_without_an_object_and_one_without_anything_known():
    middle, nothing = torch.randn(1, 4, 2, 3), torch.zeros(1, 2, 3, dtype=torch.bool)
    P = prototypes(middle, nothing, ~nothing)
    assert (P[0, 1] == 0).all() and P[0, 0].norm().item() == pytest.approx(1)
    assert (similarity(middle, prototypes(middle, nothing, nothing)) == 0).all()


def test_supports_together_are_the_mean_of_their_prototypes(small):
    query, supports, M_s, known = small.maps(1, seed=1), small.maps(3), small.masks(3), small.masks(3, seed=2)
    P = prototypes(supports.middle, M_s, known)
    expected = similarity(query.middle, torch.nn.functional.normalize((P[0] + P[1] + P[2])[None] / 3, dim=2))
    torch.testing.assert_close(similarity(query.middle, joined(P)), expected)
    hints = small.head("canet").hints(query, supports, M_s, known, together=True)
    torch.testing.assert_close(hints, torch.sigmoid(10 * expected)[:, None].expand(3, -1, -1, -1))
    alone = small.head("canet").hints(query, supports, M_s, known)
    torch.testing.assert_close(alone[:, 0], torch.sigmoid(10 * similarity(query.middle, P)))


def test_copies_of_a_support_say_what_it_says(small):
    query, support, M_s, known = small.maps(1, seed=1), small.maps(1), small.masks(1), small.masks(1, seed=2)
    one, four = (Untrained(support.take([0] * k), M_s[[0] * k], known[[0] * k], 0.1).scores(query, k) for k in (1, 4))
    torch.testing.assert_close(one, four)


def test_foreground_is_what_is_more_similar_than_the_threshold(small):
    """Maps of two orthogonal directions let the object be found to the node."""
    M = small.masks(1)
    middle = torch.zeros(1, 4, 6, 5)
    middle[0, 0], middle[0, 1] = M[0].float(), (~M[0]).float()
    answers = Untrained(Maps(middle), M, torch.ones_like(M), 0.3)
    scores = answers.scores(Maps(middle), 1)
    assert torch.equal(scores.argmax(dim=1) == 1, M)
    torch.testing.assert_close(scores[0, 1][M[0]], torch.full((int(M.sum()),), 0.7))


def test_confusions_of_every_threshold_by_loops():
    rng = np.random.default_rng(0)
    found, mask = rng.uniform(-0.5, 0.7, (7, 9)), rng.choice([0, 1, 255], (7, 9)).astype(np.uint8)
    found[0, 0] = THRESHOLDS[5]  # not above it
    counts = confusions(found, mask)
    for number, threshold in enumerate(THRESHOLDS):
        expected = np.zeros((2, 2), int)
        for i in np.ndindex(7, 9):
            if mask[i] != 255:
                expected[mask[i], int(found[i] > threshold)] += 1
        assert (counts[number] == expected).all()


def test_the_threshold_is_the_best_of_the_mean_over_classes():
    """A class of one episode counts as much as one of nine."""

    def episode(cls, foreground, background):
        return cls, np.array([[foreground, background]]), np.array([[1, 0]], np.uint8)

    assert 0.1 <= best_threshold([episode(1, 0.21, 0.11)], 3) < 0.2
    many, one = [episode(1, 0.21, 0.01)] * 9, episode(2, 0.41, 0.31)
    assert 0.01 <= best_threshold([*many, one], 3) < 0.2
    three = [episode(c, 0.41, 0.31) for c in (2, 3, 4)]
    assert 0.31 <= best_threshold([*many, *three], 5) < 0.41


def test_a_head_that_adds_nothing_says_what_prototypes_alone_say(small, name):
    """The threshold is that of a head that has not learned."""
    head = small.head(name).eval()
    query, support, M_s, known = small.maps(seed=1), small.maps(), small.masks(), small.masks(seed=2)
    with torch.no_grad():
        head.classify[-1].weight.zero_()
        head.classify[-1].bias.zero_()
    found = head.query(query, torch.rand(2, 2, 8), head.hints(query, support, M_s, known)).logits
    alone = [Untrained(support.take([k]), M_s[[k]], known[[k]], 0.1).scores(query.take([k]), 1) for k in (0, 1)]
    torch.testing.assert_close((found[:, 1] - found[:, 0]) / 10, torch.cat(alone)[:, 1], atol=1e-5, rtol=1e-4)
