"""GrabCut's rules, M_I, M'_I and the merged seeds: hand-made cases and loops over pixels (Eqs. 2.4, 3.1-3.5)."""

import numpy as np
import pytest

from wsss_stages import UNKNOWN
from wsss_stages.a2gnn.fuse import checked, fuse
from wsss_stages.labels import boxes as boxes_to_maps
from wsss_stages.labels import cam, grabcut, reliable

Q = UNKNOWN


def disc_on_noise(h=60, w=80):
    rng = np.random.default_rng(0)
    image = rng.integers(0, 60, (h, w, 3)).astype(np.uint8)
    y, x = np.mgrid[:h, :w]
    disc = (y - 30) ** 2 + (x - 35) ** 2 < 15**2
    image[disc] = [200, 180, 40]
    return image, disc, np.array([[18, 13, 52, 47]])


def masks_of(image, boxes, **options):
    settings = {"iterations": 3, "min_side": 3, "min_iou": 0.15, "seed": 0} | options
    return grabcut.foregrounds(image, np.array(boxes), **settings)


def test_grabcut_finds_a_disc_in_its_box():
    image, disc, boxes = disc_on_noise()
    masks, reasons = masks_of(image, boxes)
    assert (masks[0] == disc).mean() > 0.99 and reasons == [""]


def test_grabcut_is_deterministic():
    image, _, boxes = disc_on_noise()
    assert np.array_equal(masks_of(image, boxes)[0], masks_of(image, boxes)[0])


@pytest.mark.parametrize(
    "box, options, reason",
    [
        ([10, 10, 12, 30], {}, "grabcut_tiny_box"),
        ([0, 0, 80, 60], {}, "grabcut_whole_image_box"),
        ([18, 13, 52, 47], {"min_iou": 0.99}, "grabcut_fills_too_little"),
    ],
)
def test_a_box_that_grabcut_fails_on_is_taken_whole_and_counted(box, options, reason):
    image, _, _ = disc_on_noise()
    masks, reasons = masks_of(image, [box], **options)
    x0, y0, x1, y1 = box
    assert masks[0, y0:y1, x0:x1].all() and masks.sum() == (x1 - x0) * (y1 - y0)
    assert reasons == [reason]


def test_an_empty_foreground_is_the_box():
    masks, reasons = masks_of(np.zeros((20, 20, 3), np.uint8), [[4, 4, 12, 12]])
    assert masks.sum() == 64 and all(reasons)


def test_no_boxes_no_masks():
    masks, reasons = masks_of(np.zeros((5, 6, 3), np.uint8), np.zeros((0, 4), int))
    assert masks.shape == (0, 5, 6) and reasons == []
    assert (grabcut.winners(masks) == -1).all()


def test_the_smaller_foreground_wins():
    masks = np.zeros((2, 1, 4), bool)
    masks[0, 0, :3], masks[1, 0, 1:3] = True, True
    assert grabcut.winners(masks).tolist() == [[0, 1, 1, -1]]
    assert grabcut.winners(masks[::-1]).tolist() == [[1, 0, 0, -1]]


def test_label_inside_and_outside_boxes():
    owner = np.array([[-1, -1, 0, 1]])
    boxes, classes = np.array([[1, 0, 3, 1], [3, 0, 4, 1]]), np.array([5, 7])
    assert grabcut.label(owner, boxes, classes, False).tolist() == [[0, Q, 5, 7]]
    assert grabcut.label(owner, boxes, classes, True).tolist() == [[0, 0, 5, 7]]


def test_a_label_of_boxes_is_unknown_where_confident_CAMs_contradict_it():
    M_B = np.array([[0, 0, 0, 5, 5, 5, 5, Q, 6, 6]], np.uint8)
    M_I = np.array([[0, 3, Q, 5, 0, 3, Q, 3, 0, Q]], np.uint8)
    owner = np.array([[-1, -1, -1, 0, 0, 0, 0, -1, 1, 1]])
    boxes, classes = np.array([[2, 0, 8, 1], [8, 0, 10, 1]]), np.array([5, 6])  # M_I sees no 6 in the second
    found = checked(M_B=M_B, M_I=M_I, owner=owner, boxes=boxes, classes=classes)
    assert found.tolist() == [[0, Q, 0, 5, Q, Q, 5, Q, 6, 6]]


def test_filled_boxes_put_smaller_ones_on_top():
    boxes = np.array([[1, 0, 3, 1], [0, 0, 4, 1]])
    assert boxes_to_maps.filled(boxes, np.array([2, 1]), 1, 5).tolist() == [[1, 2, 2, 1, 0]]


def test_background_score_is_eq_2_4():
    scores = cam.with_background(np.array([[[0.2, 0.9]], [[0.5, 0.1]]], np.float32), 4.0)
    np.testing.assert_allclose(scores[0], [[0.5**4, 0.1**4]], rtol=1e-4)
    assert cam.with_background(np.zeros((0, 2, 2), np.float32), 4.0).tolist() == [[[1, 1], [1, 1]]]


def test_cam_normalisation():
    raw = np.array([[[0.5, 2.0]]], np.float32)
    np.testing.assert_allclose(cam.normalise(raw, "max"), [[[0.25, 1]]])
    np.testing.assert_allclose(cam.normalise(raw, "minmax"), [[[0, 1]]], atol=1e-4)


def test_M_I_takes_foreground_from_low_and_background_from_high():
    low = np.array([[[0.9, 0.2, 0.9, 0.2]], [[0.1, 0.8, 0.1, 0.8]]])
    high = np.array([[[0.9, 0.1, 0.2, 0.9]], [[0.1, 0.9, 0.8, 0.1]]])
    assert reliable.agreed(low, high, np.array([3])).tolist() == [[0, 3, Q, 0]]


