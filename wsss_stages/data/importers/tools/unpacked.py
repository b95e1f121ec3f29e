"""A zip in COCO's layout, whose files an importer of folders wants on disk."""

import shutil
from pathlib import Path

from wsss_stages.data.findings import DatasetError, Finding
from wsss_stages.data.importers.tools.source import Source
from wsss_stages.data.names import below
from wsss_stages.store.artifacts import whole


def unpacked(archive: Path, folder: Path) -> Path:
    """Write the files of an archive below a folder, which is returned. Raises DatasetError, and nothing is written."""
    findings: list[Finding] = []
    source = Source(archive, findings)
    if findings:
        raise DatasetError(findings)
    shutil.rmtree(folder, ignore_errors=True)  # of an earlier archive
    for name in source.names:
        with whole(below(folder, name)) as partial:
            source.copy(name, partial)
    return folder
