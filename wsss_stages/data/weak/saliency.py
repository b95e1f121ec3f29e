"""Saliency maps, an optional extra beside tags (setting I+E of Sec. 3.6.2): FOLDER/ID.png, 8-bit grey, 0..255 for 0..1."""

from pathlib import Path

from wsss_stages.data.findings import DefectError, Finding
from wsss_stages.data.images import ImageError, label_size, read_grey
from wsss_stages.data.index import Record
from wsss_stages.data.names import has_file
from wsss_stages.store import artifacts


def add_saliency(record: Record, folder: Path, root: Path, findings: list[Finding]) -> None:
    """Fill in a record's saliency map, a path relative to the photographs' `root` where it can be, and its sha256."""
    path = folder / f"{record.id}.png"
    try:
        is_there = has_file(path, folder, "or point data.saliency")
    except DefectError as error:
        findings.append(error.in_file(path))
        return
    if not is_there:
        wanted = "a saliency map of every training image"
        findings.append(Finding(path, "no such file", wanted, "Add it, or leave data.saliency empty."))
        return
    try:
        height, width = label_size(path)
        if (height, width) == (record.full_height, record.full_width):
            read_grey(path)
    except ImageError as error:
        findings.append(
            Finding(path, str(error), "an 8-bit grey PNG, 0..255 for saliency", "Save it again as 8-bit grey.")
        )
        return
    if (height, width) != (record.full_height, record.full_width):
        wanted = f"{record.full_width}x{record.full_height} like the image"
        findings.append(Finding(path, f"{width}x{height} pixels", wanted, "Export it at the photograph's size."))
        return
    record.saliency = str(path.relative_to(root) if path.is_relative_to(root) else path.resolve())
    record.saliency_sha256 = artifacts.sha256(path)
