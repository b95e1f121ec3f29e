"""Names from a dataset are text in every page and picture; classes have VOC's colours wherever they are drawn."""

import io
import re
from pathlib import Path

import numpy as np
import pytest

from wsss_stages.evaluation import figures

PACKAGE = Path(figures.__file__).parents[1]
MARKUP = "<script>alert('&\"')</script>"
ESCAPED = "&lt;script&gt;alert(&#39;&amp;&#34;&#39;)&lt;/script&gt;"


@pytest.mark.parametrize("place", range(4))
def test_markup_is_escaped_everywhere_in_a_table(place):
    texts = ["title", "note", "head", "cell"]
    texts[place] = MARKUP
    page = figures.html_table(*texts[:2], [texts[2]], [[texts[3]]])
    assert MARKUP not in page and "<script" not in page and page.count(ESCAPED) == (2 if place == 0 else 1)


def test_no_other_file_makes_a_page():
    """Texts are escaped in this one place, and so in every page."""
    for path in PACKAGE.rglob("*.py"):
        tags = re.findall(r"<(?:html|body|table|t[dhr]|p|h1|div|img|a|script|style)\b", path.read_text())
        assert not tags or path.name == "tensor_files.py", path  # which knows a page when it sees one


def test_every_page_is_such_a_table():
    writers = [
        path
        for room in ("stages", "roads", "evaluation")
        for path in (PACKAGE / room).glob("*.py")
        if '.html"' in (text := path.read_text()) and "write_text(" in text
    ]
    assert {path.stem for path in writers} >= {"report", "table_files"}
    for path in writers:
        assert "figures.html_table(" in path.read_text(), path


@pytest.mark.parametrize("name", ["$x^$", "a $ b", "$\\frac{$", "\\$", "<b>", "_x"])
def test_names_are_no_formulas_in_pictures(name):
    image = np.zeros((8, 8, 3), np.uint8)
    pictures = [
        figures.rows_figure(["label"], [[image]], [name], {1: name.lstrip("_")}),
        figures.confusion_figure(np.eye(2), ["background", name], name),
        figures.table_picture(name, [(name, 50.0, None, None, None)]),
    ]
    for figure in pictures:
        figure.savefig(io.BytesIO(), format="png")
        shown = [text for text in figure.findobj(figures.plt.Text) if text.get_text() == name]
        assert shown and not any(text.get_parse_math() for text in shown)
        figures.plt.close(figure)


@pytest.mark.parametrize("settled", [True, False, None])
def test_curves_show_grades_the_weights_that_are_kept_and_whether_the_training_had_settled(settled):
    steps = [{"step": n, "lr": 0.1, "cross_entropy": 1.0 / (n + 1)} for n in range(40)]
    grades = [{"step": 10, "grade": 0.3}, {"step": 20, "grade": 0.6}, {"step": 40, "grade": 0.5}]
    plain = {"stage": "s1_classifier", "epochs": 2, "steps": steps}
    steps[0]["lost"] = steps[9]["lost"] = 0.5
    plain["shown"] = ["lost"]
    graded = {**plain, "stage": "s7_segment", "grades": grades, "best_step": 20, "settled": settled}
    figure = figures.curves_figure([plain, graded])
    without, with_, right = figure.axes
    assert (without.get_title(), with_.get_title()) == ("s1_classifier", f"s7_segment{figures.SETTLED[settled]}")
    assert len(set(figures.SETTLED.values())) == 3
    assert [(line.get_label(), line.get_linestyle()) for line in without.lines] == [
        ("cross_entropy", "-"),
        ("lost", "--"),
    ]
    line, kept = right.lines
    assert line.get_xydata().tolist() == [[10, 0.3], [20, 0.6], [40, 0.5]] and set(kept.get_xdata()) == {20}
    figures.plt.close(figure)


GREY, RED, GREEN = (100, 100, 100), (128, 0, 0), (0, 128, 0)
"""A photograph of one colour, and the colours of the classes 1 and 2 by the VOC devkit's rule."""


def photograph(side):
    return np.full((side, side, 3), 100, np.uint8)


def colours(picture, *places):
    """Return the colours at places (x, y)."""
    return [tuple(picture[y, x].tolist()) for x, y in places]


@pytest.mark.parametrize("side", [2, 8])
def test_labels_lie_over_a_faded_image_in_their_classes_colours(side):
    """Faded is 0.35 of the image and 0.65 of a dark grey, 64; four fifths of a class's colour or of white, unknown, lie over it."""
    picture = figures.over(photograph(side), np.uint8([[0, 1], [2, 255]]))
    faded = 0.35 * 100 + 0.65 * 64
    strong, weak, white = (int(0.2 * faded + 0.8 * value) for value in (128, 0, 255))
    last = side - 1
    assert colours(picture, (0, 0), (last, 0), (0, last), (last, last)) == [
        (int(faded),) * 3, (strong, weak, weak), (weak, strong, weak), (white,) * 3,
    ]  # fmt: skip


def test_a_box_is_drawn_in_its_classes_colour_on_a_dark_rim():
    picture = figures.with_boxes(photograph(40), [(5, 5, 20, 20)], [1])
    assert colours(picture, (5, 10), (19, 10), (10, 5), (10, 19)) == [RED] * 4
    assert colours(picture, (4, 10), (6, 10), (10, 20)) == [(0, 0, 0)] * 3
    assert colours(picture, (2, 10), (12, 12), (22, 10)) == [GREY] * 3


def test_scribbles_and_clicks_are_drawn_on_a_dark_rim_and_background_is_white():
    marks = np.full((40, 40), 255, np.uint8)
    marks[20, 20], marks[30, 30] = 1, 0
    picture = figures.with_marks(photograph(40), marks, [(5, 8, 2)])
    assert colours(picture, (20, 20), (30, 30), (5, 8), (7, 8)) == [RED, (255, 255, 255), GREEN, GREEN]
    assert colours(picture, (21, 20), (30, 29), (9, 8), (5, 13)) == [(0, 0, 0)] * 4
    assert colours(picture, (23, 20), (12, 8), (35, 5)) == [GREY] * 3


def test_edges_are_cells_in_their_affinitys_colour_and_their_node_has_a_red_rim():
    E = np.zeros((3, 4, 4))
    E[:, 1, 1] = (1, 0.5, 0)
    picture = figures.node_edges(photograph(16), E, [(0, 0), (0, 1), (1, 0)], 4, [(5, 5)])
    own, neighbour = (tuple(int(255 * v) for v in figures.plt.get_cmap("viridis")(e / 255)[:3]) for e in (255, 127))
    faded = (int(0.35 * 100 + 0.65 * 64),) * 3
    wanted = [(255, 0, 0), (255, 0, 0), own, neighbour, neighbour, faded, faded]
    assert colours(picture, (4, 4), (7, 6), (5, 5), (8, 4), (11, 7), (5, 8), (12, 5)) == wanted


def test_strength_is_drawn_as_colours_over_a_faded_image():
    picture = figures.heat(photograph(4), np.float32([[0, 0], [2, 2]]))
    for y, strength in ((0, 0.0), (3, 1.0)):
        colour = figures.plt.get_cmap("inferno")(strength)[:3]
        assert colours(picture, (1, y)) == [tuple(int(0.35 * 100 + 0.65 * 255 * value) for value in colour)]
