"""Pages and plots of a report that have nothing to show: each says what is missing and how to get it."""

import numpy as np
import pytest

from wsss_stages.data.index import Index
from wsss_stages.evaluation import figures
from wsss_stages.roads import report_tables, review_pages
from wsss_stages.roads.report import Report

ROW = {
    "miou": None, "miou_frequent": None, "boundary_iou": None, "unknown": 0.0, "iou": {"background": None, "cat": None},
    "confusion": [[0, 0], [0, 0]],
}  # fmt: skip
SEEN = ROW | {"miou": 0.5, "iou": {"background": 0.5, "cat": 0.5}, "confusion": [[1, 1], [0, 2]]}


def scores(train: int, val: int) -> list[dict]:
    """Return the scores of both splits with so many images that have truth."""
    return [
        {"split": split, "images": images, "rows": {name: SEEN if images else ROW}}
        for split, images, name in (("train", train, "pseudo"), ("val", val, "prediction"))
    ]


@pytest.fixture
def report(tmp_path) -> Report:
    index = Index("toy", tmp_path, ["background", "cat"], {"train": [], "val": []}, {})
    return Report(index, tmp_path)


@pytest.fixture
def sentences(monkeypatch) -> list[str]:
    """Return the texts of the plots that are sentences."""
    texts: list[str] = []
    drawn = figures.sentence_figure

    def kept(text):
        texts.append(text)
        return drawn(text)

    monkeypatch.setattr(figures, "sentence_figure", kept)
    return texts


def test_without_any_truth_page_and_plot_say_how_to_get_scores(report, sentences):
    report.scores(scores(0, 0))
    page = (report.folder / "scores.html").read_text()
    assert "<table>" not in page and "SegmentationClass" in page and "val.txt" in page
    assert (report.folder / "confusion.png").exists() and "SegmentationClass" in sentences[0]


@pytest.mark.parametrize(
    "train, val, shown, missing", [(3, 0, "train: pseudo", "validation"), (0, 3, "val: prediction", "training")]
)
def test_a_split_without_truth_has_no_row_but_a_sentence(report, sentences, train, val, shown, missing):
    report.scores(scores(train, val))
    page = (report.folder / "scores.html").read_text()
    assert page.count("<tr><td>") == 1 and shown in page and f"{missing} images, of which none" in page
    assert not sentences


def test_with_truth_in_both_splits_nothing_is_missing(report):
    assert report_tables.unscored(scores(3, 3)) == ""
    report.scores(scores(3, 3))
    assert "Not scored" not in (report.folder / "scores.html").read_text()


def test_pages_without_rows_have_no_empty_table(report):
    report.affinity([], None)
    report.substitutions({})
    affinity, substitutions = ((report.folder / f"{name}.html").read_text() for name in ("affinity", "substitutions"))
    assert "<table>" not in affinity + substitutions
    assert "SegmentationClass" in affinity and "Nothing was substituted" in substitutions


@pytest.mark.parametrize("images", [0, 2])
def test_a_review_without_truth_says_so_in_place_of_the_correlation(tmp_path, images):
    measured = {"score": {"images": 4, "mean": 0.5, "images_with_truth": images, "rank_correlation": None}}
    review_pages.write_page(tmp_path / "review.html", measured)
    page = (tmp_path / "review.html").read_text()
    assert ("SegmentationClass" in page) == (images == 0) and ("rank correlation with" in page) == (images > 0)


def test_a_column_without_a_picture_is_left_out():
    image = np.zeros((8, 8, 3), np.uint8)
    figure = figures.rows_figure(["photo", "CAM", "truth"], [[image, None, None], [image, image, None]], ["a", "b"], {})
    titles = [axis.get_title() for axis in figure.axes[:2]]
    assert titles == ["photo", "CAM"] and len(figure.axes) == 4
    figures.plt.close(figure)
