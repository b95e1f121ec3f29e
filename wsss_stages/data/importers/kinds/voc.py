"""A folder in PASCAL VOC layout."""

from pathlib import Path

from wsss_stages.data.importers.kinds import Settings, kind
from wsss_stages.data.index import Index


@kind("voc")
def from_voc(dataset: str, root: Path, truth: Path, opt: Settings) -> Index:
    """Return the index of the folder."""
    from wsss_stages.data.importers.sbd import named_sbd
    from wsss_stages.data.importers.voc import import_voc

    weak_root, saliency, sbd = (Path(folder) if folder else None for folder in (opt.weak_labels, opt.saliency, opt.sbd))
    return import_voc(
        dataset,
        root,
        opt.train_list,
        opt.val_list,
        opt.limit,
        opt.max_side,
        weak_root,
        opt.truth_list,
        saliency,
        truth=truth,
        beside=named_sbd(sbd) if sbd else None,
    )
