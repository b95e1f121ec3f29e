"""PFENet: the prior mask by plain loops, scales from fine to coarse, what the branches share."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from wsss_stages.scl.pfenet import PfeNet, prior_mask
from wsss_stages.scl.prototypes import spread
from wsss_stages.scl.standardise import Standardise


def prior_by_loops(q, s, M_s):
    best = torch.zeros(q.shape[1:])
    for i in np.ndindex(*best.shape):
        cosines = [
            F.cosine_similarity(q[:, *i], s[:, *j], dim=0) if M_s[j] else torch.zeros(())
            for j in np.ndindex(*M_s.shape)
        ]
        best[i] = torch.stack(cosines).max()
    return (best - best.min()) / (best.max() - best.min())


def test_the_prior_is_the_best_cosine_with_the_foreground_from_0_to_1():
    q, s, M_s = torch.randn(2, 6, 3, 4), torch.randn(2, 6, 3, 4), torch.rand(2, 3, 4) < 0.5
    found = prior_mask(q, s, M_s)
    for b in range(2):
        torch.testing.assert_close(found[b, 0], prior_by_loops(q[b], s[b], M_s[b]), rtol=1e-5, atol=1e-5)


def test_a_query_that_is_alike_everywhere_has_no_prior():
    q, s = torch.ones(1, 3, 2, 2), torch.ones(1, 3, 2, 2)
    assert (prior_mask(q, s, torch.ones(1, 2, 2, dtype=torch.bool)) == 0).all()
    assert (prior_mask(q, s, torch.zeros(1, 2, 2, dtype=torch.bool)) == 0).all()


def resized(m, size):
    return F.interpolate(m, size, mode="bilinear", align_corners=True)


def classified(layers, x):
    first, _, _, last = layers
    return last(F.relu(first(x)))


def twice(layers, x):
    return F.relu(layers[2](F.relu(layers[0](x))))


def decoded(head, merge, wide):
    """Read off Fig. 5.5 for a map of 6 x 5 at sides 1, 1/2 and 1/4."""
    before, scales = None, []
    for number, size in enumerate([(6, 5), (3, 2), (2, 1)]):
        x = F.relu(merge[number][0](F.adaptive_avg_pool2d(wide, size)))
        if before is not None:
            x = x + F.relu(head.alpha[number - 1][0](torch.cat([x, resized(before, size)], dim=1)))
        before = x + twice(head.beta[number], x)
        scales.append(before)
    gathered = F.relu(head.gather[0](torch.cat([resized(scale, (6, 5)) for scale in scales], dim=1)))
    logits = classified(head.classify, gathered + twice(head.residual, gathered))
    return logits, [classified(layers, scale) for layers, scale in zip(head.inner, scales, strict=True)]


def test_scales_go_from_the_finest_to_the_coarsest(small):
    head = small.head("pfenet").eval()
    query, V, hints = small.maps(seed=1), torch.rand(2, 2, 8), 0.1 + 0.8 * torch.rand(2, 2, 6, 5)
    F_q = F.relu(head.embed_q[0](query.middle))
    found = head.query(query, V, hints)
    logits, inner = decoded(head, head.merge_query, torch.cat([spread(F_q, V), hints], dim=1))
    foreground = torch.log(hints[:, 1:] / (1 - hints[:, 1:])) - 1
    torch.testing.assert_close(found.logits, logits + torch.cat([-foreground, foreground], dim=1) / 2)
    torch.testing.assert_close(found.inner, inner)


@pytest.mark.parametrize("deep", [True, False])
def test_the_prior_is_of_the_last_or_of_the_middle_maps_and_stands_before_the_similarity(small, deep):
    query, support, M_s, known = small.maps(seed=1), small.maps(), small.masks(), small.masks(seed=2)
    found = small.head("pfenet", deep=deep).hints(query, support, M_s, known)
    of_query, of_support = (m.deep if deep else m.middle for m in (query, support))
    assert torch.equal(found[:, :1], prior_mask(of_query, of_support, M_s))
    similar = small.head("canet").hints(query, support, M_s, known)
    assert similar.shape == (2, 1, 6, 5) and torch.equal(found[:, 1:], similar)
    alone = small.head("pfenet", deep=deep, with_similarity=False).hints(query, support, M_s, known)
    assert torch.equal(alone, found[:, :1])


def test_supports_together_have_the_mean_of_their_priors(small):
    head = small.head("pfenet")
    query, supports, M_s, known = (
        small.maps(1, seed=1),
        small.maps(3),
        small.masks(3),
        torch.ones(3, 6, 5, dtype=torch.bool),
    )
    alone, together = (head.hints(query, supports, M_s, known, joint) for joint in (False, True))
    torch.testing.assert_close(together[:, 0], alone[:, 0].mean(dim=0).expand(3, -1, -1))


def test_a_support_merges_by_itself_and_has_no_prior(small):
    head = small.head("pfenet").eval()
    F_s, V = torch.rand(2, 8, 6, 5), torch.rand(2, 2, 8)
    found = head.support(F_s, V)
    logits, inner = decoded(head, head.merge_support, spread(F_s, V))
    torch.testing.assert_close(found.logits, logits)
    torch.testing.assert_close(found.inner, inner)
    middle = small.maps().middle
    assert torch.equal(head.embed_support(middle), F.relu(head.embed_s[0](middle)))
    assert not torch.equal(head.embed_s[0].weight, head.embed_q[0].weight)


@pytest.mark.parametrize("vectors, merged", [(1, 513), (2, 769)])
def test_widths_and_bins_of_the_thesis(vectors, merged):
    head = PfeNet(Standardise(1536), 256, vectors, vectors == 2, False, 0.5, [1.0, 0.5, 0.25, 0.125], True)
    assert head.embed_q[0].weight.shape == (256, 1536, 1, 1)
    assert [layers[0].in_channels for layers in head.merge_query] == [merged] * 4
    assert head.gather[0].in_channels == 1024 and len(head.alpha) == 3 and head.alpha[0][0].in_channels == 512
    assert [max(1, round(60 * b)) for b in head.bins] == [60, 30, 15, 8]
    if vectors == 2:
        assert head.merge_support[0][0].in_channels == 768
