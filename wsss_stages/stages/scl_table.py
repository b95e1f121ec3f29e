"""A table of chapter 5 on another dataset: mIoU and FB-IoU over folds and seeds, beside the thesis's numbers.

reads   workflow/tables.yaml   rows of the table
        scores.json            of scl_evaluate, one per row and fold
writes  TABLE.csv TABLE.md TABLE.html TABLE.png
"""

import argparse
import statistics
from pathlib import Path

from wsss_stages.config import tables


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--name", required=True, help="of the table in workflow/tables.yaml")
    parser.add_argument(
        "--scores",
        nargs="+",
        required=True,
        metavar="ROW=PATH",
        help="number of a row, from 0, and scores of a fold for it",
    )
    parser.add_argument("--table", type=Path, required=True, help="path to write, without suffix")
    paths = parser.parse_args(argv)

    from wsss_stages.evaluation import table_files
    from wsss_stages.store import artifacts, provenance

    definition = tables.read_few_shot()[1][paths.name]
    scores: dict[int, list[dict]] = {}
    for text in paths.scores:
        number, _, path = text.partition("=")
        scores.setdefault(int(number), []).append(artifacts.read_sealed(Path(path)))
    provenance.reads(*(Path(text.partition("=")[2]) for text in paths.scores))
    provenance.writes(paths.table.with_suffix(".csv"))
    folds = sorted(score["fold"] for score in scores[0])
    rows = [
        _row(row, sorted(scores[number], key=lambda s: s["fold"]), folds) for number, row in enumerate(definition.rows)
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
        "episodes, whose deviation does not tell that of another training. Another class: supports show a class that is not scored; as "
        "high as mIoU where a network does not heed its support. Unknown pixels (255) are ignored. The thesis's numbers "
        "are those of PASCAL-5^i, other images; they are means of these folds where it tells them by fold, else of all four."
    )
    shown = [(row[0], *row[-7:-5], None, row[-2]) for row in rows]
    table_files.write(paths.table, definition.title, note, header, rows, shown, first["dataset"])


def _row(row, scores: list[dict], folds: list[int]) -> tuple:
    """Title, mIoU of each fold, mean and deviation over seeds of the mean over folds, FB-IoU,
    mIoU of the control where it is one of 1-shot, how far it lies below, the thesis's; all in %."""
    for score in scores:
        if row.scored not in score["rows"]:
            raise ValueError(
                f"the scores of {row.title!r} on fold {score['fold']} have {', '.join(score['rows'])}, wanted {row.scored}. Set "
                "scl_evaluate.shots to [1, 5]."
            )
    found = [score["rows"][row.scored] for score in scores]
    by_fold = [100 * statistics.mean(its["miou"]) for its in found]
    miou, fb = (
        [100 * statistics.mean(seed) for seed in zip(*(its[key] for its in found), strict=True)]
        for key in ("miou", "fb_iou")
    )
    controls = [score["rows"].get(tables.control_of(row.scored)) for score in scores]
    control = statistics.mean(100 * m for its in controls for m in its["miou"]) if all(controls) else None
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


if __name__ == "__main__":
    from wsss_stages.stages import cli

    cli.run(main)
