"""A folder of predictions: masks, and if wanted overlays and probabilities, each file whole or absent; areas as a table."""

import csv
import json
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import cv2
import h5py
import numpy as np
from PIL import Image

from wsss_stages.data.photo_files import PhotoFile
from wsss_stages.evaluation import figures
from wsss_stages.roads.photo_labels import Labelled
from wsss_stages.store import artifacts, contracts, seals, tidying
from wsss_stages.store.palette import voc_palette

OVERLAY_SIDE = 2048
"""Longest side of overlays, pixels."""


class PredictionFolder:
    """The results of one network with one set of options; those of another are made again."""

    def __init__(self, out: Path, made_by: str, classes: list[str], overlays: bool, probabilities: bool):
        """
        Args:
            made_by: fingerprint of the weights and of all options that masks depend on.
            classes: names, background first.
        """
        self.out, self.made_by, self.classes = out, made_by, classes
        self.overlays, self.probabilities = overlays, probabilities
        self._rows: list[list[Any]] = []

    def tidy(self) -> None:
        """Remove what killed runs left half written; only for who holds the folder's lock."""
        for kind in ("masks", "overlays", "probabilities"):
            for partial in (self.out / kind).rglob(f"*{tidying.PARTIAL}*"):
                partial.unlink(missing_ok=True)

    def mask(self, name: str) -> Path:
        return self.out / "masks" / f"{name}.png"

    def overlay(self, name: str, suffix: str = ".jpg") -> Path:
        return self.out / "overlays" / f"{name}{suffix}"

    def probability(self, name: str) -> Path:
        return self.out / "probabilities" / f"{name}.h5"

    def finished(self, name: str, source: str, overlay: bool) -> dict | None:
        """Return what is recorded of a mask that need not be made again; None of others.

        Args:
            source: sha256 of the photograph.  overlay: whether there must be one.
        """
        recorded = _recorded(self.mask(name))
        if not recorded or (recorded["made_by"], recorded["source"]) != (self.made_by, source):
            return None
        wanted = [self.overlay(name)] * overlay + [self.probability(name)] * self.probabilities
        return recorded if all(path.is_file() for path in wanted) else None

    def write(self, name: str, source: str, photo: np.ndarray, made: Labelled, overlay: bool) -> dict:
        """Write the files of a photograph, its mask last, and return what is recorded of it.

        Files of an earlier run that are not wanted now are removed: they would belong to another mask.
        """
        for path in (self.mask(name), self.overlay(name), self.probability(name)):
            with suppress(NotADirectoryError):
                path.unlink(missing_ok=True)
        if overlay:
            with artifacts.whole(self.overlay(name)) as partial:
                Image.fromarray(overlaid(photo, made.label)).save(partial, format="JPEG", quality=90)
        if made.P is not None:
            self._write_probabilities(self.probability(name), made.P, made.label.shape)
        pixels = np.bincount(made.label.ravel(), minlength=len(self.classes)).tolist()
        recorded = {"made_by": self.made_by, "source": source, "pixels": pixels, "size": list(made.label.shape)}
        artifacts.write(self.mask(name), contracts.PREDICTION, {"label": made.label}, recorded)
        return recorded

    def add_row(self, file: PhotoFile, name: str, recorded: dict) -> None:
        """Add the areas of a mask to the table."""
        height, width = recorded["size"]
        areas = [(count, count / (height * width)) for count in recorded["pixels"]]
        mask = self.mask(name).relative_to(self.out).as_posix()
        self._rows.append([file.place.as_posix(), mask, width, height, *(n for area in areas for n in area)])

    def write_tables(self) -> None:
        """Write areas.csv, a row per mask, and classes.csv, number, name and colour of every class."""
        header = ["photograph", "mask", "width", "height"]
        header += [f"{name} {unit}" for name in self.classes for unit in ("pixels", "share")]
        _write_csv(self.out / "areas.csv", [header, *self._rows])
        colours = ("#" + bytes(colour).hex() for colour in voc_palette().tolist())
        classes = [
            [number, name, colour] for (number, name), colour in zip(enumerate(self.classes), colours, strict=False)
        ]
        _write_csv(self.out / "classes.csv", [["number", "name", "colour"], *classes])

    def _write_probabilities(self, path: Path, P: np.ndarray, size: tuple[int, ...]) -> None:
        with artifacts.whole(path) as partial, h5py.File(partial, "w") as file:
            file.attrs.update(classes=json.dumps(self.classes), height=size[0], width=size[1])
            file.create_dataset(
                "P", data=P, chunks=(1, *P.shape[1:]), compression="gzip", compression_opts=1, shuffle=True
            )


def overlaid(photo: np.ndarray, label: np.ndarray) -> np.ndarray:
    """Return the label over the photograph, whose longer side becomes at most OVERLAY_SIDE."""
    factor = OVERLAY_SIDE / max(photo.shape[:2])
    if factor < 1:
        size = tuple(max(1, round(n * factor)) for n in photo.shape[1::-1])
        photo = cv2.resize(photo, size, interpolation=cv2.INTER_AREA)
    return figures.over(photo, label)


def _recorded(mask: Path) -> dict | None:
    """Return the record of a whole mask of ours; None of any other file."""
    try:
        if seals.fault(mask):
            return None
        with Image.open(mask, formats=["PNG"]) as image:
            recorded = json.loads(image.info[artifacts.META])
    except (OSError, KeyError, ValueError, SyntaxError):
        return None
    return recorded if {"made_by", "source", "pixels", "size"} <= recorded.keys() else None


def _write_csv(path: Path, rows: Iterable[list]) -> None:
    with (
        artifacts.whole(path) as partial,
        partial.open("w", newline="", encoding="utf-8", errors="surrogateescape") as file,
    ):
        csv.writer(file, lineterminator="\n").writerows(rows)
