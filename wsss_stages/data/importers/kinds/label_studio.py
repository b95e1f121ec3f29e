"""An export of Label Studio as JSON."""

from pathlib import Path

from wsss_stages.data.importers.kinds import Settings, kind
from wsss_stages.data.index import Index


@kind("label_studio")
def from_label_studio(dataset: str, root: Path, truth: Path, opt: Settings) -> Index:
    """Return the index of the export. Raises ValueError for options that it has no meaning for."""
    from wsss_stages.data.importers.tools import label_studio
    from wsss_stages.data.importers.tools.kind import import_kind

    return import_kind(dataset, root, label_studio.read, truth, opt)
