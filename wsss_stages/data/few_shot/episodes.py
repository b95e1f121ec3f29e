"""Episodes of few-shot segmentation: a list for the test, drawn once and saved, and pools to draw from for the
training (Sec. 5.2).
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from wsss_stages import UNKNOWN
from wsss_stages.data.few_shot.episode_pools import Episode, EpisodeError, Pool
from wsss_stages.data.index import Index, Record, stable_hash
from wsss_stages.store import artifacts
from wsss_stages.store.contracts import EPISODES_VERSION


@dataclass(frozen=True)
class Settings:
    """Settings of folds and episodes: counts, `min_pixels` in pixels, `held_out` a share."""

    seed: int
    folds: int
    order: str
    """blocks or strides, as `novel_classes` has it."""
    min_pixels: int
    shots: int
    test_images: str
    """val, or all: then no training image shows a class of the test."""
    test_pairs: int
    test_seeds: int
    train_pairs: int
    held_out: float
    held_out_pairs: int


@dataclass
class Episodes:
    """The episodes that a fold trains on, chooses weights by and is tested on."""

    fold: int
    novel: list[int]
    """Classes of the test; training takes their pixels for background."""
    train: Pool
    held_out: Pool
    """Episodes of base classes, on training images that `train` lacks."""
    test: list[list[Episode]]
    """One list a seed."""
    notes: dict[str, int]

    @classmethod
    def read(cls, path: Path) -> "Episodes":
        """Read episodes from a file. Raises ContractError if they are of another version."""
        content = artifacts.read_sealed(path, "scl_episodes")
        if content.pop("episodes", None) != EPISODES_VERSION:
            raise artifacts.ContractError(
                f"{path} is no list of episodes v{EPISODES_VERSION}. Remake it: snakemake --forcerun scl_episodes"
            )
        for key in ("train", "held_out"):
            content[key] = Pool.of_json(content[key])
        content["test"] = [_episodes(rows) for rows in content["test"]]
        return cls(**content)

    def write(self, path: Path) -> None:
        """Write them as JSON, whole or absent; an episode of the test is [query, supports, class]."""
        content: dict[str, Any] = asdict(self) | {"episodes": EPISODES_VERSION}
        content["test"] = [[list(episode.values()) for episode in rows] for rows in content["test"]]
        artifacts.write_sealed(path, content)


def _episodes(rows: list[list]) -> list[Episode]:
    return [Episode(query, tuple(supports), cls) for query, supports, cls in rows]


def draw_fold(index: Index, fold: int, opt: Settings) -> Episodes:
    """Return the episodes that a fold is trained and tested on.

    Raises EpisodeError for a fold or a class that cannot have them.
    """
    novel = novel_classes(len(index.classes) - 1, fold, opt.folds, opt.order)
    areas = {split: _areas(index, index.split(split)) for split in ("train", "val")}
    notes: dict[str, int] = {}
    if opt.test_images == "all":
        tested = areas["train"] | areas["val"]
        showing = {image for image, counts in areas["train"].items() if counts[novel].any()}
        areas["train"] = {image: counts for image, counts in areas["train"].items() if image not in showing}
        notes["training images of classes of the test, left to the test"] = len(showing)
    else:
        tested = areas["val"]
    base = [c for c in range(1, len(index.classes)) if c not in novel]
    by_hash = sorted(areas["train"], key=lambda image: stable_hash(image, "scl_episodes.held_out"))
    held = set(by_hash[: round(opt.held_out * len(by_hash))])
    parts = {
        "train": {image: counts for image, counts in areas["train"].items() if image not in held},
        "held_out": {image: counts for image, counts in areas["train"].items() if image in held},
    }
    counts = {"train": opt.train_pairs, "held_out": opt.held_out_pairs}
    made = {}
    for name, part in parts.items():
        pool = Pool.of_areas(class_lists(part, base, opt.min_pixels), part, counts[name])
        if not pool.lists:
            raise EpisodeError(
                f"no base class of fold {fold} has two {name.replace('_', '-')} images with at least {opt.min_pixels} pixels of "
                f"it and a true mask ({len(part)} images were looked at). Add images, or change scl_episodes.min_pixels or held_out."
            )
        notes[f"base classes without an episode, {name.replace('_', ' ')}"] = len(base) - len(pool.lists)
        made[name] = pool
    lists = class_lists(tested, novel, opt.min_pixels)
    _enough(index, lists, fold, opt)
    test = [draw(lists, opt.shots, opt.test_pairs, opt.seed + number, "test") for number in range(opt.test_seeds)]
    return Episodes(fold, novel, made["train"], made["held_out"], test, notes)


def novel_classes(classes: int, fold: int, folds: int, order: str) -> list[int]:
    """Return the classes of 1..N that a fold is tested on: neighbours ("blocks", PASCAL-5^i) or every `folds`-th
    ("strides", COCO-20^i).
    """
    if classes < folds:
        raise EpisodeError(f"{classes} classes cannot be cut into {folds} folds; set scl_episodes.folds to fewer.")
    if not 0 <= fold < folds:
        raise EpisodeError(f"found fold {fold}, wanted one of 0..{folds - 1} (scl_episodes.folds is {folds}).")
    every = np.arange(1, classes + 1)
    return (every[fold::folds] if order == "strides" else np.array_split(every, folds)[fold]).tolist()


def class_lists(areas: dict[str, np.ndarray], classes: Sequence[int], min_pixels: int) -> dict[int, list[str]]:
    """Return the images of each class: those that show at least `min_pixels` of it, and something else too."""
    return {
        c: [image for image, counts in areas.items() if counts[c] >= min_pixels and counts[:UNKNOWN].sum() > counts[c]]
        for c in classes
    }


def draw(lists: dict[int, list[str]], shots: int, count: int, seed: int, name: str) -> list[Episode]:
    """Draw `count` episodes from the images of each class.

    Queries take turns, in an order drawn from (seed, name); the class, among the query's, and the supports, distinct and
    other than the query, are drawn from (query, seed, name, turn).
    """
    if shots < 1:
        raise EpisodeError(f"found {shots} supports an episode, wanted at least 1.")
    classes_of: dict[str, list[int]] = {}
    for c, ids in lists.items():
        for image in ids:
            classes_of.setdefault(image, []).append(c)
    images = sorted(classes_of)
    order = np.random.default_rng(stable_hash("order", name, seed)).permutation(len(images))
    episodes = []
    for number in range(count):
        query = images[order[number % len(images)]]
        rng = np.random.default_rng(stable_hash(query, name, seed, number))
        c = int(rng.choice(classes_of[query]))
        others = [image for image in lists[c] if image != query]
        if len(others) < shots:
            raise EpisodeError(f"class {c} has {len(others)} images beside the query {query}, wanted {shots} supports.")
        supports = tuple(others[n] for n in rng.choice(len(others), shots, replace=False))
        episodes.append(Episode(query, supports, c))
    return episodes


def of_another_class(episodes: Sequence[Episode]) -> list[Episode | None]:
    """Return another support for each episode's query, to see whether the class of the support matters: the first
    support of the next episode of another class, and that class; None where there is no such episode.
    """
    made: list[Episode | None] = []
    for number, episode in enumerate(episodes):
        others = (e for e in (*episodes[number:], *episodes[:number]) if e.cls != episode.cls)
        found = next((e for e in others if e.supports[0] != episode.query), None)
        made.append(found and Episode(episode.query, found.supports[:1], found.cls))
    return made


def _enough(index: Index, lists: dict[int, list[str]], fold: int, opt: Settings) -> None:
    few = {index.classes[c]: len(ids) for c, ids in lists.items() if len(ids) <= opt.shots}
    if few:
        raise EpisodeError(
            f"fold {fold}: too few images for an episode of {opt.shots} supports and a query: "
            f"{', '.join(f'{name} has {count}' for name, count in few.items())}, wanted {opt.shots + 1} with at least "
            f"{opt.min_pixels} pixels of it. Lower scl_episodes.shots or min_pixels, set test_images: all, or add images."
        )


def _areas(index: Index, records: Sequence[Record]) -> dict[str, np.ndarray]:
    """Return (256,) pixels of each class in the truth of the images that have one."""
    truths = ((r.id, r.truth_labels(index.root)) for r in records)
    return {image: np.bincount(truth.ravel(), minlength=256) for image, truth in truths if truth is not None}
