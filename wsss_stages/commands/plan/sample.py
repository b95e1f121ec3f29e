"""A sample of a dataset's images, and the numbers of pixels, boxes and batches that it shows."""

import heapq
import statistics
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from wsss_stages.config import dag, options, variants
from wsss_stages.data.index import Index, Record, stable_hash

VAL_IMAGES = 2
LOOKED_AT = 10_000
"""Records of a split that means of pixels and boxes are taken over."""


def choose(config: dict, index: Index) -> Index:
    """Return an index of as many training images as the largest training batch needs, and a few validation images."""
    variant = config["variant"]
    sections = [
        variants.section(config, s, variant) for s in ("classifier", "affinity", "rrm", "dfr", "segment", "instances")
    ]
    images = max(section["batch_size"] for section in sections)
    if dag.uses_objects(config, variant):
        wanted = variants.section(config, "object_net", variant)["batch_size"]
        images = max(images, _until(index, wanted))
    sizes = {"train": images, "val": VAL_IMAGES}
    return replace(index, splits={split: _first(ids, sizes[split]) for split, ids in index.splits.items()})


def _first(ids: Sequence[str], count: int) -> list[str]:
    """Return `count` ids, chosen by their hashes."""
    return heapq.nsmallest(count, ids, key=lambda image: stable_hash(image, "plan"))


def _until(index: Index, boxes: int) -> int:
    """Return the number of training images, in the order of their hashes, that have `boxes` boxes; one more than all
    if there are too few.
    """
    count, train = boxes, index.splits["train"]
    while True:
        found = np.cumsum([len(index.records[image].boxes) for image in _first(train, count)])
        if count >= len(train) or found[-1] >= boxes:
            return 1 + int(np.searchsorted(found, boxes))
        count *= 2


def pixels(index: Index, split: str) -> float:
    """Return the mean number of an image's pixels."""
    return statistics.fmean(record.height * record.width for record in evenly_spread(index, split))


def evenly_spread(index: Index, split: str) -> Sequence[Record]:
    """Return at most LOOKED_AT evenly spread images, enough to stand for all."""
    records = index.split(split)
    return records[:: -(-len(records) // LOOKED_AT)]


def walked(config: dict, index: Index) -> int:
    """Return how many training images s5_walk chooses by."""
    from wsss_stages.roads.walk_choice import to_choose_by

    variant = config["variant"]
    learned = options.Affinity(**variants.section(config, "affinity", variant))
    learned = learned if dag.graph(config, variant).needs_affinity else None
    return len(to_choose_by(index.split("train"), learned)[0])


def batches(index: Index, stage: str, section: dict) -> int:
    """Return the number of steps of an epoch: over images, or over boxes."""
    items = len(index.splits["train"])
    if stage == "s4_object_net":
        items = round(items * statistics.mean(len(r.boxes) for r in evenly_spread(index, "train")))
    return items // section["batch_size"] or 1
