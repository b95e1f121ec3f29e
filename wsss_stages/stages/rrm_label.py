"""Pseudo labels of the training images by RRM's segmentation branch, over scales and mirror, among an image's tags.

reads   WEAK/index.json        the shard's images and their tags
        weights.safetensors    the network of rrm_train
writes  MANIFEST               beside it PNGs per image: rrm_branch (before the CRF), rrm_label (after it)
"""

from wsss_stages.config import options
from wsss_stages.stages import cli
from wsss_stages.store import contracts


def main(argv: list[str] | None = None) -> None:
    paths, opt = cli.parse(
        __doc__,
        options.RrmLabel,
        argv,
        paths={"index": "index.json", "weights": "weights of rrm_train", "manifest>": "k-of-n.json to write"},
        texts=cli.TRAIN | cli.DEVICE,
    )
    import numpy as np
    import torch

    from wsss_stages.data.index import Index
    from wsss_stages.labels.crf import CrfSettings, DenseCrf
    from wsss_stages.labels.enlarge import among, most_likely
    from wsss_stages.nets import backbones
    from wsss_stages.nets.segmenter import multi_scale
    from wsss_stages.shards.shard import Shard
    from wsss_stages.stages import devices
    from wsss_stages.store import artifacts
    from wsss_stages.store.check_finite import finite
    from wsss_stages.store.prefetch import Prefetch
    from wsss_stages.store.progress import progress
    from wsss_stages.training.networks import restore_segmenter

    device = devices.pick(paths.device)
    network, known = restore_segmenter(paths.weights)
    if known["stage"] != "rrm_train":
        raise artifacts.ContractError(
            f"{paths.weights}: found weights of {known['stage']}, wanted RRM's of rrm_train. Give those with --weights."
        )
    network.to(device, memory_format=torch.channels_last)
    shard = Shard(
        "rrm_label", (contracts.RRM_BRANCH, contracts.RRM_LABEL), Index.read(paths.index), paths.split, paths.manifest,
        opt.model_dump(), [], artifacts.sha256(paths.weights), ("tags", "full_height", "full_width"),
    )  # fmt: skip
    for item, photo in progress(Prefetch(shard.todo(), lambda item: item.image), "rrm_label"):
        record = item.record
        classes = np.array([0, *record.tags], np.uint8)
        image = torch.from_numpy(photo).permute(2, 0, 1)[None].to(device) / 255
        P = multi_scale(network, backbones.normalise(image), opt.scales, opt.flip)
        P = among(finite(P, "the class probabilities", "rrm_label", item.id, "rrm_train"), classes.tolist())
        crf = DenseCrf(photo, **opt.crf.fill(CrfSettings).kernels(), device=device)
        Q = crf.infer(P[None], opt.crf.iterations, item.id)[0] if opt.crf.iterations else P
        rows = (most_likely(maps, record.full_height, record.full_width)[0].cpu().numpy() for maps in (P, Q))
        item.write(dict(zip(("rrm_branch", "rrm_label"), (classes[row] for row in rows), strict=True)))
    shard.finish()


if __name__ == "__main__":
    cli.run(main)
