"""A review of one person: what is decided, painted and drawn goes to the disk at once; everybody else only looks."""

import json
import threading
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from wsss_stages import UNKNOWN
from wsss_stages.data.corrections.correction import Correction, check
from wsss_stages.data.corrections.verdicts import FILE, MASKS, STATES, State, Verdict, Verdicts
from wsss_stages.data.findings import DefectError
from wsss_stages.data.images import read_labels
from wsss_stages.roads.review_site.images import RunImages, key_of
from wsss_stages.store import artifacts, locks
from wsss_stages.store.palette import voc_palette

WHO = "reviewer.json"
"""File beside the verdicts with the name of the person who reviews."""
PAGE = 200
"""Most images of one page of the list."""
THUMBNAILS = 3000
"""Thumbnails that are kept in memory, some 4 kB each."""


class RefusedError(ValueError):
    """A request that makes no sense, or that a reader may not make."""


class Session:
    """A review; `busy` says who else reviews, so that this one only looks."""

    def __init__(self, images: RunImages, folder: Path, who: str, read_only: bool):
        self.images, self.folder, self.who = images, folder, who
        self.busy = "" if read_only else self._claim()
        self.read_only = read_only or bool(self.busy)
        self.verdicts = Verdicts(folder, images.index.classes)
        self._lock, self._seen = threading.RLock(), self._stamp()
        self.thumbnail = lru_cache(THUMBNAILS)(self._thumbnail)

    def close(self) -> None:
        """Let the next person review."""
        if not self.read_only:
            (self.folder / WHO).unlink(missing_ok=True)
            locks.release(self.folder / FILE)

    def run(self) -> dict[str, Any]:
        """Return the facts that the page shows of the run."""
        index = self.images.index
        colours = ["#{:02x}{:02x}{:02x}".format(*colour) for colour in voc_palette()[: len(index.classes)].tolist()]
        return {
            "dataset": index.dataset,
            "weak": index.weak,
            "classes": index.classes,
            "colours": colours,
            "steps": list(self.images.steps),
            "who": self.who,
            "read_only": self.read_only,
            "busy": self.busy,
            "folder": str(self.folder),
            "scored": any(score is not None for score in self.images.scores.values()),
        }

    def listed(self, start: int, count: int, state: str) -> dict[str, Any]:
        """Return images of the list from a number on, of one state or all, and how many there are of every state."""
        with self._lock:
            self._refresh()
            states = {image: self._state(image) for image in self.images.ids}
            ids = [image for image in self.images.ids if state in ("all", states[image])]
            shown = ids[max(0, start) : max(0, start) + min(max(0, count), PAGE)]
            entries = [
                {"key": key_of(i), "id": i, "score": self.images.scores.get(i), "state": states[i]} for i in shown
            ]
            return {"total": len(ids), "counts": Counter(states.values()), "images": entries}

    def image(self, image: str) -> dict[str, Any]:
        """Return the facts about an image that the page shows."""
        with self._lock:
            self._refresh()
            record, verdict = self.images.record(image), self.verdicts.by_image.get(image)
            boxes, classes = record.full_boxes().tolist(), record.box_classes
            if verdict and verdict.boxes is not None:
                boxes, classes = verdict.boxes, verdict.box_classes or []
            return {
                "key": key_of(image),
                "id": image,
                "width": record.width,
                "height": record.height,
                "full_width": record.full_width,
                "full_height": record.full_height,
                "score": self.images.scores.get(image),
                "tags": record.tags,
                "boxes": boxes,
                "box_classes": classes,
                "points": record.points,
                "state": self._state(image),
                "who": verdict.who if verdict else "",
                "when": verdict.when if verdict else "",
                "painted": bool(verdict and verdict.mask),
                "boxed": bool(verdict and verdict.boxes is not None),
                "corrected": bool(record.corrected),
            }

    def mask(self, image: str) -> np.ndarray:
        """Return the label that is edited, at working size: as it was painted, or the run's."""
        return self.images.at_work(image, self._current(image))

    def step(self, image: str, title: str) -> np.ndarray:
        """Return the label map of a step, at working size. Raises KeyError for a step that the run does not have."""
        return self.images.at_work(image, self.images.label(image, self.images.steps[title]))

    def paint(self, image: str, packed: bytes) -> None:
        """Save a painted label, which makes the image one to be accepted still.

        Args:
            packed: zlib's or gzip's code of (height, width) uint8 classes at working size, row by row.
        """
        record = self.images.record(image)
        painted = np.frombuffer(_unpacked(packed, record.height * record.width), np.uint8)
        painted = painted.reshape(record.height, record.width)
        if strange := sorted(set(np.unique(painted).tolist()) - {*range(len(self.images.index.classes)), UNKNOWN}):
            raise RefusedError(f"found the classes {strange[:5]}; wanted those of the run")
        with self._lock:
            self._check_writable()
            before = self._current(image)
            unchanged = painted == self.images.at_work(image, before)
            same = self.images.at_full(image, unchanged.astype(np.uint8)).astype(bool)
            merged = np.where(same, self.images.at_full(image, before), self.images.at_full(image, painted))
            mask, sha256 = self.verdicts.store(merged)
            self._add(image, "fix", mask=mask, mask_sha256=sha256)

    def draw(self, image: str, boxes: Sequence[Sequence[int]], classes: Sequence[int]) -> None:
        """Save the boxes of an image, x0 y0 x1 y1 in pixels of the photograph, which makes the image one to be accepted still."""
        record = self.images.record(image)
        whole = all(type(v) is int for v in (*classes, *(v for box in boxes for v in box)))
        if not whole or any(len(box) != 4 for box in boxes) or len(boxes) != len(classes):
            raise RefusedError("found boxes that are no whole numbers; wanted x0, y0, x1, y1 and a class of each")
        made = Correction(image, "boxes", boxes=[[*box] for box in boxes], box_classes=[*classes])
        try:
            check(made, record, len(self.images.index.classes))
        except DefectError as error:
            raise RefusedError(str(error)) from error
        with self._lock:
            self._check_writable()
            self._add(image, "fix", boxes=made.boxes, box_classes=made.box_classes)

    def decide(self, image: str, state: str) -> None:
        """Save a decision: accept the labels as they are shown, mark them to be fixed, skip the image, or open it again as at first."""
        if state not in STATES:
            raise RefusedError(f"found the decision {state!r}; wanted {', '.join(STATES)}")
        with self._lock:
            self._check_writable()
            verdict = self.verdicts.by_image.get(image)
            if state == "open":
                self._add(image, "open", mask="", mask_sha256="", boxes=None, box_classes=None, how="")
            elif state != "accept":
                self._add(image, "fix" if state == "fix" else "skip")
            elif verdict and verdict.boxes is not None and not verdict.mask:
                self._add(image, "accept", how="boxes")
            else:
                self._accept(image, bool(verdict and verdict.mask))

    def _accept(self, image: str, painted: bool) -> None:
        label = self.images.at_full(image, self._current(image))
        try:
            check(Correction(image, "", label), self.images.record(image), len(self.images.index.classes))
        except DefectError as error:
            raise RefusedError(str(error)) from error
        mask, sha256 = self.verdicts.store(label)
        self._add(image, "accept", how="painted" if painted else "accepted", mask=mask, mask_sha256=sha256)

    def _add(self, image: str, state: State, **changes: Any) -> None:
        now = datetime.now(UTC).isoformat(timespec="seconds")
        sha256 = self.images.record(image).sha256
        before = self.verdicts.by_image.get(image, Verdict(image, "open", "", "", sha256))
        if before.how == "accepted":  # the run's own label, which the next change does not start from as painted
            before = replace(before, mask="", mask_sha256="")
        given = {"how": "", "photo_sha256": sha256} | changes
        self.verdicts.add(replace(before, state=state, who=self.who, when=now, **given))
        if before.mask and all(verdict.mask != before.mask for verdict in self.verdicts.by_image.values()):
            (self.folder / MASKS / before.mask).unlink(missing_ok=True)

    def _current(self, image: str) -> np.ndarray:
        verdict = self.verdicts.by_image.get(image)
        if verdict and verdict.mask:
            path = self.folder / MASKS / verdict.mask
            if path.is_file() and artifacts.sha256(path) == verdict.mask_sha256:
                return read_labels(path)
        return self.images.label(image)

    def _thumbnail(self, image: str, _: str) -> bytes:
        with self._lock:
            label = self._current(image)
        return self.images.thumbnail(image, label)

    def version(self, image: str) -> str:
        """Return a text that changes with the label of an image."""
        verdict = self.verdicts.by_image.get(image)
        return verdict.mask if verdict else ""

    def _state(self, image: str) -> str:
        verdict = self.verdicts.by_image.get(image)
        return verdict.state if verdict else "open"

    def _check_writable(self) -> None:
        if self.read_only:
            raise RefusedError(self.busy or "This page only shows the labels (--read-only).")

    def _claim(self) -> str:
        """Take the review; return who else has it, empty if it is taken."""
        try:
            locks.take(self.folder / FILE, self.folder / FILE)
        except locks.InUseError:
            try:
                other = json.loads((self.folder / WHO).read_text())
                return f"{other['who']} reviews this run since {other['since']}: here you only look. End that page to correct here."
            except (OSError, ValueError, KeyError, TypeError):
                return "Somebody else reviews this run: here you only look. End that page to correct here."
        since = datetime.now(UTC).isoformat(timespec="minutes")
        artifacts.write_json(self.folder / WHO, {"who": self.who or "Somebody", "since": since})
        return ""

    def _stamp(self) -> tuple[int, int]:
        path = self.folder / FILE
        status = path.stat() if path.is_file() else None
        return (status.st_size, status.st_mtime_ns) if status else (0, 0)

    def _refresh(self) -> None:
        """Read again what another person has decided since."""
        if self.read_only and (stamp := self._stamp()) != self._seen:
            self.verdicts, self._seen = Verdicts(self.folder, self.images.index.classes), stamp


def _unpacked(packed: bytes, size: int) -> bytes:
    """Return the bytes of a code, exactly so many. Raises RefusedError."""
    unpack = zlib.decompressobj(wbits=47)  # zlib or gzip by the header
    try:
        content = unpack.decompress(packed, size + 1)
    except zlib.error as error:
        raise RefusedError(f"found no compressed label ({error}); wanted gzip") from error
    if len(content) != size or not unpack.eof:
        raise RefusedError(f"found a label of another number of pixels; wanted {size}")
    return content
