"""Marks spread over superpixels, against loops."""

import numpy as np

from wsss_stages.labels import superpixels


def test_a_superpixel_takes_the_label_most_of_its_marks_have():
    rng = np.random.default_rng(0)
    parts = rng.integers(0, 12, (20, 30))
    marks = np.where(rng.random((20, 30)) < 0.05, rng.integers(0, 4, (20, 30)), 255).astype(np.uint8)
    found = superpixels.spread(marks, parts)
    for part in range(12):
        mine = marks[(parts == part) & (marks != 255)]
        counts = {c: int((mine == c).sum()) for c in set(mine.tolist())}
        best = [c for c, n in counts.items() if n == max(counts.values())]
        assert (found[parts == part] == (best[0] if len(best) == 1 else 255)).all()
    assert (found == 255).any() and (found != 255).any()


def test_a_tie_is_unknown():
    parts = np.zeros((2, 2), int)
    assert (superpixels.spread(np.uint8([[1, 2], [255, 255]]), parts) == 255).all()
    assert (superpixels.spread(np.uint8([[1, 2], [1, 255]]), parts) == 1).all()


def test_superpixels_follow_colours():
    image = np.zeros((40, 60, 3), np.uint8)
    image[:, 30:] = [200, 40, 90]
    parts = superpixels.superpixels(image, 24, 10.0)
    assert parts.min() == 0 and 10 < parts.max() < 40
    assert not set(parts[:, :30].ravel()) & set(parts[:, 30:].ravel())
    marks = superpixels.clicked([[10, 20, 3], [50, 20, 0]], 40, 60)
    found = superpixels.spread(marks, parts)
    assert found[20, 10] == 3 and found[20, 50] == 0 and (found[:, :30] != 0).all() and (found[:, 30:] != 3).all()
