"""Validation of every image of a dataset: records go to disk, findings are raised together at the end."""

from collections.abc import Callable, Collection, Mapping

from wsss_stages.data.findings import DatasetError, Finding
from wsss_stages.data.importers.spool import Spool
from wsss_stages.data.notes import Notes
from wsss_stages.data.record import Record
from wsss_stages.store.prefetch import Prefetch
from wsss_stages.store.progress import progress

Validated = tuple[Record | None, list[Finding], dict[str, int]]
"""The record of one image, its findings, and its notes: how often each was met."""


def validate_all(
    ids: Collection[str],
    examine: Callable[[str], Validated],
    findings: list[Finding],
    notes: Notes,
    max_side: int,
    workers: int,
) -> Spool:
    """Return the records of all images, which `examine` checks in threads.

    Args:
        findings: those of the folder, to which those of the images are added.
        notes: those of the folder, to which those of the images are added.
        max_side: longer side of the working size of larger photographs, pixels; 0 keeps all at full size.

    Raises: DatasetError with every finding.
    """
    records = Spool()
    for image_id, (record, found, counts) in progress(Prefetch(ids, examine, workers), "data"):
        findings += found
        notes.add_all(counts, image_id)
        if record and not findings:
            records.add(record.reduced(max_side) if max_side else record)
    if findings:
        raise DatasetError(findings)
    return records


def redrawn(records: Mapping[str, Record], draw: Callable[[Record], Record], workers: int) -> Spool:
    """Return the records that `draw` makes of all, in threads, while it writes their true masks."""
    made = Spool()
    for _, record in progress(Prefetch(records.values(), draw, workers), "true masks"):
        made.add(record)
    return made
