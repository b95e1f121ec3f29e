"""A table of the thesis on another dataset: what its rows score here, beside the thesis's numbers.

reads   workflow/tables.yaml   rows of the table
        scores.json            of s9_evaluate on the images that the table is about; one per row and seed
        pace.json              of rrm_train, likewise, for a table that tells seconds of an iteration
writes  TABLE.csv TABLE.md TABLE.html TABLE.png
"""

import argparse
import itertools
import statistics
from pathlib import Path

HEADER = ["row", "mIoU %", "± over seeds", "boundary IoU %", "thesis, VOC 2012"]
OF_PREDICTIONS = ["mIoU of frequent classes %", "mIoU, classes known %"]
TIMED = ["s an iteration", "thesis, s on a GPU"]
IMAGES = {"train": "training", "val": "validation"}


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--name", required=True, help="of the table in workflow/tables.yaml")
    parser.add_argument(
        "--scores", nargs="+", required=True, metavar="ROW=PATH", help="number of a row, from 0, and scores for it"
    )
    parser.add_argument(
        "--paces",
        nargs="+",
        default=[],
        metavar="ROW=PATH",
        help="likewise the seconds of an iteration, if the table tells them",
    )
    parser.add_argument("--table", type=Path, required=True, help="path to write, without suffix")
    paths = parser.parse_args(argv)

    from wsss_stages.config import tables
    from wsss_stages.evaluation import table_files
    from wsss_stages.store import artifacts, provenance

    definition = tables.read()[1][paths.name]
    scores, paces = (
        {number: [artifacts.read_sealed(path) for path in its] for number, its in _by_row(texts).items()}
        for texts in (paths.scores, paths.paces)
    )
    predicted = definition.labels == "prediction"
    rows = [
        _row(row, definition.labels_of(row), scores[number])
        + (_of_predictions(scores[number]) if predicted else ())
        + _seconds(row, paces.get(number))
        for number, row in enumerate(definition.rows)
    ]
    provenance.reads(
        *(path for its in (paths.scores, paths.paces) for files in _by_row(its).values() for path in files)
    )
    provenance.writes(paths.table.with_suffix(".csv"))
    header = HEADER + (OF_PREDICTIONS if predicted else []) + (TIMED if paces else [])
    first = scores[0][0]
    seeds = max(len(found) for found in scores.values())
    note = (
        f"{first['dataset']}, {first['split']}, {first['images']} images, {seeds} seed{'s'[: seeds != 1]}; unknown pixels count "
        f"as background. The thesis's numbers are those of VOC 2012's {IMAGES[first['split']]} images, another dataset. {_order(rows)}"
    )
    table_files.write(paths.table, definition.title, note, header, rows, rows, first["dataset"])


def _by_row(texts: list[str]) -> dict[int, list[Path]]:
    """Files of every row, from ROW=PATH."""
    found: dict[int, list[Path]] = {}
    for text in texts:
        number, _, path = text.partition("=")
        found.setdefault(int(number), []).append(Path(path))
    return found


def _seconds(row, paces: list[dict] | None) -> tuple[float | None, ...]:
    """Mean seconds of an iteration over the seeds, and the thesis's; nothing for a table that does not tell them."""
    return (statistics.mean(pace["seconds_per_step"] for pace in paces), row.thesis_seconds) if paces else ()


def _of_predictions(scores: list[dict]) -> tuple[float | None, float | None]:
    """Return the mean over the seeds of the mIoU of frequent classes, and of the mIoU where the classes of an image are known, in %."""
    keys = (("prediction", "miou_frequent"), ("prediction_known", "miou"))
    known = ([100 * s["rows"][row][key] for s in scores if s["rows"][row][key] is not None] for row, key in keys)
    return tuple(statistics.mean(values) if values else None for values in known)


def _row(row, labels: str, scores: list[dict]) -> tuple[str, float | None, float | None, float | None, float | None]:
    """Title, mean and deviation of mIoU over the seeds, mean boundary IoU, the thesis's mIoU; all in %."""
    found = [score["rows"][labels] for score in scores]
    miou, boundary = ([100 * f[key] for f in found if f[key] is not None] for key in ("miou", "boundary_iou"))
    return (
        row.title,
        statistics.mean(miou) if miou else None,
        statistics.stdev(miou) if len(miou) > 1 else None,
        statistics.mean(boundary) if boundary else None,
        row.thesis,
    )


def _order(rows: list[tuple]) -> str:
    """How many pairs of rows have the thesis's order, and how many of those that the seeds tell apart."""
    known = [(mean, deviation or 0, thesis) for _, mean, deviation, _, thesis, *_ in rows if None not in (mean, thesis)]
    pairs = [(a, b) for a, b in itertools.combinations(known, 2) if a[2] != b[2]]
    apart = [(a, b) for a, b in pairs if abs(a[0] - b[0]) > a[1] + b[1]]
    if not pairs:
        return ""
    same, clear = (sum((a[0] < b[0]) == (a[2] < b[2]) for a, b in these) for these in (pairs, apart))
    return (
        f"{same} of {len(pairs)} pairs of rows are in the thesis's order; of the {len(apart)} that differ by more than both "
        f"deviations, {clear}."
    )


if __name__ == "__main__":
    from wsss_stages.stages import cli

    cli.run(main)
