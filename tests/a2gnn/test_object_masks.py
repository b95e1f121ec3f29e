"""Soft masks of boxes: targets, mixing, tightness, merging, storage."""

import numpy as np
import torch

from wsss_stages.a2gnn import object_masks
from wsss_stages.labels import box_crops

BOXES = np.array([[0, 0, 4, 4], [2, 2, 6, 6], [3, 0, 6, 3]])
CLASSES = np.uint8([5, 5, 9])


def grabcut_masks():
    """Three boxes on 6 x 6 pixels: the first is filled, the two others in part."""
    masks = np.zeros((3, 6, 6), bool)
    masks[0, 0:4, 0:4] = True
    masks[1, 2:5, 2:5] = True
    masks[2, 0:2, 3:6] = True
    return masks


def test_another_box_makes_unknown_or_background():
    known = object_masks.target(0, grabcut_masks(), np.zeros(3, bool), BOXES, CLASSES)
    assert known[0, 0] == 1 and known[5, 5] == 0
    assert (known[2:5, 2:5] == 255).all()  # the smaller foreground, of the same class
    assert (known[0:2, 3:6] == 0).all()  # of another class
    own = object_masks.target(1, grabcut_masks(), np.zeros(3, bool), BOXES, CLASSES)
    assert (own[2:5, 2:5] == 1).all() and own[0, 0] == 255


def test_a_box_that_grabcut_failed_in_is_unknown_and_its_outside_is_not():
    known = object_masks.target(2, grabcut_masks(), np.array([False, False, True]), BOXES, CLASSES)
    assert (known[0:3, 3:6] == 255).all() and known[0, 0] == 0


def test_a_soft_mask_mixes_network_and_grabcut():
    box = BOXES[1]
    window = box_crops.window(box, np.full(4, 0.25))
    logits = np.full((8, 8), np.log(3), np.float32)  # the network says 3/4 everywhere
    P = object_masks.soft_mask(logits, window, grabcut_masks()[1, 2:6, 2:6], box, 0.3, 0.0)
    expected = 0.7 * 0.75 + 0.3 * grabcut_masks()[1, 2:6, 2:6]
    np.testing.assert_allclose(P, expected, rtol=1e-5)


def test_a_soft_mask_touches_all_sides_of_its_box():
    box = BOXES[1]
    window = box_crops.window(box, np.full(4, 0.25))
    logits = np.full((8, 8), -2, np.float32)
    P = object_masks.soft_mask(logits, window, grabcut_masks()[1, 2:6, 2:6], box, 0.3, 1.0)
    assert (P.amax(dim=0) > 0.5).all() and (P.amax(dim=1) > 0.5).all()


def area(number):
    x0, y0, x1, y1 = BOXES[number]
    return (x1 - x0) * (y1 - y0)


def test_the_smaller_box_covers_what_larger_ones_of_other_classes_claim():
    rng = np.random.default_rng(0)
    P = [torch.from_numpy(rng.random((y1 - y0, x1 - x0)).astype(np.float32)) for x0, y0, x1, y1 in BOXES]
    rows = [1, 2, 2]
    found = object_masks.merge(P, BOXES, torch.tensor(rows), 3, 6, 6)
    assert area(0) == area(1) > area(2)
    for y in range(6):
        for x in range(6):
            here = [n for n, (x0, y0, x1, y1) in enumerate(BOXES) if y0 <= y < y1 and x0 <= x < x1]
            p = {n: P[n][y - BOXES[n][1], x - BOXES[n][0]].item() for n in here}
            free = [1.0, 1.0, 1.0]
            for n in here:
                seen = p[n]
                for front in here:
                    if area(front) < area(n) and rows[front] != rows[n]:
                        seen *= min(1, 2 * (1 - p[front]))
                free[rows[n]] *= 1 - seen
                free[0] *= 1 - p[n]
            expected = np.array([free[0], 1 - free[1], 1 - free[2]])
            np.testing.assert_allclose(found[:, y, x], expected / expected.sum(), rtol=1e-4, atol=1e-6)


def test_the_order_of_boxes_changes_nothing():
    P = [torch.full((y1 - y0, x1 - x0), 0.2 + 0.2 * k) for k, (x0, y0, x1, y1) in enumerate(BOXES)]
    rows = torch.tensor([1, 1, 2])
    turned = object_masks.merge(P[::-1], BOXES[::-1], rows.flip(0), 3, 6, 6)
    torch.testing.assert_close(object_masks.merge(P, BOXES, rows, 3, 6, 6), turned)


def test_an_image_without_boxes_is_background():
    none = np.zeros((0, 4), int)
    packed = object_masks.pack([])
    found = object_masks.merge(object_masks.unpack(packed, none), none, torch.zeros(0, dtype=torch.long), 1, 3, 4)
    assert packed.shape == (0,) and (found == 1).all() and found.shape == (1, 3, 4)


def test_storage_brings_back_every_box_to_one_part_in_255_and_keeps_who_wins():
    P = [torch.rand(y1 - y0, x1 - x0) for x0, y0, x1, y1 in BOXES]
    P[0][0, :2] = torch.tensor([0.501, 0.499])
    back = object_masks.unpack(object_masks.pack(P), BOXES)
    for before, after in zip(P, back, strict=True):
        torch.testing.assert_close(after, before, atol=0.5 / 255 + 1e-6, rtol=0)
    assert back[0][0, 0] > 0.5 > back[0][0, 1]
