"""CANet: its dense comparison, what the branches share, and the refinement with a history."""

import torch
import torch.nn.functional as F

from wsss_stages.scl.canet import CaNet
from wsss_stages.scl.prototypes import spread
from wsss_stages.scl.standardise import Standardise


def residual(block, x):
    _, first, _, second = block
    return second(F.relu(first(F.relu(x))))


def decoded(head, x):
    """Two residual blocks, then ASPP with rates 1, 6, 12, 18 and the whole map, without dropout."""
    for block in head.residual:
        x = x + residual(block, x)
    parts = [
        F.relu(F.conv2d(x, conv[0].weight, conv[0].bias, padding=rate * (conv[0].kernel_size[0] // 2), dilation=rate))
        for conv, rate in zip(head.aspp, (1, 6, 12, 18), strict=True)
    ]
    parts.append(F.relu(head.whole[0](x.mean(dim=(2, 3), keepdim=True))).expand_as(x))
    return head.classify[-1](F.relu(head.classify[0](torch.cat(parts, dim=1))))


def compared(head, features, V):
    wide = spread(features, V)
    return F.relu(F.conv2d(wide, head.compare[0].weight, head.compare[0].bias, padding=2, dilation=2))


def embedded(head, middle):
    return F.relu(F.conv2d(middle, head.embed[0].weight, head.embed[0].bias, padding=2, dilation=2))


def test_a_query_is_refined_with_the_prediction_before(small):
    head = small.head("canet").eval()
    query, V, similar = small.maps(seed=1), torch.rand(2, 2, 8), 0.1 + 0.8 * torch.rand(2, 1, 6, 5)
    x = compared(head, embedded(head, query.middle), V)
    history = torch.zeros(2, 2, 6, 5)
    for rounds in range(4):
        logits = decoded(head, x + residual(head.first_of_query, torch.cat([x, similar, history], dim=1)))
        foreground = torch.log(similar / (1 - similar)) - 1
        logits = logits + torch.cat([-foreground, foreground], dim=1) / 2
        head.rounds = rounds
        torch.testing.assert_close(head.query(query, V, similar).logits, logits)
        history = logits.softmax(dim=1)


def test_a_support_has_a_first_block_of_its_own_and_no_history(small):
    head = small.head("canet").eval()
    F_s, V = torch.rand(2, 8, 6, 5), torch.rand(2, 2, 8)
    x = compared(head, F_s, V)
    expected = decoded(head, x + residual(head.first_of_support, x))
    torch.testing.assert_close(head.support(F_s, V).logits, expected)
    assert head.embed_support(small.maps().middle).equal(embedded(head, small.maps().middle))


def test_a_share_of_the_training_queries_sees_no_history(small):
    query, V, similar = small.maps(64, 2, 2), torch.rand(64, 2, 8), torch.rand(64, 1, 2, 2)
    head = small.head("canet")
    for module in head.modules():
        if isinstance(module, torch.nn.Dropout2d):
            module.p = 0.0
    seen = []
    head.first_of_query.register_forward_hook(lambda _block, inputs, _output: seen.append(inputs[0][:, -2:]))
    head.train().query(query, V, similar)
    empty, history = seen
    assert (empty == 0).all()
    head.eval().rounds = 0
    P = head.query(query, V, similar).logits.softmax(dim=1)
    dropped = (history.flatten(1) == 0).all(dim=1)
    assert 30 <= dropped.sum() <= 60  # of 64 about 0.7
    torch.testing.assert_close(history[~dropped], P[~dropped])


def test_widths_of_the_thesis():
    head = CaNet(Standardise(1536), 256, 2, True, False, 0.5, 0.7)
    assert head.embed[0].weight.shape == (256, 1536, 3, 3) and head.compare[0].weight.shape == (256, 768, 3, 3)
    assert head.first_of_query[1].in_channels == 258 and head.classify[0].in_channels == 1280
    assert CaNet(Standardise(1536), 256, 1, False, False, 0.5, 0.7).compare[0].in_channels == 512


def test_principal_directions_and_a_similarity_change_the_widths_of_the_first_layers_alone():
    head = CaNet(Standardise(1536, 100), 256, 2, True, True, 0.5, 0.7)
    assert head.embed[0].in_channels == 100 and head.first_of_query[1].in_channels == 259
    assert head.first_of_support[1].in_channels == 256 and head.compare[0].in_channels == 768
