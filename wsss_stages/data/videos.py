"""The frames of a video, one after the other."""

import math
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import UInt8

from wsss_stages.data.findings import Finding

SLACK = 0.02
"""Share of the frames that a whole video may lack: some containers name their number by length and rate only."""


class Video:
    """A video file."""

    def __init__(self, path: Path, every: int):
        """Open the file; one frame in `every` is given. Raises OSError where it cannot be opened."""
        self.path, self.every = path, every
        self._capture = cv2.VideoCapture(str(path))
        if not self._capture.isOpened():
            raise OSError(f"found no video that OpenCV can open, {path.stat().st_size} bytes")
        self.named = max(0, int(self._capture.get(cv2.CAP_PROP_FRAME_COUNT)))
        """Frames by the file's header; 0 where it does not say."""
        self.rate = self._capture.get(cv2.CAP_PROP_FPS) or 25.0
        """Frames a second."""
        self.read = 0
        """Frames read so far, those left out too."""

    def __len__(self) -> int:
        return math.ceil(self.named / self.every)

    def __iter__(self) -> Iterator[int]:
        """Yield the numbers of the frames, from 0; `frame` decodes the one of the last number."""
        while self._capture.grab():
            self.read += 1
            if (self.read - 1) % self.every == 0:
                yield self.read - 1

    def frame(self) -> UInt8[np.ndarray, "h w 3"] | None:
        """Return the frame as RGB; None where its bytes are damaged."""
        good, frame = self._capture.retrieve()
        return cv2.cvtColor(frame, cv2.COLOR_BGR2RGB) if good else None

    def finding(self) -> Finding | None:
        """Return what is wrong with a video that was read to its end: that it ends in the middle."""
        missing = self.named - self.read
        if self.read and missing <= max(2, SLACK * self.named):
            return None
        return Finding(
            self.path,
            f"an end at frame {self.read} of {self.named}",
            "all frames that its header names",
            "What was read is kept; copy the file again.",
        )

    def close(self) -> None:
        self._capture.release()


class VideoWriter:
    """A video of RGB frames, MPEG-4 in an .mp4."""

    def __init__(self, path: Path, rate: float, size: tuple[int, int]):
        """
        Args:
            rate: frames a second.  size: rows and columns.

        Raises: OSError where OpenCV cannot write it.
        """
        self._size = size
        codec = cv2.VideoWriter.fourcc(*"mp4v")
        self._writer = cv2.VideoWriter(str(path), codec, rate, size[::-1])
        if not self._writer.isOpened():
            raise OSError(
                f"{path}: found an OpenCV that writes no MPEG-4; wanted one with FFmpeg. Leave --overlays out."
            )

    def write(self, frame: UInt8[np.ndarray, "h w 3"]) -> None:
        if frame.shape[:2] != self._size:
            frame = cv2.resize(frame, self._size[::-1], interpolation=cv2.INTER_AREA)
        self._writer.write(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))

    def close(self) -> None:
        self._writer.release()
