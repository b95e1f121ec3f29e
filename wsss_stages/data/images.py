"""Readers of photographs and label images: the header first, then the pixels, whole or with a reason why not."""

import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

FORMATS = {
    "JPEG": ".jpg .jpeg .jpe .jfif",
    "MPO": ".mpo",
    "PNG": ".png .apng",
    "TIFF": ".tif .tiff",
    "WEBP": ".webp",
    "BMP": ".bmp",
    "DIB": ".dib",
    "GIF": ".gif",
    "AVIF": ".avif .avifs",
    "HEIF": ".heic .heics .heif .heifs .hif",
    "JPEG2000": ".jp2 .j2k .jpc .jpf .jpx .j2c",
    "PPM": ".ppm .pgm .pbm .pnm .pfm",
    "TGA": ".tga .icb .vda .vst",
    "PCX": ".pcx",
    "SGI": ".sgi .rgb .rgba .bw",
    "SUN": ".ras",
    "PSD": ".psd",
    "QOI": ".qoi",
    "DDS": ".dds",
    "ICO": ".ico",
    "ICNS": ".icns",
}
"""Formats of photographs as Pillow calls them, and their suffixes.

Formats that Pillow opens with another program or as data are left out.
"""
PLUGINS = {"HEIF": "pip install pillow-heif", "AVIF": "pip install -U pillow, or pillow-heif"}
"""Formats that an installation may lack, and the packages that add them."""
SUFFIXES = {suffix: name for name, suffixes in FORMATS.items() for suffix in suffixes.split()}
LABELS = ("PNG",)
"""Formats of masks, scribbles and saliency maps; JPEG would change their numbers."""
FRAMES = "photographs with several frames, the first taken"
STRETCHED = "photographs with more than 8 bits, stretched from the range of their values to 0..255"
ORIENTATION = 0x0112
"""EXIF's tag of how a photograph is turned, 1 to 8; from 5 on its sides change places."""
MAX_PIXELS = 178_956_970
"""Most pixels of an image; a larger one counts as a decompression bomb (twice Pillow's warning limit)."""


class ImageError(ValueError):
    """An image that cannot be used; its text has what was found, a note the file."""

    def __init__(self, path: Path, found: str):
        super().__init__(found)
        self.add_note(f"The file is {path}.")


class Photo(NamedTuple):
    """A decoded photograph."""

    pixels: np.ndarray
    """(h, w, 3) uint8 RGB, upright."""
    orientation: int
    """EXIF's, 1 to 8: how the file's raster was turned to stand upright; 1: not at all."""
    notes: list[str]
    """Changes made to the photograph when it was read."""


def read_photo(path: Path) -> np.ndarray:
    """Return a photograph as (h, w, 3) uint8 RGB, upright by its EXIF. Raises ImageError.

    Grey and CMYK become RGB, transparency becomes white, samples of more than 8 bits are stretched from their range, of several
    frames the first is read.
    """
    return open_photo(path).pixels


def open_photo(path: Path) -> Photo:
    """Decode a photograph as `read_photo` does, and return the changes too. Raises ImageError."""
    notes = []
    with _opened(path, available()) as opened:
        orientation = _orientation(opened)
        with suppress(Exception):  # a second frame that is damaged is no reason to refuse the first
            if getattr(opened, "is_animated", False):
                notes.append(FRAMES)
        opened.seek(0)
        opened.load()
        image = ImageOps.exif_transpose(opened)
        if image.mode.startswith("I;16") or image.mode in ("I", "F"):
            pixels, stretched = _to_8_bit(np.asarray(image))
            image = Image.fromarray(pixels)
            notes += [STRETCHED] * stretched
        if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
            rgba = image.convert("RGBA")
            image = Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba)
        return Photo(np.array(image.convert("RGB")), orientation, notes)


