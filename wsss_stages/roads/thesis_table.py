"""A table of the thesis on another dataset, from the scores of its rows."""

import itertools
import statistics
from collections.abc import Sequence
from pathlib import Path

from wsss_stages.config.comparisons import Printed
from wsss_stages.config.tables import Row, Table
from wsss_stages.evaluation import table_files

HEADER = ["row", "mIoU %", "± over seeds", "boundary IoU %", "thesis, VOC 2012"]
OF_PREDICTIONS = ["mIoU of frequent classes %", "mIoU, classes known %"]
HIDDEN = "hidden seeds found, mIoU %"
TIMED = ["s an iteration", "thesis, s on a GPU"]
IMAGES = {"train": "training", "val": "validation"}


def write(
    path: Path,
    definition: Table,
    scores: dict[int, list[dict]],
    paces: dict[int, list[dict]],
    agreements: dict[int, list[dict]],
    printed: Sequence[Printed] = (),
) -> None:
    """Write a table's four files.

    Args:
        path: without suffix.  scores: of every row, one scores.json a seed.  paces: likewise pace.json, for a table
        with seconds.  agreements: likewise agreement.json, for a table with hidden seeds.  printed: other methods.
    """
    predicted = definition.labels == "prediction"
    rows = [
        row_of(row, definition.labels_of(row), scores[number])
        + (of_predictions(scores[number]) if predicted else ())
        + hidden_seeds(definition.labels_of(row), agreements.get(number))
        + seconds(row, paces.get(number))
        for number, row in enumerate(definition.rows)
    ]
    header = (
        HEADER + (OF_PREDICTIONS if predicted else []) + ([HIDDEN] if agreements else []) + (TIMED if paces else [])
    )
    others = [(*of_others(method), *[None] * (len(header) - len(HEADER))) for method in printed]
    first = scores[0][0]
    seeds = max(len(found) for found in scores.values())
    note = (
        f"{first['dataset']}, {first['split']}, {first['images']} images, {seeds} seed{'s'[: seeds != 1]}; unknown pixels count "
        f"as background. The thesis's numbers are those of VOC 2012's {IMAGES[first['split']]} images, another dataset. {order(rows)}"
    )
    table_files.write(path, definition.title, note, header, rows + others, rows, first["dataset"])


def of_others(method: Printed) -> tuple[str, None, None, None, float | None]:
    """Return the cells of a method that the thesis prints and nobody measures here."""
    return f"{method.method}, printed", None, None, None, method.values[0]


def by_row(texts: list[str]) -> dict[int, list[Path]]:
    """Return the files of every row, from ROW=PATH."""
    found: dict[int, list[Path]] = {}
    for text in texts:
        number, _, path = text.partition("=")
        found.setdefault(int(number), []).append(Path(path))
    return found


def seconds(row: Row, paces: list[dict] | None) -> tuple[float | None, ...]:
    """Return the mean seconds of an iteration over the seeds, and the thesis's; an empty row for a table without them."""
    return (statistics.mean(pace["seconds_per_step"] for pace in paces), row.thesis_seconds) if paces else ()


def hidden_seeds(labels: str, agreements: list[dict] | None) -> tuple[float | None, ...]:
    """Return the mean over the seeds of the mIoU with hidden seeds, in %, None of labels that do not come of them; an empty row for a
    table without it.
    """
    if not agreements:
        return ()
    mious = [a["rows"][labels]["miou"] for a in agreements if labels in a["rows"]]
    found = [100 * miou for miou in mious if miou is not None]
    return (statistics.mean(found) if found else None,)


def of_predictions(scores: list[dict]) -> tuple[float | None, float | None]:
    """Return the mean over the seeds of the mIoU of frequent classes, and of the mIoU where the classes of an image are known, in %."""
    keys = (("prediction", "miou_frequent"), ("prediction_known", "miou"))
    known = ([100 * s["rows"][row][key] for s in scores if s["rows"][row][key] is not None] for row, key in keys)
    frequent, given = (statistics.mean(values) if values else None for values in known)
    return frequent, given


def row_of(
    row: Row, labels: str, scores: list[dict]
) -> tuple[str, float | None, float | None, float | None, float | None]:
    """Return title, mean and deviation of mIoU over the seeds, mean boundary IoU, the thesis's mIoU; all in %."""
    found = [score["rows"][labels] for score in scores]
    miou, boundary = ([100 * f[key] for f in found if f[key] is not None] for key in ("miou", "boundary_iou"))
    return (
        row.title,
        statistics.mean(miou) if miou else None,
        statistics.stdev(miou) if len(miou) > 1 else None,
        statistics.mean(boundary) if boundary else None,
        row.thesis,
    )


def order(rows: list[tuple]) -> str:
    """Return a sentence: how many pairs of rows have the thesis's order, and how many of the pairs that the seeds
    separate; or nothing.
    """
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
