"""Predict the classes of pixels with the segmenter, over scales and mirror.

reads   index.json             the shard's images and their classes, to separate errors of outlines from errors of classes
        weights.safetensors    the segmenter of s7_segment, or for --network rrm the network of rrm_train, dfr that of dfr_train
writes  MANIFEST               beside it PNGs per image: prediction, and prediction_known, among the classes that the image is known to show
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
    from wsss_stages.config.dag import NETWORKS
    from wsss_stages.data.index import Index
    from wsss_stages.roads.predictions import Predictor
    from wsss_stages.shards.shard import Shard
    from wsss_stages.stages import devices
    from wsss_stages.store import artifacts
    from wsss_stages.training.networks import restore_segmenter

    device = devices.pick(paths.device)
    network, metadata = restore_segmenter(paths.weights)
    if metadata["stage"] != NETWORKS[opt.network]:
        raise artifacts.ContractError(
            f"{paths.weights}: found weights of {metadata['stage']}, wanted those of {NETWORKS[opt.network]} for --network "
            f"{opt.network}. Give those with --weights, or name the other network."
        )
    devices.move(network, device)
    shard = Shard(
        "s8_predict", (contracts.PREDICTION, contracts.PREDICTION_KNOWN), Index.read(paths.index), paths.split, paths.manifest,
        opt.model_dump(), [], artifacts.sha256(paths.weights), ("tags", "full_height", "full_width"),
    )  # fmt: skip
    Predictor(network, opt, device, "s8_predict", NETWORKS[opt.network]).run(shard)


if __name__ == "__main__":
    cli.run(main)
