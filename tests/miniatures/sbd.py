"""SBD, the Semantic Boundaries Dataset of Hariharan et al. (ICCV 2011), as benchmark.tgz unpacks.

benchmark_RELEASE/dataset/img/ID.jpg                photographs, which VOC 2012 has, too
benchmark_RELEASE/dataset/cls/ID.mat                GTcls: Segmentation (h, w) uint8 classes, Boundaries of 20 classes, CategoriesPresent
benchmark_RELEASE/dataset/inst/ID.mat               GTinst: Segmentation (h, w) uint8 numbers, Boundaries and Categories of each object
benchmark_RELEASE/dataset/{train,val}.txt           lists of SBD's own, in both of which there are images of VOC's val
"""

from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
from scipy.io import savemat
from scipy.sparse import csc_matrix

from tests.miniatures.pictures import Picture, save_lines, save_photo
from tests.miniatures.voc2012 import ONLY_SBD, TRAIN, VAL, pictures

DATASET = Path("benchmark_RELEASE/dataset")


def write(folder: Path) -> None:
    """Write the miniature below a folder: two of VOC's train and two of its val are in it, one in each list."""
    train, val, others = (list(of.items()) for of in (TRAIN, VAL, ONLY_SBD))
    lists = ([*train[2:3], *val[2:3], *others[::2]], [*train[3:], *val[3:], *others[1::2]])
    write_dataset(folder / DATASET, *map(dict, lists))


def write_dataset(root: Path, train: Mapping[str, tuple[int, ...]], val: Mapping[str, tuple[int, ...]]) -> None:
    """Write SBD's folder with two lists."""
    for name, of in {"train": train, "val": val}.items():
        save_lines(root / f"{name}.txt", sorted(of))
    for one in pictures({**train, **val}):
        save_photo(root / "img" / f"{one.id}.jpg", one.photo)
        save_mats(root, one)


def save_mats(root: Path, one: Picture) -> None:
    """Write the two files of a picture as MATLAB structs, compressed as SBD's are."""
    by_class = [one.labels == cls for cls in range(1, 21)]
    by_object = [one.objects == number for number in range(1, len(one.classes) + 1)]
    present = np.array(sorted(set(one.classes)), np.uint8)
    cls = {"Boundaries": _edges(by_class), "Segmentation": one.labels, "CategoriesPresent": present}
    categories = np.array(one.classes, np.uint8)[:, None]
    inst = {"Segmentation": one.objects, "Boundaries": _edges(by_object), "Categories": categories}
    for folder, name, content in (("cls", "GTcls", cls), ("inst", "GTinst", inst)):
        (root / folder).mkdir(exist_ok=True)
        savemat(root / folder / f"{one.id}.mat", {name: content}, do_compression=True)


def _edges(masks: list[np.ndarray]) -> np.ndarray:
    """Return a MATLAB cell of one sparse boundary a mask."""
    cell = np.empty((len(masks), 1), object)
    for row, mask in enumerate(masks):
        values = mask.astype(np.uint8)
        cell[row, 0] = csc_matrix((values - cv2.erode(values, np.ones((3, 3), np.uint8))).astype(float))
    return cell
