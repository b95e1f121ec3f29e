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
    import numpy as np
    import torch

    from wsss_stages.data.few_shot.squares import image_on_square
    from wsss_stages.data.index import Index
    from wsss_stages.nets import backbones
    from wsss_stages.scl.head import two_maps
    from wsss_stages.shards.shard import Shard
    from wsss_stages.stages import devices
    from wsss_stages.store.check_finite import finite
    from wsss_stages.store.prefetch import Prefetch
    from wsss_stages.store.progress import progress
    from wsss_stages.training.networks import build_frozen, seen_by

    device = devices.pick(paths.device)
    backbone, _ = build_frozen(paths.backbone, opt.stride, paths.backbone_weights)
    shard = Shard(
        "scl_features", (contracts.MIDDLE, contracts.DEEP), Index.read(paths.index), paths.split, paths.manifest,
        seen_by(backbone, opt), [], sees=(),
    )  # fmt: skip
    backbone.to(device, memory_format=torch.channels_last)

    def stored(m: torch.Tensor) -> np.ndarray:
        return m.clamp(max=torch.finfo(torch.float16).max).permute(1, 2, 0).half().cpu().numpy()

    for item, square in progress(
        Prefetch(shard.todo(), lambda item: image_on_square(item.image, opt.side)), "scl_features"
    ):
        with torch.no_grad():
            found = two_maps(backbone(backbones.normalise(torch.from_numpy(square)[None].to(device))), backbone.grids)
        maps = {"middle": found.middle, "deep": found.deep}
        for name, m in maps.items():
            finite(m, f"the map {name}", "scl_features", item.id, "scl_features")
        item.write({name: stored(m[0]) for name, m in maps.items()})
    shard.finish()


if __name__ == "__main__":
    cli.run(main)
