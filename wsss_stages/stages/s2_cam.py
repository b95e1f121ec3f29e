"""Class activation maps of the classes present, over scales and mirror (Eqs. 2.1-2.3).

reads   index.json             the shard's images and their tags
        weights.safetensors    the classifier of s1
writes  MANIFEST               beside it cam/ID.h5 (contracts.CAM), one per image
"""

from wsss_stages import contracts, options
from wsss_stages.stages import cli


def main(argv: list[str] | None = None) -> None:
    paths, opt = cli.parse(
        __doc__,
        options.Cam,
        argv,
        paths={"index": "index.json", "weights": "weights of s1_classifier", "manifest": "k-of-n.json to write"},
        texts={"split": ("train", "split of the index"), "device": ("auto", "auto, cpu, cuda or cuda:N")},
    )
    import numpy as np
    import torch

    from wsss_stages import artifacts
    from wsss_stages.data.index import Index
    from wsss_stages.labels.cam import multi_scale
    from wsss_stages.models import restore_classifier
    from wsss_stages.nets import backbones
    from wsss_stages.shards import Ahead, Shard, progress
    from wsss_stages.stages import devices

    device = devices.pick(paths.device)
    network, provenance = restore_classifier(paths.weights)
    network.to(device, memory_format=torch.channels_last)
    shard = Shard(
        "s2_cam", (contracts.CAM,), Index.read(paths.index), paths.split, paths.manifest, opt.model_dump(), [],
        artifacts.sha256(paths.weights),
    )  # fmt: skip
    for item, photo in progress(Ahead(shard.todo(), lambda item: item.image), "s2_cam"):
        image = torch.from_numpy(photo).permute(2, 0, 1)[None].to(device) / 255
        classes = torch.tensor(item.record.tags, dtype=torch.long, device=device)
        stride = provenance["options"]["stride"]
        cam = multi_scale(network.cam, backbones.normalise(image), classes, opt.scales, opt.flip, stride)
        cam = cam.cpu().numpy().astype(np.float16)
        item.write({"cam": {"cam": cam, "classes": np.array(item.record.tags, np.uint8)}})
    shard.finish()


if __name__ == "__main__":
    cli.run(main)
