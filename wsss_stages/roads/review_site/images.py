"""The training images of a finished variant, worst first: photograph, label maps of the steps, weak labels."""

import csv
import io
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import UInt8
from PIL import Image

from wsss_stages import UNKNOWN
from wsss_stages.data.index import Index, Record, stable_hash
from wsss_stages.roads.review import VIEWS
from wsss_stages.shards.manifest import Manifest
from wsss_stages.store import artifacts, contracts
from wsss_stages.store.palette import voc_palette

LIST = "s9_review/review_first.csv"
STEPS = {"seeds M_g": contracts.SEEDS, **VIEWS}
"""Titles of the label maps that are shown, in the order of the steps where a run has them."""
ORDER = ("CAM M_I", "masks M_B", "superpixels", "seeds M_g")
THUMBNAIL = 112
"""Longer side of a small picture, pixels."""


def key_of(image_id: str) -> str:
    """Return the name that addresses have for an image: 16 hexadecimal digits of its id's hash."""
    return f"{stable_hash(image_id):016x}"


@dataclass
class RunImages:
    """The images of a variant; `ids` has those that have a label, worst first, `scores` their scores or None."""

    index: Index
    manifest: Manifest
    ids: list[str]
    scores: dict[str, float | None]

    @classmethod
    def open(cls, results: Path, weak: str, variant: str) -> "RunImages":
        """Open results/NAME/WEAK/VARIANT. Raises ValueError where it has no finished label of the training images."""
        index = Index.read(results / weak / "index.json")
        home = results / weak / variant
        paths = sorted({*home.glob("*/train/*-of-*[0-9].json"), *_shared(results, home)})
        manifest = Manifest(paths, [*STEPS.values()]) if paths else None
        if manifest is None or not any(contract.name in manifest.made for contract in contracts.FINAL):
            raise ValueError(
                f"{home}: found no finished label of the training images; wanted them. Run first: snakemake masks"
            )
        scores = _scores(home / LIST)
        final = _final(manifest)
        labelled = [image for image in index.splits["train"] if manifest.sha256(image, final.name)]
        known = set(labelled)
        ids = [image for image in scores if image in known]
        return cls(index, manifest, ids + [image for image in labelled if image not in scores], scores)

    @cached_property
    def keys(self) -> dict[str, str]:
        """Return ids by the names that addresses have."""
        return {key_of(image): image for image in self.ids}

    @cached_property
    def steps(self) -> dict[str, contracts.Contract]:
        """Return the label maps of the run by their titles, in the order of the steps."""
        made = {title: contract for title, contract in STEPS.items() if contract.name in self.manifest.made}
        first = [title for title in ORDER if title in made]
        return {title: made[title] for title in [*first, *(title for title in made if title not in first)]}

    def record(self, image: str) -> Record:
        """Return an image's record."""
        return self.index.records[image]

    def label(self, image: str, contract: contracts.Contract | None = None) -> UInt8[np.ndarray, "h w"]:
        """Return a label map of an image as it is stored; the final one if none is named."""
        return self.manifest.read(image, contract or _final(self.manifest))["label"]

    def at_work(self, image: str, label: UInt8[np.ndarray, "h w"]) -> UInt8[np.ndarray, "y x"]:
        """Return a label map at the working size of its image."""
        record = self.record(image)
        return cv2.resize(label, (record.width, record.height), interpolation=cv2.INTER_NEAREST)

    def at_full(self, image: str, label: UInt8[np.ndarray, "h w"]) -> UInt8[np.ndarray, "y x"]:
        """Return a label map at the size of its photograph."""
        record = self.record(image)
        return cv2.resize(label, (record.full_width, record.full_height), interpolation=cv2.INTER_NEAREST)

    def photograph(self, image: str) -> bytes:
        """Return the JPEG of an image at working size."""
        return _jpeg(self.record(image).image(self.index.root), 90)

    def thumbnail(self, image: str, label: UInt8[np.ndarray, "h w"]) -> bytes:
        """Return a small JPEG of an image with a label over it."""
        photo = self.record(image).image(self.index.root)
        height, width = photo.shape[:2]
        scale = THUMBNAIL / max(height, width)
        size = max(1, round(width * scale)), max(1, round(height * scale))
        small = cv2.resize(photo, size, interpolation=cv2.INTER_AREA)
        classes = np.asarray(cv2.resize(label, size, interpolation=cv2.INTER_NEAREST), np.uint8)
        shown = (classes > 0) & (classes != UNKNOWN)
        coloured = small // 2 + voc_palette()[classes] // 2
        return _jpeg(np.where(shown[:, :, None], coloured, small), 80)


def _final(manifest: Manifest) -> contracts.Contract:
    return next(contract for contract in contracts.FINAL if contract.name in manifest.made)


def _scores(path: Path) -> dict[str, float | None]:
    """Return the scores of review_first.csv in its order; none where it was not made."""
    if not path.is_file():
        return {}
    with path.open(newline="", encoding="utf-8") as file:
        return {row["id"]: float(row["score"]) if row["score"] else None for row in csv.DictReader(file)}


def _shared(results: Path, home: Path) -> list[Path]:
    """Return the manifests that the review of a variant read, of which some lie with the variant's base."""
    record = home / f"{LIST}.made.json"
    if not record.is_file():
        return []
    inputs = artifacts.read_sealed(record)["runs"][-1]["inputs"]
    found = []
    for name in inputs:
        parts = Path(name).parts
        if results.name in parts and "train" in parts:
            after = parts[len(parts) - parts[::-1].index(results.name) :]
            found.append(results.joinpath(*after))
    return [path for path in found if path.is_file() and path.match("*-of-*[0-9].json")]


def _jpeg(pixels: UInt8[np.ndarray, "h w 3"], quality: int) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=quality)
    return file.getvalue()
