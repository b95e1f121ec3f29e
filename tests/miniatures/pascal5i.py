"""PASCAL-5^i as PFENet and CANet split it: VOC 2012 and SBD with enough pictures of every class, and PFENet's lists.

lists/pascal/{voc_original_train,sbd_data,voc_sbd_merge_noduplicate,val}.txt: `JPEGImages/ID.jpg SegmentationClassAug/ID.png` a line. SBD's train list
has images of VOC's val, which sbd_data.txt lacks.
"""

from pathlib import Path

from tests.miniatures.pictures import save_lines
from tests.miniatures.sbd import DATASET, write_dataset
from tests.miniatures.voc2012 import DEVKIT, write_devkit

PICTURES = 20
"""Pictures of each of three parts: VOC's train, those that SBD only has, and VOC's val. Each shows three classes, so every class is
shown by three pictures of each part."""


def shown(number: int) -> tuple[int, int, int]:
    """Return three classes of a picture, of three folds."""
    return (number % 20 + 1, (number + 7) % 20 + 1, (number + 13) % 20 + 1)


def write(folder: Path) -> None:
    """Write the miniature below a folder."""
    train, others, val = (
        {f"{year}_{100 + 3 * number:06d}": shown(number) for number in range(PICTURES)} for year in (2007, 2008, 2009)
    )
    write_devkit(folder / DEVKIT, train, val, others, {})
    in_both = dict(list(train.items())[:5])
    leaked = dict(list(val.items())[:4])
    write_dataset(folder / DATASET, {**in_both, **others, **leaked}, dict(list(val.items())[4:8]))
    sbd = sorted({**in_both, **others})
    lists = {
        "voc_original_train": list(train),
        "sbd_data": sbd,
        "voc_sbd_merge_noduplicate": [*sbd, *(image_id for image_id in train if image_id not in in_both)],
        "val": list(val),
    }
    for name, ids in lists.items():
        lines = [f"JPEGImages/{image_id}.jpg SegmentationClassAug/{image_id}.png" for image_id in ids]
        save_lines(folder / "lists" / "pascal" / f"{name}.txt", lines)
