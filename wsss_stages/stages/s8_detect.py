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
    import cv2
    import torch

    from wsss_stages.data import rle
    from wsss_stages.data.index import Index
    from wsss_stages.shards.shard import Shard
    from wsss_stages.stages import devices
    from wsss_stages.store import artifacts
    from wsss_stages.store.check_finite import finite_outputs
    from wsss_stages.store.prefetch import Prefetch
    from wsss_stages.store.progress import progress
    from wsss_stages.training.networks import restore_detector

    device = devices.pick(paths.device)
    network, known = restore_detector(paths.weights)
    network.to(device, memory_format=torch.channels_last)
    side = known["options"]["crop"]
    shard = Shard(
        "s8_detect", (contracts.DETECTIONS,), Index.read(paths.index), paths.split, paths.manifest, opt.model_dump(), [],
        artifacts.sha256(paths.weights), ("full_height", "full_width"),
    )  # fmt: skip

    def view(item):
        scale = side / max(item.size)
        size = tuple(max(1, round(n * scale)) for n in item.size[::-1])
        return cv2.resize(item.image, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)

    for item, photo in progress(Prefetch(shard.todo(), view), "s8_detect"):
        image = torch.from_numpy(photo).permute(2, 0, 1).to(device) / 255
        with finite_outputs(network.deciding(), "s8_detect", item.id, "s7_instances"):
            found = network.detect(image, item.record.full_height, item.record.full_width, opt.min_score, opt.most)
        boxes, scores, classes, masks = (part.cpu().numpy() for part in found)
        item.write(
            {"detections": rle.pack(masks) | {"box": boxes, "score": scores, "classes": classes.astype("uint8")}}
        )
    shard.finish()


if __name__ == "__main__":
    cli.run(main)
