"""Rows of the report's tables: scores, affinity and random walk, notes of the importer, substitutions, costs."""

import csv
from pathlib import Path

from wsss_stages.config.dag import STAGES
from wsss_stages.data.index import Index
from wsss_stages.labels import levels
from wsss_stages.store import contracts

USED = {"train": "learn from", "val": "validate on"}
"""The use of the images of a split."""
NO_SCORES = {
    "train": "labels of the training images, of which none has a true mask",
    "val": "predictions on validation images, of which none has a true mask",
}
SCORED_BY = (
    "Put true masks into SegmentationClass/ID.png of the dataset's folder, and the names of the images to validate on into "
    "ImageSets/Segmentation/val.txt."
)
SHARES = ("miou", "miou_frequent", "boundary_iou", "unknown")
"""Columns of the table of scores for every label map, before the IoU of its classes."""
KNOWN = {"data", "s1_classifier", *STAGES}
"""Stages whose costs are counted."""


def score_rows(scores: list[dict]) -> list[list]:
    """Return a row per label map of every scores.json with images that have truth: name, images, and its scores in per cent."""
    return [
        [
            f"{s['split']}: {name}",
            s["images"],
            *(percent(row[key]) for key in SHARES),
            *map(percent, row["iou"].values()),
        ]
        for s in scores
        if s["images"]
        for name, row in s["rows"].items()
    ]


def unscored(scores: list[dict]) -> str:
    """Return a sentence on the splits of which nothing is scored, and how to have them scored; empty where there are none."""
    splits = [NO_SCORES[s["split"]] for s in scores if not s["images"]]
    return f"Not scored: {' and '.join(splits)}. {SCORED_BY}" if splits else ""


def final_row(scores: list[dict]) -> tuple[dict, dict] | None:
    """Return the scores of a split and, among them, the row of the last label map that was scored: predictions before pseudo labels.

    None where no image has truth.
    """
    finals = [contract.name for contract in (contracts.PREDICTION, *contracts.FINAL)]
    return next(((s, s["rows"][name]) for name in finals for s in scores if s["images"] and name in s["rows"]), None)


def found(index: Index) -> list[list]:
    """Return one row per note of the importer: text, count, first names; and how many images there are."""
    rows = [[f"images to {verb}", len(index.splits[split]), ""] for split, verb in USED.items()]
    return rows + [[text, note.count, ", ".join(note.names)] for text, note in sorted(index.notes.items())]


def affinity_rows(scores: list[dict], chosen: dict | None) -> list[list]:
    """Return a row for the outlines of true labels and of seeds, and one for every walk that s5_walk chose of."""
    known = [(f"{s['split']}: truth", s["outlines"]) for s in scores if s.get("outlines", {}).get("pairs_inside")]
    known += [("seeds", chosen["outlines"])] if chosen else []
    rows: list[list] = [
        [name, *(v and f"{v:.3f}" for v in (o["across"], o["inside"])), o["pairs_across"], None] for name, o in known
    ]
    if chosen is None:
        return rows
    for one in chosen["agreements"]:
        mark = " (chosen)" if (one["power"], one["steps"]) == (chosen["power"], chosen["steps"]) else ""
        walk = f"power {one['power']:g}, {one['steps']} steps{mark}"
        rows.append(["random walk", None, None, walk, percent(one["miou"])])
    return rows


def substitutions(notes: dict[str, int]) -> list[list]:
    """Return one row per note of the stages, and the shares of `labels.levels` counted by s3_seeds, in per cent."""
    counted = {name.removeprefix(levels.NOTE): n for name, n in notes.items() if name.startswith(levels.NOTE)}
    rows = [[name, n] for name, n in sorted(notes.items()) if not name.startswith(levels.NOTE)]
    shares = levels.shares(counted) if counted else {}
    return rows + [[f"{levels.NOTE}{name}, %", 100 * share] for name, share in shares.items()]


def costs(benchmarks: list[Path]) -> list[list]:
    """Return one row per stage of Snakemake's benchmark files: jobs, seconds in sum, largest resident memory in MB."""
    stages: dict[str, list] = {}
    for path in benchmarks:
        with open(path) as file:
            (measured,) = list(csv.DictReader(file, delimiter="\t"))
        stage = next(name for part in path.parts if (name := part.removesuffix(".tsv")) in KNOWN)
        row = stages.setdefault(stage, [stage, 0, 0.0, 0.0])
        row[1] += 1
        row[2] += float(measured["s"])
        row[3] = max(row[3], float(measured["max_rss"]) if measured["max_rss"] not in ("-", "NA") else 0.0)
    return [stages[stage] for stage in sorted(stages)]


def percent(share: float | None) -> float | None:
    """Return a share in per cent, None of none."""
    return None if share is None else 100 * share
