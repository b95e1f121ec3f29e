"""An export of CVAT as "Datumaro"."""

from pathlib import Path

from wsss_stages.data.importers.kinds import Settings, kind
from wsss_stages.data.index import Index


@kind("datumaro")
def from_datumaro(dataset: str, root: Path, truth: Path, opt: Settings) -> Index:
    """Return the index of the export. Raises ValueError for options that it has no meaning for."""
    from wsss_stages.data.importers.tools import datumaro
    from wsss_stages.data.importers.tools.kind import import_kind

    return import_kind(dataset, root, datumaro.read, truth, opt)
