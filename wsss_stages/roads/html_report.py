"""A run as one HTML file: the numbers that matter, then steps, photographs to look at first, scores, costs and the folder's notes."""

import csv
import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from wsss_stages import UNKNOWN
from wsss_stages.data import description
from wsss_stages.data.index import Index, Record, stable_hash
from wsss_stages.data.weak.completeness import PLURAL
from wsss_stages.evaluation import figures, metrics
from wsss_stages.evaluation.thumbnails import Thumbnails
from wsss_stages.roads import report, report_tables
from wsss_stages.roads.run_files import RunFiles
from wsss_stages.roads.step_pictures import StepPictures
from wsss_stages.shards.manifest import Manifest
from wsss_stages.store import artifacts, contracts

MOST_BYTES = 12_000_000
"""Bytes of all pictures in the file, after which rows are left out."""
RESAMPLED = 1000
"""Most images that the interval of the mean IoU is taken over."""
SETTLED = {True: "had settled", False: "had not settled: more epochs would help", None: "too short to say"}


@dataclass
class Number:
    """A number of the start page."""

    name: str
    value: str
    note: str = ""


@dataclass
class Row:
    """A photograph with pictures by their titles."""

    name: str
    note: str
    pictures: dict[str, str]


class HtmlReport:
    """The report of what a run has made so far; what is missing is named."""

    def __init__(self, files: RunFiles, index: Index, most_bytes: int = MOST_BYTES):
        self.files, self.index = files, index
        self.contents = description.Contents.of(index)
        self.scores = [artifacts.read_sealed(path) for path in files.scores()]
        self.curves = [artifacts.read_sealed(path) for path in files.curves()]
        self.thumbnails = Thumbnails(most_bytes)
        self.left_out: list[str] = []

    def page(self, images: int) -> str:
        """Return the page.

        Args:
            images: rows of pictures of the steps, and of photographs to look at first.
        """
        header = ["labels", "images", "mIoU", "mIoU of frequent", "boundary IoU", "unknown", *self.index.classes]
        manifest, rows = self.steps(images)
        stage, contract = self.files.final()
        masks = self.files.stage(stage)
        return figures.PAGES.get_template("run.html.j2").render(
            title=f"{self.index.dataset}: masks from {PLURAL.get(self.index.weak, 'mixed labels')}, variant {self.files.config['variant']}",
            classes=[(name, "#{:02x}{:02x}{:02x}".format(*figures.COLOURS[n])) for n, name in self._shown_classes()],
            rows=rows,
            review=self.review(images),
            curves=[self._curve(curve) for curve in self.curves],
            scores={"header": header, "rows": report_tables.score_rows(self.scores), "note": report.SCORES},
            unscored=report_tables.unscored(self.scores),
            confusion=self._confusion(),
            costs={
                "header": ["stage", "jobs", "seconds", "peak memory, MB"],
                "rows": self._costs(),
                "note": report.COSTS,
            },
            found={
                "header": ["what", "how often", "first"],
                "rows": report_tables.found(self.index),
                "note": report.FOUND,
            },
            substitutions={
                "header": ["what", "how often"],
                "rows": report_tables.substitutions(manifest.notes),
                "note": report.SUBSTITUTIONS,
            },
            numbers=self.numbers(),
            left_out=self.left_out,
            masks=str(masks / "train" / contract.name),
            network=str(self.files.network()),
        )

    def numbers(self) -> list[Number]:
        """Return the numbers of the start page."""
        count = self.contents
        kinds = ", ".join(f"{PLURAL[kind]} on {n}" for kind, n in count.kinds.items())
        train, val = (count.images.get(split, 0) for split in ("train", "val"))
        notes = sum(note.count for note in self.index.notes.values())
        numbers = [
            Number("photographs", str(train + val), f"{train} to learn from, {val} to validate on"),
            Number("classes", str(len(self.index.classes) - 1), f"labels: {kinds or 'tags that follow from others'}"),
            Number(
                "noted in the folder",
                str(notes),
                "kinds of them are in the table below" if notes else "nothing to note",
            ),
        ]
        numbers += [*self._score(), *self._agreement()]
        if self.curves:
            settled = sum(curve.get("settled") is True for curve in self.curves)
            numbers.append(
                Number("trainings settled", f"{settled} of {len(self.curves)}", "the others: see their curves")
            )
        if seconds := sum(row[2] for row in self._costs()):
            images = train + val
            numbers.append(Number("time of all jobs", _time(seconds), f"{seconds / max(1, images):.1f} s a photograph"))
        numbers.append(Number("disk", f"{_bytes(self.files.dataset) / 1e6:.0f} MB", "all results of this folder"))
        return numbers

    def steps(self, images: int) -> tuple[Manifest, list[Row]]:
        """Return the manifest of all steps that are made, and a row of pictures for some photographs."""
        stages = self.files.label_stages()
        made = {stage: self.files.manifests(stage, "train") for stage in stages}
        missing = [stage for stage, paths in made.items() if not paths]
        if missing:
            self.left_out.append(f"steps that are not made yet: {', '.join(missing)}")
        records = heapq.nsmallest(images, self.index.split("train"), key=lambda r: stable_hash(r.id, "report"))
        manifest = Manifest(
            (path for paths in made.values() for path in paths), images={record.id for record in records}
        )
        whole = contracts.PSEUDO.name in manifest.made
        window = next((options for options in manifest.options if "offset" in options), None) if whole else None
        pictures = StepPictures(self.index, manifest, window, self._segmenter())
        return manifest, list(self._rows(records, pictures))

    def _rows(self, records: list[Record], pictures: StepPictures) -> Iterator[Row]:
        for number, record in enumerate(records):
            if self.thumbnails.full:
                self.left_out.append(f"{len(records) - number} rows of steps: the file is large enough")
                return
            cells = {title: array for title, array in pictures.row(record).items() if array is not None}
            yield Row(record.id, "", {title: self.thumbnails.photo(array) for title, array in cells.items()})

    def review(self, images: int) -> list[Row]:
        """Return photographs whose labels to look at first, each with its weak labels and its final label."""
        path = self.files.folder / "s9_review" / "review_first.csv"
        stage, contract = self.files.final()
        manifests = self.files.manifests(stage, "train")
        if not path.is_file() or not manifests:
            self.left_out.append("photographs to look at first: s9_review is not made yet")
            return []
        with open(path, newline="", encoding="utf-8") as file:
            first = [row for _, row in zip(range(images), csv.DictReader(file), strict=False)]
        manifest = Manifest(manifests, [contract], {row["id"] for row in first})
        rows = []
        for row in first:
            if self.thumbnails.full:
                self.left_out.append(f"{len(first) - len(rows)} photographs to look at first: the file is large enough")
                break
            rows.append(self._reviewed(row, manifest, contract))
        return rows

    def _reviewed(self, row: dict[str, str], manifest: Manifest, contract: contracts.Contract) -> Row:
        record = self.index.records[row["id"]]
        image = record.image(self.index.root)
        weak = figures.with_marks(image, self.index.scribble_labels(record), record.points)
        cells = {
            "labels": figures.with_boxes(weak, record.boxes, record.box_classes),
            "mask": figures.over(image, manifest.read(record.id, contract)["label"]),
        }
        score = f"agreement {float(row['score']):.2f}" if row["score"] else "its label is truth"
        return Row(record.id, score, {title: self.thumbnails.photo(array) for title, array in cells.items()})

    def _segmenter(self) -> Any:
        weights = self.files.network()
        if not weights.is_file():
            self.left_out.append("predictions: the segmenter is not trained yet")
            return None
        from wsss_stages.training.networks import restore_segmenter

        return restore_segmenter(weights)[0]

    def _shown_classes(self) -> list[tuple[int, str]]:
        return [(n, name) for n, name in enumerate(self.index.classes) if n and self.contents.shown_in[n]]

    def _score(self) -> list[Number]:
        """Return the final mean IoU with its interval; nothing without truth."""
        last = report_tables.final_row(self.scores)
        if last is None:
            return [Number("mIoU", "–", "no true masks to score against")]
        scores, row = last
        of = "predictions" if scores["split"] == "val" else "labels"
        note = f"of the {of} of {scores['images']} images in {scores['split']}"
        counts = self.confusions(scores["split"])
        if interval := metrics.bootstrap_interval(counts) if len(counts) else None:
            low, high = (100 * value for value in interval)
            note += f"; 95 % interval {low:.1f} to {high:.1f} over images"
        return [Number("mIoU", f"{100 * row['miou']:.1f} %", note)]

    def confusions(self, split: str) -> np.ndarray:
        """Return the confusion, (n, classes, classes), of the last label map of every image with truth, of at most RESAMPLED images."""
        stage, contract = ("s8_predict", contracts.PREDICTION) if split == "val" else self.files.final()
        paths, classes = self.files.manifests(stage, split), len(self.index.classes)
        records = self.index.split(split, having=lambda record: record.truth)
        chosen = heapq.nsmallest(RESAMPLED, records, key=lambda r: stable_hash(r.id, "report")) if paths else []
        manifest = Manifest(paths, [contract], {record.id for record in chosen})
        found = []
        for record in chosen:
            truth, label = record.known_truth(self.index.root), manifest.read(record.id, contract)["label"]
            label = cv2.resize(np.where(label == UNKNOWN, 0, label), truth.shape[::-1], interpolation=cv2.INTER_NEAREST)
            found.append(metrics.confusion(truth, label, classes))
        return np.array(found).reshape(-1, classes, classes)

    def _agreement(self) -> list[Number]:
        path = self.files.folder / "s9_review" / "review.json"
        if not path.is_file():
            return []
        mean = artifacts.read_sealed(path)["scores"]["score"]["mean"]
        return (
            []
            if mean is None
            else [Number("agreement of labels", f"{mean:.2f}", "of 1: how well the steps agree on a mask")]
        )

    def _curve(self, curve: dict) -> dict[str, str]:
        note = f"{curve['stage']}: {SETTLED[curve.get('settled')]}"
        return {"note": note, "picture": self.thumbnails.figure(figures.curves_figure([curve]))}

    def _confusion(self) -> str:
        last = report_tables.final_row(self.scores)
        if last is None:
            return ""
        scores, row = last
        title = f"{scores['split']}, {scores['images']} images: share of true pixels, %"
        return self.thumbnails.figure(figures.confusion_figure(np.array(row["confusion"]), self.index.classes, title))

    def _costs(self) -> list[list]:
        return report_tables.costs(self.files.benchmarks())


def _time(seconds: float) -> str:
    return f"{seconds / 3600:.1f} h" if seconds >= 3600 else f"{seconds / 60:.1f} min"


def _bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
