"""An export of CVAT as "CVAT for images 1.1"."""

from pathlib import Path

from wsss_stages.data.importers.kinds import Settings, kind
from wsss_stages.data.index import Index


@kind("cvat")
def from_cvat(dataset: str, root: Path, truth: Path, opt: Settings) -> Index:
    """Return the index of the export. Raises ValueError for options that it has no meaning for."""
    from wsss_stages.data.importers.tools import cvat
    from wsss_stages.data.importers.tools.kind import import_kind

    return import_kind(dataset, root, cvat.read, truth, opt)
