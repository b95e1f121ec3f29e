"""Pictures and tables of the report, from arrays and numbers."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import jinja2
import matplotlib
import numpy as np

from wsss_stages import UNKNOWN
from wsss_stages.store import artifacts
from wsss_stages.store.palette import voc_palette

matplotlib.use("Agg")
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

matplotlib.rcParams["text.parse_math"] = False  # names of classes and images are text, whatever signs they have
COLOURS = voc_palette()
SETTLED = {True: ", had settled", False: ", had not settled: more steps would help", None: ""}
"""Additions to the title of a curve (training.grading)."""
PAGES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True, trim_blocks=True
)


def with_boxes(image: np.ndarray, boxes: Sequence, classes: Sequence) -> np.ndarray:
    """Return the image with its boxes in their classes' colours, on a dark rim that shows on any background."""
    picture = image.copy()
    thick = max(1, round(max(image.shape) / 160))
    for (x0, y0, x1, y1), c in zip(boxes, classes, strict=True):
        for colour, width in (((0, 0, 0), 3 * thick), (COLOURS[c].tolist(), thick)):
            cv2.rectangle(picture, (x0, y0), (x1 - 1, y1 - 1), colour, width)
    return picture


def with_marks(image: np.ndarray, marks: np.ndarray | None, points: Sequence) -> np.ndarray:
    """Return the image with scribbles (h, w; 255 none) and clicks (x, y, class) in their classes' colours;
    background is white.
    """
    picture = image.copy()
    colours = COLOURS.copy()
    colours[0] = 255
    if marks is not None:
        thick = cv2.dilate((marks != UNKNOWN).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
        picture[thick] = 0
        picture[marks != UNKNOWN] = colours[marks[marks != UNKNOWN]]
    radius = max(3, round(max(image.shape) / 80))
    for x, y, c in points:
        for colour, r in (((0, 0, 0), radius + 2), (colours[c].tolist(), radius)):
            cv2.circle(picture, (x, y), r, colour, -1)
    return picture


def over(image: np.ndarray, label: np.ndarray) -> np.ndarray:
    """Return a label map of the image, of any size, over the faded image; 255 white, background only faded."""
    label = cv2.resize(label, image.shape[1::-1], interpolation=cv2.INTER_NEAREST)
    faded = 0.35 * image + 0.65 * 64
    colour = np.where((label == UNKNOWN)[..., None], 255, COLOURS[label])
    share = np.where(label == 0, 0.0, 0.8)[..., None]
    return ((1 - share) * faded + share * colour).astype(np.uint8)


def heat(image: np.ndarray, strength: np.ndarray) -> np.ndarray:
    """Return a map in [0, 1] as colours over the faded image."""
    strength = cv2.resize(strength.astype(np.float32), image.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    colour = plt.get_cmap("inferno")(np.clip(strength, 0, 1))[..., :3] * 255
    return (0.35 * image + 0.65 * colour).astype(np.uint8)


def node_edges(image: np.ndarray, E: np.ndarray, window: Sequence, stride: int, pixels: Sequence) -> np.ndarray:
    """Return the edges of the nodes at a few pixels (x, y): each neighbour's cell in the colour of its affinity."""
    picture = (0.35 * image + 0.65 * 64).astype(np.uint8)
    colours = (plt.get_cmap("viridis")(np.linspace(0, 1, 256))[:, :3] * 255).astype(int)
    for x, y in pixels:
        y, x = min(y // stride, E.shape[1] - 1), min(x // stride, E.shape[2] - 1)
        for (dy, dx), e in zip(window, E[:, y, x].tolist(), strict=True):
            if e > 0:
                corner = ((x + dx) * stride, (y + dy) * stride)
                cv2.rectangle(
                    picture,
                    corner,
                    (corner[0] + stride - 1, corner[1] + stride - 1),
                    colours[int(255 * e)].tolist(),
                    -1,
                )
        cv2.rectangle(picture, (x * stride, y * stride), ((x + 1) * stride - 1, (y + 1) * stride - 1), (255, 0, 0), 1)
    return picture


def rows_figure(
    titles: Sequence[str], rows: Sequence[Sequence[np.ndarray | None]], names: Sequence[str], classes: dict[int, str]
) -> Figure:
    """Return a figure with one row of pictures per image under common titles, with a legend of the classes' colours.

    A title under which no image has a picture is left out.
    """
    kept = [n for n in range(len(titles)) if any(cells[n] is not None for cells in rows)]
    titles, rows = [titles[n] for n in kept], [[cells[n] for n in kept] for cells in rows]
    figure, axes = plt.subplots(
        len(rows),
        len(titles),
        figsize=(1.75 * len(titles), 1.55 * len(rows) + 0.8),
        squeeze=False,
        layout="constrained",
    )
    for line, name, cells in zip(axes, names, rows, strict=True):
        for cell, picture in zip(line, cells, strict=True):
            cell.set(xticks=[], yticks=[])
            if picture is None:
                cell.axis("off")
            else:
                cell.imshow(picture)
        line[0].set_ylabel(name, fontsize=6)
    for cell, title in zip(axes[0], titles, strict=True):
        cell.set_title(title, fontsize=9)
    patches = [Patch(facecolor=COLOURS[c] / 255, edgecolor="black", label=name) for c, name in classes.items()]
    patches.append(Patch(facecolor="white", edgecolor="black", label="unknown"))
    figure.legend(handles=patches, loc="outside lower center", ncol=min(len(patches), 11), fontsize=8, frameon=False)
    return figure


def curves_figure(curves: Sequence[dict]) -> Figure:
    """Return the loss terms of every training over its steps, as running means, and the grades on the held-out part,
    the best one marked.

    Dashed: shares that are no losses.
    """
    figure, axes = plt.subplots(1, len(curves), figsize=(5.5 * len(curves), 4), squeeze=False)
    for axis, curve in zip(axes[0], curves, strict=True):
        entries = curve["steps"]
        most = max(1, len(entries) // 40)
        for term in dict.fromkeys(name for entry in entries for name in entry if name not in ("step", "lr")):
            steps, values = zip(*((entry["step"], entry[term]) for entry in entries if term in entry), strict=True)
            wide = min(most, len(values))
            line = "--" if term in curve.get("shown", ()) else "-"
            axis.plot(steps[wide - 1 :], np.convolve(values, np.ones(wide) / wide, mode="valid"), line, label=term)
        if grades := curve.get("grades"):
            _add_grades(axis, grades, curve["best_step"])
        axis.set(
            title=curve["stage"] + SETTLED[curve.get("settled")],
            xlabel=f"step ({curve['epochs']} epochs)",
            ylabel=f"loss, mean of {most} steps",
            ylim=(0, None),
        )
        axis.legend(frameon=False)
        axis.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    return figure


def _add_grades(axis: Axes, grades: Sequence[dict], best_step: int) -> None:
    """Draw grades against an axis of their own, on the right."""
    right = axis.twinx()
    steps, values = ([entry[name] for entry in grades] for name in ("step", "grade"))
    right.plot(steps, values, color="black", marker=".", linewidth=1)
    right.axvline(best_step, color="black", linestyle=":", linewidth=1)
    right.set(ylabel="grade on held-out items; dotted: the kept weights", ylim=(0, None))
    right.spines["top"].set_visible(False)


def confusion_figure(counts: np.ndarray, names: Sequence[str], title: str) -> Figure:
    """Return the share of each true class's pixels (rows) that got each label (columns), as a figure."""
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    side = max(4.5, 0.42 * len(names) + 2)
    figure, axis = plt.subplots(figsize=(side, side))
    axis.imshow(share, cmap="Blues", vmin=0, vmax=1)
    axis.set_xticks(range(len(names)), names, rotation=90)
    axis.set_yticks(range(len(names)), names)
    axis.set(xlabel="label", ylabel="truth", title=title)
    for y, x in np.argwhere(share >= 0.05):
        axis.text(
            x,
            y,
            f"{100 * share[y, x]:.0f}",
            ha="center",
            va="center",
            fontsize=7,
            color="white" if share[y, x] > 0.5 else "black",
        )
    figure.tight_layout()
    return figure


def sentence_figure(text: str) -> Figure:
    """Return a picture of a sentence, for a plot that has nothing to show."""
    figure = plt.figure(figsize=(8, 1.5))
    figure.text(0.5, 0.5, text, ha="center", va="center", fontsize=10, wrap=True)
    return figure


def save(figure: Figure, path: Path) -> None:
    """Write a figure as PNG, whole or not at all, and close it."""
    with artifacts.whole(path) as partial:
        figure.savefig(partial, dpi=110, format="png")
    plt.close(figure)


def html_table(title: str, note: str, header: Sequence[str], rows: Sequence[Sequence]) -> str:
    """Return a page with one table, left out without rows; floats with one digit, None as a dash."""
    return PAGES.get_template("table.html.j2").render(title=title, note=note, header=header, rows=rows)


def table_picture(title: str, rows: Sequence[tuple]) -> Figure:
    """Return the scores of a table's rows from top to bottom as a picture: ours with the deviation over seeds, and
    the thesis's.

    Args:
        rows: title, mean %, deviation or None, anything, the thesis's % or None, and more.
    """
    figure, axes = plt.subplots(figsize=(8, 1.4 + 0.4 * len(rows)), layout="constrained")
    for y, (_, mean, deviation, _, thesis, *_) in enumerate(rows):
        if mean is not None:
            axes.errorbar(mean, y, xerr=deviation, fmt="o", color="C0", capsize=3, label="here, ± over seeds")
        if thesis is not None:
            axes.plot(thesis, y, "D", color="C1", mfc="none", label="the thesis on VOC 2012, other images")
    axes.set(title=title, xlabel="mIoU %", yticks=range(len(rows)), yticklabels=[row[0] for row in rows])
    axes.invert_yaxis()
    axes.grid(axis="x", alpha=0.3)
    handles = dict(zip(*axes.get_legend_handles_labels()[::-1], strict=True))
    axes.legend(handles.values(), handles.keys(), loc="best", fontsize=8)
    return figure
