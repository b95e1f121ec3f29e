"""The text about a run over photographs that a person reads at its end."""

from pathlib import Path

from wsss_stages.roads.photo_run import Result


def summary(out: Path, result: Result) -> str:
    """Return the numbers of masks, notes, and every file that could not be read."""
    kept = f", {result.kept} were there already" if result.kept else ""
    lines = [f"{out}: {result.made} masks made{kept}"]
    lines += [f"note: {text}: {note}" for text, note in result.notes.items()]
    lines += [f"hint: {hint}" for hint in result.hints]
    if result.findings:
        lines.append(f"{len(result.findings)} finding(s):")
        lines += [f"  {number}. {finding}" for number, finding in enumerate(result.findings, 1)]
    return "\n".join(lines) + "\n"
