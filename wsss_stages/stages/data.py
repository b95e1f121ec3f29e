"""Validate a dataset and write its index; the dataset folder is only ever read.

reads   ROOT           a folder in PASCAL VOC layout (for `scenes` it is made first, for `voc2012`, `coco2014` and `coco2017` downloaded if it is not
                       there), or in COCO's, or the folder or zip that an annotation tool has exported
        --corrections  labels corrected by hand, if any: masks that labels are made from, boxes, points
writes  index.json     classes, splits, and of every image: size, sha256, boxes, tags, points, scribbles, saliency, truth
        truth/         beside it, of COCO and of SBD: SegmentationClass/ID.png and SegmentationObject/ID.png, drawn from their masks; of
                       `context`: SegmentationClass/ID.png, in which pixels without a class are unknown; of an annotation tool also Scribbles/ID.png, and of its zip
                       JPEGImages/ID.jpg
"""

import sys
from pathlib import Path

from wsss_stages.config import options
from wsss_stages.stages import cli
from wsss_stages.store import provenance


def main(argv: list[str] | None = None) -> None:
    paths, opt = cli.parse(
        __doc__,
        options.Data,
        argv,
        paths={"root": "folder of the dataset", "index>": "index.json to write"},
        texts={"dataset": ("dataset", "its name")},
    )
    from wsss_stages.data.importers.kinds import KINDS, Settings

    index = KINDS[opt.kind](paths.dataset, paths.root, paths.index.parent / "truth", opt.fill(Settings))
    if opt.corrections:
        from wsss_stages.data.corrections.applied import with_corrections
        from wsss_stages.data.corrections.kept import FILE

        provenance.reads(Path(opt.corrections) / FILE)
        index = with_corrections(index, Path(opt.corrections))
    index.write(paths.index)
    sizes = ", ".join(f"{len(ids)} {split}" for split, ids in index.splits.items())
    sys.stdout.write(f"{paths.index}: {sizes} images, {len(index.classes) - 1} classes\n")
    for text, note in index.notes.items():
        sys.stdout.write(f"{text}: {note}\n")


if __name__ == "__main__":
    cli.run(main)
