"""PASCAL VOC 2012 and SBD, downloaded where they are not there."""

from dataclasses import replace
from pathlib import Path

from wsss_stages.data.importers.kinds import Settings, kind
from wsss_stages.data.importers.kinds.voc import from_voc
from wsss_stages.data.index import Index


@kind("voc2012")
def from_voc2012(dataset: str, root: Path, truth: Path, opt: Settings) -> Index:
    """Return the index of the dataset at or below the folder. Raises DownloadError where it cannot be fetched."""
    from wsss_stages.data.importers.voc2012 import check_test, devkit, sbd_beside

    kit = devkit(root, opt.mirror)
    lists = (opt.train_list, opt.val_list, opt.truth_list)
    check_test(kit, lists)
    if not opt.sbd:
        sbd = sbd_beside(root, kit, lists, opt.mirror)
        opt = replace(opt, sbd=str(sbd.root) if sbd else "")
    return from_voc(dataset, kit, truth, opt)
