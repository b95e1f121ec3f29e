"""Pictures of test episodes: supports with masks, the regions of v_pri and v_aux, predictions of the query, truth."""

from collections.abc import Sequence
from typing import Literal

import cv2
import numpy as np
import torch
from jaxtyping import UInt8

from wsss_stages.data.few_shot.episode_pools import Episode
from wsss_stages.data.few_shot.squares import from_square, inside
from wsss_stages.evaluation import figures
from wsss_stages.scl.few_shot import FewShot
from wsss_stages.scl.head import Maps
from wsss_stages.scl.predictor import FewShotPredictor
from wsss_stages.shards.frozen_maps import Frozen
from wsss_stages.store.check_finite import finite
from wsss_stages.training.batches import collate

SUPPORTS = 2
"""Shown of an episode."""
LEGEND = {1: "object; region of v_pri", 2: "region of v_aux"}
Pictures = dict[str, np.ndarray]
"""By their titles."""


def classes_in_turn(episodes: Sequence[Episode], count: int) -> list[Episode]:
    """Return the first episodes of every class in turn, `count` in all."""
    of_class: dict[int, list[Episode]] = {}
    for episode in episodes:
        of_class.setdefault(episode.cls, []).append(episode)
    turns = sorted((n, c) for c, episodes in of_class.items() for n in range(len(episodes)))[:count]
    return [of_class[c][n] for n, c in turns]


class EpisodePictures:
    """A network, which is on the device already, and the maps that it reads."""

    def __init__(self, network: FewShot, frozen: Frozen, cross_path: Literal["support", "query"], device: str):
        """
        Args:
            cross_path: of `cross_guided.mutual_iou`.
        """
        self.network, self.frozen, self.device = network, frozen, device
        self.cross_path: Literal["support", "query"] = cross_path

    def row(self, episode: Episode) -> Pictures:
        """Return the pictures of an episode in the order of the page."""
        index, frozen = self.frozen.index, self.frozen
        photos = {i: index.records[i].image(index.root) for i in (episode.query, *episode.supports)}
        masks = np.stack([frozen.mask(i, episode.cls) for i in episode.supports])
        masks = torch.from_numpy(masks).to(self.device)
        predictor = FewShotPredictor(self.network, self.maps(episode.supports), masks, self.cross_path)
        truths = {i: frozen.truth(i, episode.cls) for i in (episode.query, *episode.supports[:SUPPORTS])}
        shown = {i: figures.over(photos[i], truth) for i, truth in truths.items()}
        supports = {f"support {n}": shown[i] for n, i in enumerate(episode.supports[:SUPPORTS], 1)}
        return {
            **supports,
            **self.regions(predictor, photos[episode.supports[0]]),
            **self.predictions(predictor, episode, photos[episode.query], truths[episode.query].shape),
            "truth": shown[episode.query],
        }

    def maps(self, images: Sequence[str]) -> Maps:
        """Return the maps of images as the head takes them."""
        found = [self.frozen.maps(i) for i in images]
        return self.network.prepared(Maps.stored(*(m.to(self.device) for m in collate(found).values())))

    def regions(self, predictor: FewShotPredictor, photo: np.ndarray) -> Pictures:
        """Return the picture of the first support's regions of v_pri and v_aux, where the network guides itself (Sec. 5.3.2)."""
        M_hat = predictor.guidance.M_hat
        if M_hat is None:
            return {}
        label = region_label(predictor.M_s[0].cpu().numpy(), M_hat[0].cpu().numpy())
        side = self.frozen.side
        square = cv2.resize(label, (side, side), interpolation=cv2.INTER_NEAREST)
        h, w = inside(*photo.shape[:2], side=side)
        return {"v_pri, v_aux of support 1": figures.over(photo, square[:h, :w])}

    def predictions(
        self, predictor: FewShotPredictor, episode: Episode, photo: np.ndarray, size: tuple[int, int]
    ) -> Pictures:
        """Return pictures of the query's prediction by one support, and by all, fused in two ways.

        Args:
            photo: of the query.  size: height and width of the query's truth, pixels.
        """
        view, K = self.maps([episode.query]), len(episode.supports)
        asked = {"1-shot": (1, False)}
        if K > 1:
            asked |= {f"{K}-shot, average": (K, False), f"{K}-shot, CGM": (K, True)}
        found = {}
        for title, (shots, cross) in asked.items():
            scores = predictor.fused(predictor.scores(view, shots), cross)
            scores = from_square(scores, *size, self.frozen.side, self.network.grid)
            finite(scores, "the scores", "scl_report", episode.query, "scl_train")
            found[title] = figures.over(photo, scores.argmax(dim=0).cpu().numpy().astype(np.uint8))
        return found


def region_label(M_s: np.ndarray, M_hat: np.ndarray) -> UInt8[np.ndarray, "y x"]:
    """Return 1 where the support's mask is found again, the region of v_pri, 2 where it is missed, that of v_aux, 0 elsewhere."""
    return (M_s * (2 - M_hat)).astype(np.uint8)
