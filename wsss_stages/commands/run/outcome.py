"""The end of a run in words: where results lie and the numbers that matter, or what failed and where it says why."""

from pathlib import Path

from wsss_stages.commands.run.follow import WORDS, Failure
from wsss_stages.data.findings import shown
from wsss_stages.roads.report_tables import final_row
from wsss_stages.roads.run_files import RunFiles
from wsss_stages.store import artifacts

LAST = 15
"""Lines of a log without a message of its own that are shown."""


def results(files: RunFiles, masks_only: bool) -> list[str]:
    """Return the lines on a finished run."""
    stage, contract = files.final()
    found = [f"masks         {files.stage(stage) / 'train' / contract.name}/"]
    if masks_only:
        return found
    review = files.folder / "s9_review" / "review_first.csv"
    found.append(f"segmenter     {files.network()}")
    found.append(f"look first at {review}")
    return [*found, *numbers(files)]


def numbers(files: RunFiles) -> list[str]:
    """Return the lines with the numbers that matter: the final score where there is truth, and the review's."""
    found = []
    if last := final_row([artifacts.read_sealed(path) for path in files.scores()]):
        scores, row = last
        of = "predictions" if scores["split"] == "val" else "labels"
        found.append(
            f"mIoU          {100 * row['miou']:.1f} % of the {of} of {scores['images']} images in {scores['split']}"
        )
    review = files.folder / "s9_review" / "review.json"
    if review.is_file() and (mean := artifacts.read_sealed(review)["scores"]["score"]["mean"]) is not None:
        found.append(f"agreement     {mean:.2f} of 1: how well the steps agree on a mask, mean of all photographs")
    return found


def failure(failures: list[Failure], log: Path) -> str:
    """Return what failed, with the last words of its log, or of Snakemake's where no job failed.

    Args:
        log: the file with Snakemake's output.
    """
    if not failures:
        return f"Snakemake stopped. The end of {log}:\n{_indented(_tail(log))}"
    first = failures[0]
    name = WORDS.get(first.rule, first.rule)
    if first.log is None or not first.log.is_file():
        return f"failed: {name} ({first.rule}). See {log}"
    return f"failed: {name} ({first.rule}). {first.log}:\n{_indented(said(first.log))}"


def said(log: Path) -> list[str]:
    """Return the error of a stage's log, or else the log's last lines."""
    lines = _lines(log)
    starts = [number for number, line in enumerate(lines) if line.startswith(("error: ", "MemoryError"))]
    return lines[starts[-1] :] if starts else _tail(log)


def _tail(log: Path) -> list[str]:
    lines = _lines(log)[-LAST:]
    return lines or ["nothing: the job was killed, perhaps for lack of memory. Fewer at once need less: --cores 1"]


def _lines(log: Path) -> list[str]:
    return [shown(line) for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]


def _indented(lines: list[str]) -> str:
    return "\n".join(f"  {line}" for line in lines)
