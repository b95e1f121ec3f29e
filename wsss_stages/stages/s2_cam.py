"""Class activation maps of the classes present, over scales and mirror (Eqs. 2.1-2.3).

reads   index.json             the shard's images and their tags
        weights.safetensors    the classifier of s1
writes  MANIFEST               beside it cam/ID.h5 (contracts.CAM), one per image
"""

from wsss_stages.config import options
from wsss_stages.stages import cli
from wsss_stages.store import contracts

PIXELS_ON_GPU = 4_000_000
"""Of images of one size that go through the network at once; at scale 2 and mirrored they are eight times as many."""


def main(argv: list[str] | None = None) -> None:
    paths, opt = cli.parse(
        __doc__,
        options.Cam,
        argv,
        paths={"index": "index.json", "weights": "weights of s1_classifier", "manifest>": "k-of-n.json to write"},
        texts=cli.TRAIN | cli.DEVICE,
    )
    import numpy as np
    import torch

    from wsss_stages.data.index import Index
    from wsss_stages.labels.cam import multi_scale
    from wsss_stages.nets import backbones
    from wsss_stages.shards.shard import Shard
    from wsss_stages.stages import devices
    from wsss_stages.store import artifacts
    from wsss_stages.store.check_finite import finite
    from wsss_stages.store.prefetch import Prefetch
    from wsss_stages.store.progress import progress
    from wsss_stages.training.networks import restore_classifier

    device = devices.pick(paths.device)
    network, provenance = restore_classifier(paths.weights)
    network.to(device, memory_format=torch.channels_last)
    shard = Shard(
        "s2_cam", (contracts.CAM,), Index.read(paths.index), paths.split, paths.manifest, opt.model_dump(), [],
        artifacts.sha256(paths.weights), ("tags",),
    )  # fmt: skip
    stride = provenance["options"]["stride"]
    limit = opt.batch_pixels or (1 if device == "cpu" else PIXELS_ON_GPU)
    batches = shard.batches(lambda record: record.height * record.width, limit, one_size=True)
    for batch, photos in progress(
        Prefetch(batches, lambda batch: np.stack([item.image for item in batch])), "s2_cam (batches)"
    ):
        images = backbones.normalise(torch.from_numpy(photos).permute(0, 3, 1, 2).to(device) / 255)
        classes = [torch.tensor(item.record.tags, dtype=torch.long, device=device) for item in batch]
        cams = multi_scale(network.cam, images, classes, opt.scales, opt.flip, stride, network.backbone.grids[-1])
        for item, cam in zip(batch, cams, strict=True):
            if not item.done:
                cam = finite(cam.cpu().numpy(), "the class activation maps", "s2_cam", item.id, "s1_classifier")
                cam = cam.astype(np.float16)
                item.write({"cam": {"cam": cam, "classes": np.array(item.record.tags, np.uint8)}})
    shard.finish()


if __name__ == "__main__":
    cli.run(main)
