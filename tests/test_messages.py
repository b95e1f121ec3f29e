"""The helper by which tests read messages: what it takes for a word, and what it refuses."""

import pytest

from tests.messages import lacking, only, raises


@pytest.mark.parametrize(
    "text, words, missing",
    [
        ("classes of a.xml", ["class", "a.xml"], []),
        ("a subclass", ["class"], ["class"]),
        ("12, 0.1, 1.png, pytest-1 and 1.5", ["1"], ["1"]),
        ("found 1; wanted 12.", ["1", "12"], []),
        ("fold 10", ["fold 1"], ["fold 1"]),
        ("found 16x20; wanted 20x16", ["16x20 ... 20x16", "20x16 ... 16x20"], ["20x16 ... 16x20"]),
        ("a.b [0-9]", ["a.b", "[0-9]", "a.b [3]"], ["a.b [3]"]),
    ],
)
def test_words_are_literal_numbers_whole_and_order_counts_where_it_is_asked_for(text, words, missing):
    assert lacking(text, *words) == missing


def test_one_text_of_several_has_the_words():
    assert only(["a cat", "a dog"], "dog") == "a dog"
    for words in ("cow", "a"):
        with pytest.raises(AssertionError, match="of"):
            only(["a cat", "a dog"], words)


def test_an_error_lacks_no_word_in_its_text_and_notes():
    def fails():
        error = ValueError("a.xml")
        error.add_note("17")
        raise error

    with raises(ValueError, "a.xml", "17"):
        fails()
    with pytest.raises(AssertionError, match="18"), raises(ValueError, "a.xml", "18"):
        fails()
