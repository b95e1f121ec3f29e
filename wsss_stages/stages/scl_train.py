"""Train a few-shot head, CANet's or PFENet's, with or without self-guided learning, on a frozen backbone (Secs. 5.3.2-5.3.3).

reads   index.json             true masks
        episodes.json          images of base classes, of which episodes are drawn afresh in every epoch
        FEATURES               manifests of scl_features, training split
        BACKBONE WEIGHTS       those that the maps were made with
writes  weights.safetensors    the network, backbone and all, as it segments held-out episodes of base classes best; beside it
                               curve.json
"""

from wsss_stages.config import options
from wsss_stages.stages import cli

CACHE = 2 << 30
"""Bytes of prepared maps that are kept in memory."""


def main(argv: list[str] | None = None) -> None:
    paths, opt = cli.parse(
        __doc__,
        options.Scl,
        argv,
        paths={
            "index": "index.json",
            "episodes": "episodes.json",
            "features+": "manifests of scl_features, training split",
            "weights>": "weights.safetensors to write",
        },
        texts={
            "backbone": ("mobilenet_v2", "name of the backbone, see s1_classifier"),
            "backbone-weights": ("none", "local .pth or .safetensors, 'package', 'hub' or 'none'"),
            "device": ("auto", "auto, cpu, cuda or cuda:N"),
        },
    )
    from copy import deepcopy
    from functools import lru_cache

    import numpy as np
    import torch

    from wsss_stages import training
    from wsss_stages.data.few_shot.episode_pools import Drawer
    from wsss_stages.data.few_shot.episodes import Episodes
    from wsss_stages.data.index import Index, stable_hash
    from wsss_stages.evaluation import metrics
    from wsss_stages.nets.grid import to_pixels
    from wsss_stages.scl.head import Maps
    from wsss_stages.scl.losses import Settings, losses
    from wsss_stages.scl.prototypes import at_nodes
    from wsss_stages.shards.frozen_maps import Frozen
    from wsss_stages.stages import devices
    from wsss_stages.store import artifacts
    from wsss_stages.training.batches import collate
    from wsss_stages.training.networks import build_few_shot, build_frozen, seen_by

    device = devices.pick(paths.device)
    index, episodes = Index.read(paths.index), Episodes.read(paths.episodes)
    frozen = Frozen(index, paths.features, deep=opt.baseline == "pfenet" and opt.prior == "deep")
    seen = options.SclFeatures(**{name: frozen.options[name] for name in options.SclFeatures.model_fields})
    backbone, origin = build_frozen(paths.backbone, seen.stride, paths.backbone_weights)
    frozen.wants(seen_by(backbone, seen))
    network = build_few_shot(backbone, opt)
    if opt.standardise:
        some = sorted(episodes.train.shown, key=lambda i: stable_hash(i, "scl_train.standardise"))
        maps_of = (Maps.stored(*collate([frozen.maps(image)]).values()) for image in some[: opt.standardise])
        network.head.standard.measure(its.middle[0] for its in maps_of)
    standard = deepcopy(network.head.standard)  # the network itself moves to the device

    @lru_cache(maxsize=CACHE // frozen.bytes_of(standard.outputs))
    def prepared(image: str) -> dict[str, np.ndarray]:
        found = {name: torch.from_numpy(m) for name, m in frozen.maps(image).items()}
        middle = standard(Maps.stored(found["middle"][None]).middle)[0].permute(1, 2, 0)
        return {name: m.numpy() for name, m in (found | {"middle": middle.half()}).items()}

    def sample(episode, rng):
        made = {"class": episode.cls}
        for part, image in (("query", episode.query), ("support", episode.supports[0])):
            arrays = {**prepared(image), "mask": frozen.mask(image, episode.cls)}
            if rng is not None and opt.flip and rng.random() < 0.5:
                arrays = {name: np.ascontiguousarray(array[:, ::-1]) for name, array in arrays.items()}
            made |= {f"{part}_{name}": array for name, array in arrays.items()}
        return made

    drawer, held_by = (
        Drawer(pool, opt.balanced, opt.several, opt.negative) for pool in (episodes.train, episodes.held_out)
    )
    held = [
        held_by.draw(np.random.default_rng(stable_hash(str(number), "scl_train.held_out", opt.seed)))
        for number in range(episodes.held_out.count)
    ]

    def maps(batch, part) -> Maps:
        found = (batch.get(f"{part}_{name}") for name in ("middle", "deep"))
        return Maps.stored(*(m.to(device) for m in found if m is not None))

    weights = opt.fill(Settings)

    def loss(batch):
        query, support = maps(batch, "query"), maps(batch, "support")
        return losses(network, query, batch["query_mask"], support, batch["support_mask"], weights)

    def grade(batches) -> float:
        """Return the mIoU over the base classes of the held-out episodes; what is found of a class that a query lacks counts against
        the class."""
        counts = np.zeros((len(index.classes), 2, 2), np.int64)
        for batch in batches:
            query, support = maps(batch, "query"), maps(batch, "support")
            M_s, known = at_nodes(batch["support_mask"], tuple(support.middle.shape[2:]), network.grid)
            logits = network(query, support, M_s, known).logits.float()
            labels = to_pixels(logits, network.grid, (frozen.side, frozen.side)).argmax(dim=1).cpu().numpy()
            for cls, mask, label in zip(batch["class"], batch["query_mask"].cpu().numpy(), labels, strict=True):
                counts[cls] += metrics.confusion(mask, label, 2)
        return float(np.nanmean(metrics.foreground_iou(counts)))

    provenance = {
        "stage": "scl_train",
        "options": opt.model_dump(),
        "backbone": backbone.name,
        "features": frozen.options,
        "origin": vars(origin),
        "fold": episodes.fold,
        "novel": [index.classes[c] for c in episodes.novel],
    }
    drawn = artifacts.sha256(paths.episodes)
    seen_maps = (
        (image, index.records[image].masks_sha256, [sha for _, sha in files.values()])
        for image, files in sorted(frozen.manifest.items.items())
    )
    job = training.Job(
        "scl_train",
        network,
        [(list(network.head.parameters()), 1.0)],
        list(range(episodes.train.count)),
        lambda item: f"episode {item}" if isinstance(item, int) else f"{item.query} under {item.supports[0]}",
        lambda item, rng: sample(drawer.draw(rng) if isinstance(item, int) else item, rng),
        loss,
        opt.epochs,
        opt,
        artifacts.fingerprint(provenance, drawn, artifacts.fingerprint_each(seen_maps)),
        held=held,
        grade=grade,
    )
    training.fit(job, paths.weights, provenance, device)


if __name__ == "__main__":
    cli.run(main)
