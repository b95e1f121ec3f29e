"""Sources to one pseudo label: hand-made images of 8 x 12 pixels with one or two boxes."""

import numpy as np
import pytest
import torch

from wsss_stages.config.options import Crf, Propagate
from wsss_stages.roads.merge_labels import BoxedImage, LabelMerger

SIZE = (8, 12)
CAT, DOG = 3, 7
PLAIN = {"crf": Crf(iterations=0), "tight_share": 0.0, "keep_share": 0.0}
"""Options that leave probabilities alone."""


def image(boxes=((2, 1, 6, 5),), classes=(CAT,), all_boxed=True, full=SIZE) -> BoxedImage:
    boxes = np.array(boxes, int)
    scaled = boxes * (full[0] // SIZE[0])
    return BoxedImage("a", SIZE, full, [0, CAT, DOG], boxes, np.uint8(classes), scaled, all_boxed)


def merger(**options) -> LabelMerger:
    return LabelMerger(Propagate(**{**PLAIN, **options}), "cpu")


def constant(*values: float) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float32)[:, None, None].expand(-1, *SIZE).clone()


def test_a_class_is_possible_in_its_boxes_only():
    P = merger().restricted(constant(0.2, 0.5, 0.3), image())
    assert torch.allclose(P[:, 2, 3], torch.tensor([0.2 / 0.7, 0.5 / 0.7, 0.0]))  # no box of a dog
    assert torch.equal(P[:, 0, 0], torch.tensor([1.0, 0.0, 0.0]))


@pytest.mark.parametrize("off", [{"classes_in_boxes": False}, {"all_boxed": False}])
def test_boxes_restrict_nothing_where_they_need_not_show_all(off):
    P = constant(0.2, 0.5, 0.3)
    unboxed = image(all_boxed=off.pop("all_boxed", True))
    assert torch.equal(merger(**off).restricted(P, unboxed), P)


def test_sources_count_by_their_shares():
    P, objects, walk = constant(1, 0, 0), constant(0, 1, 0), constant(0, 0, 1)
    found = merger(objects_share=0.75, walk_share=0.5).mixed(P, image(), objects=objects, walk=walk)
    assert torch.allclose(found[:, 0, 0], torch.tensor([0.125, 0.375, 0.5]))
    assert torch.equal(merger().mixed(P, image()), P)


def test_grabcut_counts_where_it_knows():
    label = np.full(SIZE, CAT, np.uint8)
    label[0] = 255
    found = merger(grabcut_share=0.5).mixed(constant(1, 0, 0), image(), grabcut=label)
    assert found[:, 1, 0].tolist() == [0.5, 0.5, 0.0] and found[:, 0, 0].tolist() == [1.0, 0.0, 0.0]


def test_numbers_that_are_none_name_the_image():
    with pytest.raises(ValueError, match="a"):
        merger().mixed(constant(float("nan"), 0, 0), image())


def test_a_boxes_class_touches_its_sides_before_and_after_the_crf():
    P = constant(0.9, 0.1, 0.0)
    tight = merger(tight_share=1.0)
    for found in (tight.mixed(P, image()), tight.refined(P, np.zeros((*SIZE, 3), np.uint8), image())):
        won = found.argmax(dim=0)[1:5, 2:6] == 1
        assert won.any(dim=0).all() and won.any(dim=1).all()


def test_a_label_is_the_likeliest_class_with_its_probability():
    P = constant(0.6, 0.3, 0.1)
    P[:, 1:5, 2:6] = constant(0.1, 0.8, 0.1)[:, 1:5, 2:6]
    label, confidence, notes = merger().label(P, image())
    expected = np.zeros(SIZE, np.uint8)
    expected[1:5, 2:6] = CAT
    assert np.array_equal(label, expected)
    assert np.allclose(confidence, np.where(expected == CAT, 0.8, 0.6))
    assert notes == {"boxes_without_object_before": 0, "boxes_without_object": 0}


@pytest.mark.parametrize("full", [SIZE, (16, 24)])
def test_no_box_is_left_without_its_object(full):
    two = image(((0, 0, 12, 8), (4, 2, 8, 6)), (CAT, DOG), full=full)
    P = constant(0.1, 0.8, 0.1)
    label, _, notes = merger(keep_share=0.1).label(P, two)
    assert notes == {"boxes_without_object_before": 1, "boxes_without_object": 0}
    assert label.shape == full and (label == DOG).mean() >= 0.1 * 16 / 96
    assert (merger().label(P, two)[0] == DOG).sum() == 0
