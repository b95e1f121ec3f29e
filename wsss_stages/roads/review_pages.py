"""Pages of the review: how well the score finds bad labels, and pictures of the images to look at first."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float

from wsss_stages.data.index import Record
from wsss_stages.evaluation import figures
from wsss_stages.roads.review import Review
from wsss_stages.shards.manifest import Manifest
from wsss_stages.store import artifacts

HEADER = ["score", "images", "mean, %", "images with truth", "rank correlation"]
NOTE = (
    "Spearman's rank correlation with the true IoU of an image's pseudo label, which is the mean over the image's classes: +1 "
    "if the score orders images as their true IoU does, 0 if the two orders are unrelated."
)
NO_TRUTH = (
    "No training image has a true mask, so there is no correlation to show. With true masks of some of them in "
    "SegmentationClass/ID.png of the dataset's folder there is one."
)
BY_HAND = "label by hand"
UNSCORED = {True: "label is truth", False: "no score"}
"""Text below an image's name in place of its score."""


def write_page(path: Path, scores: dict[str, dict[str, float | int | None]]) -> None:
    """Write a page of the correlations of every score (`Review.measured`)."""
    table = [[name, *(shown(*pair) for pair in pairs.items())] for name, pairs in scores.items()]
    note = NOTE if any(pairs["images_with_truth"] for pairs in scores.values()) else NO_TRUTH
    with artifacts.whole(path) as partial:
        partial.write_text(figures.html_table("Does the score find bad labels?", note, HEADER, table))


def shown(name: str, value: float | int | None) -> float | int | str | None:
    """Return a number as the page shows it: shares in per cent, a correlation with its sign."""
    if not isinstance(value, float):
        return value
    return f"{value:+.2f}" if name == "rank_correlation" else 100 * value


def scored(record: Record, score: float) -> str:
    """Return the text beside an image's pictures: name and score, NaN if it has none."""
    text = UNSCORED[bool(record.truth_sha256)] if np.isnan(score) else f"score {score:.2f}"
    text = BY_HAND if record.corrected else text
    return f"{record.id[-20:]}\n{text}"


def cells(review: Review, record: Record, manifest: Manifest) -> list[np.ndarray | None]:
    """Return the pictures of an image: weak labels, every label map, truth or None."""
    image = record.image(review.index.root)
    weak = figures.with_marks(image, review.index.scribble_labels(record), record.points)
    truth = record.truth_labels(review.index.root)
    return [
        figures.with_boxes(weak, record.boxes, record.box_classes),
        *(figures.over(image, label) for label in review.labels(record, manifest).values()),
        None if truth is None else figures.over(image, truth),
    ]


def write_pictures(
    path: Path, review: Review, manifests: Sequence[Path], first: Sequence[str], scores: Float[np.ndarray, " n"]
) -> None:
    """Write a row of pictures for each of the first images, with their scores."""
    index, manifest = review.index, Manifest(manifests, images=set(first))
    records = [index.records[image_id] for image_id in first]
    rows = [cells(review, record, manifest) for record in records]
    names = [scored(*pair) for pair in zip(records, scores.tolist(), strict=True)]
    legend = {c: index.classes[c] for c in sorted({c for record in records for c in record.tags})}
    figures.save(figures.rows_figure(["weak labels", *review.views, "truth"], rows, names, legend), path)
