"""Every image of a dataset looked at once: what is right goes to disk, what is wrong is told together at the end."""

from collections import Counter
from collections.abc import Callable, Collection

from wsss_stages.ahead import Ahead
from wsss_stages.data.findings import DatasetError, Finding
from wsss_stages.data.record import Record
from wsss_stages.data.spool import Spool
from wsss_stages.progress import progress

Examined = tuple[Record | None, list[Finding], dict[str, int]]
"""The record of one image, what is wrong with it and what is worth a note."""


def examine_all(
    ids: Collection[str], examine: Callable[[str], Examined], findings: list[Finding], max_side: int, workers: int
) -> tuple[Spool, dict[str, int]]:
    """Records and counted notes of all images, which `examine` looks at in threads.

    Args:
        findings: what is wrong already.
        max_side: longer side of the working size of larger photographs, pixels; 0 keeps all at full size.

    Raises: DatasetError with every finding.
    """
    records, notes = Spool(), Counter[str]()
    for _, (record, found, its) in progress(Ahead(ids, examine, workers), "data"):
        findings += found
        notes += Counter(its)
        if record and not findings:
            records.add(record.reduced(max_side) if max_side else record)
    if findings:
        raise DatasetError(findings)
    return records, dict(notes)
