"""Score label maps against truth: mIoU per class, of frequent classes, confusion, boundary IoU.

reads   index.json             truth of the images of a split; images without it are left out and counted
        MANIFESTS              of any stages, all shards; every label map in them is a row of the table
writes  scores.json            for every label map: miou, miou_frequent (background and the classes that `frequent_from` training
                               images show), boundary_iou, iou of each class, confusion, share unknown; of s5_graph how
                               large edges are across true outlines and inside

A pixel that a label map leaves unknown (255) counts as background. The row `boxes` is every box filled with its class,
smaller boxes over larger ones: what costs nothing.
"""

import sys

from wsss_stages.config import options
from wsss_stages.stages import cli
from wsss_stages.store import contracts

WHOLE = 2**60
"""Shares are summed as integers of this unit: the sum is the same in whatever order the shards come."""


def main(argv: list[str] | None = None) -> None:
    paths, opt = cli.parse(
        __doc__,
        options.Evaluate,
        argv,
        paths={
            "index": "index.json",
            "manifests+": "manifests of the stages to score",
            "scores>": "scores.json to write",
        },
        texts=cli.VAL,
    )
    import cv2
    import numpy as np

    from wsss_stages import UNKNOWN
    from wsss_stages.data.index import Index
    from wsss_stages.evaluation import metrics
    from wsss_stages.evaluation.agreement import mean_edges
    from wsss_stages.labels.boxes import filled
    from wsss_stages.shards.shard_by_shard import ShardByShard
    from wsss_stages.store import artifacts
    from wsss_stages.store.progress import progress

    whole = Index.read(paths.index)
    n = len(whole.classes)
    shown = np.zeros(n, np.int64)
    for record in whole.split("train"):
        shown[record.tags] += 1
    frequent = shown >= opt.frequent_from
    frequent[0] = frequent.any()
    index = whole.some(paths.split, opt.images)
    scored = ShardByShard(index, paths.split, paths.manifests, having=lambda record: record.truth)
    maps = [c for c in contracts.ALL.values() if "label" in c.fields and c.name in scored.made]
    boxes = ["boxes"] if any(r.truth and "box" in r.kinds for r in index.split(paths.split)) else []
    images = len(scored)
    counts = {name: np.zeros((n, n), np.int64) for name in (*boxes, *(c.name for c in maps))}
    bands = {name: np.zeros((2, n), np.int64) for name in counts}
    unknown = dict.fromkeys(counts, 0)
    across, inside = np.zeros(2), np.zeros(2)
    for record, manifest in progress(scored, "s9_evaluate"):
        truth = record.truth_labels(index.root)
        labels = {c.name: manifest.read(record.id, c)["label"] for c in maps}
        if boxes:
            labels["boxes"] = filled(*record.box_arrays(), record.height, record.width)
        if contracts.EDGES.name in scored.made:
            sums = edge_sums(record, manifest, truth)
            across, inside = across + sums[0], inside + sums[1]
        for name, label in labels.items():
            unknown[name] += round(float((label == UNKNOWN).mean()) * WHOLE)
            label = np.where(label == UNKNOWN, 0, label)
            label = cv2.resize(label, truth.shape[::-1], interpolation=cv2.INTER_NEAREST)
            counts[name] += metrics.confusion(truth, label, n)
            bands[name] += metrics.boundary_counts(truth, label, n, opt.boundary_share)
    rows = {
        name: {
            "miou": metrics.mean_iou(counts[name]),
            "miou_frequent": metrics.mean_iou(counts[name], frequent),
            "boundary_iou": metrics.boundary_iou(bands[name]),
            "unknown": unknown[name] / WHOLE / images if images else 0.0,
            "iou": {
                c: None if np.isnan(v) else v
                for c, v in zip(index.classes, metrics.iou(counts[name]).tolist(), strict=True)
            },
            "confusion": counts[name].tolist(),
        }
        for name in counts
    }
    artifacts.write_sealed(
        paths.scores,
        {
            "dataset": index.dataset,
            "split": paths.split,
            "images": images,
            "images_without_truth": len(index.splits[paths.split]) - images,
            "frequent": [c for c, often in zip(index.classes, frequent.tolist(), strict=True) if often],
            "rows": rows,
            "outlines": mean_edges(across, inside),
            "notes": scored.notes,
        },
    )
    for name, row in rows.items():
        if row["miou"] is not None:
            sys.stdout.write(f"{paths.split} {name}: mIoU {100 * row['miou']:.1f} % on {images} images\n")


def edge_sums(record, manifest, truth):
    """Return (sum of edges, number of pairs) of an image's nodes across true outlines and inside; it alone here needs torch."""
    import cv2
    import numpy as np
    import torch

    from wsss_stages.a2gnn import walk
    from wsss_stages.nets.grid import Grid, labels_at_nodes
    from wsss_stages.pairwise.windows import offsets

    graph = next(made for made in manifest.options if "offset" in made)
    E = torch.from_numpy(manifest.read(record.id, contracts.EDGES)["E"])
    small = cv2.resize(truth, (record.width, record.height), interpolation=cv2.INTER_NEAREST)
    at_nodes = torch.from_numpy(labels_at_nodes(small, Grid(graph["stride"], graph["offset"])).astype(np.int64))
    return walk.outline_sums(E, at_nodes, offsets(graph["radius"], graph["window"]))


if __name__ == "__main__":
    cli.run(main)
