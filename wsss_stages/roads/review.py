"""Scores of training images without truth, worst first: how their label maps agree, fit their boxes and keep their seeds."""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from wsss_stages import UNKNOWN
from wsss_stages.data.index import Index, Record
from wsss_stages.evaluation import metrics
from wsss_stages.evaluation.agreement import agreements, sides_hit
from wsss_stages.shards.manifest import Manifest
from wsss_stages.shards.shard_by_shard import ShardByShard
from wsss_stages.store import artifacts, contracts
from wsss_stages.store.progress import progress

VIEWS = {
    "CAM M_I": contracts.CAM_LABEL,
    "masks M_B": contracts.GRABCUT,
    "superpixels": contracts.EXPANDED,
    "soft masks": contracts.OBJECT_LABEL,
    "random walk": contracts.RANDOM_WALK,
    "A²GNN": contracts.GRAPH_LABEL,
    "pseudo label": contracts.PSEUDO,
    "RRM": contracts.RRM_BRANCH,
    "RRM and CRF": contracts.RRM_LABEL,
    "prediction": contracts.PREDICTION,
}
"""Titles of the label maps that are compared where a run has them; not the seeds, which are made from CAM and M_B."""
Row = dict[str, float | None]
"""Values by the name of a column; None where an image has none."""


class Review:
    """The label maps that a run made of its training images; `made` has their names."""

    def __init__(self, index: Index, made: set[str]):
        self.index, self.classes, self.made = index, len(index.classes), made
        self.views = {title: contract for title, contract in VIEWS.items() if contract.name in made}
        self.final = next(contract for contract in contracts.FINAL if contract.name in made)
        of_maps = [f"agreement_{contract.name}" for contract in self.views.values()]
        self.columns = ["score", "agreement", "sides_hit", "seeds_kept", "boxes_outlined", *of_maps, "iou"]

    def table(self, images: ShardByShard) -> tuple[list[str], Float[np.ndarray, "n columns"]]:
        """Return ids and the columns of all images, the worst first; NaN where an image has none."""
        ids, values = [], np.full((len(images), len(self.columns)), np.nan)
        for at, (record, manifest) in enumerate(progress(images, "s9_review")):
            ids.append(record.id)
            for name, value in self.row(record, manifest).items():
                values[at, self.columns.index(name)] = np.nan if value is None else value
        order = worst_first(ids, values[:, 0])
        return [ids[at] for at in order], values[order]

    def row(self, record: Record, manifest: Manifest) -> Row:
        """Return the columns of an image; none where its label is truth."""
        if record.truth_sha256:
            return {}
        maps = self.labels(record, manifest)
        pairs = agreements(maps, record.tags, self.classes)
        parts = {
            "agreement": mean(pairs.values()),
            "sides_hit": sides_hit(maps[self.final.name], *record.box_arrays()),
            "seeds_kept": seeds_kept(manifest.counted(record.id, self.final)),
        }
        outlined = {"boxes_outlined": self.boxes_outlined(record, manifest)}
        scored = parts if contracts.OBJECT_LABEL.name in self.made else parts | outlined
        others = {f"agreement_{name}": mean(v for pair, v in pairs.items() if name in pair) for name in maps}
        return {"score": mean(scored.values()), **parts, **outlined, **others, "iou": self.true_iou(record, manifest)}

    def boxes_outlined(self, record: Record, manifest: Manifest) -> float | None:
        """Return the share of an image's boxes that the mask source found an object in, not taken whole; None without boxes.

        It counts in the score where there are no soft masks of boxes: then all maps agree on a box that was taken whole.
        """
        if not record.boxes or contracts.GRABCUT.name not in self.made:
            return None
        return outlined(manifest.counted(record.id, contracts.GRABCUT))

    def labels(self, record: Record, manifest: Manifest) -> dict[str, UInt8[np.ndarray, "h w"]]:
        """Return every label map at the working size, by the name of its contract."""
        size = record.width, record.height
        found = {contract.name: manifest.read(record.id, contract)["label"] for contract in self.views.values()}
        return {name: cv2.resize(label, size, interpolation=cv2.INTER_NEAREST) for name, label in found.items()}

    def true_iou(self, record: Record, manifest: Manifest) -> float | None:
        """Return the mean IoU of an image's last label map and its true one, in [0, 1]; None without truth."""
        truth = record.truth_labels(self.index.root)
        if truth is None:
            return None
        label = manifest.read(record.id, self.final)["label"]
        return metrics.mean_iou(metrics.confusion(truth, np.where(label == UNKNOWN, 0, label), self.classes))

    def measured(self, values: Float[np.ndarray, "n columns"]) -> dict:
        """Return the content of review.json: of the score and its parts number, mean and rank correlation with the true IoU."""
        iou = values[:, -1]
        scores = {name: against(column, iou) for name, column in zip(self.columns[:-1], values.T[:-1], strict=True)}
        known = mean(iou[~np.isnan(iou)].tolist())
        return {"dataset": self.index.dataset, "weak": self.index.weak, "iou": known, "scores": scores}

    def write_list(self, path: Path, ids: Sequence[str], values: Float[np.ndarray, "n columns"]) -> None:
        """Write a CSV of all images in the order given."""
        with artifacts.whole(path) as partial, partial.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(["id", *self.columns])
            for image_id, row in zip(ids, values, strict=True):
                writer.writerow([image_id, *("" if np.isnan(value) else f"{value:.4f}" for value in row)])


def worst_first(ids: Sequence[str], scores: Float[np.ndarray, " n"]) -> list[int]:
    """Return the places of images by their scores, of equal ones by their ids; those without a score, NaN, come last."""
    by_id = np.array(sorted(range(len(ids)), key=ids.__getitem__), int)
    return by_id[np.argsort(scores[by_id], kind="stable")].tolist()


def seeds_kept(counts: dict[str, int]) -> float | None:
    """Return the share of object seeds that were consistent at the end (Eq. 3.28); None where none were checked."""
    checked = counts.get("object_seeds", 0)
    return 1 - counts["object_seeds_inconsistent"] / checked if checked else None


def outlined(counts: dict[str, int]) -> float | None:
    """Return the share of boxes whose masks the source did not substitute; None without boxes."""
    return 1 - counts["boxes_substituted"] / counts["boxes"] if counts.get("boxes") else None


def against(scores: Float[np.ndarray, " n"], iou: Float[np.ndarray, " n"]) -> dict[str, float | int | None]:
    """Return how many images have a score, its mean, and its rank correlation with the true IoU where both are known."""
    scored, true = ~np.isnan(scores), ~np.isnan(scores) & ~np.isnan(iou)
    return {
        "images": int(scored.sum()),
        "mean": mean(scores[scored].tolist()),
        "images_with_truth": int(true.sum()),
        "rank_correlation": metrics.rank_correlation(scores[true].tolist(), iou[true].tolist()),
    }


def mean(values: Iterable[float | None]) -> float | None:
    """Return the mean of those values that are not None; None without any."""
    numbers = [value for value in values if value is not None]
    return sum(numbers) / len(numbers) if numbers else None
