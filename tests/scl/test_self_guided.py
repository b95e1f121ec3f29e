"""Self-guided learning: Eqs. 5.2 to 5.14 in plain loops, which vectors guide, and that off is the baseline."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from wsss_stages.config.options import Scl
from wsss_stages.nets import backbones
from wsss_stages.scl.few_shot import FewShot
from wsss_stages.scl.head import Head, Scores
from wsss_stages.scl.losses import Settings, losses
from wsss_stages.scl.prototypes import masked_mean
from wsss_stages.scl.self_guided import guide
from wsss_stages.scl.standardise import Standardise


def eq_5_5_and_5_6(F_s, M_s, M_hat):
    sums, areas = torch.zeros(2, len(F_s)), torch.zeros(2)
    for i in np.ndindex(*M_s.shape):
        if M_s[i]:
            missed = int(not M_hat[i])
            sums[missed] += F_s[:, *i]
            areas[missed] += 1
    return sums / areas.clamp(min=1)[:, None]


def test_the_vectors_are_those_of_the_equations(small, name):
    head = small.network(name).head.eval()
    F_s, M_s = torch.rand(3, 8, 6, 5), small.masks(3)
    v_s = masked_mean(F_s, M_s)
    V_s = v_s[:, :, None, None].expand(-1, -1, 6, 5)
    with torch.no_grad():  # half of the nodes are found
        logits = head.support(F_s, torch.stack([v_s, v_s], dim=1)).logits
        head.classify[-1].bias[1] -= (logits[:, 1] - logits[:, 0]).median()
    found = guide(head, F_s, M_s, small.scl)
    seen = []
    head.support = lambda features, V, support=head.support: seen.append(V) or support(features, V)
    guide(head, F_s, M_s, small.scl)
    assert torch.equal(seen[0], torch.stack([v_s, v_s], dim=1))  # Eq. 5.2
    P_s1 = type(head).support(head, F_s, torch.stack([V_s[..., 0, 0], V_s[..., 0, 0]], dim=1)).logits.softmax(dim=1)
    torch.testing.assert_close(found.first.logits.softmax(dim=1), P_s1)
    M_hat = P_s1[:, 1] > P_s1[:, 0]
    assert torch.equal(found.M_hat, M_hat) and (M_s & M_hat).any() and (M_s & ~M_hat).any()
    for V, *arrays in zip(found.V, F_s, M_s, M_hat, strict=True):
        torch.testing.assert_close(V, eq_5_5_and_5_6(*arrays))


class Fixed(Head):
    """A head whose support branch returns given logits."""

    def __init__(self, M_hat):
        super().__init__(Standardise(1), 1, 1, True, False)
        self.logits = torch.stack([~M_hat, M_hat], dim=1).float()

    def support(self, F_s, V):
        return Scores(self.logits)


@pytest.mark.parametrize("right, pri, aux", [(0.0, [0.0], [4.0]), (1.0, [4.0], [0.0])])
def test_nothing_found_leaves_the_primary_vector_empty_and_nothing_missed_the_auxiliary(right, pri, aux):
    F_s, M_s = torch.full((1, 1, 2, 2), 4.0), torch.ones(1, 2, 2, dtype=torch.bool)
    found = guide(Fixed(torch.full((1, 2, 2), bool(right))), F_s, M_s, ("primary", "auxiliary"))
    assert found.V[0].tolist() == [pri, aux]


@pytest.mark.parametrize("vectors", [("initial",), ("primary",), ("auxiliary",), ("initial", "primary", "auxiliary")])
def test_any_of_the_vectors_guide_the_query(small, name, vectors):
    network = small.network(name, vectors).eval()
    query, support, M_s = small.maps(seed=1), small.maps(), small.masks()
    V = network.guide(support, M_s).V
    full = guide(network.head, network.head.embed_support(support.middle), M_s, vectors, first=True)
    assert V.shape == (2, len(vectors), 8) and torch.equal(V, full.V) and full.first is not None
    expected = network.head.query(query, V, network.head.hints(query, support, M_s, torch.ones_like(M_s)))
    torch.testing.assert_close(network(query, support, M_s).logits, expected.logits)


def test_off_is_the_baseline_exactly(small, name):
    """The same parameters, the same scores, and the loss of the query alone."""
    opt = Scl(vectors=["initial"], s1_weight=0, s2_weight=0, inner_weight=0)
    assert not opt.support_branch
    network = small.network(name, small.baseline, opt.support_branch).eval()
    assert not [n for n in network.state_dict() if "of_support" in n or "merge_support" in n]
    query, support, M_s = small.maps(seed=1), small.maps(), small.masks()
    v_s = masked_mean(network.head.embed_support(support.middle), M_s)
    hints = network.head.hints(query, support, M_s, torch.ones_like(M_s))
    expected = network.head.query(query, v_s[:, None], hints).logits
    assert torch.equal(network(query, support, M_s).logits, expected)
    mask = M_s.to(torch.uint8)
    made = losses(network, query, mask, support, mask, opt.fill(Settings))
    torch.testing.assert_close(made, {"query": F.cross_entropy(expected, mask.long())})


def eq_5_7(logits, mask):
    P = logits.softmax(dim=1)
    terms = [-P[b, int(mask[b, y, x]), y, x].log() for b, y, x in np.ndindex(*mask.shape) if mask[b, y, x] != 255]
    return torch.stack(terms).mean()


def test_the_losses_of_query_and_support(small, name):
    network = small.network(name).eval()
    query, support = small.maps(seed=1), small.maps()
    query_mask, mask = (small.masks(seed=s).to(torch.uint8) for s in (1, 2))
    query_mask[0, 3, 3] = 255
    opt = Scl(s1_weight=0.5, s2_weight=2.0, inner_weight=0.25)
    made = losses(network, query, query_mask, support, mask, opt.fill(Settings))
    F_s, M_s = network.head.embed_support(support.middle), mask == 1
    guidance = guide(network.head, F_s, M_s, small.scl)
    hints = network.head.hints(query, support, M_s, mask != 255)
    scores = {
        "query": (network.head.query(query, guidance.V, hints), query_mask, 1.0),
        "s1": (guidance.first, mask, 0.5),
        "s2": (network.head.support(F_s, guidance.V), mask, 2.0),
    }
    for term, (logits, truth, weight) in scores.items():
        torch.testing.assert_close(made.pop(term), weight * eq_5_7(logits.logits, truth))
        if logits.inner:
            up = [F.interpolate(m, (6, 5), mode="bilinear", align_corners=False) for m in logits.inner]
            expected = sum(eq_5_7(m, truth) for m in up) / len(up)
            torch.testing.assert_close(made.pop(f"{term}, inner"), 0.25 * weight * expected)
    assert not made


def test_balanced_losses_give_the_foreground_half_of_the_weight(small, name):
    network = small.network(name).eval()
    mask = small.masks().to(torch.uint8)
    arguments = (small.maps(seed=1), mask, small.maps(), mask)
    found = losses(network, *arguments, Scl(inner_weight=0, balanced_ce=True).fill(Settings))["query"]
    logits = network(arguments[0], arguments[2], mask == 1).logits
    terms = F.cross_entropy(logits, mask.long(), reduction="none")
    torch.testing.assert_close(found, (terms[mask == 0].mean() + terms[mask == 1].mean()) / 2)


def test_a_loss_of_weight_nothing_is_left_out_and_the_others_stay(small, name):
    network = small.network(name).eval()
    arguments = (small.maps(seed=1), small.masks(seed=1).to(torch.uint8), small.maps(), small.masks().to(torch.uint8))
    whole, without = (losses(network, *arguments, Scl(s1_weight=w, inner_weight=0).fill(Settings)) for w in (1, 0))
    assert set(whole) - set(without) == {"s1"}
    torch.testing.assert_close({n: whole[n] for n in without}, without)


def test_every_parameter_of_the_head_learns_and_none_of_the_backbone(small, name):
    network = small.network(name, channels=16).train()
    assert not network.backbone.training and network.head.training
    mask = small.masks(8).to(torch.uint8)
    made = losses(network, small.maps(8, seed=1), mask, small.maps(8), mask, Scl().fill(Settings))
    sum(made.values()).backward()
    assert not [n for n, p in network.head.named_parameters() if p.grad is None]
    assert all(p.grad is None and not p.requires_grad for p in network.backbone.parameters())


def test_gradients_reach_the_weights_in_half_precision(small, name):
    """A cast made without gradient, of the history, must not serve a pass with one."""
    network = small.network(name).train()
    if name == "canet":
        network.head.history_drop = 0.0
    mask = small.masks().to(torch.uint8)
    with torch.autocast("cpu", torch.bfloat16):
        made = losses(network, small.maps(seed=1), mask, small.maps(), mask, Scl().fill(Settings))
    sum(value.float() for value in made.values()).backward()
    assert not [n for n, p in network.head.named_parameters() if p.grad is None]


def test_the_backbone_is_frozen_in_evaluation_mode(small, name):
    network = small.network(name)
    image = torch.rand(1, 3, 48, 40)
    before = {n: t.clone() for n, t in network.backbone.state_dict().items()}
    found = network.train().encode(image)
    assert found.middle.shape == (1, small.inputs, 6, 5) and found.deep is None
    network.head.deep = True
    assert network.encode(image).deep.shape == (1, 128, 6, 5)
    assert not found.middle.requires_grad and torch.equal(found.middle, network.eval().encode(image).middle)
    assert all(torch.equal(t, before[n]) for n, t in network.backbone.state_dict().items())


def test_a_query_without_the_supports_class_has_nothing_to_find(small, name):
    """The query's loss is the mean of -log P(background); the support's losses stay."""
    network = small.network(name).eval()
    query, support, mask = small.maps(seed=1), small.maps(), small.masks().to(torch.uint8)
    empty = torch.zeros_like(mask)
    opt = Scl(inner_weight=0)
    made, positive = (losses(network, query, truth, support, mask, opt.fill(Settings)) for truth in (empty, mask))
    background = network(query, support, mask == 1).logits.softmax(dim=1)[:, 0]
    torch.testing.assert_close(made["query"], -background.log().mean())
    assert made["s1"] == positive["s1"] and made["s2"] == positive["s2"]
    balanced = losses(network, query, empty, support, mask, Scl(inner_weight=0, balanced_ce=True).fill(Settings))
    torch.testing.assert_close(balanced["query"], -background.log().mean() / 2)


@pytest.mark.parametrize("balanced", [False, True])
def test_a_support_without_foreground_gives_nothing_and_learns_that_it_has_none(small, name, balanced):
    network = small.network(name).train()
    query, support, empty = small.maps(seed=1), small.maps(), torch.zeros(2, 6, 5, dtype=torch.uint8)
    guidance = network.guide(support, empty == 1)
    assert (guidance.V == 0).all() and guidance.M_hat.shape == (2, 6, 5)
    hints = network.head.hints(query, support, empty == 1, torch.ones_like(empty, dtype=torch.bool))
    assert hints.isfinite().all() and (hints >= 0).all() and (hints <= 1).all()
    made = losses(network, query, empty, support, empty, Scl(balanced_ce=balanced).fill(Settings))
    sum(made.values()).backward()
    assert all(p.grad.isfinite().all() for p in network.head.parameters() if p.grad is not None)
    assert {"query", "s1", "s2"} <= set(made) and all(value > 0 for value in made.values())


def test_a_query_and_its_support_are_seen_without_the_same_channels_in_training_alone(small):
    head = small.head("canet")
    network = FewShot(backbones.build("tiny", 8, False), head, small.scl, feature_dropout=0.5)
    query, support = small.maps(seed=1), small.maps()
    for part, other in zip(network.eval().partly(query, support), (query, support), strict=True):
        assert torch.equal(part.middle, other.middle)
    found = network.train().partly(query, support)
    hidden = [(part.middle == 0).all(dim=(2, 3)) for part in found]
    assert torch.equal(*hidden) and 0.35 < hidden[0].float().mean() < 0.65
    assert not torch.equal(hidden[0][0], hidden[0][1])  # pairs are seen differently
    for part, other, gone in zip(found, (query, support), hidden, strict=True):
        torch.testing.assert_close(part.middle, torch.where(gone[:, :, None, None], 0, 2 * other.middle))
