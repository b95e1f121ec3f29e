"""Training images whose pseudo labels deserve a look, worst first: a score of every image that needs no truth.

reads   WEAK/index.json    training images, their weak labels, and truth where there is any
        MANIFESTS          of s3, s5, s6 or rrm_label, or of s8 for DFR, all shards of the training images
writes  in FOLDER
        review_first.csv   of every image: id, score, what it is the mean of, how each label map agrees with the others, true IoU
        review_first.png   the first of them: photograph with its weak labels, every label map, truth
        review.json        Spearman's rank correlation of the score and its parts with the pseudo label's true IoU, review.html the same

The score is the plain mean of those that an image has of
    agreement   mean IoU of all pairs of its label maps (CAM, masks of boxes, superpixels, soft masks, random walk, A²GNN, RRM, pseudo label)
    sides_hit   share of its boxes' rows and columns that the pseudo label touches
    seeds_kept  share of its object seeds that survive the consistency check of its A²GNN at the end (Eq. 3.28)
    boxes_outlined  share of its boxes that the mask source found an object in; the others were taken whole. Only without soft masks
                of boxes, which differ from it there
all in [0, 1]. Images whose true mask was learned from have no score and come last: their label is truth. Where CAMs are the only
label map nothing has a score.
"""

import argparse
from pathlib import Path


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--index", type=Path, required=True, help="index.json")
    parser.add_argument(
        "--manifests",
        type=Path,
        nargs="+",
        required=True,
        help="manifests (k-of-n.json) of s3, s5, s6, rrm_label, s8, training split",
    )
    parser.add_argument("--images", type=int, default=12, help="rows of the picture (default 12)")
    parser.add_argument("--folder", type=Path, required=True, help="folder to write to")
    paths = parser.parse_args(argv)

    from wsss_stages.data.index import Index
    from wsss_stages.roads import review_pages
    from wsss_stages.roads.review import Review
    from wsss_stages.shards.shard_by_shard import ShardByShard
    from wsss_stages.store import artifacts, provenance

    provenance.reads(paths.index, *paths.manifests)
    provenance.writes(paths.folder / "review_first.csv", paths.folder / "review.json")
    index = Index.read(paths.index)
    images = ShardByShard(index, "train", paths.manifests)
    review = Review(index, images.made)
    ids, values = review.table(images)
    review.write_list(paths.folder / "review_first.csv", ids, values)
    measured = review.measured(values)
    artifacts.write_sealed(paths.folder / "review.json", measured)
    review_pages.write_page(paths.folder / "review.html", measured["scores"])
    first = ids[: paths.images]
    scores = values[: paths.images, 0]
    review_pages.write_pictures(paths.folder / "review_first.png", review, paths.manifests, first, scores)


if __name__ == "__main__":
    from wsss_stages.stages import cli

    cli.run(main)
