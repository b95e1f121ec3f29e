"""The kind of a dataset by what its files hold, never by a guess: where two kinds fit, the user has to say which."""

from collections.abc import Callable
from pathlib import Path, PurePosixPath

from wsss_stages.data import json_stream
from wsss_stages.data.findings import DatasetError, DefectError, Finding
from wsss_stages.data.importers.coco_lists import KEYS
from wsss_stages.data.importers.tools import cvat, datumaro, label_studio, labelme, yolo
from wsss_stages.data.importers.tools.source import Source

LOOKED_AT = 40
"""Files of a suffix that are opened, of those nearest to the root."""
WANTED = (
    "a folder JPEGImages (voc), a JSON of images, annotations and categories (coco), data.yaml or .txt of class numbers and shares "
    "(yolo), annotations.xml (cvat), a JSON of tasks (label_studio), one of shapes beside each photograph (labelme), or one of items "
    "(datumaro)"
)


def only_kind(root: Path, skipped: Path | None = None) -> str:
    """Return the kind of a folder or zip. Raises DatasetError where none fits, or several do."""
    kinds = fitting(root, skipped)
    if len(kinds) == 1:
        return kinds[0]
    remedy = "Set data.kind." if kinds else "Set data.kind, or see docs/datasets.md for the layouts."
    found = f"labels of {' and of '.join(kinds)}" if kinds else "labels of no kind that is known"
    raise DatasetError([Finding(root, found, "one kind" if kinds else WANTED, remedy)])


def fitting(root: Path, skipped: Path | None = None) -> list[str]:
    """Return all kinds that a folder or zip may be. Raises DatasetError for a zip that is refused."""
    if not root.exists():
        raise DatasetError([Finding(root, "no such file or folder", "a dataset", "Correct dataset_root.")])
    findings: list[Finding] = []
    source = Source(root, findings, skipped)
    if findings:
        raise DatasetError(findings)
    return [kind for kind, fits in KINDS.items() if fits(source)]


def _is_voc(source: Source) -> bool:
    return not source.zipped and (source.root / "JPEGImages").is_dir()


def _is_coco(source: Source) -> bool:
    return bool(lists_of_coco(source))


def lists_of_coco(source: Source) -> list[str]:
    """Return the files that list images, annotations and categories."""
    return [name for name in _nearest(source, ".json") if _is_list(source, name)]


def _is_list(source: Source, name: str) -> bool:
    try:
        with source.open(name) as file:
            return {"images", "categories"} <= {key for key, _ in json_stream.entries(file, KEYS)}
    except DefectError:
        return False


def _is_yolo(source: Source) -> bool:
    if "JPEGImages" in {PurePosixPath(name).parts[0] for name in source.names}:
        return False
    named = any(PurePosixPath(name).name in ("data.yaml", "obj.names") for name in source.names)
    return named or any(_has_row(source, name) for name in _nearest(source, ".txt"))


def _has_row(source: Source, name: str) -> bool:
    try:
        lines = source.text(name).splitlines()
    except DefectError:
        return False
    return bool(lines) and yolo.is_row(lines[0])


def _any(suffix: str, fits: Callable[[Source, str], bool]) -> Callable[[Source], bool]:
    return lambda source: any(fits(source, name) for name in _nearest(source, suffix))


def _nearest(source: Source, suffix: str) -> list[str]:
    return sorted(source.having(suffix), key=lambda name: (name.count("/"), name))[:LOOKED_AT]


KINDS: dict[str, Callable[[Source], bool]] = {
    "voc": _is_voc,
    "coco": _is_coco,
    "yolo": _is_yolo,
    "cvat": _any(".xml", cvat.is_export),
    "label_studio": _any(".json", label_studio.is_export),
    "labelme": _any(".json", labelme.is_export),
    "datumaro": _any(".json", datumaro.is_export),
}
"""Whether a folder may be of a kind."""
