"""A folder of VOC 2010 with PASCAL Context's classes."""

from pathlib import Path

from wsss_stages.data.importers.kinds import Settings, kind
from wsss_stages.data.index import Index


@kind("context")
def from_context(dataset: str, root: Path, truth: Path, opt: Settings) -> Index:
    """Return the index of the folder. Raises ValueError for options that it has no meaning for."""
    from wsss_stages.data.importers.context import import_context

    if opt.truth_list or opt.saliency or opt.sbd:
        raise ValueError(
            "data.truth_list, data.saliency and data.sbd are not for a folder of kind context; leave them empty"
        )
    weak_root = Path(opt.weak_labels) if opt.weak_labels else None
    return import_context(dataset, root, opt.train_list, opt.val_list, truth, opt.limit, opt.max_side, weak_root)
