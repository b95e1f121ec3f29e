"""COCO-20^i as FWB and PFENet split it: COCO 2014 with pictures of all 80 classes, and PFENet's lists.

lists/coco/{train,val}.txt: `train2014/COCO_train2014_NUMBER.jpg annotations/train2014/COCO_train2014_NUMBER.png` a line. Classes count from 1 in the order of
COCO's category ids; fold i tests those of 1 + i, 5 + i, 9 + i, ...
"""

from pathlib import Path

from tests.miniatures.coco import file_name, write_year
from tests.miniatures.pictures import save_lines

PICTURES = 80
"""Pictures of each list; every class is shown by three of them."""


def shown(number: int) -> tuple[int, int, int]:
    """Return three classes of a picture, of three folds."""
    return (number % 80 + 1, (number + 17) % 80 + 1, (number + 38) % 80 + 1)


def write(folder: Path) -> None:
    """Write the miniature below a folder."""
    train, val = ({first + 2 * number: shown(number) for number in range(PICTURES)} for first in (9, 1000))
    write_year(folder, 2014, train, val)
    for name, of in (("train", train), ("val", val)):
        files = [file_name(number, f"{name}2014") for number in of]
        lines = [f"{name}2014/{file} annotations/{name}2014/{Path(file).stem}.png" for file in files]
        save_lines(folder / "lists" / "coco" / f"{name}.txt", lines)
