"""The per-image training: batches, sizes and padding change nothing; seeds spread along edges."""

from dataclasses import replace

import pytest
import torch

from tests.messages import raises
from wsss_stages.a2gnn import propagate
from wsss_stages.a2gnn.propagate import DivergedError, Graph, Settings, train
from wsss_stages.config.options import Propagate
from wsss_stages.pairwise import windows

WINDOW = windows.offsets(2, "square")
QUICK = Propagate(hidden=8, epochs_first=3, epochs_second=3, reg_radius=2, features=6).fill(Settings)


def graph(name="a", h=9, w=7, rows=3, seed=0, boxes=1):
    generator = torch.Generator().manual_seed(seed + 1)
    E = torch.rand(len(WINDOW), h, w, generator=generator) * windows.exists(h, w, WINDOW, "cpu")
    E[WINDOW.index((0, 0))] = 1
    mask = torch.zeros(boxes, h, w, dtype=torch.bool)
    mask[:, 2:6, 1:5] = True
    seeds = torch.randint(-1, rows, (h, w), generator=generator)
    X = torch.rand(h, w, 6, generator=generator)
    colour = torch.rand(3, h, w, generator=generator)
    return Graph(name, X, E, colour, seeds, mask, torch.ones(boxes, dtype=torch.long), rows, seed)


def logits(graphs, window, opt):
    return [trained.logits for trained in train(graphs, window, opt)]


def test_many_at_once_is_one_at_a_time():
    graphs = [graph("a", 9, 7, 3, 0), graph("b", 12, 5, 2, 1), graph("c", 8, 8, 4, 2, boxes=2)]
    together = logits(graphs, WINDOW, QUICK)
    for g, found in zip(graphs, together, strict=True):
        (alone,) = logits([g], WINDOW, QUICK)
        assert found.shape == (g.rows, *g.X.shape[:2])
        torch.testing.assert_close(found, alone, atol=1e-4, rtol=1e-4)


def test_every_loss_term_changes_the_result():
    base = logits([graph()], WINDOW, QUICK)[0]
    for change in ({"mp_weight": 0.0}, {"reg_weight": 0.0}, {"consistency": "none"}, {"edge_weight": 0.0}):
        other = logits([graph()], WINDOW, replace(QUICK, **change))[0]
        assert not torch.allclose(base, other), change


def test_dropout_takes_features_away_and_keeps_their_mean():
    some, none = (logits([graph()], WINDOW, replace(QUICK, dropout=share))[0] for share in (0.5, 0.0))
    assert not torch.allclose(some, none)
    wide = replace(QUICK, hidden=64)
    kept = propagate._Networks(propagate._Batch([graph()], WINDOW, wide), wide)._kept(0.25)
    assert kept.unique().tolist() == pytest.approx([0, 4 / 3])
    assert (kept == 0).double().mean().item() == pytest.approx(0.25, abs=0.03)


def test_the_first_stage_has_neither_regularised_loss_nor_consistency():
    first = replace(QUICK, epochs_second=0)
    off = replace(first, reg_weight=0.0, consistency="none")
    torch.testing.assert_close(logits([graph()], WINDOW, first)[0], logits([graph()], WINDOW, off)[0])


def test_without_any_seed_or_box_the_labels_are_finite():
    g = graph(boxes=0)
    g.seeds = torch.full_like(g.seeds, -1)
    assert logits([g], WINDOW, QUICK)[0].isfinite().all()


def test_two_halves_of_an_image_take_the_class_of_their_one_seed():
    g = graph(h=8, w=16, rows=2, boxes=0)
    left = torch.arange(16) < 8
    g.X = (
        torch.where(left[None, :, None], torch.tensor([1.0, 0, 0, 0, 0, 0]), torch.tensor([0, 1.0, 0, 0, 0, 0])) + 0.01
    )
    g.X = g.X.expand(8, 16, 6).contiguous()
    same = windows.neighbours(left.float().expand(8, 16), WINDOW, -1.0) == left.float()
    g.E = same * 1.0
    g.seeds = torch.full((8, 16), -1)
    g.seeds[4, 2], g.seeds[4, 12] = 0, 1
    found = logits([g], WINDOW, replace(QUICK, epochs_first=30, dropout=0.0))[0].argmax(dim=0)
    assert torch.equal(found, (~left).long().expand(8, 16))


