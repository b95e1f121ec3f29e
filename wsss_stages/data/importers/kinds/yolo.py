"""A folder or zip of YOLO's labels."""

from pathlib import Path

from wsss_stages.data.importers.kinds import Settings, kind
from wsss_stages.data.index import Index


@kind("yolo")
def from_yolo(dataset: str, root: Path, truth: Path, opt: Settings) -> Index:
    """Return the index of the export. Raises ValueError for options that it has no meaning for."""
    from wsss_stages.data.importers.tools import yolo
    from wsss_stages.data.importers.tools.kind import import_kind

    return import_kind(dataset, root, yolo.read, truth, opt)
