"""Train the object network: crop of a box to its object, on GrabCut's masks of all boxes.

reads   index.json             images and boxes of the training split
        s3_seeds MANIFESTS     contracts.GRABCUT_MASKS
        classifier             weights of s1_classifier, where the backbone starts from
writes  weights.safetensors    the network and where it came from; beside it curve.json
"""

from wsss_stages.config import options
from wsss_stages.stages import cli
from wsss_stages.store import contracts


def main(argv: list[str] | None = None) -> None:
    paths, opt = cli.parse(
        __doc__,
        options.ObjectNet,
        argv,
        paths={
            "index": "index.json",
            "seeds-manifests+": "manifests of s3_seeds, all shards of the training split",
            "classifier": "weights of s1_classifier",
            "weights>": "weights.safetensors to write",
        },
        texts={"device": ("auto", "auto, cpu, cuda or cuda:N")},
    )
    import numpy as np
    import torch

    from wsss_stages import training
    from wsss_stages.a2gnn.object_masks import target, unpack_bits
    from wsss_stages.data.augment import colour
    from wsss_stages.data.index import Index
    from wsss_stages.data.selection import Selection
    from wsss_stages.labels.box_crops import box_in, cut, window
    from wsss_stages.labels.boxes import SMALLEST_BOX
    from wsss_stages.nets import backbones
    from wsss_stages.nets.object_net import object_iou, object_loss
    from wsss_stages.shards.manifest import Manifest
    from wsss_stages.stages import devices
    from wsss_stages.store import artifacts
    from wsss_stages.training.networks import build_object_net

    device = devices.pick(paths.device)
    index, seeds = Index.read(paths.index), Manifest(paths.seeds_manifests, [contracts.GRABCUT_MASKS])
    records = index.split("train")
    places = (
        (at, number)
        for at, record in enumerate(records)
        for number, (x0, y0, x1, y1) in enumerate(record.boxes)
        if min(x1 - x0, y1 - y0) >= SMALLEST_BOX
    )
    crops = Selection(lambda place: (records[int(place[0])], int(place[1])), np.fromiter(places, np.dtype((int, 2))))
    if not crops:
        raise training.TrainingError(
            f"{paths.index}: no training image has a box of at least {SMALLEST_BOX} pixels, so there is no object to learn. "
            "Variants `thesis` and `released` do without this network."
        )
    network, classifier = build_object_net(paths.classifier, opt.width, opt.seed)
    half = opt.crop // 2

    def sample(crop, rng):
        record, number = crop
        boxes, classes = record.box_arrays()
        stored = seeds.read(record.id, contracts.GRABCUT_MASKS)
        known = target(number, unpack_bits(stored["packed"], record.width), stored["substituted"], boxes, classes)
        middle = np.full(4, (opt.margin_min + opt.margin_max) / 2)
        view = window(boxes[number], middle if rng is None else rng.uniform(opt.margin_min, opt.margin_max, 4))
        image = cut(record.image(index.root), view, opt.crop, 115).astype(np.float32) / 255
        image = image if rng is None else colour(image, rng, 0.3)
        arrays = {
            "image": image.transpose(2, 0, 1),
            "inside": box_in(boxes[number], view, opt.crop),
            "target": cut(known, view, half, 0, nearest=True),
            "target_inside": box_in(boxes[number], view, half),
        }
        mirrored = rng is not None and rng.random() < 0.5
        return {
            name: np.ascontiguousarray(
                a[..., ::-1] if mirrored else a, dtype=np.uint8 if name == "target" else np.float32
            )
            for name, a in arrays.items()
        }

    def loss(batch):
        logits = network(backbones.normalise(batch["image"]), batch["inside"]).float()
        return {"cross_entropy": object_loss(logits, batch["target"], batch["target_inside"], opt.outside_weight)}

    def grade(batches) -> float:
        """Mean IoU of the boxes' objects with GrabCut's."""
        found = [
            object_iou(network(backbones.normalise(b["image"]), b["inside"]).float(), b["target"]) for b in batches
        ]
        return float(torch.cat(found).nanmean().nan_to_num())

    items, held = training.hold_out(crops, "s4_object_net", opt, lambda crop: crop[0].id)
    provenance = {
        "stage": "s4_object_net",
        "options": opt.model_dump(),
        "backbone": classifier["options"]["backbone"],
        "origin": classifier["origin"],
        "classifier": artifacts.sha256(paths.classifier),
    }
    job = training.Job(
        "s4_object_net",
        network,
        training.old_and_new(network, opt),
        items,
        lambda crop: f"{crop[0].id} box {crop[1]}",
        sample,
        loss,
        opt.epochs,
        opt,
        artifacts.fingerprint(
            provenance,
            artifacts.fingerprint_each(
                (r.evidence(), seeds.sha256(r.id, contracts.GRABCUT_MASKS.name)) for r in records
            ),
        ),
        held=held,
        grade=grade,
    )
    training.fit(job, paths.weights, provenance, device)


if __name__ == "__main__":
    cli.run(main)
