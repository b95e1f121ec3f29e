"""Score label maps against truth: mIoU per class, of frequent classes, confusion, boundary IoU.

reads   index.json             truth of the images of a split; images without it are left out and counted
        MANIFESTS              of any stages, all shards; every label map in them is a row of the table
writes  scores.json            for every label map: miou, miou_frequent (background and the classes that `frequent_from` training
                               images show), boundary_iou, iou of each class, confusion, share unknown; of s5_graph how
                               large edges are across true outlines and inside; by_hand: images whose label a person has corrected

A pixel that a label map leaves unknown (255) counts as background. The row `boxes` is every box filled with its class,
smaller boxes over larger ones, as the cheapest baseline.
"""

import sys

from wsss_stages.config import options
from wsss_stages.stages import cli
from wsss_stages.store import contracts


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
    from wsss_stages.data.index import Index
    from wsss_stages.roads.scores import frequent_classes, scored
    from wsss_stages.shards.shard_by_shard import ShardByShard
    from wsss_stages.store import artifacts

    whole = Index.read(paths.index)
    often = frequent_classes(whole.split("train"), len(whole.classes), opt.frequent_from)
    index = whole.sample(paths.split, opt.images)
    images = ShardByShard(index, paths.split, paths.manifests, having=lambda record: record.truth)
    edge_sums = None
    if contracts.EDGES.name in images.made:
        from wsss_stages.roads.outline_edges import edge_sums  # torch, for edges alone
    scores = scored(index, paths.split, images, opt.boundary_share, edge_sums)
    content = {
        "dataset": index.dataset,
        "split": paths.split,
        "images": scores.images,
        "by_hand": sum(bool(record.corrected) for record in index.split(paths.split)),
        "images_without_truth": len(index.splits[paths.split]) - scores.images,
        "frequent": [c for c, frequent in zip(index.classes, often.tolist(), strict=True) if frequent],
        "rows": (rows := scores.rows(often)),
        "outlines": scores.outlines(),
        "notes": images.notes,
    }
    artifacts.write_sealed(paths.scores, content)
    for name, row in rows.items():
        if row["miou"] is not None:
            sys.stdout.write(f"{paths.split} {name}: mIoU {100 * row['miou']:.1f} % on {scores.images} images\n")


if __name__ == "__main__":
    cli.run(main)
