"""SBD (Hariharan et al., ICCV 2011) behind VOC 2012: masks of the images that VOC has none of, and the lists that are made of both.

benchmark_RELEASE/dataset/cls/ID.mat, inst/ID.mat    GTcls and GTinst with Segmentation, without unknown borders
benchmark_RELEASE/dataset/train.txt, val.txt         SBD's own lists; images of VOC's val are in both

`train_aug` is VOC's train and both of SBD's lists without VOC's val, 10,582 ids. `train_sbd` is VOC's train and the list train_noval.txt of SBD's website, 5,623 ids, or where it is not in the
folder those of SBD's that are in VOC 2012's ImageSets/Main/train.txt: the 5,953 of PASCAL-5^i (PFENet's voc_sbd_merge_noduplicate.txt). Where VOC has a mask, it counts,
with its borders.
"""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from wsss_stages import UNKNOWN
from wsss_stages.data.documents import read_lines
from wsss_stages.data.findings import DatasetError, DefectError, Finding
from wsss_stages.data.importers.masks import SHOWN, Masks
from wsss_stages.data.importers.mat_files import REMEDY, read_map
from wsss_stages.data.importers.mat_masks import MatMasks

MADE = ("train_aug", "train_sbd")
"""Lists that VOC does not publish."""
BY_SBD = "masks taken from SBD, for VOC has none of the image"
FOLDERS = (
    "benchmark_RELEASE/dataset",
    "SBD/benchmark_RELEASE/dataset",
    "benchmark/benchmark_RELEASE/dataset",
    "SBD",
    "",
)
"""Places of SBD's folder below the one that is named."""


@dataclass
class SbdMasks(MatMasks):
    """Masks of VOC, and of SBD where VOC has none."""

    variable: str = field(kw_only=True)

    def decoded(self, path: Path) -> tuple[np.ndarray, str]:
        labels = read_map(path, self.variable, "Segmentation")
        values = np.unique(labels).tolist()
        if UNKNOWN in values:
            found, wanted = f"value {UNKNOWN}, VOC's unknown border", f"0..{self.classes - 1}, as SBD has no borders"
            remedy = "Take cls and inst from SBD's benchmark.tgz; VOC's own masks go into its SegmentationClass."
            raise DefectError(found, wanted, remedy)
        if values[-1] >= self.classes:
            raise DefectError(f"values {values[-SHOWN:]}", f"0..{self.classes - 1}", REMEDY)
        return labels.astype(np.uint8), BY_SBD


@dataclass(frozen=True)
class Sbd:
    """SBD's folder: cls, inst, train.txt, val.txt."""

    root: Path

    def masks(self, classes: Masks, objects: Masks) -> tuple[Masks, Masks]:
        """Return masks of classes and of objects that read SBD's where the given ones have none."""
        parts = ((classes, "cls", "GTcls"), (objects, "inst", "GTinst"))
        one, other = (
            SbdMasks(masks.folder, masks.root, masks.classes, masks.colours, mats=self.root / folder, variable=variable)
            for masks, folder, variable in parts
        )
        return one, other

    def lists(self, folder: Path, findings: list[Finding]) -> dict[str, list[str]]:
        """Return the ids of the lists that are made of SBD's and of VOC's; a folder has VOC's train and val."""
        train, val = (_ids(folder / f"{name}.txt", findings) for name in ("train", "val"))
        of_sbd = {*_ids(self.root / "train.txt", findings), *_ids(self.root / "val.txt", findings)} - {*val}
        made = {"train_aug": [*train, *sorted(of_sbd - {*train})]}
        noval, main = self.root / "train_noval.txt", folder.parent / "Main" / "train.txt"
        if noval.is_file() or main.is_file():
            own = {*_ids(noval, findings)} if noval.is_file() else of_sbd & {*_ids(main, findings)}
            made["train_sbd"] = [*sorted(own), *(name for name in train if name not in own)]
        return made


def _ids(path: Path, findings: list[Finding]) -> list[str]:
    try:
        return read_lines(path)
    except DefectError as error:
        findings.append(error.in_file(path))
        return []


def find_sbd(folder: Path) -> Sbd | None:
    """Return SBD's folder at or below another; None where there is none."""
    places = (folder / name for name in FOLDERS)
    return next((Sbd(place) for place in places if (place / "cls").is_dir() and (place / "train.txt").is_file()), None)


def named_sbd(folder: Path) -> Sbd:
    """Return SBD's folder at or below the one that data.sbd names. Raises DatasetError where there is none."""
    found = find_sbd(folder)
    if found is None:
        remedy = "Unpack SBD's benchmark.tgz, and set data.sbd to its benchmark_RELEASE/dataset."
        raise DatasetError([Finding(folder, "no cls/ID.mat with train.txt beside it", "SBD's folder", remedy)])
    return found
