"""Class activation maps of the classes present, over scales and mirror (Eqs. 2.1-2.3).

reads   index.json             the shard's images and their tags
        weights.safetensors    the classifier of s1
writes  MANIFEST               beside it cam/ID.h5 (contracts.CAM), one per image
"""

from wsss_stages.config import options
from wsss_stages.stages import cli
from wsss_stages.store import contracts


def main(argv: list[str] | None = None) -> None:
    paths, opt = cli.parse(
        __doc__,
        options.Cam,
        argv,
        paths={"index": "index.json", "weights": "weights of s1_classifier", "manifest>": "k-of-n.json to write"},
        texts=cli.TRAIN | cli.DEVICE,
    )
    from wsss_stages.data.index import Index
    from wsss_stages.roads.cams import CamMaker
    from wsss_stages.shards.shard import Shard
    from wsss_stages.stages import devices
    from wsss_stages.store import artifacts
    from wsss_stages.training.networks import restore_classifier

    device = devices.pick(paths.device)
    network, provenance = restore_classifier(paths.weights)
    devices.move(network, device)
    shard = Shard(
        "s2_cam", (contracts.CAM,), Index.read(paths.index), paths.split, paths.manifest, opt.model_dump(), [],
        artifacts.sha256(paths.weights), ("tags",),
    )  # fmt: skip
    CamMaker(network, provenance["options"]["stride"], opt, device).run(shard)


if __name__ == "__main__":
    cli.run(main)
