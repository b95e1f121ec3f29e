"""Look at every box with the object network, mix with GrabCut, and let boxes be tight: a soft mask of every box.

reads   index.json             the shard's images and boxes
        s3_seeds MANIFEST      contracts.GRABCUT_MASKS
        object-net             weights of s4_object_net
writes  MANIFEST               beside it objects/ID.h5 (contracts.OBJECTS) and object_label/ID.png
"""

from wsss_stages.config import options
from wsss_stages.stages import cli
from wsss_stages.store import contracts

CROPS = 32
"""Boxes looked at at once."""


def main(argv: list[str] | None = None) -> None:
    paths, opt = cli.parse(
        __doc__,
        options.ObjectMasks,
        argv,
        paths={
            "index": "index.json",
            "seeds-manifest": "manifest of s3_seeds, same shard",
            "object-net": "weights of s4_object_net",
            "manifest>": "k-of-n.json to write",
        },
        texts={"split": ("train", "split of the index"), "device": ("auto", "auto, cpu, cuda or cuda:N")},
    )
    import numpy as np
    import torch

    from wsss_stages.a2gnn import nodes
    from wsss_stages.a2gnn.object_masks import merge, pack, soft_mask, unpack, unpack_bits
    from wsss_stages.data.index import Index
    from wsss_stages.labels.box_crops import box_in, cut, window
    from wsss_stages.nets import backbones
    from wsss_stages.shards.shard import Shard
    from wsss_stages.stages import devices
    from wsss_stages.store import artifacts
    from wsss_stages.store.check_finite import finite
    from wsss_stages.store.prefetch import Prefetch
    from wsss_stages.store.progress import progress
    from wsss_stages.training.networks import restore_object_net

    device = devices.pick(paths.device)
    network, trained = restore_object_net(paths.object_net)
    network.to(device, memory_format=torch.channels_last)
    side = trained["options"]["crop"]
    shard = Shard(
        "s5_object_masks", (contracts.OBJECTS, contracts.OBJECT_LABEL), Index.read(paths.index), paths.split,
        paths.manifest, opt.model_dump(), [(contracts.GRABCUT_MASKS, paths.seeds_manifest)],
        artifacts.sha256(paths.object_net),
    )  # fmt: skip

    @torch.no_grad()
    def logits_of(photo: np.ndarray, boxes: np.ndarray, windows: np.ndarray) -> np.ndarray:
        image = np.stack([cut(photo, view, side, 115) for view in windows]).transpose(0, 3, 1, 2)
        inside = np.stack([box_in(box, view, side) for box, view in zip(boxes, windows, strict=True)])
        image, inside = torch.from_numpy(image).to(device) / 255, torch.from_numpy(inside).to(device)
        image = backbones.normalise(image).contiguous(memory_format=torch.channels_last)
        found = network(image, inside)
        if opt.flip:
            found = (found + network(image.flip(3), inside.flip(2)).flip(2)) / 2
        return found.cpu().numpy()

    for item, photo in progress(Prefetch(shard.todo(), lambda item: item.image), "s5_object_masks"):
        record = item.record
        boxes, box_classes = record.box_arrays()
        windows = np.array([window(box, np.full(4, opt.margin)) for box in boxes], np.float32).reshape(-1, 4)
        parts = [slice(at, at + CROPS) for at in range(0, len(boxes), CROPS)]
        found = [logits for part in parts for logits in logits_of(photo, boxes[part], windows[part])]
        for logits in found:
            finite(logits, "an object's mask", "s5_object_masks", item.id, "s4_object_net")
        masks = unpack_bits(item.read(contracts.GRABCUT_MASKS)["packed"], record.width)
        P = [
            soft_mask(*its, opt.grabcut_share, opt.tight_share)
            for its in zip(found, windows, masks, boxes, strict=True)
        ]
        packed, classes = pack(P), [0, *record.tags]
        rows = nodes.rows_of(box_classes, classes)
        Q = merge(unpack(packed, boxes), boxes, rows, len(classes), record.height, record.width)
        label = np.array(classes, np.uint8)[Q.argmax(dim=0).numpy()]
        item.write({"objects": packed, "object_label": label})
    shard.finish()


if __name__ == "__main__":
    cli.run(main)
