"""Files of a run's report: the picture of every step, and pages of scores, curves, affinity, notes and costs."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from wsss_stages.data.index import Index, Record
from wsss_stages.evaluation import figures
from wsss_stages.roads import report_tables as tables
from wsss_stages.roads.step_pictures import StepPictures
from wsss_stages.store import artifacts

SCORES = "IoU in per cent; pixels that a label map leaves unknown count as background. `boxes`: boxes filled with their class."
FOUND = (
    "What the importer read from the dataset's folder, what it read differently from how it is stored, and what it left out; the last "
    "column names the first images or files."
)
AFFINITY = (
    "Mean edge between nodes that touch by a side, across outlines and inside them: of the true labels, and of the seeds on images "
    "that the affinity CNN did not learn from. Below, the walks that one was chosen of, by the mean IoU of seeds hidden from them."
)
SUBSTITUTIONS = (
    "Substitutions: what a step used instead where its input was not usable; and the share that confident seeds cover. "
    "grabcut_*, sam_*, mask_*: the mask source found no object for so many prompts; of boxes the whole box was used "
    "(boxes_substituted; review_first.csv names the images, boxes_outlined), of clicks and scribbles their superpixels, of tags the CAM."
)
COSTS = "Wall seconds summed over shards and the largest peak of resident memory of a job, as Snakemake measured them."
LONGEST = 21
"""Characters of an image's name beside its row of pictures; a longer name is cut to its end."""


class Report:
    """A folder of pictures and pages about one run."""

    def __init__(self, index: Index, folder: Path):
        self.index, self.folder = index, folder

    def steps(self, records: Sequence[Record], pictures: StepPictures) -> None:
        """Write rows.png, a row of pictures for every image."""
        classes = self.index.classes
        rows = [pictures.row(record) for record in records]
        shown = {c: classes[c] for c in sorted({c for record in records for c in record.tags})}
        cells, names = [list(row.values()) for row in rows], [short(record.id) for record in records]
        figures.save(figures.rows_figure(list(rows[0]), cells, names, shown), self.folder / "rows.png")

    def scores(self, scores: list[dict]) -> None:
        """Write scores.html, a row for every label map, and confusion.png, classes that the last label map confuses."""
        header = ["labels", "images", "mIoU", "mIoU of frequent", "boundary IoU", "unknown", *self.index.classes]
        self._page("scores.html", "Scores", SCORES, header, tables.score_rows(scores))
        last, shown = tables.final_row(scores)
        title = f"{last['split']}, {last['images']} images: share of true pixels, %"
        figure = figures.confusion_figure(np.array(shown["confusion"]), self.index.classes, title)
        figures.save(figure, self.folder / "confusion.png")

    def curves(self, curves: Sequence[dict]) -> None:
        """Write curves.png, the trainings' losses and grades."""
        figures.save(figures.curves_figure(curves), self.folder / "curves.png")

    def affinity(self, scores: list[dict], chosen: dict | None) -> None:
        """Write affinity.html, from scores and from walk.json of s5_walk where it chose the random walk."""
        header = ["what", "across outlines", "inside", "pairs across, or walk", "mIoU %"]
        rows = tables.affinity_rows(scores, chosen)
        self._page("affinity.html", "Affinity and random walk", AFFINITY, header, rows)

    def found(self) -> None:
        """Write found.html, notes of the importer."""
        rows = tables.found(self.index)
        self._page("found.html", "What was found in your folder", FOUND, ["what", "how often", "first"], rows)

    def substitutions(self, notes: dict[str, int]) -> None:
        """Write substitutions.html, notes of the stages."""
        rows = tables.substitutions(notes)
        self._page("substitutions.html", "Substitutions", SUBSTITUTIONS, ["what", "how often"], rows)

    def costs(self, benchmarks: list[Path]) -> None:
        """Write costs.html, from Snakemake's benchmark files."""
        header = ["stage", "jobs", "seconds", "peak memory, MB"]
        self._page("costs.html", "Costs", COSTS, header, tables.costs(benchmarks))

    def _page(self, name: str, title: str, note: str, header: list[str], rows: list[list]) -> None:
        with artifacts.whole(self.folder / name) as partial:
            partial.write_text(figures.html_table(title, note, header, rows))


def short(name: str) -> str:
    """Return a name, or of a long one the end."""
    return name if len(name) <= LONGEST else f"…{name[-20:]}"
