"""The options of `data` that an export of an annotation tool takes."""

from pathlib import Path

from wsss_stages.data.importers.kinds import Settings
from wsss_stages.data.importers.tools.build import Options, Reader, import_tool
from wsss_stages.data.index import Index


def import_kind(dataset: str, root: Path, reader: Reader, truth: Path, opt: Settings) -> Index:
    """Return the index of an export. Raises ValueError for options that it has no meaning for."""
    if opt.weak_labels or opt.saliency or opt.sbd:
        raise ValueError(
            "data.weak_labels, data.saliency and data.sbd are for folders in VOC layout; an export of an annotation tool has its own labels"
        )
    options = Options(opt.train_list, opt.val_list, opt.truth_list, opt.limit, opt.max_side)
    return import_tool(dataset, root, reader, truth, options)
