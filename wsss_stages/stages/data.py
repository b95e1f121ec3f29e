"""Validate a dataset and write its index; the dataset folder is only ever read.

reads   ROOT           a folder in PASCAL VOC layout (for `scenes` and `voc2012` it is made or downloaded first), or in COCO's
writes  index.json     classes, splits, and of every image: size, sha256, boxes, tags, points, scribbles, saliency, truth
        truth/         beside it, of `coco`: SegmentationClass/ID.png and SegmentationObject/ID.png, drawn from its masks; of
                       `context`: SegmentationClass/ID.png, in which pixels without a class are unknown
"""

import sys
from pathlib import Path

from wsss_stages.config import options
from wsss_stages.stages import cli


def main(argv: list[str] | None = None) -> None:
    paths, opt = cli.parse(
        __doc__,
        options.Data,
        argv,
        paths={"root": "folder of the dataset", "index>": "index.json to write"},
        texts={"dataset": ("dataset", "its name")},
    )
    root: Path = paths.root
    if opt.kind == "scenes":
        from wsss_stages.data.importers.scenes import make_scenes

        make_scenes(root, opt.scenes_train, opt.scenes_val)
    elif opt.kind == "voc2012":
        root = download_voc2012(root)
    if opt.kind in ("coco", "context"):
        index = from_coco(paths, opt) if opt.kind == "coco" else from_context(paths, opt)
    else:
        index = from_voc(paths.dataset, root, paths.index.parent / "truth", opt)
    index.write(paths.index)
    sizes = ", ".join(f"{len(ids)} {split}" for split, ids in index.splits.items())
    sys.stdout.write(f"{paths.index}: {sizes} images, {len(index.classes) - 1} classes\n")
    for text, note in index.notes.items():
        sys.stdout.write(f"{text}: {note}\n")


def from_voc(dataset: str, root: Path, truth: Path, opt: options.Data):
    from wsss_stages.data.importers.voc import import_voc

    weak_root, saliency = (Path(folder) if folder else None for folder in (opt.weak_labels, opt.saliency))
    return import_voc(
        dataset,
        root,
        opt.train_list,
        opt.val_list,
        opt.limit,
        opt.max_side,
        weak_root,
        opt.truth_list,
        saliency,
        truth=truth,
    )


def from_coco(paths, opt: options.Data):
    from wsss_stages.data.importers.coco import import_coco

    if opt.weak_labels or opt.truth_list or opt.saliency:
        raise ValueError(
            "data.weak_labels, data.truth_list and data.saliency are for folders in VOC layout; a folder of kind coco has boxes "
            "and tags only"
        )
    truth = paths.index.parent / "truth"
    return import_coco(paths.dataset, paths.root, opt.train_list, opt.val_list, truth, opt.limit, opt.max_side)


def from_context(paths, opt: options.Data):
    from wsss_stages.data.importers.context import import_context

    if opt.truth_list or opt.saliency:
        raise ValueError("data.truth_list and data.saliency are not for a folder of kind context; leave them empty")
    weak_root = Path(opt.weak_labels) if opt.weak_labels else None
    truth = paths.index.parent / "truth"
    return import_context(
        paths.dataset, paths.root, opt.train_list, opt.val_list, truth, opt.limit, opt.max_side, weak_root
    )


def download_voc2012(root: Path) -> Path:
    """Fetch PASCAL VOC 2012 by torchvision if it is not there; its folder."""
    folder = root / "VOCdevkit" / "VOC2012"
    if not folder.is_dir():
        from torchvision.datasets import VOCSegmentation

        VOCSegmentation(str(root), year="2012", image_set="trainval", download=True)
    return folder


if __name__ == "__main__":
    cli.run(main)
