"""PASCAL-5^i as PFENet and CANet split it: VOC 2012 and SBD with enough pictures of every class, and PFENet's lists.

lists/pascal/{voc_original_train,sbd_data,voc_sbd_merge_noduplicate,val}.txt: `JPEGImages/ID.jpg SegmentationClassAug/ID.png` a line. sbd_data.txt is SBD's
train_noval.txt: those of its images, of both of its lists, that are in VOC 2012's Main/train.txt.
"""

from pathlib import Path

from tests.miniatures.pictures import save_lines
from tests.miniatures.sbd import DATASET, write_dataset
from tests.miniatures.voc2012 import DEVKIT, write_devkit

PICTURES = 20
"""Pictures of each of four parts, the years: VOC's train (2008), those that SBD only has, of Main's train (2009) and of Main's val (2010), and VOC's val
(2011). Each shows three classes, so every class is shown by three pictures of each part."""


def shown(number: int) -> tuple[int, int, int]:
    """Return three classes of a picture, of three folds."""
    return (number % 20 + 1, (number + 7) % 20 + 1, (number + 13) % 20 + 1)


def write(folder: Path) -> None:
    """Write the miniature below a folder."""
    train, others, further, val = (
        {f"{year}_{100 + 3 * number:06d}": shown(number) for number in range(PICTURES)}
        for year in (2008, 2009, 2010, 2011)
    )
    write_devkit(folder / DEVKIT, train, val, others, further, {})
    in_both = dict(list(train.items())[:5])
    masked = list({**in_both, **others, **further, **dict(list(val.items())[:8])}.items())
    write_dataset(folder / DATASET, dict(masked[::2]), dict(masked[1::2]))
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
