"""Choice of the random walk's power and steps by hidden seeds, and the drop of the affinity at outlines."""

from collections.abc import Iterator

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from wsss_stages import UNKNOWN
from wsss_stages.evaluation import metrics
from wsss_stages.labels import cam as cams
from wsss_stages.labels.random_walk import one_hot, random_walk
from wsss_stages.nets.grid import Grid, labels_at_nodes, means_at_nodes
from wsss_stages.pairwise.windows import neighbours

SIDE = 4
"""Side of the squares in which seeds are hidden, nodes: the neighbours of a single seed would find it in one step."""
SHARE = 0.25
"""Share of the squares that are hidden."""


def start_of_cam(cam: np.ndarray, height: int, width: int, gamma: float, grid: Grid) -> Float[Tensor, "c h w"]:
    """Return the scores at the nodes that a walk from CAMs starts with, background by the exponent `gamma` first."""
    scores = cams.with_background(cams.enlarge(cam.astype(np.float32), height, width), gamma)
    nodes = -(-height // grid.stride), -(-width // grid.stride)
    return means_at_nodes(torch.from_numpy(scores)[None], grid, nodes)[0]


def start_of_seeds(label: np.ndarray, tags: list[int], grid: Grid) -> Float[Tensor, "c h w"]:
    """Return the scores at the nodes that a walk from seeds starts with: one where a seed is, nothing where none is known."""
    return one_hot(torch.from_numpy(labels_at_nodes(label, grid)), torch.tensor([0, *tags]))


def hidden(height: int, width: int, rng: np.random.Generator) -> Bool[Tensor, "height width"]:
    """Return which nodes have their seeds hidden, squares at random."""
    squares = rng.random((-(-height // SIDE), -(-width // SIDE))) < SHARE
    return torch.from_numpy(squares.repeat(SIDE, 0).repeat(SIDE, 1)[:height, :width])


def walks(
    P: Float[Tensor, "c h w"],
    E: Float[Tensor, "n h w"],
    window: list[tuple[int, int]],
    powers: list[float],
    steps: list[int],
    held: Bool[Tensor, "h w"] | None,
) -> Iterator[tuple[tuple[float, int], Float[Tensor, "c h w"]]]:
    """Yield (power, steps) and the scores after such a walk, for all pairs; longer walks go on from shorter ones."""
    for power in powers:
        walked, done = P, 0
        for count in sorted(set(steps)):
            walked, done = random_walk(walked, E, window, power, count - done, held), count
            yield (power, count), walked


def at_hidden(
    P: Float[Tensor, "c h w"], seeds: Int[Tensor, "h w"], chosen: Bool[Tensor, "h w"], classes: list[int], count: int
) -> np.ndarray:
    """Return (count, count) nodes by their hidden seed and the class of the largest score; background where all scores are 0.

    Args:
        seeds: rows of `classes`, -1 unknown.  chosen: hidden nodes.  classes: class of each row.  count: classes of the dataset.
    """
    asked = chosen & (seeds >= 0)
    ids = np.array(classes, np.uint8)
    return metrics.confusion(ids[seeds[asked].cpu().numpy()], ids[P.argmax(dim=0)[asked].cpu().numpy()], count)


def choose(agreements: dict[tuple[float, int], float | None]) -> tuple[float, int]:
    """Return power and steps of the largest agreement; of equal ones the fewest steps, then the smallest power."""
    return min(agreements, key=lambda pair: (-(agreements[pair] or 0), pair[1], pair[0]))


def outline_sums(
    D: Float[Tensor, "n h w"], labels: Int[Tensor, "h w"], window: list[tuple[int, int]]
) -> tuple[np.ndarray, np.ndarray]:
    """Return (sum of D, number of pairs) of nodes that touch by a side: across outlines, of two labels, and inside, of one.

    Args:
        D: to the window's neighbours.  labels: -1 or 255 unknown, of which no pair is counted.
    """
    numbers = [window.index(offset) for offset in ((0, 1), (1, 0))]
    other = neighbours(labels.float(), [window[n] for n in numbers], -1.0).to(labels.dtype)
    known = (labels >= 0) & (labels != UNKNOWN) & (other >= 0) & (other != UNKNOWN)
    sums = [
        np.array([float(D[numbers][pairs].double().sum()), int(pairs.sum())])
        for pairs in (known & (other != labels), known & (other == labels))
    ]
    return sums[0], sums[1]
