"""The walk is chosen by seeds that it does not see; the affinity's mean across and inside outlines, by loops."""

import numpy as np
import torch

from wsss_stages import UNKNOWN
from wsss_stages.a2gnn import walk
from wsss_stages.evaluation.agreement import mean_edges
from wsss_stages.labels.random_walk import one_hot, random_walk
from wsss_stages.pairwise import windows

WINDOW = windows.offsets(2, "square")


def two_halves(between):
    """8 x 12 nodes, class 0 at the left and 1 in four columns at the right; edges of 1 within and of `between` across."""
    seeds = torch.zeros(8, 12, dtype=torch.long)
    seeds[:, 8:] = 1
    same = windows.neighbours(seeds.float(), WINDOW, -1.0) == seeds
    E = torch.where(same, 1.0, between) * windows.exists(8, 12, WINDOW, "cpu")
    return seeds, E


def test_seeds_are_hidden_in_whole_squares_about_a_quarter_of_them():
    found = walk.hidden(40, 41, np.random.default_rng(0))
    for y in range(0, 40, walk.SIDE):
        for x in range(0, 41, walk.SIDE):
            square = found[y : y + walk.SIDE, x : x + walk.SIDE]
            assert square.all() or not square.any()
    assert found.shape == (40, 41) and 0.1 < found.float().mean() < 0.4


def test_longer_walks_go_on_from_shorter_ones():
    seeds, E = two_halves(0.3)
    start = one_hot(seeds, torch.tensor([0, 1]))
    start[:, :, 3:9] = 0
    held = start.any(dim=0)
    for keep in (None, held):
        for (power, steps), P in walk.walks(start, E, WINDOW, [1.0, 4.0], [5, 0, 2, 5], keep):
            torch.testing.assert_close(P, random_walk(start, E, WINDOW, power, steps, keep))


def test_hidden_seeds_are_counted_by_class_and_nothing_brought_counts_as_background():
    seeds = torch.tensor([[0, 1, 1, -1, 1]])
    P = torch.tensor([[[0.0, 0.0, 0.1, 0.0, 0.9]], [[0.0, 0.0, 0.9, 0.9, 0.1]]])
    chosen = torch.tensor([[True, True, True, True, False]])
    found = walk.at_hidden(P, seeds, chosen, [0, 2], 3)
    assert found.tolist() == [[1, 0, 0], [0, 0, 0], [1, 0, 1]]  # the fourth is unknown, the fifth not hidden


def test_a_sharp_power_is_chosen_where_affinities_hardly_differ_and_no_steps_where_they_mislead():
    def best(seeds, E):
        start = one_hot(seeds, torch.tensor([0, 1])).masked_fill(asked, 0)
        pairs = walk.walks(start, E, WINDOW, [1.0, 16.0], [0, 8], None)
        right = {pair: float(np.trace(walk.at_hidden(P, seeds, asked, [0, 1], 2))) for pair, P in pairs}
        return walk.choose(right), right

    asked = walk.hidden(8, 12, np.random.default_rng(0))
    seeds, E = two_halves(0.8)
    assert best(seeds, E) == ((16.0, 8), {(1.0, 0): 16, (1.0, 8): 16, (16.0, 0): 16, (16.0, 8): 32})
    around_nothing = (~asked).long()
    assert best(around_nothing, torch.ones_like(E))[0] == (1.0, 0)


def test_of_equal_walks_the_shortest_is_chosen():
    assert walk.choose({(8.0, 16): 0.5, (4.0, 4): 0.5, (2.0, 4): 0.5, (2.0, 0): None}) == (2.0, 4)


def test_means_across_and_inside_outlines_are_those_of_the_loops():
    rng = np.random.default_rng(0)
    labels, D = rng.choice([-1, 0, 1, UNKNOWN], (5, 6)), torch.from_numpy(rng.random((len(WINDOW), 5, 6), np.float32))
    sums = {True: [0.0, 0], False: [0.0, 0]}
    for y in range(5):
        for x in range(6):
            for dy, dx in ((0, 1), (1, 0)):
                if y + dy < 5 and x + dx < 6 and not {labels[y, x], labels[y + dy, x + dx]} & {-1, UNKNOWN}:
                    across = sums[bool(labels[y, x] != labels[y + dy, x + dx])]
                    across[0] += D[WINDOW.index((dy, dx)), y, x].item()
                    across[1] += 1
    found = walk.outline_sums(D, torch.from_numpy(labels), WINDOW)
    for mine, wanted in zip(found, (sums[True], sums[False]), strict=True):
        np.testing.assert_allclose(mine, wanted, rtol=1e-5)
    shown = mean_edges(*found)
    assert shown["pairs_across"] == sums[True][1] and abs(shown["inside"] - sums[False][0] / sums[False][1]) < 1e-5
    assert mean_edges(np.zeros(2), np.ones(2)) == {
        "across": None,
        "inside": 1.0,
        "pairs_across": 0,
        "pairs_inside": 1,
    }
