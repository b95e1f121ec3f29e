"""The report as one HTML file: nothing is fetched, what is missing is named, numbers are the scores'."""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from tests.messages import lacking, raises
from wsss_stages.commands import report
from wsss_stages.config import variants
from wsss_stages.data.index import Index
from wsss_stages.evaluation import metrics
from wsss_stages.roads.html_report import HtmlReport
from wsss_stages.roads.run_files import RunFiles


@dataclass(frozen=True)
class Flat(RunFiles):
    """The toy's files, which all lie in one folder."""

    dataset = property(lambda self: self.home)
    folder = property(lambda self: self.home)

    def stage(self, stage: str) -> Path:
        return self.home / stage


@pytest.fixture
def config():
    return variants.load([variants.DEFAULTS], ["dataset=toy", "dataset_root=.", "shards=1"])


@pytest.fixture(scope="module")
def page(toy):
    config = variants.load([variants.DEFAULTS], ["dataset=toy", "dataset_root=.", "shards=1"])
    return HtmlReport(Flat(config, toy.root), Index.read(toy.index)).page(2)


def test_a_page_fetches_nothing(page):
    links = re.findall(r"""(?:src|href)=["']([^"']*)""", page)
    assert links and all(link.startswith(("data:image/webp;base64,", "#")) for link in links)
    assert "url(" not in page and "<script" not in page and "@import" not in page


def test_a_page_has_a_row_for_every_image_and_a_step_for_every_stage(page):
    steps = page.partition('id="steps"')[2].partition('id="review"')[0]
    assert steps.count("<h3>") == 2
    titles = re.findall(r"<figcaption>(.*?)</figcaption>", steps)
    assert set(titles) >= {
        "weak labels",
        "CAM",
        "masks M_B",
        "seeds M_g",
        "soft masks",
        "pseudo label",
        "segmenter",
        "truth",
    }
    review = page.partition('id="review"')[2].partition('id="trainings"')[0]
    assert review.count("<h3>") == 2 and review.count("agreement") == 2


def test_numbers_are_the_scores(page, toy):
    row = toy.read(toy.root / "s9_evaluate" / "val" / "scores.json")
    miou = row["rows"]["prediction"]["miou"]
    assert f"<b>{100 * miou:.1f} %</b>" in page and "95 % interval" in page
    made = HtmlReport(
        Flat(variants.load([variants.DEFAULTS], ["dataset=toy", "dataset_root=.", "shards=1"]), toy.root),
        Index.read(toy.index),
    )
    assert made.confusions("val").sum(axis=0).tolist() == row["rows"]["prediction"]["confusion"]


def test_what_is_not_made_is_named(toy, tmp_path, config):
    made = HtmlReport(Flat(config, tmp_path), Index.read(toy.index))
    assert not lacking(
        made.page(1), "Left out", "s6_propagate", "segmenter is not trained", "s9_review", "No job has been measured"
    )


def test_a_full_page_leaves_rows_out_and_says_so(toy, config):
    made = HtmlReport(Flat(config, toy.root), Index.read(toy.index), most_bytes=1)
    assert not lacking(made.page(3), "2 rows of steps", "3 photographs to look at first")


def test_names_are_escaped(toy, config):
    index = Index.read(toy.index)
    index.classes = ["background", "<b>", *index.classes[2:]]
    index.notes.add("<i>noted</i>", 1, "<u>.jpg")
    text = HtmlReport(Flat(config, toy.root), index).page(1)
    assert not re.search(r"<i>noted|<u>\.jpg|</i><b></span>", text) and "&lt;b&gt;" in text


def test_the_interval_holds_the_mean_and_is_that_of_images_drawn_again():
    counts = np.random.default_rng(0).integers(0, 50, (12, 3, 3))
    low, high = metrics.bootstrap_interval(counts)
    assert low < metrics.mean_iou(counts.sum(axis=0)) < high
    drawn = np.random.default_rng(0).multinomial(12, np.full(12, 1 / 12), size=1000)
    means = [metrics.mean_iou(sum(n * c for n, c in zip(line, counts, strict=True))) for line in drawn.tolist()]
    assert (low, high) == pytest.approx(tuple(np.quantile(means, [0.025, 0.975])))
    assert metrics.bootstrap_interval(counts[:1]) is None
    assert metrics.bootstrap_interval(np.repeat(counts[:1], 5, axis=0))[0] == pytest.approx(metrics.mean_iou(counts[0]))


def test_a_folder_without_results_is_reported(voc, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with raises(ValueError, "voc", f"wsss run {voc.root}"):
        report.main([str(voc.root)])


def test_a_folder_of_results_names_labels_and_variant(toy, tmp_path):
    dataset = tmp_path / "results" / "toy"
    (dataset / "box" / "truth").mkdir(parents=True)
    Index.read(toy.full_index).write(dataset / "index.json")
    files = report.run_files(dataset / "box" / "truth", Path(), {})
    assert (files.home, files.config["weak"], files.config["variant"]) == (tmp_path, "box", "truth")
    assert files.stage("s7_segment") == dataset / "box" / "truth" / "s7_segment"
    assert files.stage("s4_affinity") == dataset / "box" / "ours" / "s4_affinity"
    with raises(ValueError, "index", "box"):
        report.opened(files)
    Index.read(toy.index).write(dataset / "box" / "index.json")
    assert report.opened(files).root.is_absolute() and report.run_files(dataset, Path(), {}).config["variant"] == "ours"
