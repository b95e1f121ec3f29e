"""PASCAL Context (Mottaghi et al., CVPR 2014): VOC 2010 and the annotation of its website.

VOCdevkit/VOC2010/JPEGImages/ID.jpg, ImageSets/Main/{train,val}.txt    4,998 and 5,105 images
VOCdevkit/VOC2010/trainval/ID.mat                                      LabelMap: (h, w) uint16, 1..459, of trainval.tar.gz
VOCdevkit/VOC2010/labels.txt, 59_labels.txt                            `NUMBER: NAME` a line; three names differ between the two
VOCdevkit/VOC2010/scribble_annotation/pascal_context/ID.xml            ScribbleSup's lines with names of the 59 classes
"""

from pathlib import Path

import numpy as np
from scipy.io import savemat

from tests.miniatures.pictures import Picture, picture, save_lines, save_photo
from tests.miniatures.voc2012 import write_main
from wsss_stages.data.importers.context import CLASSES

DEVKIT = Path("VOCdevkit/VOC2010")
NUMBERS = (
    2, 9, 18, 19, 22, 23, 25, 31, 33, 34, 44, 45, 46, 59, 65, 68, 72, 80, 85, 98, 104, 105, 113, 115, 144, 158, 159, 162, 187, 189, 207,
    220, 232, 258, 259, 260, 284, 295, 296, 308, 324, 326, 347, 349, 354, 355, 360, 366, 368, 397, 415, 416, 420, 424, 427, 440, 445,
    454, 458,
)  # fmt: skip
"""Numbers of the 59 classes among the 459, in the order of their names."""
RENAMED = {"table": "diningtable", "bedclothes": "bedcloth", "cloth": "clothes"}
"""Names of labels.txt that 59_labels.txt has otherwise."""
FIRST = "aeroplane bicycle bird boat bottle bus car cat chair cow diningtable dog horse motorbike person pottedplant sheep sofa train tvmonitor"
SKY, GRASS, NONE = CLASSES.index("sky"), CLASSES.index("grass"), 400
"""Classes of the upper and the lower half, and a number that is none of the 59."""
TRAIN = {"2008_000002": "tvmonitor", "2008_000003": "train", "2008_000007": "boat", "2008_000008": "person", "2008_000009": "cow",
         "2008_000015": "bottle", "2008_000016": "person", "2008_000019": "dog"}  # fmt: skip
VAL = {"2008_000023": "train", "2008_000028": "bottle", "2008_000033": "person", "2008_000036": "boat"}


def write(folder: Path) -> None:
    """Write the miniature below a folder."""
    root = folder / DEVKIT
    write_main(root, {name: dict.fromkeys(of, ()) for name, of in (("train", TRAIN), ("val", VAL))})
    for directory in ("trainval", "scribble_annotation/pascal_context"):
        (root / directory).mkdir(parents=True, exist_ok=True)
    for image_id, name in {**TRAIN, **VAL}.items():
        one = picture(image_id, [CLASSES.index(name)])
        photo = one.photo.copy()
        ground = np.arange(one.size[0])[:, None] >= one.size[0] // 2
        for where, colour in ((~ground, (150, 190, 240)), (ground, (60, 140, 50))):
            photo[where & (one.objects == 0)] = colour
        save_photo(root / "JPEGImages" / f"{image_id}.jpg", photo)
        savemat(root / "trainval" / f"{image_id}.mat", {"LabelMap": label_map(one)}, do_compression=True)
        path = root / "scribble_annotation" / "pascal_context" / f"{image_id}.xml"
        path.write_text(_scribbles(one, name))
    save_lines(root / "labels.txt", [f"{number}: {name}" for number, name in enumerate(all_names(), 1)])
    save_lines(root / "59_labels.txt", [f"{number}: {name}" for number, name in enumerate(names_of_59(), 1)])


def label_map(one: Picture) -> np.ndarray:
    """Return (h, w) uint16 numbers of 459: sky above, grass below, the object, and a strip of another class at the left."""
    height, _ = one.size
    ground = np.arange(height)[:, None] >= height // 2
    classes = np.where(one.objects > 0, one.labels, np.where(ground, GRASS, SKY))
    numbers = np.array([0, *NUMBERS], np.uint16)[classes]
    numbers[:, :3] = NONE
    return numbers


def all_names() -> list[str]:
    """Return the 459 names; those that are none of the 59 are made up."""
    names = [f"thing {number}" for number in range(1, 460)]
    for number, name in zip(NUMBERS, CLASSES[1:], strict=True):
        names[number - 1] = name
    return names


def names_of_59() -> list[str]:
    """Return the 59 names in the order of 59_labels.txt: VOC's first, three of them spelt as only that file does."""
    first = FIRST.split()
    names = [RENAMED.get(name, name) for name in CLASSES[1:]]
    return [*first, *(name for name in names if name not in first)]


def _scribbles(one: Picture, name: str) -> str:
    """Return ScribbleSup's XML: a line in the object, the sky and the grass."""
    height, width = one.size
    x, y = one.centre(1)
    lines = [
        (name, [(x - 4, y), (x + 4, y)]),
        ("sky", [(5, 2), (width - 3, 2)]),
        ("grass", [(5, height - 3), (width - 3, height - 3)]),
    ]
    polygons = "".join(
        f"<polygon><tag>{tag}</tag>"
        + "".join(f"<point><X>{a + 1}</X><Y>{b + 1}</Y></point>" for a, b in points)
        + "</polygon>"
        for tag, points in lines
    )
    return f"<annotation><filename>{one.id}.jpg</filename>{polygons}</annotation>\n"
