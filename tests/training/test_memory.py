"""A batch that does not fit goes in parts, which is reported."""

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