@cache
def available() -> tuple[str, ...]:
    """Return the formats that this installation reads; pillow-heif is used where it is installed."""
    with suppress(ImportError):
        import pillow_heif

        pillow_heif.register_heif_opener()
    Image.init()
    return tuple(name for name in FORMATS if name in Image.OPEN)


def label_size(path: Path) -> tuple[int, int]:
    """Return height and width of a label image, by its header; nothing is decoded."""
    with _opened(path, LABELS) as image:
        return image.height, image.width


def read_labels(path: Path) -> np.ndarray:
    """Return (h, w) uint8 indices of a palette or grey PNG; raises ImageError for anything else, an RGB mask above all."""
    with _opened(path, LABELS) as image:
        if image.mode not in ("P", "L", "1"):
            raise ImageError(path, f"a mask of mode {image.mode}")
        return np.array(image if image.mode != "1" else image.convert("L"), np.uint8)


class Raster(NamedTuple):
    """A mask as it is stored."""

    pixels: np.ndarray
    """(h, w) unsigned numbers, or (h, w, 3) uint8 RGB."""
    palette: list[tuple[int, int, int]] | None
    """Red, green and blue of every number; None without a palette."""


def read_raster(path: Path) -> Raster:
    """Read a mask of any mode, black and white as 0 and 255. Raises ImageError; transparency above all is none."""
    with _opened(path, LABELS) as image:
        if image.mode == "P":
            numbers = image.getpalette("RGB") or []
            colours = [(numbers[k], numbers[k + 1], numbers[k + 2]) for k in range(0, len(numbers), 3)]
            return Raster(np.array(image), colours)
        if image.mode in ("RGBA", "LA"):
            alpha = np.asarray(image.getchannel("A"))
            if alpha.min() < 255:
                raise ImageError(path, f"a mask of mode {image.mode} with transparent pixels")
            return Raster(np.array(image.convert(image.mode.removesuffix("A"))), None)
        if image.mode in ("L", "1"):
            return Raster(np.array(image.convert("L"), np.uint8), None)
        if image.mode == "RGB":
            return Raster(np.array(image), None)
        if image.mode.startswith("I"):
            return Raster(np.array(image).astype(np.uint32), None)
        raise ImageError(path, f"a mask of mode {image.mode}")


def read_grey(path: Path) -> np.ndarray:
    """Return (h, w) uint8 of an 8-bit grey PNG; raises ImageError for anything else."""
    with _opened(path, LABELS) as image:
        if image.mode != "L":
            raise ImageError(path, f"an image of mode {image.mode}")
        return np.array(image)


@contextmanager
def _opened(path: Path, formats: tuple[str, ...]) -> Iterator[Image.Image]:
    """Open an image whose header is good; errors of decoding inside the block become ImageError too."""
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


def _orientation(image: Image.Image) -> int:
    value = image.getexif().get(ORIENTATION, 1)
    return value if value in range(1, 9) else 1


def _to_8_bit(values: np.ndarray) -> tuple[np.ndarray, bool]:
    """Return samples of more than 8 bits as uint8, and whether they were stretched from their own range to 0..255.

    Real numbers within 0..1 and integers that use the upper half of 16 bits have a range that is known; integers up to 255 are
    8 bits in a larger file. All others, as 10, 12 and 14 bits, only have that of their values.
    """
    real = np.issubdtype(values.dtype, np.floating)
    values = np.nan_to_num(values.astype(np.float64), nan=0, posinf=0, neginf=0)
    low, high = float(values.min()), float(values.max())
    if real and low >= 0 and high <= 1:
        low, high, stretched = 0.0, 1.0, False
    elif not real and low >= 0 and high <= 255:
        low, high, stretched = 0.0, 255.0, False
    elif not real and low >= 0 and 32768 <= high <= 65535:
        return (values // 256).astype(np.uint8), False
    else:
        stretched = True
    return ((values - low) * (255 / max(high - low, 1e-12))).round().clip(0, 255).astype(np.uint8), stretched
