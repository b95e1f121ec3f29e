"""A folder or a zip in COCO's layout, and COCO 2014 and 2017, downloaded where they are not there."""

from dataclasses import replace
from pathlib import Path

from wsss_stages.data.importers.kinds import Settings, kind
from wsss_stages.data.index import Index


@kind("coco")
def from_coco(dataset: str, root: Path, truth: Path, opt: Settings) -> Index:
    """Return the index of the folder. Raises ValueError for options that it has no meaning for."""
    from wsss_stages.data.importers.coco import import_coco

    if opt.weak_labels or opt.truth_list or opt.saliency or opt.sbd:
        raise ValueError(
            "data.weak_labels, data.truth_list, data.saliency and data.sbd are for folders in VOC layout; a folder of kind coco has boxes "
            "and tags only"
        )
    if root.is_file():
        from wsss_stages.data.importers.tools.unpacked import unpacked

        root = unpacked(root, truth.parent / "unpacked")
    return import_coco(dataset, root, opt.train_list, opt.val_list, truth, opt.limit, opt.max_side)


@kind("coco2014")
def from_coco2014(dataset: str, root: Path, truth: Path, opt: Settings) -> Index:
    """Return the index of COCO 2014. Raises DownloadError where it cannot be fetched."""
    return _downloaded("2014", dataset, root, truth, opt)


@kind("coco2017")
def from_coco2017(dataset: str, root: Path, truth: Path, opt: Settings) -> Index:
    """Return the index of COCO 2017. Raises DownloadError where it cannot be fetched."""
    return _downloaded("2017", dataset, root, truth, opt)


def _downloaded(year: str, dataset: str, root: Path, truth: Path, opt: Settings) -> Index:
    """Return the index of a year's lists; `train` and `val` are those of the year."""
    from wsss_stages.data.downloads import provide
    from wsss_stages.data.published import coco

    train, val = (name + year if name in ("train", "val") else name for name in (opt.train_list, opt.val_list))
    for archive in coco(year, (train, val)):
        provide(archive, root, opt.mirror)
    return from_coco(dataset, root, truth, replace(opt, train_list=train, val_list=val))
