"""The embedded demo: small scenes with known truth, composed of photographs that scikit-image ships.

It shows every step of the pipeline within minutes. Its scores say nothing about quality on real photographs.
"""

import json
from pathlib import Path

import numpy as np
import skimage.data
from PIL import Image
from scipy.ndimage import gaussian_filter
from skimage.draw import ellipse, polygon
from skimage.transform import resize

from wsss_stages.data.importers.voc_writer import write_boxes, write_labels
from wsss_stages.data.index import stable_hash
from wsss_stages.data.weak import simulate
from wsss_stages.data.weak.polylines import PEN

SIDE = 160
"""Height and width of a scene, pixels."""
SMALLEST = 40
"""Fewest visible pixels of an object."""
CLASSES = ("background", "coin", "brick", "leaf", "cell")
TINT = {
    "coin": (1.25, 1.1, 0.35),
    "brick": (1.2, 0.5, 0.4),
    "leaf": (0.5, 1.2, 0.35),
    "cell": (0.85, 0.55, 1.3),
}
MATERIAL = {"coin": "coins", "brick": "brick", "leaf": "grass", "cell": "immunohistochemistry"}
BACKGROUNDS = ("gravel", "camera", "coffee", "astronaut", "chelsea")


def make_scenes(root: Path, train: int, val: int, seed: int = 0) -> None:
    """Write the demo as a folder in VOC layout with boxes, masks, instances, points, scribbles; the same bytes each time."""
    photos = {name: _photo(name) for name in {*MATERIAL.values(), *BACKGROUNDS}}
    ids = {
        "train": [f"scene_{i:04d}" for i in range(train)],
        "val": [f"scene_{train + i:04d}" for i in range(val)],
    }
    for folder in (
        "JPEGImages",
        "Annotations",
        "SegmentationClass",
        "SegmentationObject",
        "Scribbles",
        "ImageSets/Segmentation",
    ):
        (root / folder).mkdir(parents=True, exist_ok=True)
    points = {}
    for image_id in ids["train"] + ids["val"]:
        rng = np.random.default_rng(stable_hash(image_id, "scenes", seed))
        image, labels, instances = _scene(rng, photos)
        Image.fromarray(image).save(root / "JPEGImages" / f"{image_id}.jpg", quality=92)
        write_labels(root / "SegmentationClass" / f"{image_id}.png", labels)
        write_labels(root / "SegmentationObject" / f"{image_id}.png", instances)
        found = simulate.objects(labels, instances)
        boxes = [(CLASSES[cls], simulate.box(mask, 0.0, rng)) for mask, cls in found]
        write_boxes(root / "Annotations" / f"{image_id}.xml", SIDE, SIDE, boxes)
        clicks = [(*simulate.point(mask, rng), cls) for mask, cls in found]
        points[image_id] = [{"x": x, "y": y, "cls": cls} for x, y, cls in clicks]
        write_labels(root / "Scribbles" / f"{image_id}.png", simulate.scribbles(labels, instances, 1.0, PEN, rng))
    (root / "points.json").write_text(json.dumps(points))
    (root / "classes.txt").write_text("\n".join(CLASSES) + "\n")
    for split, names in ids.items():
        (root / "ImageSets" / "Segmentation" / f"{split}.txt").write_text("\n".join(names) + "\n")


def _photo(name: str) -> np.ndarray:
    """Return a photograph of scikit-image as (h, w, 3) floats in [0, 1]."""
    image = np.asarray(getattr(skimage.data, name)(), np.float32) / 255
    return np.repeat(image[..., None], 3, axis=2) if image.ndim == 2 else image[..., :3]


def _patch(rng: np.random.Generator, photo: np.ndarray, height: int, width: int, zoom: float) -> np.ndarray:
    """Return a random crop of a photograph, seen at `zoom`."""
    side_y = min(photo.shape[0], int(height / zoom) + 1)
    side_x = min(photo.shape[1], int(width / zoom) + 1)
    y = rng.integers(0, photo.shape[0] - side_y + 1)
    x = rng.integers(0, photo.shape[1] - side_x + 1)
    return np.asarray(resize(photo[y : y + side_y, x : x + side_x], (height, width), anti_aliasing=True))


def _scene(rng: np.random.Generator, photos: dict[str, np.ndarray]):
    """Return image, class map and instance map; objects that are nearly covered become unknown."""
    canvas = _patch(rng, photos[rng.choice(BACKGROUNDS)], SIDE, SIDE, rng.uniform(0.4, 1.0))
    canvas = 0.75 * canvas + 0.25 * canvas.mean() * rng.uniform(0.6, 1.2)
    labels, instances = np.zeros((SIDE, SIDE), np.uint8), np.zeros((SIDE, SIDE), np.uint8)
    for number in range(1, rng.integers(2, 6) + 1):
        name = rng.choice(CLASSES[1:])
        radius = rng.uniform(13, 46)
        mask = _shape(rng, name, radius)
        texture = _patch(rng, photos[MATERIAL[name]], SIDE, SIDE, rng.uniform(0.6, 1.2))
        texture = np.clip(texture.mean(axis=2, keepdims=True) * np.array(TINT[name]) * rng.uniform(0.8, 1.15), 0, 1)
        soft = gaussian_filter(mask.astype(np.float32), 0.7)[..., None]
        canvas = canvas * (1 - soft) + texture * soft
        labels[mask], instances[mask] = CLASSES.index(name), number
    canvas = np.clip(canvas + rng.normal(0, 0.015, canvas.shape), 0, 1)
    areas = np.bincount(instances.ravel(), minlength=256)
    hidden = (areas[instances] < SMALLEST) & (instances > 0)
    labels[hidden], instances[hidden] = 255, 0
    return (canvas * 255).round().astype(np.uint8), labels, instances


def _shape(rng: np.random.Generator, name: str, radius: float) -> np.ndarray:
    """Return (SIDE, SIDE) bool outline of one object; it may reach over the border."""
    margin = 0.4 * radius
    y, x = rng.uniform(margin, SIDE - margin, 2)
    mask = np.zeros((SIDE, SIDE), bool)
    if name == "coin":
        mask[ellipse(y, x, radius, radius, shape=mask.shape)] = True
    elif name == "leaf":
        turn = rng.uniform(0, np.pi)
        mask[ellipse(y, x, radius * 0.5, radius * 1.1, shape=mask.shape, rotation=turn)] = True
    else:
        corners = 4 if name == "brick" else 9
        angles = np.linspace(0, 2 * np.pi, corners, endpoint=False) + rng.uniform(0, np.pi)
        radii = radius * (1 if name == "brick" else rng.uniform(0.6, 1.1, corners))
        mask[polygon(y + radii * np.sin(angles), x + radii * np.cos(angles), mask.shape)] = True
    return mask
