"""Random scale, flip, crop and colour for training; image and labels move together."""

from typing import Any

import cv2
import numpy as np

from wsss_stages import UNKNOWN


def augment(
    image: np.ndarray,
    labels: np.ndarray | None,
    rng: np.random.Generator | None,
    crop: int,
    scale_min: float = 1.0,
    scale_max: float = 1.0,
    jitter: float = 0.3,
    fit: bool = False,
    hue: float = 0.0,
) -> tuple[np.ndarray, Any, np.ndarray]:
    """Return a random view of an image; without `rng` the whole image, reduced where it does not fit into the crop.

    Args:
        image: (h, w, 3) uint8 RGB.  labels: (h, w) or (k, h, w) uint8 of the same picture, of any size, or None.
        crop: side of the result, pixels.
        jitter: brightness, contrast and saturation change by up to this share.
        fit: scale 1 makes the longer side as long as the crop, so that little of the image is cut away; else it is the
            image's own size.

    Returns: (crop, crop, 3) float32 in [0, 1], padded with ImageNet's mean by the caller's normalisation of 0.45;
        labels padded with 255, None without any; (crop, crop) bool, False where padded.
    """
    whole = crop / max(image.shape[:2])
    scale = min(1.0, whole) if rng is None else rng.uniform(scale_min, scale_max) * (whole if fit else 1)
    size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    image = cv2.resize(image, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    if labels is not None:
        layers = [
            cv2.resize(layer, size, interpolation=cv2.INTER_NEAREST) for layer in labels.reshape(-1, *labels.shape[-2:])
        ]
        labels = np.stack(layers).reshape(*labels.shape[:-2], *layers[0].shape)
    if rng is not None and rng.random() < 0.5:
        image = image[:, ::-1]
        labels = labels[..., ::-1] if labels is not None else None
    y_from, y_to = _place(rng, image.shape[0], crop)
    x_from, x_to = _place(rng, image.shape[1], crop)
    view = np.full((crop, crop, 3), 0.45, np.float32)
    valid = np.zeros((crop, crop), bool)
    seen = image[y_from, x_from].astype(np.float32) / 255
    view[y_to, x_to] = seen if rng is None else colour(seen, rng, jitter, hue)
    valid[y_to, x_to] = True
    if labels is None:
        return view, None, valid
    cropped = np.full((*labels.shape[:-2], crop, crop), UNKNOWN, np.uint8)
    cropped[..., y_to, x_to] = labels[..., y_from, x_from]
    return view, cropped, valid


def _place(rng: np.random.Generator | None, length: int, crop: int) -> tuple[slice, slice]:
    """Return where to cut from and where to paste to, along one axis; in the middle without `rng`."""
    take = min(length, crop)
    if rng is None:
        start, target = (length - take) // 2, (crop - take) // 2
    else:
        start, target = rng.integers(0, length - take + 1), rng.integers(0, crop - take + 1)
    return slice(start, start + take), slice(target, target + take)


def colour(image: np.ndarray, rng: np.random.Generator, jitter: float, hue: float = 0.0) -> np.ndarray:
    """Return RGB in [0, 1] with brightness, contrast and saturation changed by up to a share `jitter`, hue by up to
    `hue` degrees.
    """
    brightness, contrast, saturation = rng.uniform(1 - jitter, 1 + jitter, 3)
    image = image * brightness
    image = image.mean() + (image - image.mean()) * contrast
    grey = image.mean(axis=2, keepdims=True)
    image = np.clip(grey + (image - grey) * saturation, 0, 1)
    if not hue:
        return image
    hsv = cv2.cvtColor(image.astype(np.float32), cv2.COLOR_RGB2HSV)
    hsv[..., 0] = (hsv[..., 0] + rng.uniform(-hue, hue)) % 360
    return cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)
