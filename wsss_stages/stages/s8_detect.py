"""Detect instances with Mask R-CNN.

reads   index.json             the shard's images
        weights.safetensors    the detector of s7_instances
writes  MANIFEST               beside it detections/ID.h5, one per image
"""

from wsss_stages.config import options
from wsss_stages.stages import cli
from wsss_stages.store import contracts


def main(argv: list[str] | None = None) -> None:
    paths, opt = cli.parse(
        __doc__,
        options.Detect,
        argv,
        paths={"index": "index.json", "weights": "weights of s7_instances", "manifest>": "k-of-n.json to write"},
        texts=cli.VAL | cli.DEVICE,
    )
    from wsss_stages.data.index import Index
    from wsss_stages.roads.detections import InstanceDetector
    from wsss_stages.shards.shard import Shard
    from wsss_stages.stages import devices
    from wsss_stages.store import artifacts
    from wsss_stages.training.networks import restore_detector

    device = devices.pick(paths.device)
    network, metadata = restore_detector(paths.weights)
    devices.move(network, device)
    shard = Shard(
        "s8_detect", (contracts.DETECTIONS,), Index.read(paths.index), paths.split, paths.manifest, opt.model_dump(), [],
        artifacts.sha256(paths.weights), ("full_height", "full_width"),
    )  # fmt: skip
    InstanceDetector(network, metadata["options"]["crop"], opt, device).run(shard)


if __name__ == "__main__":
    cli.run(main)
