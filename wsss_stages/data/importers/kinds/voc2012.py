"""PASCAL VOC 2012 by download."""

from pathlib import Path

from wsss_stages.data.importers.kinds import Settings, kind
from wsss_stages.data.importers.kinds.voc import from_voc
from wsss_stages.data.index import Index


@kind("voc2012")
def from_voc2012(dataset: str, root: Path, truth: Path, opt: Settings) -> Index:
    """Return the index of the dataset below the folder, fetched by torchvision if it is not there."""
    folder = root / "VOCdevkit" / "VOC2012"
    if not folder.is_dir():
        from torchvision.datasets import VOCSegmentation

        VOCSegmentation(str(root), year="2012", image_set="trainval", download=True)
    return from_voc(dataset, folder, truth, opt)
