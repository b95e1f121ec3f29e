"""A folder or a zip in COCO's layout."""

from pathlib import Path

from wsss_stages.data.importers.kinds import Settings, kind
from wsss_stages.data.index import Index


@kind("coco")
def from_coco(dataset: str, root: Path, truth: Path, opt: Settings) -> Index:
    """Return the index of the folder. Raises ValueError for options that it has no meaning for."""
    from wsss_stages.data.importers.coco import import_coco

    if opt.weak_labels or opt.truth_list or opt.saliency:
        raise ValueError(
            "data.weak_labels, data.truth_list and data.saliency are for folders in VOC layout; a folder of kind coco has boxes "
            "and tags only"
        )
    if root.is_file():
        from wsss_stages.data.importers.tools.unpacked import unpacked

        root = unpacked(root, truth.parent / "unpacked")
    return import_coco(dataset, root, opt.train_list, opt.val_list, truth, opt.limit, opt.max_side)
