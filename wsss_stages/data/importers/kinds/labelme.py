"""A folder or zip of LabelMe's JSON files."""

from pathlib import Path

from wsss_stages.data.importers.kinds import Settings, kind
from wsss_stages.data.index import Index


@kind("labelme")
def from_labelme(dataset: str, root: Path, truth: Path, opt: Settings) -> Index:
    """Return the index of the export. Raises ValueError for options that it has no meaning for."""
    from wsss_stages.data.importers.tools import labelme
    from wsss_stages.data.importers.tools.kind import import_kind

    return import_kind(dataset, root, labelme.read, truth, opt)
