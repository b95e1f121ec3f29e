"""A folder or a zip whose kind its content shows."""

from pathlib import Path

from wsss_stages.data.importers.kinds import KINDS, Settings, kind
from wsss_stages.data.index import Index


@kind("auto")
def from_auto(dataset: str, root: Path, truth: Path, opt: Settings) -> Index:
    """Return the index, read as the only kind that fits. Raises DatasetError where none does, or several do."""
    from wsss_stages.data.importers.recognise import only_kind

    return KINDS[only_kind(root, truth)](dataset, root, truth, opt)
