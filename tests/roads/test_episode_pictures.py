"""Which test episodes are shown, and the regions of a support's mask."""

import numpy as np

from wsss_stages.data.few_shot.episode_pools import Episode
from wsss_stages.roads.episode_pictures import classes_in_turn, region_label


def test_classes_take_turns():
    episodes = [Episode(query, ("s",), cls) for query, cls in zip("abcde", (7, 7, 3, 7, 3), strict=True)]
    assert "".join(e.query for e in classes_in_turn(episodes, 4)) == "caeb"
    assert "".join(e.query for e in classes_in_turn(episodes, 9)) == "caebd"


def test_what_is_found_again_is_one_and_what_is_missed_two():
    M_s, M_hat = np.array([[1.0, 1.0, 0.0, 0.0]]), np.array([[1.0, 0.0, 1.0, 0.0]])
    assert region_label(M_s, M_hat).tolist() == [[1, 2, 0, 0]]
