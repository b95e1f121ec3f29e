"""Average precision: COCO's numbers against loops, and regions that count neither way."""

import numpy as np
import pytest

from wsss_stages.data import rle
from wsss_stages.evaluation.average_precision import average_precision

H, W = 24, 30
SMALL = {"images": [{"id": n, "height": H, "width": W} for n in (1, 2, 3)],
         "categories": [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}]}  # fmt: skip


def box(x0, y0, x1, y1):
    mask = np.zeros((H, W), bool)
    mask[y0:y1, x0:x1] = True
    return mask


def truth(*objects):
    """`objects`: (image, class, mask)."""
    annotations = [
        {"id": n, "image_id": image, "category_id": cls, "area": int(mask.sum()), "iscrowd": 0,
         "segmentation": rle.encode(mask[None])[0]}
        for n, (image, cls, mask) in enumerate(objects, 1)
    ]  # fmt: skip
    return SMALL | {"annotations": annotations}


def detection(image, cls, mask, score, void=None):
    (code,) = rle.encode(mask[None])
    found = rle.without(code, np.zeros((H, W), bool) if void is None else void)
    return {"image_id": image, "category_id": cls, "score": score, **found}


def by_loops(objects, detections, threshold):
    """Mean over classes of COCO's 101 point average precision."""
    values = []
    for cls in {c for _, c, _ in objects}:
        of_class = [(image, mask) for image, c, mask in objects if c == cls]
        taken, hits = set(), []
        for image, _, mask, _ in sorted((d for d in detections if d[1] == cls), key=lambda d: -d[3]):
            best, at = threshold, None
            for n, (where, other) in enumerate(of_class):
                overlap = (mask & other).sum() / (mask | other).sum()
                if where == image and n not in taken and overlap >= best:
                    best, at = overlap, n
            hits.append(at is not None)
            taken.add(at)
        precision = np.cumsum(hits) / np.arange(1, len(hits) + 1)
        recall = np.cumsum(hits) / len(of_class)
        values.append(np.mean([max(precision[recall >= r - 1e-12], default=0) for r in np.linspace(0, 1, 101)]))
    return np.mean(values)


@pytest.mark.parametrize("seed", range(3))
def test_means_are_those_of_the_loops(seed):
    rng = np.random.default_rng(seed)

    def some():
        x, y = rng.integers(0, (W - 8, H - 8))
        return box(x, y, *np.minimum(np.array([x, y]) + rng.integers(4, 12, 2), (W, H)))

    objects = [(int(rng.integers(1, 4)), int(rng.integers(1, 3)), some()) for _ in range(9)]
    near = [(i, c, np.roll(m, rng.integers(0, 3, 2), (0, 1)), rng.random()) for i, c, m in objects for _ in range(2)]
    far = [(int(rng.integers(1, 4)), int(rng.integers(1, 3)), some(), rng.random()) for _ in range(6)]
    means, of_classes = average_precision(truth(*objects), {}, [detection(*d) for d in near + far])
    for name, threshold in (("ap_50", 0.5), ("ap_70", 0.7), ("ap_75", 0.75)):
        assert means[name] == pytest.approx(by_loops(objects, near + far, threshold), abs=1e-9)
    every = [by_loops(objects, near + far, t) for t in np.linspace(0.5, 0.95, 10)]
    assert means["ap"] == pytest.approx(np.mean(every), abs=1e-9)
    assert means["ap"] == pytest.approx(np.mean([rows["ap"] for rows in of_classes.values()]))


def test_a_class_without_objects_and_a_size_without_objects_have_no_number():
    cat = box(2, 2, 12, 12)
    means, of_classes = average_precision(
        truth((1, 1, cat)), {}, [detection(1, 1, cat, 0.9), detection(1, 2, cat, 0.9)]
    )
    assert (
        means["ap"] == means["ap_small"] == pytest.approx(1)
        and means["ap_large"] is None
        and of_classes[2]["ap"] is None
    )


def test_no_detection_is_zero_and_no_truth_is_none():
    assert average_precision(truth((1, 1, box(2, 2, 12, 12))), {}, [])[0]["ap"] == 0
    assert average_precision(truth(), {}, [])[0]["ap"] is None


def test_a_detection_in_what_annotators_left_open_is_not_counted():
    cat, void = box(2, 2, 12, 12), box(15, 5, 30, 20)
    (code,) = rle.encode(void[None])
    surer_but_open = detection(1, 1, box(16, 6, 28, 18), 0.95, void)
    found = detection(1, 1, cat, 0.9, void)
    known = average_precision(truth((1, 1, cat)), {1: code}, [surer_but_open, found])[0]
    assert known["ap"] == pytest.approx(1)
    assert average_precision(truth((1, 1, cat)), {}, [surer_but_open | {"in_void": 0}, found])[0][
        "ap"
    ] == pytest.approx(0.5)
    half = detection(1, 1, box(9, 5, 19, 15), 0.95, void)  # 4 of 10 columns are open: less than any threshold
    assert average_precision(truth((1, 1, cat)), {1: code}, [half, found])[0]["ap"] == pytest.approx(0.5)


def test_the_open_border_of_an_object_belongs_to_neither_side():
    cat, seen = box(6, 6, 14, 14), box(4, 4, 16, 16)
    border = seen & ~cat
    (code,) = rle.encode(border[None])
    assert average_precision(truth((1, 1, cat)), {1: code}, [detection(1, 1, seen, 0.9, border)])[0][
        "ap"
    ] == pytest.approx(1)
    assert average_precision(truth((1, 1, cat)), {}, [detection(1, 1, seen, 0.9)])[0]["ap"] == 0
