"""A run of a network over photographs and videos: resumable, and no file that cannot be read stops it."""

import os
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from wsss_stages.data.findings import Finding
from wsss_stages.data.images import ImageError, open_photo, read_labels
from wsss_stages.data.notes import Notes
from wsss_stages.data.photo_files import PhotoFile
from wsss_stages.data.videos import Video, VideoWriter
from wsss_stages.roads.photo_labels import Labeller
from wsss_stages.roads.prediction_folder import PredictionFolder, overlaid
from wsss_stages.store import artifacts
from wsss_stages.store.prefetch import Prefetch
from wsss_stages.store.progress import progress


@dataclass
class Result:
    """Masks that a run made, and files that it could not read."""

    made: int = 0
    kept: int = 0
    largest: int = 0
    """Longest side of the photographs and frames that were labelled, pixels."""
    findings: list[Finding] = field(default_factory=list)
    notes: Notes = field(default_factory=Notes)
    hints: list[str] = field(default_factory=list)
    """Options that may give better masks."""


@dataclass
class Loaded:
    """A photograph before it is labelled: its pixels, or the record of a mask that is there, or a finding."""

    source: str = ""
    pixels: np.ndarray | None = None
    recorded: dict | None = None
    finding: Finding | None = None
    notes: Sequence[str] = ()


class PhotoRun:
    """A labeller and the folder that it fills."""

    def __init__(self, labeller: Labeller, folder: PredictionFolder, every: int, what: str):
        """
        Args:
            every: of a video one frame in this many is labelled.  what: name of the work, for the progress.
        """
        self.labeller, self.folder, self.every, self.what = labeller, folder, every, what
        self.result = Result()

    def run(self, files: Sequence[PhotoFile]) -> Result:
        """Label all files that have no mask of this network yet, and write the tables."""
        photographs = [file for file in files if file.kind == "photograph"]
        try:
            for file, loaded in progress(Prefetch(photographs, self.load, workers=1), self.what):
                self._photograph(file, loaded)
            for file in files:
                if file.kind == "video":
                    self._video(file)
        finally:
            self.folder.write_tables()
        return self.result

    def load(self, file: PhotoFile) -> Loaded:
        """Read a photograph, unless its mask is there already."""
        try:
            source = artifacts.sha256(file.path) if file.path.is_file() else ""
            if recorded := self.folder.finished(file.name, source, self.folder.overlays):
                return Loaded(source, recorded=recorded)
            photo = open_photo(file.path)
            return Loaded(source, photo.pixels, notes=photo.notes)
        except (ImageError, OSError) as error:
            finding = Finding(file.path, str(error), "a photograph", "Export or copy it again; the others are done.")
            return Loaded(finding=finding)

    def _photograph(self, file: PhotoFile, loaded: Loaded) -> None:
        recorded = loaded.recorded
        if loaded.finding:
            self.result.findings.append(loaded.finding)
            return
        if recorded is None:
            assert loaded.pixels is not None
            made = self.labeller(loaded.pixels, str(file.place))
            recorded = self.folder.write(file.name, loaded.source, loaded.pixels, made, self.folder.overlays)
            for note in loaded.notes:
                self.result.notes.add(note, 1, str(file.place))
            self._count(recorded)
        else:
            self.result.kept += 1
        self.folder.add_row(file, file.name, recorded)

    def _count(self, recorded: dict) -> None:
        self.result.made += 1
        self.result.largest = max(self.result.largest, *recorded["size"])

    def _video(self, file: PhotoFile) -> None:
        """Label the frames of a video; those before a damaged part are kept."""
        overlay = self.folder.overlay(file.name, ".mp4")
        try:
            source = artifacts.sha256(file.path) if file.path.is_file() else ""
            video = Video(file.path, self.every)
        except OSError as error:
            remedy = (
                "One that was cut off may have lost the index at its end; copy it again, or convert it with FFmpeg."
            )
            self.result.findings.append(Finding(file.path, str(error), "a video", remedy))
            return
        with closing(video):
            before = self.result.made
            for number in progress(video, f"{self.what} {file.place}"):
                self._frame(file, source, video, number, overlay)
            if finding := video.finding():
                self.result.findings.append(finding)
        if not self.folder.overlays or (before == self.result.made and overlay.is_file()):
            return
        with closing(Video(file.path, self.every)) as again:
            write_overlays(overlay, again, (self.folder.mask(frame_name(file, number)) for number in again))

    def _frame(self, file: PhotoFile, source: str, video: Video, number: int, overlay: Path) -> None:
        name = frame_name(file, number)
        recorded = self.folder.finished(name, source, False)
        if recorded is None:
            pixels = video.frame()
            if pixels is None:
                what = f"a damaged frame {number}"
                self.result.findings.append(Finding(file.path, what, "a frame", "The others are done; copy it again."))
                return
            overlay.unlink(missing_ok=True)  # it shows other masks
            made = self.labeller(pixels, f"{file.place}, frame {number}")
            recorded = self.folder.write(name, source, pixels, made, False)
            self._count(recorded)
        else:
            self.result.kept += 1
        self.folder.add_row(file, name, recorded)


def frame_name(file: PhotoFile, number: int) -> str:
    """Return the name of a frame's results."""
    return f"{file.name}/{number:06d}"


def write_overlays(path: Path, video: Video, masks: Iterable[Path]) -> None:
    """Write the frames of a video under their masks as a video, whole or absent; frames without a mask are left out.

    Args:
        masks: of each frame of `video`, which this iterates.
    """
    writer = None
    with artifacts.whole(path) as partial:
        unfinished = partial.with_name(partial.name + path.suffix)  # OpenCV takes the format from the suffix
        try:
            for mask in masks:  # which reads the next frame
                frame = video.frame()
                if frame is None or not mask.is_file():
                    continue
                picture = overlaid(frame, read_labels(mask))
                writer = writer or VideoWriter(unfinished, video.rate / video.every, picture.shape[:2])
                writer.write(picture)
        finally:
            if writer:
                writer.close()
                os.replace(unfinished, partial)
