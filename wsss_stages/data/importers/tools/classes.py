"""The classes of an export: those that it lists, or those that its shapes have, in the order of their names."""

import unicodedata
from pathlib import Path

from wsss_stages import UNKNOWN
from wsss_stages.data.findings import Finding
from wsss_stages.data.importers.coco_content import BACKGROUND
from wsss_stages.data.importers.tools.shapes import Kind
from wsss_stages.data.names import class_problem
from wsss_stages.data.notes import Notes

NOT_CLASSES = "tags and choices that are no class of a shape, not used"
UNUSED = "classes of the export without a shape, kept"


def classes_of(
    listed: list[str] | None, named: dict[str, set[Kind]], where: Path, findings: list[Finding], notes: Notes
) -> dict[str, int]:
    """Return the number of every name: 0 of the background, 1..N of the classes in their order.

    Where the export lists no classes and has shapes, a tag that names none of their classes is no class.

    Args:
        listed: the classes that the export lists, None if it lists none.
        named: kinds of the shapes of every name in use.
    """
    drawn = {name for name, kinds in named.items() if kinds != {"tag"}}
    used = drawn or set(named)
    if listed is None:
        notes.add_each(NOT_CLASSES, sorted(set(named) - used))
        names = sorted(used)
    else:
        names = list(dict.fromkeys(listed))
        if deleted := sorted(used - set(names)):
            what = f"shapes of {', '.join(map(repr, deleted[:5]))}, which the export does not list as classes"
            wanted = f"one of {', '.join(names[:20])}"
            remedy = "Add the class to the list, or remove what was drawn of it."
            findings.append(Finding(where, what, wanted, remedy))
    classes = [name for name in names if not _is_background(name)]
    if not classes or len(classes) >= UNKNOWN:
        remedy = "Merge some of them." if classes else "Label an object, and export it again."
        findings.append(Finding(where, f"{len(classes)} classes", f"1 to {UNKNOWN - 1}", remedy))
        return {}
    notes.add_each(UNUSED, (name for name in classes if name not in named))
    for name in classes:
        if problem := class_problem(name):
            wanted = "names of letters, digits, marks and blanks"
            findings.append(Finding(where, f"class {name[:40]!a} with {problem}", wanted, "Rename it."))
    return dict.fromkeys((name for name in names if _is_background(name)), 0) | {
        name: number for number, name in enumerate(classes, 1)
    }


def _is_background(name: str) -> bool:
    return unicodedata.normalize("NFC", name).casefold() in BACKGROUND
