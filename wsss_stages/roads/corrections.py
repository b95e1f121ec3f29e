"""Corrections of a run: taken from a source, forgotten again, and how many of the labels are by hand."""

from collections.abc import Sequence
from pathlib import Path

import yaml

from wsss_stages.data.corrections.kept import FILE, Kept, keep
from wsss_stages.data.corrections.sources import corrections_of
from wsss_stages.data.index import Index
from wsss_stages.data.notes import Notes
from wsss_stages.store import artifacts, locks


def index_of(results: Path) -> Index:
    """Return the index of a dataset's results. Raises ValueError without one."""
    path = results / "index.json"
    if not path.is_file():
        beside = sorted(str(found.parent) for found in results.glob("*/index.json"))[:3]
        remedy = f"Did you mean {' or '.join(beside)}?" if beside else "Make it first: snakemake --until data"
        raise ValueError(f"{results}: found no index.json; wanted the results of a dataset, results/NAME. {remedy}")
    return Index.read(path)


def take(source: Path, index: Index, folder: Path, who: str) -> list[str]:
    """Add the corrections of a source to those that a folder keeps; return lines of a report. Raises DatasetError."""
    found = corrections_of(source, index)
    notes = Notes()
    kept = keep(folder, index, found.read(), source, who, notes)
    by_hand = sum(bool(entry.mask) for entry in kept.entries.values())
    lines = [f"{source}: corrections of {found.count} images, read as {found.kind}"]
    lines += [f"{text}: {note}" for text, note in {**found.notes, **notes}.items()]
    total = len(index.splits["train"])
    return [*lines, f"{folder}: {len(kept.entries)} of {total} training images corrected, {by_hand} of them by a mask"]


def drop(folder: Path, ids: Sequence[str]) -> list[str]:
    """Forget the corrections of images; return lines of a report. Raises ValueError for images without any."""
    with locks.held(folder / FILE):
        kept = Kept.read(folder)
        if strange := [image for image in ids if image not in kept.entries]:
            raise ValueError(
                f"{folder}: found no correction of {', '.join(strange[:5])}; wanted corrected images, of which there are "
                f"{len(kept.entries)}. Correct --drop."
            )
        for image in ids:
            kept.entries.pop(image, None)
        kept.write()
    return [f"{folder}: {len(ids)} corrections forgotten, {len(kept.entries)} kept"]


def set_option(config: Path, folder: Path) -> None:
    """Set data.corrections in a configuration; comments at its top stay. Raises ValueError if it is no YAML mapping."""
    text = config.read_text(encoding="utf-8")
    try:
        content = yaml.safe_load(text) or {}
    except yaml.YAMLError as error:
        raise ValueError(f"{config}: found no YAML ({error}); wanted a configuration. Correct or delete it.") from error
    data = content.get("data", {}) if isinstance(content, dict) else None
    if not isinstance(data, dict):
        raise ValueError(f"{config}: found no sections; wanted data: {{...}} of a configuration. Correct or delete it.")
    if data.get("corrections") == str(folder):
        return
    content["data"] = {**data, "corrections": str(folder)}
    comments = [line for line in text.splitlines() if line.startswith("#")]
    written = yaml.safe_dump(content, sort_keys=False, allow_unicode=True)
    with artifacts.whole(config) as partial:
        partial.write_text("\n".join([*comments, written]), encoding="utf-8")
