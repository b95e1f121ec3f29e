"""Crops of a box with its margins, cut out of an image at a fixed size, and the mapping of results on them back to pixels.

A window is x0 y0 x1 y1 in pixels of the image, not rounded, and may reach over its border; both sides are stretched to the crop.
"""

import cv2
import numpy as np


def window(box: np.ndarray, margins: np.ndarray) -> np.ndarray:
    """Return a box (x0 y0 x1 y1, half open) with margins left, top, right, bottom, in shares of its width or height."""
    x0, y0, x1, y1 = box
    w, h = x1 - x0, y1 - y0
    left, top, right, bottom = margins
    return np.array([x0 - left * w, y0 - top * h, x1 + right * w, y1 + bottom * h], np.float32)


def cut(pixels: np.ndarray, window: np.ndarray, side: int, fill: int, nearest: bool = False) -> np.ndarray:
    """Return (side, side, ...) of a window; `fill` outside the image.

    Args:
        pixels: (h, w) or (h, w, 3) uint8.  nearest: labels, which are not averaged.
    """
    x0, y0, x1, y1 = window.tolist()
    left, top = max(0, int(np.floor(x0))), max(0, int(np.floor(y0)))
    part = pixels[top : int(np.ceil(y1)), left : int(np.ceil(x1))]
    scale_x, scale_y = side / (x1 - x0), side / (y1 - y0)
    shrunk = part
    if not nearest and min(scale_x, scale_y) < 1:
        h, w = part.shape[:2]
        size = (max(1, round(w * min(1, scale_x))), max(1, round(h * min(1, scale_y))))
        shrunk = cv2.resize(part, size, interpolation=cv2.INTER_AREA)
    scale_x *= part.shape[1] / shrunk.shape[1]
    scale_y *= part.shape[0] / shrunk.shape[0]
    x0 = (x0 - left) * shrunk.shape[1] / part.shape[1]
    y0 = (y0 - top) * shrunk.shape[0] / part.shape[0]
    to_crop = np.array([[scale_x, 0, (0.5 - x0) * scale_x - 0.5], [0, scale_y, (0.5 - y0) * scale_y - 0.5]], np.float32)
    return cv2.warpAffine(
        shrunk, to_crop, (side, side), flags=cv2.INTER_NEAREST if nearest else cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT, borderValue=(fill,) * 3,
    )  # fmt: skip


def box_in(box: np.ndarray, window: np.ndarray, side: int) -> np.ndarray:
    """Return (side, side) float32: 1 where a window's crop shows the box, 0 elsewhere."""
    x0, y0, x1, y1 = window
    x = np.round((box[[0, 2]] - x0) / (x1 - x0) * side).astype(int)
    y = np.round((box[[1, 3]] - y0) / (y1 - y0) * side).astype(int)
    inside = np.zeros((side, side), np.float32)
    inside[max(0, y[0]) : y[1], max(0, x[0]) : x[1]] = 1
    return inside


def back(found: np.ndarray, window: np.ndarray, box: np.ndarray) -> np.ndarray:
    """Return (box height, box width) of a result on a crop, (y, x) float32, between its pixels by bilinear
    interpolation.
    """
    bx0, by0, bx1, by1 = (int(v) for v in box)
    x0, y0, x1, y1 = window.tolist()
    x = (np.arange(bx0, bx1) + 0.5 - x0) / (x1 - x0) * found.shape[1] - 0.5
    y = (np.arange(by0, by1) + 0.5 - y0) / (y1 - y0) * found.shape[0] - 0.5
    map_x, map_y = np.meshgrid(x.astype(np.float32), y.astype(np.float32))
    return cv2.remap(found, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