def confident_by_loops(M_I, scores, low, high, classes, keep, min_cam, min_background, min_crf, strict):
    out = np.full(M_I.shape, Q)
    pixels = list(np.ndindex(M_I.shape))
    won = {p: max(range(len(scores)), key=lambda c: scores[c][p]) for p in pixels}
    sure = {p: 0 for p in pixels if won[p] == 0 and scores[0][p] > min_background}
    for row, c in enumerate(classes, 1):
        mine = [p for p in pixels if won[p] == row and scores[row][p] > min_cam]
        values = sorted(scores[row][p] for p in mine)
        cut = int((1 - keep) * len(values))
        if cut >= 1:
            sure |= {p: c for p in mine if scores[row][p] > values[cut]}
    for p, c in sure.items():
        certain = max([high[0][p], *(low[r][p] for r in range(1, len(low)))]) >= min_crf
        if certain and (not strict or M_I[p] == c):
            out[p] = M_I[p]
    return out


@pytest.mark.parametrize("strict", [True, False])
def test_confident_part_against_loops(strict):
    rng = np.random.default_rng(1)
    scores = cam.with_background(rng.random((2, 8, 9), dtype=np.float32), 4.0)
    low, high = (rng.dirichlet([0.3] * 3, (8, 9)).transpose(2, 0, 1) for _ in range(2))
    classes = np.array([2, 5], np.uint8)
    M_I = reliable.agreed(low, high, classes)
    settings = (0.4, 0.01, 0.8, 0.8, strict)
    found = reliable.confident(M_I, scores, low, high, classes, *settings)
    assert np.array_equal(found, confident_by_loops(M_I, scores, low, high, classes, *settings))
    assert (found != Q).any()


def test_confident_without_classes_is_background_where_sure():
    ones = np.ones((1, 2, 2), np.float32)
    M_I = reliable.agreed(ones, ones, np.zeros(0, np.uint8))
    assert (reliable.confident(M_I, ones, ones, ones, np.zeros(0, np.uint8), 0.4, 0.01, 0.8, 0.8, True) == 0).all()


def test_saliency_against_loops():
    rng = np.random.default_rng(0)
    M_I = rng.choice(np.uint8([0, 1, 2, Q]), (9, 12))
    M_I_top = np.where(rng.random(M_I.shape) < 0.5, M_I, Q).astype(np.uint8)
    salient = rng.random(M_I.shape) < 0.5
    M_F, M_g = reliable.with_saliency(M_I, M_I_top, salient)
    for at in np.ndindex(*M_I.shape):
        is_object, is_background = M_I[at] in (1, 2) and salient[at], M_I[at] == 0 and not salient[at]
        assert M_F[at] == (M_I[at] if is_object or is_background else Q)
        assert M_g[at] == (0 if is_background else M_I_top[at] if is_object else Q)
    assert M_F.dtype == M_g.dtype == np.uint8


def test_seeds_keep_what_both_say():
    M_B, M_I = np.uint8([[0, 1, 2, 2, Q]]), np.uint8([[Q, 1, 1, 2, 1]])
    boxes, owner = np.array([[1, 0, 5, 1], [2, 0, 4, 1]]), np.array([[-1, 0, 1, 1, -1]])
    seeds, unseen = fuse(M_B, M_I, M_I, owner, boxes, np.array([1, 2]))
    assert seeds.tolist() == [[0, 1, Q, 2, Q]] and unseen == 0


def test_a_box_whose_class_the_cam_misses_keeps_grabcut_whole():
    M_B, M_I = np.uint8([[0, 1, 1, Q]]), np.uint8([[1, 0, 0, 0]])  # class 1 is seen, but outside the box
    boxes, owner = np.array([[1, 0, 4, 1]]), np.array([[-1, 0, 0, -1]])
    seeds, unseen = fuse(M_B, M_I, M_I, owner, boxes, np.array([1]))
    assert seeds.tolist() == [[0, 1, 1, Q]] and unseen == 1


def test_the_printed_rule_removes_nothing_that_the_filter_removes():
    """Eq. 3.5 as printed is M_g = M_F: every labelled pixel of M_F equals M_B."""
    rng = np.random.default_rng(2)
    M_B, M_I = (rng.integers(0, 3, (9, 9)).astype(np.uint8) for _ in range(2))
    M_I_top = np.where(rng.random((9, 9)) < 0.4, M_I, Q).astype(np.uint8)
    boxes, classes = np.array([[0, 0, 9, 9], [0, 0, 9, 9]]), np.array([1, 2])
    owner = np.where(M_B > 0, M_B.astype(np.int16) - 1, -1)
    M_F, _ = fuse(M_B, M_I, M_I, owner, boxes, classes)
    M_g, _ = fuse(M_B, M_I_top, M_I, owner, boxes, classes)
    labelled = M_F != Q
    assert (M_F[labelled] == M_B[labelled]).all()
    assert (M_g != Q).sum() < labelled.sum()


def test_a_class_may_live_in_its_own_boxes_only():
    boxes, classes = np.array([[0, 0, 2, 1], [1, 0, 3, 1]]), np.array([4, 7])
    found = boxes_to_maps.allowed(boxes, classes, [4, 7], 1, 4)
    assert found.tolist() == [[[True] * 4], [[True, True, False, False]], [[False, True, True, False]]]
    assert boxes_to_maps.allowed(boxes[:0], classes[:0], [], 1, 4).shape == (1, 1, 4)
