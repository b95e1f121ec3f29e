"""Datasets by the kinds of the option `data.kind`; every module of this folder registers its own."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from wsss_stages.data.index import Index
from wsss_stages.nets.registry import Registry


@dataclass(frozen=True)
class Settings:
    """Settings of reading a folder: lists, folders of weak labels and saliency, empty for none; counts of images,
    `max_side` in pixels.
    """

    train_list: str
    val_list: str
    weak_labels: str
    truth_list: str
    saliency: str
    limit: int
    max_side: int
    scenes_train: int
    scenes_val: int
    sbd: str = ""
    """SBD's folder, for masks that a folder in VOC layout lacks; empty for none."""
    mirror: str = ""
    """Address that downloads try first."""


Importer = Callable[[str, Path, Path, Settings], Index]
"""Name of the dataset, its folder, and the folder for true masks that are drawn, to the index."""
KINDS: Registry[Importer] = Registry(__name__)
kind = KINDS.register
