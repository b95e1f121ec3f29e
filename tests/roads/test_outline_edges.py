"""Edges of two images made by hand, across the outline of their object and inside."""

import numpy as np

from wsss_stages.data.record import Record
from wsss_stages.pairwise.windows import offsets
from wsss_stages.roads.outline_edges import edge_sums
from wsss_stages.shards.manifest import Manifest

WINDOW = offsets(1, "square")


class Edges(Manifest):
    """A manifest of s5_graph and another stage, with nodes every two pixels."""

    def __init__(self, E: np.ndarray):
        super().__init__([])
        self.options = [{"keep": 0.4}, {"offset": 0.0, "stride": 2, "radius": 1, "window": "square"}]
        self.E = E

    def read(self, image_id, contract):
        return {"E": self.E}


def test_pairs_are_counted_at_the_nodes_of_the_working_size():
    truth = np.zeros((8, 16), np.uint8)  # twice the working size, 4 x 8: 2 x 4 nodes
    truth[:, 8:] = 1
    E = np.zeros((len(WINDOW), 2, 4), np.float16)
    E[WINDOW.index((0, 1))] = 0.5
    E[WINDOW.index((1, 0))] = 0.25
    across, inside = edge_sums(Record("a", "", "", 8, 16, 4, 8), Edges(E), truth)
    assert across.tolist() == [1.0, 2]  # one pair in each of two rows
    assert inside.tolist() == [4 * 0.5 + 4 * 0.25, 8]
