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
    from wsss_stages.data.index import Index
    from wsss_stages.roads.predictions import TagPredictor
    from wsss_stages.shards.shard import Shard
    from wsss_stages.stages import devices
    from wsss_stages.store import artifacts
    from wsss_stages.training.networks import restore_segmenter

    device = devices.pick(paths.device)
    network, metadata = restore_segmenter(paths.weights)
    if metadata["stage"] != "rrm_train":
        raise artifacts.ContractError(
            f"{paths.weights}: found weights of {metadata['stage']}, wanted RRM's of rrm_train. Give those with --weights."
        )
    devices.move(network, device)
    shard = Shard(
        "rrm_label", (contracts.RRM_BRANCH, contracts.RRM_LABEL), Index.read(paths.index), paths.split, paths.manifest,
        opt.model_dump(), [], artifacts.sha256(paths.weights), ("tags", "full_height", "full_width"),
        evidence=lambda record: record.truth_sha256 if record.corrected else None,
    )  # fmt: skip
    TagPredictor(network, opt, device, "rrm_label", "rrm_train").run(shard)


if __name__ == "__main__":
    cli.run(main)
