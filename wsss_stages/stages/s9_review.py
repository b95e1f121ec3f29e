"""Training images whose pseudo labels deserve a look, worst first: a score of every image that needs no truth.

reads   WEAK/index.json    training images, their weak labels, and truth where there is any
        MANIFESTS          of s3, s5, s6 or rrm_label, or of s8 for DFR, all shards of the training images
writes  in FOLDER
        review_first.csv   of every image: id, score, what it is the mean of, how each label map agrees with the others, true IoU
        review_first.png   the first of them: photograph with its weak labels, every label map, truth
        review.json        Spearman's rank correlation of the score and its parts with the pseudo label's true IoU, review.html the same

The score is the plain mean of what an image has of
    agreement   mean IoU of all pairs of its label maps (CAM, GrabCut, superpixels, soft masks, random walk, A²GNN, RRM, pseudo label)
    sides_hit   share of its boxes' rows and columns that the pseudo label touches
    seeds_kept  share of its object seeds that survive the consistency check of its A²GNN at the end (Eq. 3.28)
all in [0, 1]. Images whose true mask was learned from have no score and come last: their label is truth. Where CAMs are the only
label map nothing has a score.
"""

import argparse
from pathlib import Path

from wsss_stages.store import contracts

VIEWS = {
    "CAM M_I": contracts.CAM_LABEL,
    "GrabCut M_B": contracts.GRABCUT,
    "superpixels": contracts.EXPANDED,
    "soft masks": contracts.OBJECT_LABEL,
    "random walk": contracts.RANDOM_WALK,
    "A²GNN": contracts.GRAPH_LABEL,
    "pseudo label": contracts.PSEUDO,
    "RRM": contracts.RRM_BRANCH,
    "RRM and CRF": contracts.RRM_LABEL,
    "prediction": contracts.PREDICTION,
}
"""Label maps that are compared, where a run has them, by their titles; seeds are left out, for they come of CAM and M_B."""


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--index", type=Path, required=True, help="index.json")
    parser.add_argument(
        "--manifests", type=Path, nargs="+", required=True, help="of s3, s5, s6, rrm_label, s8, training split"
    )
    parser.add_argument("--images", type=int, default=12, help="rows of the picture (default 12)")
    parser.add_argument("--folder", type=Path, required=True, help="where to write")
    paths = parser.parse_args(argv)

    import csv

    import cv2
    import numpy as np

    from wsss_stages import UNKNOWN
    from wsss_stages.data.index import Index, Record
    from wsss_stages.evaluation import figures, metrics
    from wsss_stages.evaluation.agreement import agreements, sides_hit
    from wsss_stages.shards.manifest import Manifest
    from wsss_stages.shards.shard_by_shard import ShardByShard
    from wsss_stages.store import artifacts, provenance
    from wsss_stages.store.progress import progress

    provenance.reads(paths.index, *paths.manifests)
    provenance.writes(paths.folder / "review_first.csv", paths.folder / "review.json")
    index = Index.read(paths.index)
    images = ShardByShard(index, "train", paths.manifests)
    classes = len(index.classes)
    views = {title: contract for title, contract in VIEWS.items() if contract.name in images.made}
    final = next(contract for contract in contracts.FINAL if contract.name in images.made)
    of_maps = [f"agreement_{contract.name}" for contract in views.values()]
    columns = ["id", "score", "agreement", "sides_hit", "seeds_kept", *of_maps, "iou"]

    def labels(record: Record, manifest: Manifest) -> dict[str, np.ndarray]:
        """Every label map at the working size."""
        size = record.width, record.height
        found = {contract.name: manifest.read(record.id, contract)["label"] for contract in views.values()}
        return {name: cv2.resize(label, size, interpolation=cv2.INTER_NEAREST) for name, label in found.items()}

    def seeds_kept(record: Record, manifest: Manifest) -> float | None:
        counts = manifest.counted(record.id, final)
        checked = counts.get("object_seeds", 0)
        return 1 - counts["object_seeds_inconsistent"] / checked if checked else None

    def true_iou(record: Record, manifest: Manifest) -> float | None:
        truth = record.truth_labels(index.root)
        if truth is None:
            return None
        label = manifest.read(record.id, final)["label"]
        return metrics.mean_iou(metrics.confusion(truth, np.where(label == UNKNOWN, 0, label), classes))

    def row(record: Record, manifest: Manifest) -> dict[str, float | None]:
        if record.truth_sha256:
            return {}
        maps = labels(record, manifest)
        pairs = agreements(maps, record.tags, classes)
        parts = {
            "agreement": _mean(pairs.values()),
            "sides_hit": sides_hit(maps[final.name], *record.box_arrays()),
            "seeds_kept": seeds_kept(record, manifest),
        }
        others = {f"agreement_{name}": _mean(v for pair, v in pairs.items() if name in pair) for name in maps}
        return {"score": _mean(parts.values()), **parts, **others, "iou": true_iou(record, manifest)}

    ids, values = [], np.full((len(images), len(columns) - 1), np.nan)  # nan: an image has none
    for at, (record, manifest) in enumerate(progress(images, "s9_review")):
        ids.append(record.id)
        for name, value in row(record, manifest).items():
            values[at, columns.index(name) - 1] = np.nan if value is None else value
    by_id = np.array(sorted(range(len(ids)), key=ids.__getitem__), int)
    order = by_id[np.argsort(values[by_id, 0], kind="stable")]  # nan comes last
    ids, values = [ids[at] for at in order], values[order]
    with (
        artifacts.whole(paths.folder / "review_first.csv") as partial,
        partial.open("w", newline="", encoding="utf-8") as file,
    ):
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        for image_id, its in zip(ids, values, strict=True):
            writer.writerow([image_id, *("" if np.isnan(value) else f"{value:.4f}" for value in its)])

    iou = values[:, -1]

    def measured(its: np.ndarray) -> dict[str, float | int | None]:
        """Of a score or a part of it."""
        there, true = ~np.isnan(its), ~np.isnan(its) & ~np.isnan(iou)
        return {
            "images": int(there.sum()),
            "mean": _mean(its[there].tolist()),
            "images_with_truth": int(true.sum()),
            "rank_correlation": metrics.rank_correlation(its[true].tolist(), iou[true].tolist()),
        }

    scores = {name: measured(its) for name, its in zip(columns[1:-1], values.T[:-1], strict=True)}
    mean_iou = _mean(iou[~np.isnan(iou)].tolist())
    content = {"dataset": index.dataset, "weak": index.weak, "iou": mean_iou, "scores": scores}
    artifacts.write_sealed(paths.folder / "review.json", content)
    header = ["score", "images", "mean, %", "images with truth", "rank correlation"]

    def of_page(name: str, value: float | int | None) -> float | int | str | None:
        """As the page shows it: shares in %, a correlation with its sign."""
        if not isinstance(value, float):
            return value
        return f"{value:+.2f}" if name == "rank_correlation" else 100 * value

    table = [[name, *(of_page(*pair) for pair in its.items())] for name, its in scores.items()]
    note = (
        "Spearman's rank correlation with the true IoU of an image's pseudo label, which is the mean over the image's classes: +1 "
        "if the score puts images in the order of truth, 0 if it knows nothing of it."
    )
    with artifacts.whole(paths.folder / "review.html") as partial:
        partial.write_text(figures.html_table("Does the score find bad labels?", note, header, table))

    def cells(record: Record) -> list[np.ndarray | None]:
        image = record.image(index.root)
        weak = figures.with_marks(image, index.scribble_labels(record), record.points)
        truth = record.truth_labels(index.root)
        return [
            figures.with_boxes(weak, record.boxes, record.box_classes),
            *(figures.over(image, label) for label in labels(record, shown).values()),
            None if truth is None else figures.over(image, truth),
        ]

    first = ids[: paths.images]
    shown = Manifest(paths.manifests, images=set(first))
    pictured = [index.records[image_id] for image_id in first]
    there = sorted({c for record in pictured for c in record.tags})
    unscored = {True: "label is truth", False: "no score"}
    scored = [
        unscored[bool(record.truth_sha256)] if np.isnan(score) else f"score {score:.2f}"
        for record, score in zip(pictured, values[:, 0].tolist(), strict=False)
    ]
    names = [f"{image_id[-20:]}\n{text}" for image_id, text in zip(first, scored, strict=True)]
    figure = figures.rows_figure(
        ["weak labels", *views, "truth"], [cells(r) for r in pictured], names, {c: index.classes[c] for c in there}
    )
    with artifacts.whole(paths.folder / "review_first.png") as partial:
        figure.savefig(partial, dpi=110, format="png")
    figures.plt.close(figure)


def _mean(values) -> float | None:
    """Of those that are not None; None without any."""
    there = [value for value in values if value is not None]
    return sum(there) / len(there) if there else None


if __name__ == "__main__":
    from wsss_stages.stages import cli

    cli.run(main)
