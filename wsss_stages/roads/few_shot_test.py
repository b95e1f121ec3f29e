"""The test of a few-shot network: its predictions and those of prototypes alone on test episodes, counted by row of
the scores.
"""

from collections.abc import Iterator

import numpy as np
import torch

from wsss_stages.config.options import SclEvaluate
from wsss_stages.config.tables import control_of, row_of
from wsss_stages.data.few_shot.episode_pools import Drawer, Episode
from wsss_stages.data.few_shot.episodes import Episodes, of_another_class
from wsss_stages.data.few_shot.squares import from_square, image_on_square, sides_of
from wsss_stages.data.index import stable_hash
from wsss_stages.evaluation import metrics
from wsss_stages.nets import backbones
from wsss_stages.scl.few_shot import FewShot
from wsss_stages.scl.head import Maps
from wsss_stages.scl.predictor import FewShotPredictor
from wsss_stages.scl.prototypes import at_nodes
from wsss_stages.scl.similarity import prototypes, similarity
from wsss_stages.scl.untrained import Untrained, best_threshold
from wsss_stages.shards.frozen_maps import Frozen
from wsss_stages.store.check_finite import finite
from wsss_stages.store.prefetch import Prefetch
from wsss_stages.store.progress import progress
from wsss_stages.training.batches import collate

CHOSEN_BY = 200
"""Number of episodes of base classes that the threshold of the prototypes is chosen by."""


class FewShotTest:
    """A network, and prototypes alone on the same maps, under the episodes of a fold."""

    def __init__(self, network: FewShot, frozen: Frozen, episodes: Episodes, opt: SclEvaluate, device: str):
        self.network, self.frozen, self.episodes, self.opt, self.device = network, frozen, episodes, opt, device
        stride = frozen.options["stride"]
        self.sides = sides_of(frozen.side, stride, opt.scales)
        self.rows = {row_of(shots, how): (shots, how) for shots in opt.shots for how in _ways(shots)}
        self.controls = {control_of(row): asked for row, asked in self.rows.items() if asked[0] == 1}
        self.threshold = self._threshold()

    def counts(self) -> dict[str, np.ndarray]:
        """Return of every row (seeds, classes, 2, 2) confusions; controls that no episode has are left out."""
        asked = sorted(
            (
                (seed, *pair)
                for seed, episodes in enumerate(self.episodes.test)
                for pair in zip(episodes, of_another_class(episodes), strict=True)
            ),
            key=lambda turn: turn[1].query,
        )
        shape = len(self.episodes.test), len(self.frozen.index.classes), 2, 2
        counts = {row: np.zeros(shape, np.int64) for row in (*self.rows, *self.controls)}
        last = None
        for (seed, episode, _), supports in progress(Prefetch(asked, self._load), "scl_evaluate"):
            if episode.query != last:
                views, last = self._views(episode.query), episode.query
            truth = self.frozen.truth(episode.query, episode.cls)
            for (images, masks), rows in zip(supports, (self.rows, self.controls), strict=False):
                for row, scores in self._scores(images, masks, views, rows, truth.shape):
                    finite(scores, "the scores", "scl_evaluate", episode.query, "scl_train")
                    label = scores.argmax(dim=0).cpu().numpy()
                    counts[row][seed, episode.cls] += metrics.confusion(truth, label, 2)
        return {row: found for row, found in counts.items() if row in self.rows or found.any()}

    def _load(self, asked: tuple) -> list[tuple[list[dict], np.ndarray]]:
        """Return maps and masks of the supports of an episode, and of its control if it has one."""
        found = [(e.supports[: max(self.opt.shots)], e.cls) for e in asked[1:] if e]
        return [
            ([self.frozen.maps(i) for i in images], np.stack([self.frozen.mask(i, cls) for i in images]))
            for images, cls in found
        ]

    def _maps(self, found: list[dict]) -> Maps:
        return self.network.prepared(Maps.stored(*(m.to(self.device) for m in collate(found).values())))

    def _views(self, image: str) -> list[Maps]:
        """Return maps of a query at every scale; those of scale 1 are there already."""
        index, side = self.frozen.index, self.frozen.side
        photo = index.records[image].image(index.root) if set(self.sides) != {side} else None
        found = []
        for other in self.sides:
            if photo is None or other == side:
                found.append(self._maps([self.frozen.maps(image)]))
            else:
                square = torch.from_numpy(image_on_square(photo, other))[None].to(self.device)
                found.append(self.network.encode(backbones.normalise(square)))
        return found

    def _scores(self, images: list[dict], masks: np.ndarray, views: list[Maps], rows: dict, size) -> Iterator[tuple]:
        """Yield rows and (2, h, w) scores of a query at its pixels."""
        maps = self._maps(images)
        predictor = FewShotPredictor(self.network, maps, torch.from_numpy(masks).to(self.device), self.opt.cross_path)
        untrained = Untrained(maps, predictor.M_s, predictor.known, self.threshold)
        made = {}
        for row, (shots, how) in rows.items():
            trained = how != "prototype"
            if (trained, shots) not in made:
                made[trained, shots] = [(predictor if trained else untrained).scores(view, shots) for view in views]
            yield (
                row,
                sum(
                    from_square(
                        predictor.fused(scores, how == "cross") if trained else scores[0],
                        *size,
                        side=side,
                        grid=self.network.grid,
                    )
                    for scores, side in zip(made[trained, shots], self.sides, strict=True)
                ),
            )

    def _threshold(self) -> float:
        """Return the threshold of similarities that is best on base classes."""
        drawer = Drawer(self.episodes.train, balanced=True, several=0.0, negative=0.0)
        rng = np.random.default_rng(stable_hash("prototypes", "scl_evaluate.threshold"))
        drawn = (drawer.draw(rng) for _ in range(CHOSEN_BY))
        return best_threshold(map(self._similarities, drawn), len(self.frozen.index.classes))

    def _similarities(self, episode: Episode) -> tuple[int, np.ndarray, np.ndarray]:
        """Return class, similarity of the query's pixels to the support's prototype, and truth."""
        query, support = (self._maps([self.frozen.maps(i)]) for i in (episode.query, *episode.supports))
        mask = torch.from_numpy(self.frozen.mask(episode.supports[0], episode.cls))[None].to(self.device)
        y, x = support.middle.shape[2:]
        P = prototypes(support.middle, *at_nodes(mask, (y, x), self.network.grid))
        truth = self.frozen.truth(episode.query, episode.cls)
        on_square = similarity(query.middle, P)
        at_pixels = from_square(on_square, *truth.shape, side=self.frozen.side, grid=self.network.grid)
        return episode.cls, at_pixels[0].cpu().numpy(), truth


def _ways(shots: int) -> tuple[str, ...]:
    """Return the ways to predict with a number of supports: by the network, fused in two ways, and by prototypes alone."""
    return ("average", "prototype") if shots == 1 else ("average", "cross", "prototype")
