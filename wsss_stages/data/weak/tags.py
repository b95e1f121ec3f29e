"""The classes that an image shows, from a CSV."""

import csv
import io
from pathlib import Path

from wsss_stages.data.documents import read_text
from wsss_stages.data.findings import DefectError, Finding
from wsss_stages.data.importers.photographs import image_id


def read_csv(path: Path, classes: list[str], findings: list[Finding]) -> dict[str, list[int]]:
    """Read the classes of each image from lines `id,class` under that header; an empty class means an image without
    objects.
    """
    try:
        rows = list(csv.reader(io.StringIO(read_text(path), newline="")))
    except DefectError as error:
        findings.append(error.in_file(path))
        return {}
    except csv.Error as error:
        findings.append(Finding(path, f"no CSV ({error})", "lines id,class", "Export it again."))
        return {}
    header = [cell.strip() for cell in rows[0]] if rows else []
    if header != ["id", "class"]:
        findings.append(Finding(path, f"header {header}", "id,class", "Write one line per image and class under it."))
        return {}
    found: dict[str, set[int]] = {}
    for number, row in enumerate(rows[1:], 2):
        cells = [cell.strip() for cell in row]
        if not any(cells):
            continue
        if len(cells) != 2 or not cells[0] or (cells[1] and cells[1] not in classes[1:]):
            findings.append(
                Finding(
                    path,
                    f"line {number} {','.join(row)!r}",
                    f"an id and one of {', '.join(classes[1:])}",
                    "Correct the line or add the class to classes.txt.",
                )
            )
            continue
        found.setdefault(image_id(cells[0]), set()).update([classes.index(cells[1])] if cells[1] else [])
    return {name: sorted(classes) for name, classes in found.items()}
