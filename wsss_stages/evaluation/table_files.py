"""A table as CSV, Markdown, HTML and a picture."""

import csv
import io
from pathlib import Path

from wsss_stages.evaluation import figures
from wsss_stages.store import artifacts


def write(
    path: Path, title: str, note: str, header: list[str], rows: list[tuple], shown: list[tuple], dataset: str
) -> None:
    """Write `path` with the suffixes .csv, .md, .html and .png.

    Args:
        path: without suffix.
        rows: cells of every row, the title first; numbers are rounded to two digits, texts are as they are, None is an empty cell.
        shown: of every row title, mean, deviation, one number that is not drawn, and the thesis's number, for the picture.
    """
    cells = [
        [row[0], *(round(value, 2) if isinstance(value, float | int) else value for value in row[1:])] for row in rows
    ]
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([header, *cells])
    contents = {
        ".csv": text.getvalue(),
        ".md": markdown(title, note, header, cells),
        ".html": figures.html_table(title, note, header, cells),
    }
    for suffix, content in contents.items():
        with artifacts.whole(path.with_suffix(suffix)) as partial:
            partial.write_text(content)
    figures.save(figures.table_picture(f"{title}: {dataset}", shown), path.with_suffix(".png"))


def markdown(title: str, note: str, header: list[str], rows: list[list]) -> str:
    """Return a page of Markdown with one table."""
    lines = [f"# {title}", "", note, "", f"| {' | '.join(header)} |", "|---" * len(header) + "|"]
    lines += [f"| {' | '.join('' if cell is None else str(cell) for cell in row)} |" for row in rows]
    return "\n".join(lines) + "\n"