def test_a_network_that_diverges_names_its_image():
    g = graph("photo_17")
    g.X = g.X * float("nan")
    with raises(DivergedError, "photo_17", "finite", "epoch 0", "--lr"):
        train([g], WINDOW, QUICK)


def test_an_image_whose_labels_settle_keeps_the_weights_of_that_epoch():
    long = replace(QUICK, epochs_second=10, stop_below=0.999)
    found = logits([graph()], WINDOW, long)[0]
    torch.testing.assert_close(found, logits([graph()], WINDOW, replace(QUICK, epochs_second=2))[0])


def test_images_that_settle_in_different_epochs_do_not_know_of_each_other():
    opt = replace(QUICK, epochs_second=20, stop_below=0.02)
    graphs = [graph("a", 9, 7, 3, 0), graph("b", 12, 5, 2, 1), graph("c", 8, 8, 4, 2, boxes=2)]
    never = [logits([g], WINDOW, replace(opt, stop_below=0.0))[0] for g in graphs]
    alone = [logits([g], WINDOW, opt)[0] for g in graphs]
    assert any(not torch.allclose(a, b) for a, b in zip(alone, never, strict=True))
    for found, expected in zip(logits(graphs, WINDOW, opt), alone, strict=True):
        torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(
    "change", [{"layer": "edges"}, {"layer": "gcn"}, {"layer": "gat"}, {"layer": "agnn"}, {"edge_weight": 0.0}]
)
def test_other_layers_train_and_give_other_labels(change):
    first = replace(QUICK, epochs_second=0)  # later the least rounding may choose another point
    opt = replace(first, **change)
    graphs = [graph("a", 9, 7, 3, 0), graph("b", 12, 5, 2, 1)]
    together = train(graphs, WINDOW, opt)
    for g, found in zip(graphs, together, strict=True):
        torch.testing.assert_close(found.logits, train([g], WINDOW, opt)[0].logits, atol=1e-4, rtol=1e-4)
        assert not torch.allclose(found.logits, train([g], WINDOW, first)[0].logits)


def test_superpixels_as_nodes_have_one_label_each():
    g = graph()
    g.parts = torch.arange(9)[:, None].expand(9, 7) // 3 * 2 + (torch.arange(7) > 3)
    logits = train([g], WINDOW, QUICK)[0].logits
    for part in range(6):
        assert torch.allclose(logits[:, g.parts == part].std(dim=1), torch.zeros(3), atol=1e-5)
    assert logits.std() > 0


def test_seeds_that_look_like_background_do_not_survive():
    g = graph(h=8, w=8, rows=2)
    mask = torch.zeros(8, 8, dtype=torch.bool)
    mask[2:6, 2:6] = True
    wrong = mask & torch.eye(8, dtype=torch.bool)
    g.boxes, g.seeds = mask[None], mask.long()
    g.X = torch.where(
        (mask & ~wrong)[..., None], torch.tensor([1.0, 0, 0, 0, 0, 0]), torch.tensor([0, 1.0, 0, 0, 0, 0])
    )
    g.X = g.X + 0.01
    g.E = torch.zeros_like(g.E)
    g.E[WINDOW.index((0, 0))] = 1
    opt = replace(QUICK, epochs_first=30, dropout=0.0)
    (found,) = train([g], WINDOW, opt)
    assert (found.object_seeds, found.inconsistent) == (16, 4)
    (unchecked,) = train([g], WINDOW, replace(opt, consistency="none"))
    assert (unchecked.object_seeds, unchecked.inconsistent) == (0, 0)


def test_seeds_are_counted_per_image_and_not_without_boxes():
    graphs = [graph("a", 9, 7, 3, 0), graph("b", 12, 5, 2, 1, boxes=0), graph("c", 8, 8, 4, 2, boxes=2)]
    together = [(t.object_seeds, t.inconsistent) for t in train(graphs, WINDOW, QUICK)]
    alone = [(t.object_seeds, t.inconsistent) for g in graphs for t in train([g], WINDOW, QUICK)]
    assert together == alone
    assert [seeds for seeds, _ in together] == [int((graphs[0].seeds > 0).sum()), 0, int((graphs[2].seeds > 0).sum())]
    assert any(dropped for _, dropped in together)
