"""Whether the weak labels of the training images are enough for a run."""

from wsss_stages.data.findings import Finding
from wsss_stages.data.index import Index, Record

PLURAL = {"box": "boxes", "scribble": "scribbles", "point": "points", "tag": "tags", "truth": "true masks"}
REMEDY = "Add what is missing, remove the id from the list, or run with another kind of weak label."


def missing(index: Index, weak: str) -> list[Finding]:
    """What training images lack for a run on `weak` labels: the kind itself, or it shows not all of the image's classes.

    A run on `mixed` labels takes any.
    """
    found = []
    for record in index.split("train"):
        if weak == "mixed":
            if not record.kinds:
                what = f"no label for training image {record.id}"
                found.append(Finding(index.root / record.photo, what, f"any of {', '.join(PLURAL.values())}", REMEDY))
            continue
        if weak not in record.kinds and not (weak == "tag" and record.kinds):
            others = f", which has {', '.join(PLURAL[kind] for kind in record.kinds)}" if record.kinds else ""
            what = f"no {PLURAL[weak]} for training image {record.id}{others}"
            found.append(Finding(index.root / record.photo, what, f"{PLURAL[weak]} for every training image", REMEDY))
            continue
        lost = set(record.tags) - _shown(record, weak)
        if lost:
            what = (
                f"image {record.id} with {', '.join(index.classes[c] for c in sorted(lost))} but without a {weak} of it"
            )
            wanted = f"a {weak} for every class of an image"
            found.append(Finding(index.root / record.photo, what, wanted, REMEDY))
    return found


def _shown(record: Record, weak: str) -> set[int]:
    """Classes that a kind of weak label shows."""
    return {
        "box": set(record.box_classes),
        "scribble": set(record.scribble_classes),
        "point": {cls for _, _, cls in record.points},
        "tag": set(record.tags),
    }[weak]
