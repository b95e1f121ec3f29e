"""The folders of VOC 2012 and of SBD below the one that a user names, downloaded where they are not there."""

import re
from pathlib import Path

from wsss_stages.data import published
from wsss_stages.data.downloads import provide
from wsss_stages.data.findings import DatasetError, Finding
from wsss_stages.data.importers.sbd import MADE, Sbd, find_sbd

YEAR = re.compile(r"VOC(?!2012$)(19|20)\d\d")
"""The name of a development kit of another year."""


def devkit(root: Path, mirror: str) -> Path:
    """Return VOC 2012's folder: ROOT/VOCdevkit/VOC2012, ROOT/VOC2012 or ROOT itself; without one it is downloaded into the first.

    Raises: DatasetError where there is another year, DownloadError where it cannot be had.
    """
    places = (root / "VOCdevkit" / "VOC2012", root / "VOC2012", root)
    found = next((place for place in places if (place / "JPEGImages").is_dir()), None)
    if found and not YEAR.fullmatch(found.name):
        return found
    others = (
        [found]
        if found
        else [p for p in sorted(root.glob("VOC*")) + sorted(root.glob("VOCdevkit/VOC*")) if YEAR.fullmatch(p.name)]
    )
    if others:
        archive = published.voc2012()
        remedy = f"Unpack {archive.file} from {archive.page} into {root}, or correct dataset_root."
        raise DatasetError([Finding(root, f"VOC of another year: {others[0].name}", "VOCdevkit/VOC2012", remedy)])
    provide(published.voc2012(), root, mirror)
    return places[0]


def sbd_beside(root: Path, kit: Path, lists: tuple[str, ...], mirror: str) -> Sbd | None:
    """Return SBD's folder at or below ROOT or VOC's; None where there is none and nothing needs it.

    It is downloaded into ROOT where one of the lists is made of SBD's and has no file.
    """
    found = next((sbd for place in (root, kit, kit.parent) if (sbd := find_sbd(place))), None)
    lacking = [
        name for name in lists if name in MADE and not (kit / "ImageSets" / "Segmentation" / f"{name}.txt").is_file()
    ]
    if found or not lacking:
        return found
    provide(published.sbd(), root, mirror)
    return find_sbd(root)


def check_test(kit: Path, lists: tuple[str, ...]) -> None:
    """Raise DatasetError where the test's list is asked for and is not there: VOCtrainval does not have it."""
    path = kit / "ImageSets" / "Segmentation" / "test.txt"
    if "test" in lists and not path.is_file():
        raise DatasetError([Finding(path, "no such list", "the list of VOC 2012's test", published.VOC_TEST)])
