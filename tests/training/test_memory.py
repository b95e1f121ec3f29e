"""A batch that does not fit goes in parts, which is reported."""

import torch

from tests.messages import only, raises
from wsss_stages.training import memory


def test_parts_double_as_far_as_possible_and_are_reported(capsys):
    parts = memory.Parts(1)
    for step in (3, 3, 7):
        parts.double("s7_segment", step, 5, most=5)
    assert parts.number == 5
    assert parts.doublings == [{"step": 3, "parts": 2}, {"step": 3, "parts": 4}, {"step": 7, "parts": 5}]
    assert only(capsys.readouterr().err.splitlines(), "s7_segment: ", "GPU memory", "step 7", "5 images", "5 parts")


def test_one_image_that_does_not_fit_is_reported_with_the_remedy():
    parts = memory.Parts(2)
    with raises(memory.TooLargeError, "s1_classifier: ", "GPU memory", "step 4", "2 images", "2 parts", "crop"):
        parts.double("s1_classifier", 4, 2, most=2)
    assert parts.doublings == []


def test_earlier_reports_of_short_memory_are_kept(capsys):
    parts = memory.Parts(2, [{"step": 1, "parts": 2}])
    parts.double("s1_classifier", 4, 8, most=8)
    assert parts.doublings == [{"step": 1, "parts": 2}, {"step": 4, "parts": 4}]


class Card:
    """Work that doubles numbers, of which a card holds so many at once."""

    def __init__(self, holds):
        self.holds, self.tried = holds, []

    def __call__(self, batch):
        self.tried.append(len(batch))
        if len(batch) > self.holds:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return [2 * number for number in batch]


def test_a_batch_that_does_not_fit_goes_in_micro_batches_from_then_on_and_its_images_are_noted(capsys):
    card = Card(holds=3)
    micro = memory.MicroBatches("s2_cam", card, "cam.batch_pixels")
    assert micro.results([1, 2]) == ([2, 4], {})
    assert micro.results([*range(9)]) == ([*range(0, 18, 2)], {memory.NOTE: 1})
    assert card.tried == [2, 9, 4, 2, 2, 2, 2, 1]
    assert micro.results([5, 6]) == ([10, 12], {})
    assert micro.results([5, 6, 7]) == ([10, 12, 14], {memory.NOTE: 1})
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 2 and only(said[1:], "s2_cam: ", "GPU memory", "4 images", "2 at once", "cam.batch_pixels")


def test_a_single_image_that_does_not_fit_is_reported_with_the_remedy(capsys):
    micro = memory.MicroBatches("s6_propagate", Card(holds=0), "propagate.batch_nodes")
    with raises(memory.TooLargeError, "s6_propagate: ", "GPU memory", "single image", "data.max_side", "cpu"):
        micro.results([1, 2])
