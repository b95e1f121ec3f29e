"""Make a soft mask of every box with the object network, mixed with the mask source and touching all sides of the box.

reads   index.json             the shard's images and boxes
        s3_masks MANIFEST      contracts.MASKS
        object-net             weights of s4_object_net
writes  MANIFEST               beside it objects/ID.h5 (contracts.OBJECTS) and object_label/ID.png
"""

from wsss_stages.config import options
from wsss_stages.stages import cli
from wsss_stages.store import contracts


def main(argv: list[str] | None = None) -> None:
    paths, opt = cli.parse(
        __doc__,
        options.ObjectMasks,
        argv,
        paths={
            "index": "index.json",
            "masks": "manifest of s3_masks, same shard",
            "object-net": "weights of s4_object_net",
            "manifest>": "k-of-n.json to write",
        },
        texts=cli.TRAIN | cli.DEVICE,
    )
    from wsss_stages.data.index import Index
    from wsss_stages.roads.object_masks import ObjectMasker
    from wsss_stages.shards.shard import Shard
    from wsss_stages.stages import devices
    from wsss_stages.store import artifacts
    from wsss_stages.training.networks import restore_object_net

    device = devices.pick(paths.device)
    network, trained = restore_object_net(paths.object_net)
    devices.move(network, device)
    shard = Shard(
        "s5_object_masks", (contracts.OBJECTS, contracts.OBJECT_LABEL), Index.read(paths.index), paths.split,
        paths.manifest, opt.model_dump(), [(contracts.MASKS, paths.masks)],
        artifacts.sha256(paths.object_net),
    )  # fmt: skip
    ObjectMasker(network, trained["options"]["crop"], opt, device).run(shard)


if __name__ == "__main__":
    cli.run(main)
