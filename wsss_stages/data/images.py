"""Decode photographs and label images, whole or with a reason why not."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

FORMATS = ("JPEG", "PNG", "TIFF", "WEBP", "BMP")
SUFFIXES = (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp", ".bmp")
MAX_PIXELS = 178_956_970
"""Above this an image is taken for a decompression bomb (twice Pillow's warning limit)."""


class ImageError(ValueError):
    """An image that cannot be used; the text says what was found."""


def read_photo(path: Path) -> np.ndarray:
    """(h, w, 3) uint8 RGB, EXIF rotation applied; grey, CMYK, 16-bit become RGB, transparency becomes white."""
    image = ImageOps.exif_transpose(_load(path))
    if image.mode.startswith("I;16") or image.mode in ("I", "F"):
        image = Image.fromarray(_to_8_bit(np.asarray(image)))
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        rgba = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba)
    return np.array(image.convert("RGB"))


def read_labels(path: Path) -> np.ndarray:
    """(h, w) uint8 indices of a palette or grey PNG; raises ImageError for anything else, an RGB mask above all."""
    image = _load(path)
    if image.mode not in ("P", "L", "1"):
        raise ImageError(f"a mask of mode {image.mode}")
    return np.asarray(image if image.mode != "1" else image.convert("L")).astype(np.uint8)


def read_grey(path: Path) -> np.ndarray:
    """(h, w) uint8 of an 8-bit grey image; raises ImageError for anything else."""
    image = _load(path)
    if image.mode != "L":
        raise ImageError(f"an image of mode {image.mode}")
    return np.array(image)


def _load(path: Path) -> Image.Image:
    size = path.stat().st_size
    if size == 0:
        raise ImageError("a file of zero bytes")
    try:
        with Image.open(path, formats=FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                raise ImageError(f"{image.width}x{image.height} pixels, a decompression bomb")
            image.load()
            return image.copy() if getattr(image, "n_frames", 1) > 1 else image
    except Image.DecompressionBombError as error:
        raise ImageError(f"a decompression bomb ({error})") from error
    except UnidentifiedImageError as error:
        raise ImageError(f"no image of the formats {', '.join(FORMATS)}") from error
    except (OSError, SyntaxError, ValueError) as error:
        if isinstance(error, ImageError):
            raise
        raise ImageError(f"a damaged image of {size} bytes ({error})") from error


def _to_8_bit(values: np.ndarray) -> np.ndarray:
    """16-bit or float samples to uint8; integers keep their high byte, floats in [0, 1] are scaled."""
    if np.issubdtype(values.dtype, np.floating):
        return (np.clip(np.nan_to_num(values), 0, 1) * 255).round().astype(np.uint8)
    return (np.clip(values, 0, 65535) // 256).astype(np.uint8)
