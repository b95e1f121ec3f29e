"""A folder or a zip whose kind its content shows."""

from pathlib import Path

from wsss_stages.data.importers.kinds import KINDS, Settings, kind
from wsss_stages.data.index import Index


@kind("auto")
def from_auto(dataset: str, root: Path, truth: Path, opt: Settings) -> Index:
    """Return the index, read as the only kind that fits. Raises DatasetError where none does, or several do."""
    from wsss_stages.data.importers.recognise import only_kind

    chosen = only_kind(root, truth)
    index = KINDS[chosen](dataset, root, truth, opt)
    index.notes.add(f"kind of the dataset by its content: {chosen}", 1, root.name)
    return index
