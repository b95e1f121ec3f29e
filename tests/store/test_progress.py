"""Lines of progress in a log: what is due, and items that each take long."""

from wsss_stages.store import progress as module
from wsss_stages.store.prefetch import Prefetch
from wsss_stages.store.progress import progress


def lines(capsys) -> list[str]:
    return capsys.readouterr().err.splitlines()


def test_a_log_has_a_line_every_ten_seconds_and_one_at_the_end(monkeypatch, capsys):
    clock = iter(range(0, 1000, 4))  # one look at the clock an item, and one more where a line is written
    monkeypatch.setattr(module.time, "monotonic", lambda: next(clock))
    assert list(progress("abcdef", "letters")) == list("abcdef")
    done = [line.split(",")[0] for line in lines(capsys)]
    assert done[-1] == "letters: 6/6" and 1 < len(done) < 6


def test_items_that_take_long_are_named_before_they_run(capsys):
    for number, item in enumerate(progress(["a", "b"], "plan", str.upper), 1):
        assert lines(capsys) == [f"plan: {number}/2, {item.upper()}"]


def test_items_loaded_ahead_have_a_number_too(capsys):
    assert list(progress(Prefetch([1, 2], str), "numbers")) == [(1, "1"), (2, "2")]
    assert lines(capsys)[-1].startswith("numbers: 2/2")
