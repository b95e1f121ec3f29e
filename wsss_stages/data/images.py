"""Photographs and label images: their header is looked at first, then they are decoded, whole or with a reason why not."""

import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

FORMATS = ("JPEG", "PNG", "TIFF", "WEBP", "BMP")
LABELS = ("PNG",)
"""Formats of masks, scribbles and saliency maps; JPEG would change their numbers."""
SUFFIXES = (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp", ".bmp")
MAX_PIXELS = 178_956_970
"""Above this an image is taken for a decompression bomb (twice Pillow's warning limit)."""


class ImageError(ValueError):
    """An image that cannot be used; the text says what was found, and a note in which file."""

    def __init__(self, path: Path, found: str):
        super().__init__(found)
        self.add_note(f"The file is {path}.")


def read_photo(path: Path) -> np.ndarray:
    """(h, w, 3) uint8 RGB, EXIF rotation applied; grey, CMYK, 16-bit become RGB, transparency becomes white."""
    with _opened(path, FORMATS) as opened:
        opened.load()
        image = ImageOps.exif_transpose(opened)
        if image.mode.startswith("I;16") or image.mode in ("I", "F"):
            image = Image.fromarray(_to_8_bit(np.asarray(image)))
        if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
            rgba = image.convert("RGBA")
            image = Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba)
        return np.array(image.convert("RGB"))


def label_size(path: Path) -> tuple[int, int]:
    """Height and width of a label image, by its header; nothing is decoded."""
    with _opened(path, LABELS) as image:
        return image.height, image.width


def read_labels(path: Path) -> np.ndarray:
    """(h, w) uint8 indices of a palette or grey PNG; raises ImageError for anything else, an RGB mask above all."""
    with _opened(path, LABELS) as image:
        if image.mode not in ("P", "L", "1"):
            raise ImageError(path, f"a mask of mode {image.mode}")
        return np.array(image if image.mode != "1" else image.convert("L"), np.uint8)


def read_grey(path: Path) -> np.ndarray:
    """(h, w) uint8 of an 8-bit grey PNG; raises ImageError for anything else."""
    with _opened(path, LABELS) as image:
        if image.mode != "L":
            raise ImageError(path, f"an image of mode {image.mode}")
        return np.array(image)


@contextmanager
def _opened(path: Path, formats: tuple[str, ...]) -> Iterator[Image.Image]:
    """An image whose header is good; what goes wrong as the block decodes it becomes ImageError too."""
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):  # opening a pipe would wait for ever
        raise ImageError(path, "no regular file")
    if status.st_size == 0:
        raise ImageError(path, "a file of zero bytes")
    try:
        with Image.open(path, formats=formats) as image:
            if image.width * image.height > MAX_PIXELS:
                raise ImageError(path, f"{image.width}x{image.height} pixels, a decompression bomb")
            yield image
    except ImageError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ImageError(path, f"a decompression bomb ({error})") from error
    except UnidentifiedImageError as error:
        raise ImageError(path, f"no image of the formats {', '.join(formats)}") from error
    except Exception as error:  # Pillow's readers raise nearly anything on bytes made for it
        raise ImageError(path, f"a damaged image of {status.st_size} bytes ({error})") from error


def _to_8_bit(values: np.ndarray) -> np.ndarray:
    """16-bit or float samples to uint8; integers keep their high byte, floats in [0, 1] are scaled."""
    if np.issubdtype(values.dtype, np.floating):
        return (np.clip(np.nan_to_num(values), 0, 1) * 255).round().astype(np.uint8)
    return (np.clip(values, 0, 65535) // 256).astype(np.uint8)
