"""Maps of the frozen backbone, once per image, in half precision (Sec. 5.3.1).

reads   index.json          the shard's images
        BACKBONE WEIGHTS    a local file, 'package', 'hub' or 'none'
writes  MANIFEST            beside it middle/ID.h5 and deep/ID.h5 (contracts.MIDDLE, DEEP), two per image
"""

from wsss_stages.config import options
from wsss_stages.stages import cli
from wsss_stages.store import contracts


def main(argv: list[str] | None = None) -> None:
    paths, opt = cli.parse(
        __doc__,
        options.SclFeatures,
        argv,
        paths={"index": "index.json", "manifest>": "k-of-n.json to write"},
        texts=cli.TRAIN | cli.BACKBONE | cli.DEVICE,
    )
    from wsss_stages.data.index import Index
    from wsss_stages.roads.frozen_features import FeatureMaker
    from wsss_stages.shards.shard import Shard
    from wsss_stages.stages import devices
    from wsss_stages.training.networks import build_frozen, seen_by

    device = devices.pick(paths.device)
    backbone, _ = build_frozen(paths.backbone, opt.stride, paths.backbone_weights)
    shard = Shard(
        "scl_features", (contracts.MIDDLE, contracts.DEEP), Index.read(paths.index), paths.split, paths.manifest,
        seen_by(backbone, opt), [], sees=(),
    )  # fmt: skip
    devices.move(backbone, device)
    FeatureMaker(backbone, opt, device).run(shard)


if __name__ == "__main__":
    cli.run(main)
