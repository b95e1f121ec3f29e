"""Pictures inside an HTML page: small, as data URIs, with a bound on all of them together."""

import base64
import io

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from PIL import Image

LONGER_SIDE = 260
"""Pixels of the longer side of a picture of a photograph."""
QUALITY = 78
"""Quality of WebP, of 100."""


class Thumbnails:
    """Data URIs of pictures, and how many bytes they have together."""

    def __init__(self, most: int):
        """
        Args:
            most: bytes after which the page is full.
        """
        self.most, self.bytes = most, 0

    @property
    def full(self) -> bool:
        """Return whether no further picture should be added."""
        return self.bytes >= self.most

    def photo(self, array: np.ndarray) -> str:
        """Return an image, (h, w, 3) uint8 RGB, at a small size."""
        picture = Image.fromarray(array)
        picture.thumbnail((LONGER_SIDE, LONGER_SIDE))
        return self._uri(picture)

    def figure(self, figure: Figure) -> str:
        """Return a figure of matplotlib, which is closed."""
        file = io.BytesIO()
        figure.savefig(file, dpi=110, format="png")
        plt.close(figure)
        return self._uri(Image.open(file).convert("RGB"))

    def _uri(self, picture: Image.Image) -> str:
        file = io.BytesIO()
        picture.save(file, "WEBP", quality=QUALITY)
        text = base64.b64encode(file.getvalue()).decode("ascii")
        self.bytes += len(text)
        return f"data:image/webp;base64,{text}"
