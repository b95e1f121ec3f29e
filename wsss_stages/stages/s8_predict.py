"""Predict the classes of pixels with the segmenter, over scales and mirror.

reads   index.json             the shard's images and their classes, to tell outlines missed from classes confused
        weights.safetensors    the segmenter of s7_segment, or for --network rrm the network of rrm_train, dfr that of dfr_train
writes  MANIFEST               beside it PNGs per image: prediction, and prediction_known, among the classes that it is known to show
"""

from wsss_stages.config import options
from wsss_stages.stages import cli
from wsss_stages.store import contracts


def main(argv: list[str] | None = None) -> None:
    paths, opt = cli.parse(
        __doc__,
        options.Predict,
        argv,
        paths={
            "index": "index.json",
            "weights": "weights of s7_segment (--network rrm: rrm_train, dfr: dfr_train)",
            "manifest>": "k-of-n.json to write",
        },
        texts=cli.VAL | cli.DEVICE,
    )
    import numpy as np
    import torch

    from wsss_stages.config.variants import NETWORKS
    from wsss_stages.data.index import Index
    from wsss_stages.labels.crf import CrfSettings, DenseCrf
    from wsss_stages.labels.enlarge import most_likely
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
    if known["stage"] != NETWORKS[opt.network]:
        raise artifacts.ContractError(
            f"{paths.weights}: found weights of {known['stage']}, wanted those of {NETWORKS[opt.network]} for --network "
            f"{opt.network}. Give those with --weights, or name the other network."
        )
    network.to(device, memory_format=torch.channels_last)
    shard = Shard(
        "s8_predict", (contracts.PREDICTION, contracts.PREDICTION_KNOWN), Index.read(paths.index), paths.split, paths.manifest,
        opt.model_dump(), [], artifacts.sha256(paths.weights), ("tags", "full_height", "full_width"),
    )  # fmt: skip
    for item, photo in progress(Prefetch(shard.todo(), lambda item: item.image), "s8_predict"):
        image = torch.from_numpy(photo).permute(2, 0, 1)[None].to(device) / 255
        P = multi_scale(network, backbones.normalise(image), opt.scales, opt.flip)
        finite(P, "the class probabilities", "s8_predict", item.id, NETWORKS[opt.network])
        if opt.crf.iterations:
            crf = DenseCrf(photo, **opt.crf.fill(CrfSettings).kernels(), device=device)
            P = crf.infer(P[None], opt.crf.iterations, item.id)[0]
        size = item.record.full_height, item.record.full_width
        label = most_likely(P, *size)[0].cpu().numpy().astype(np.uint8)
        known = np.array([0, *item.record.tags], np.uint8)
        among = known[most_likely(P[known.tolist()], *size)[0].cpu().numpy()] if len(known) > 1 else label
        item.write({"prediction": label, "prediction_known": among})
    shard.finish()


if __name__ == "__main__":
    cli.run(main)
