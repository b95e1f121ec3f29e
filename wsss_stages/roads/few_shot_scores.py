"""Scores of a few-shot network from its counts: mIoU of new classes, FB-IoU and the IoU of each class, of every seed."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Int

from wsss_stages.config.options import SclEvaluate
from wsss_stages.data.few_shot.episodes import EpisodeError, Episodes
from wsss_stages.data.index import Index
from wsss_stages.evaluation import metrics
from wsss_stages.store import artifacts

Counts = Int[np.ndarray, "seeds classes 2 2"]
"""Pixels of each class by truth and label, 0 others and 1 the class."""


def of_one_fold(weights: Path, trained: int, episodes: Path, tested: int) -> None:
    """Raise ContractError unless a network is tested on the fold that it was trained on."""
    if trained != tested:
        raise artifacts.ContractError(
            f"{weights} were trained on fold {trained}, but {episodes} are of fold {tested}: a test on "
            "classes that were trained. Give weights and episodes of one fold."
        )


def few_enough(shots: Sequence[int], episodes: Episodes) -> None:
    """Raise EpisodeError unless the episodes have enough supports."""
    most = len(episodes.test[0][0].supports)
    if not 1 <= min(shots) <= max(shots) <= most:
        raise EpisodeError(f"found --shots {shots}, wanted numbers of supports from 1 to the episodes' {most}.")


def scores_of(counts: Counts, novel: Sequence[int], names: Sequence[str]) -> dict[str, Any]:
    """Return mIoU over the new classes, FB-IoU, and the IoU of every new class by its name, a number for each seed."""
    return {
        "miou": [float(np.nanmean(metrics.foreground_iou(confusion)[novel])) for confusion in counts],
        "fb_iou": [metrics.mean_iou(confusion.sum(axis=0)) for confusion in counts],
        "iou": {names[c]: [number(metrics.foreground_iou(confusion)[c]) for confusion in counts] for c in novel},
    }


def summary(
    index: Index, episodes: Episodes, opt: SclEvaluate, threshold: float, counts: dict[str, np.ndarray]
) -> dict[str, Any]:
    """Return the content of scores.json. `threshold`: of the prototypes.  counts: of every row."""
    shown = {image for turn in episodes.test for e in turn for image in (e.query, *e.supports)}
    return {
        "dataset": index.dataset,
        "fold": episodes.fold,
        "novel": [index.classes[c] for c in episodes.novel],
        "images": len(shown),
        "pairs": len(episodes.test[0]),
        "unknown_ignored": True,
        "threshold": threshold,
        "options": opt.model_dump(),
        "rows": {row: scores_of(found, episodes.novel, index.classes) for row, found in counts.items()},
    }


def lines(content: dict[str, Any]) -> list[str]:
    """Return a sentence for every row: mean and deviation over the seeds, in per cent."""
    found = []
    for row, row_scores in content["rows"].items():
        miou, fb = (100 * np.array(row_scores[key]) for key in ("miou", "fb_iou"))
        found.append(
            f"fold {content['fold']}, {row}: mIoU {miou.mean():.1f} ± {miou.std(ddof=len(miou) > 1):.1f} %, FB-IoU {fb.mean():.1f} % "
            f"over {len(miou)} seeds of {content['pairs']} episodes"
        )
    return found


def number(value: float) -> float | None:
    """Return a float, None for NaN."""
    return None if np.isnan(value) else float(value)
