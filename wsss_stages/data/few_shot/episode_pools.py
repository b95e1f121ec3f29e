"""Pools that training episodes are drawn from, afresh in every epoch: images of each class, and the classes that
each image shows.
"""

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float

from wsss_stages import UNKNOWN


class EpisodeError(ValueError):
    """Episodes that cannot be drawn: found, wanted, remedy."""


@dataclass(frozen=True)
class Episode:
    """Ids of a query and of its supports, all distinct, and their class."""

    query: str
    supports: tuple[str, ...]
    cls: int


@dataclass
class Pool:
    """Images that episodes with one support are drawn from."""

    lists: dict[int, list[str]]
    """For each class the images that show enough of it, two at least."""
    shown: dict[str, list[int]]
    """For each of these images the classes of which it shows any pixel."""
    count: int
    """Episodes of a pass."""

    @classmethod
    def of_areas(cls, lists: dict[int, list[str]], areas: dict[str, np.ndarray], count: int) -> "Pool":
        """Return the pool of the classes that have two images or more. `areas`: pixels of each class in each image."""
        enough = {c: ids for c, ids in lists.items() if len(ids) > 1}
        images = sorted({image for ids in enough.values() for image in ids})
        shown = {image: [c for c in np.flatnonzero(areas[image][:UNKNOWN]).tolist() if c] for image in images}
        return cls(enough, shown, count)

    @classmethod
    def of_json(cls, content: dict) -> "Pool":
        """Return a pool whose classes are texts, as JSON has them."""
        lists = {int(c): ids for c, ids in content["lists"].items()}
        return cls(lists=lists, shown=content["shown"], count=content["count"])


@dataclass
class Drawer:
    """Draws of episodes from a pool by a rule."""

    pool: Pool
    balanced: bool
    """True: every class is drawn equally often; false: every query."""
    several: float
    """Share of the episodes whose query shows several classes of the pool, where there are such."""
    negative: float
    """Share of the episodes whose query does not show the class of the support."""
    _chances: dict[tuple[bool, bool], np.ndarray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._images, self._classes = list(self.pool.shown), list(self.pool.lists)
        listed = {c: set(ids) for c, ids in self.pool.lists.items()}
        self._asked = np.array([[image in listed[c] for c in self._classes] for image in self._images])
        self._lacks = np.array([[c not in shown for c in self._classes] for shown in self.pool.shown.values()])

    def draw(self, rng: np.random.Generator) -> Episode:
        """Return an episode; a negative one's query shows no pixel of the class of its support."""
        several, negative = (rng.random(2) < (self.several, self.negative)).tolist()
        sums = self._sums(several, negative and bool(self._lacks.any()))
        place = int(np.searchsorted(sums, rng.random() * sums[-1], side="right"))
        query, cls = self._images[place // len(self._classes)], self._classes[place % len(self._classes)]
        others = [image for image in self.pool.lists[cls] if image != query]
        return Episode(query, (others[rng.integers(len(others))],), cls)

    def _sums(self, several: bool, negative: bool) -> Float[np.ndarray, "p"]:
        """Return the running sum of the chances of all pairs of a query and a class, query by query."""
        key = (several, negative)
        if key not in self._chances:
            self._chances[key] = self.chances(several, negative).cumsum()
        return self._chances[key]

    def chances(self, several: bool, negative: bool) -> Float[np.ndarray, "images classes"]:
        """Return the chance of every query and class.

        Balanced: every class is as often the support's, so that a query is asked for its classes by the inverse of their frequency;
        and of the queries without a class those of rare classes are as often drawn as those of frequent ones. Else every query is as
        often drawn. A class (balanced) or a pool (else) without queries that show several classes takes any.
        """
        asked = self._lacks if negative else self._asked
        weights = (
            asked * (self._asked @ (1 / self._asked.sum(axis=0)))[:, None] if negative and self.balanced else asked
        )
        if several:
            narrow = weights * (self._asked.sum(axis=1) > 1)[:, None]
            weights = np.where(narrow.any(axis=0 if self.balanced else None), narrow, weights)
        total = weights.sum(axis=0 if self.balanced else 1, keepdims=True)
        chances = weights / np.where(total > 0, total, 1)
        return chances / chances.sum()
