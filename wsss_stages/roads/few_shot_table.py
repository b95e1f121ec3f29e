"""A table of chapter 5 on another dataset, from the scores of its rows on several folds."""

import statistics
from collections.abc import Sequence
from pathlib import Path

from wsss_stages.config.comparisons import Printed
from wsss_stages.config.tables import FewShotRow, FewShotTable, control_of
from wsss_stages.evaluation import table_files


def write(path: Path, definition: FewShotTable, scores: dict[int, list[dict]], printed: Sequence[Printed] = ()) -> None:
    """Write a table's four files. `path`: without suffix.  scores: of every row, one scores.json a fold.  printed: other methods."""
    folds = sorted(score["fold"] for score in scores[0])
    rows = [
        row_of(row, sorted(scores[number], key=lambda s: s["fold"]), folds)
        for number, row in enumerate(definition.rows)
    ]
    header = [
        "row",
        *(f"fold {fold}, mIoU %" for fold in folds),
        "mIoU %",
        "± over seeds",
        "FB-IoU %",
        "another class, mIoU %",
        "gap to it",
        "thesis",
        "thesis, FB-IoU",
    ]
    first = scores[0][0]
    seeds = len(next(iter(first["rows"].values()))["miou"])
    note = (
        f"{first['dataset']}, {'folds' if len(folds) > 1 else 'fold'} {', '.join(map(str, folds))}, {seeds} seeds of {first['pairs']} "
        "episodes, whose deviation does not include that of another training. Another class: supports show a class that is not scored; as "
        "high as mIoU where a network ignores its support. Unknown pixels (255) are ignored. The thesis's numbers "
        "are those of PASCAL-5^i, other images; they are means of these folds where it has them by fold, else of all four."
    )
    shown = [(row[0], *row[-7:-5], None, row[-2]) for row in rows]
    table_files.write(path, definition.title, note, header, rows + others(printed, folds), shown, first["dataset"])


def others(printed: Sequence[Printed], folds: list[int]) -> list[tuple]:
    """Return the rows of methods that the thesis prints, of each number of supports: four folds and their mean, 1-shot and 5-shot."""
    rows = []
    for method in printed:
        for shots, (*of_folds, mean) in ((1, method.values[:5]), (5, method.values[5:])):
            known = [value for fold in folds if fold < len(of_folds) and (value := of_folds[fold]) is not None]
            thesis = statistics.mean(known) if len(known) == len(folds) else mean
            rows.append((f"{method.method}, {shots}-shot, printed", *[None] * (len(folds) + 5), thesis, None))
    return rows


def row_of(row: FewShotRow, scores: list[dict], folds: list[int]) -> tuple:
    """Return title, mIoU of each fold, mean and deviation over seeds of the mean over folds, FB-IoU,
    mIoU of the control where it is one of 1-shot, how far it lies below, the thesis's; all in %."""
    for score in scores:
        if row.scored not in score["rows"]:
            raise ValueError(
                f"the scores of {row.title!r} on fold {score['fold']} have {', '.join(score['rows'])}, wanted {row.scored}. Set "
                "scl_evaluate.shots to [1, 5]."
            )
    found = [score["rows"][row.scored] for score in scores]
    by_fold = [100 * statistics.mean(scores["miou"]) for scores in found]
    miou, fb = (
        [100 * statistics.mean(seed) for seed in zip(*(scores[key] for scores in found), strict=True)]
        for key in ("miou", "fb_iou")
    )
    controls = [score["rows"].get(control_of(row.scored)) for score in scores]
    control = statistics.mean(100 * m for scores in controls for m in scores["miou"]) if all(controls) else None
    deviation = statistics.stdev(miou) if len(miou) > 1 else None
    return (
        row.title,
        *by_fold,
        statistics.mean(miou),
        deviation,
        statistics.mean(fb),
        control,
        None if control is None else statistics.mean(miou) - control,
        row.thesis_of(folds),
        row.thesis_fb,
    )
