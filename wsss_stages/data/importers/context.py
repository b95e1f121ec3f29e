"""PASCAL Context (Mottaghi et al. 2014) with its 59 classes to the index: VOC 2010 with other lists and masks; only ever read.

JPEGImages/ID.jpg                                    photographs
ImageSets/SegmentationContext/NAME.txt               4,998 images to train on, 5,105 to validate; without it VOC 2010's ImageSets/Main
trainval/ID.mat, labels.txt                          the published annotation of 459 classes (data.importers.context_mats), or
SegmentationClassContext/ID.png                      1..59 in the order of the names' letters, 0 none of them
Context/                                             weak labels, unless data.weak_labels names a folder; VOC's boxes have other names
classes.txt                                          optional, for masks in another order or scribbles with other names

The folder may also be the one above VOCdevkit/VOC2010.

Every pixel shows something: one without a class is unknown, not background, and neither learned nor scored.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np

from wsss_stages import UNKNOWN
from wsss_stages.data.images import read_labels
from wsss_stages.data.importers.context_mats import find_mats
from wsss_stages.data.importers.validation import redrawn
from wsss_stages.data.importers.voc import Layout, import_voc
from wsss_stages.data.importers.voc_writer import write_labels
from wsss_stages.data.index import Index, Record

CLASSES = (
    "background aeroplane bag bed bedclothes bench bicycle bird boat book bottle building bus cabinet car cat ceiling chair cloth "
    "computer cow cup curtain dog door fence floor flower food grass ground horse keyboard light motorbike mountain mouse person "
    "plate platform pottedplant road rock sheep shelves sidewalk sign sky snow sofa table track train tree truck tvmonitor wall "
    "water window wood"
).split()
CONTEXT = Layout(
    tuple(CLASSES),
    "SegmentationContext",
    "SegmentationClassContext",
    "SegmentationObjectContext",
    "pascal_context",
    "Context",
)


def import_context(
    dataset: str,
    root: Path,
    train_list: str,
    val_list: str,
    truth: Path,
    limit: int = 0,
    max_side: int = 0,
    weak_root: Path | None = None,
    workers: int = 4,
) -> Index:
    """Validate the folder, write its truth and return its index.

    Args:
        truth: folder to write SegmentationClass/ID.png into.  The others: as in data.voc.

    Raises: DatasetError with every finding, and nothing is written.
    """
    kit = next(
        (kit for kit in (root / "VOCdevkit" / "VOC2010", root / "VOC2010") if (kit / "JPEGImages").is_dir()), root
    )
    index = import_voc(
        dataset,
        kit,
        train_list,
        val_list,
        limit,
        max_side,
        weak_root,
        layout=CONTEXT,
        truth=truth,
        workers=workers,
        beside=find_mats((kit, root), CLASSES),
    )
    records = redrawn(index.records, lambda record: _drawn(record, index.root, truth), workers)
    return replace(index, records=records)


def _drawn(record: Record, root: Path, truth: Path) -> Record:
    """Write the true mask of an image below `truth`, unknown where no class is, and return the record that names it."""
    if not record.truth:
        return record
    labels = read_labels(root / record.truth)
    path = (truth / "SegmentationClass" / f"{record.id}.png").resolve()
    write_labels(path, np.where(labels == 0, UNKNOWN, labels).astype(np.uint8))
    drawn = Path(record.truth)
    if drawn.is_relative_to(truth.resolve()):  # made of a .mat a moment ago
        drawn.unlink()
    return replace(record, truth=str(path))
