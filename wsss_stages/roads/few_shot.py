"""Training of a few-shot head on episodes of frozen maps (Secs. 5.3.2-5.3.3)."""

from collections.abc import Iterator, Sequence
from copy import deepcopy
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from wsss_stages import training
from wsss_stages.config.options import Scl
from wsss_stages.data.few_shot.episode_pools import Drawer, Episode
from wsss_stages.data.few_shot.episodes import Episodes
from wsss_stages.data.index import stable_hash
from wsss_stages.evaluation import metrics
from wsss_stages.nets.grid import to_pixels
from wsss_stages.roads.training_stage import TrainingStage
from wsss_stages.scl.few_shot import FewShot
from wsss_stages.scl.head import Maps
from wsss_stages.scl.losses import Settings, losses
from wsss_stages.scl.prototypes import at_nodes
from wsss_stages.shards.frozen_maps import Frozen
from wsss_stages.store import artifacts
from wsss_stages.training.batches import collate

CACHE = 2 << 30
"""Bytes of prepared maps that are kept in memory."""


def standardise(network: FewShot, frozen: Frozen, episodes: Episodes, images: int) -> None:
    """Measure the means and deviations of the channels on some training images; 0 leaves the maps as they are."""
    if images:
        some = sorted(episodes.train.shown, key=lambda image: stable_hash(image, "scl_train.standardise"))[:images]
        maps = (Maps.stored(*collate([frozen.maps(image)]).values()) for image in some)
        network.head.standard.measure(found.middle[0] for found in maps)


class FewShotTraining(TrainingStage):
    """The work of scl_train. Items to learn from are numbers, of each of which an episode is drawn in every epoch."""

    stage = "scl_train"
    network: FewShot
    opt: Scl

    def __init__(self, network: FewShot, sources: dict[str, Any], frozen: Frozen, path: Path, opt: Scl, device: str):
        """
        Args:
            sources: name of the backbone and origin of its weights.
            path: of the episodes.
            device: where maps are compared.
        """
        self.network, self.sources, self.frozen, self.opt, self.device = network, sources, frozen, opt, device
        self.path, self.episodes = path, Episodes.read(path)
        self.items = range(self.episodes.train.count)
        self.settings = opt.fill(Settings)
        self.standard = deepcopy(network.head.standard)  # the network itself moves to the device
        self.drawer, self.held_drawer = (
            Drawer(pool, opt.balanced, opt.several, opt.negative)
            for pool in (self.episodes.train, self.episodes.held_out)
        )
        self.prepared = lru_cache(maxsize=CACHE // frozen.bytes_of(self.standard.outputs))(self._prepared)

    def split(self) -> tuple[Sequence, Sequence]:
        """Return the numbers of a pass, and the episodes of held-out images, drawn once."""
        seeds = (
            stable_hash(str(number), "scl_train.held_out", self.opt.seed)
            for number in range(self.episodes.held_out.count)
        )
        return list(self.items), [self.held_drawer.draw(np.random.default_rng(seed)) for seed in seeds]

    def sample(self, item: int | Episode, rng) -> dict[str, np.ndarray | int]:
        if isinstance(item, int):
            assert rng is not None, "an episode to learn from is drawn"
            item = self.drawer.draw(rng)
        episode = item
        found: dict[str, np.ndarray | int] = {"class": episode.cls}
        for part, image in (("query", episode.query), ("support", episode.supports[0])):
            arrays = {**self.prepared(image), "mask": self.frozen.mask(image, episode.cls)}
            if rng is not None and self.opt.flip and rng.random() < 0.5:
                arrays = {name: np.ascontiguousarray(array[:, ::-1]) for name, array in arrays.items()}
            found |= {f"{part}_{name}": array for name, array in arrays.items()}
        return found

    def maps(self, batch: dict, part: str) -> Maps:
        """Return the maps of a batch's queries or supports on the device."""
        found = (batch.get(f"{part}_{name}") for name in ("middle", "deep"))
        return Maps.stored(*(m.to(self.device) for m in found if m is not None))

    def loss(self, batch: dict) -> dict[str, Tensor]:
        query, support = self.maps(batch, "query"), self.maps(batch, "support")
        return losses(self.network, query, batch["query_mask"], support, batch["support_mask"], self.settings)

    def grade(self, batches: Iterator[dict]) -> float:
        """Return the mIoU over the base classes of the held-out episodes.

        Pixels found of a class that a query lacks count against the class.
        """
        counts, grid, side = (
            np.zeros((len(self.frozen.index.classes), 2, 2), np.int64),
            self.network.grid,
            self.frozen.side,
        )
        for batch in batches:
            query, support = self.maps(batch, "query"), self.maps(batch, "support")
            y, x = support.middle.shape[2:]
            M_s, known = at_nodes(batch["support_mask"], (y, x), grid)
            logits = self.network(query, support, M_s, known).logits.float()
            labels = to_pixels(logits, grid, (side, side)).argmax(dim=1).cpu().numpy()
            for cls, mask, label in zip(batch["class"], batch["query_mask"].cpu().numpy(), labels, strict=True):
                counts[cls] += metrics.confusion(mask, label, 2)
        return float(np.nanmean(metrics.foreground_iou(counts)))

    def item_id(self, item: int | Episode) -> str:
        return f"episode {item}" if isinstance(item, int) else f"{item.query} under {item.supports[0]}"

    def groups(self) -> list[training.Layers]:
        return [training.Layers(list(self.network.head.parameters()))]

    def origin(self) -> dict[str, Any]:
        novel = [self.frozen.index.classes[c] for c in self.episodes.novel]
        where = {"features": self.frozen.options, "origin": self.sources["origin"]}
        return {"backbone": self.sources["backbone"], **where, "fold": self.episodes.fold, "novel": novel}

    def evidence(self) -> list[Any]:
        records = self.frozen.index.records
        each = (
            (image, records[image].masks_sha256, [sha for _, sha in files.values()])
            for image, files in sorted(self.frozen.manifest.items.items())
        )
        return [artifacts.sha256(self.path), artifacts.fingerprint_each(each)]

    def _prepared(self, image: str) -> dict[str, np.ndarray]:
        found = {name: torch.from_numpy(m) for name, m in self.frozen.maps(image).items()}
        middle = self.standard(Maps.stored(found["middle"][None]).middle)[0].permute(1, 2, 0)
        return {name: m.numpy() for name, m in (found | {"middle": middle.half()}).items()}
