"""The colours of PASCAL VOC label images."""

import numpy as np


def voc_palette() -> np.ndarray:
    """Return (256, 3) uint8; class c's colour takes the bits of c in turn for red, green and blue (VOC devkit's rule)."""
    index = np.arange(256)
    colours = np.zeros((256, 3), np.uint8)
    for bit in range(8):
        for channel in range(3):
            colours[:, channel] |= (((index >> (3 * bit + channel)) & 1) << (7 - bit)).astype(np.uint8)
    return colours


VOC_PALETTE = voc_palette().ravel().tolist()
"""Flat palette for PIL's putpalette."""
