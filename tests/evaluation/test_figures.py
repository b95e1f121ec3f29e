"""Names from a dataset are text in every page and picture."""

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
    """So that what is escaped here is escaped in every page."""
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
