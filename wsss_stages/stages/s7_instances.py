"""Train Mask R-CNN on instances, as s6_instance_masks makes them of labels and boxes or of truth (Sec. 3.4).

reads   index.json             photographs
        instances.json         COCO's instances JSON of the training split; images without objects are left out
        BACKBONE WEIGHTS       a local file, 'package', 'hub' or 'none'
writes  weights.safetensors    the network and where it came from; beside it curve.json
"""

from wsss_stages.config import options
from wsss_stages.stages import cli

MIN_SCORE = 0.05
"""Detections that are less sure are not graded."""
SMALLEST = 2
"""Pixels of a box's shorter side in a training view: less shows nothing to learn from."""


def main(argv: list[str] | None = None) -> None:
    paths, opt = cli.parse(
        __doc__,
        options.Instances,
        argv,
        paths={
            "index": "index.json",
            "instances": "instances.json of s6_instance_masks",
            "weights>": "weights.safetensors to write",
        },
        texts={
            "backbone": ("mobilenet_v2", "name of the backbone, see s1_classifier"),
            "backbone-weights": ("none", "local .pth or .safetensors, 'package', 'hub' or 'none'"),
            "device": ("auto", "auto, cpu, cuda or cuda:N"),
        },
    )
    import numpy as np

    from wsss_stages import training
    from wsss_stages.a2gnn.instances import bounds, filled
    from wsss_stages.data import instances, rle
    from wsss_stages.data.augment import augment
    from wsss_stages.data.calibration import calibration_photographs
    from wsss_stages.data.index import Index
    from wsss_stages.evaluation.average_precision import MOST, average_precision
    from wsss_stages.stages import devices
    from wsss_stages.store import artifacts
    from wsss_stages.training.networks import build_detector

    device = devices.pick(paths.device)
    index = Index.read(paths.index)
    objects = instances.by_photo(artifacts.read_sealed(paths.instances), index, str(paths.instances))
    items = [(r, objects[r.photo]) for r in index.split("train") if r.photo in objects and objects[r.photo].codes]
    if not items:
        raise training.TrainingError(f"{paths.instances} has no object in any training image of {paths.index}")
    classes = len(index.classes)
    network, origin = build_detector(
        paths.backbone, classes, opt, paths.backbone_weights, calibration_photographs(index)
    )

    def sample(item, rng):
        record, its = item
        masks = its.masks()
        layers = np.concatenate([masks, filled(np.array(its.boxes), *masks.shape[1:])]).astype(np.uint8)
        view, moved, _ = augment(
            record.image(index.root), layers, rng, opt.crop, opt.scale_min, opt.scale_max, fit=True
        )
        masks, boxed = np.split(moved == 1, 2)
        boxes = bounds(boxed)
        seen = masks.any(axis=(1, 2)) & ((boxes[:, 2:] - boxes[:, :2]).min(axis=1) >= SMALLEST)
        return {
            "image": view.transpose(2, 0, 1),
            "boxes": boxes[seen].astype(np.float32),
            "classes": np.array(its.classes)[seen],
            "masks": masks[seen].astype(np.uint8),
        }

    def loss(batch):
        return network.losses(batch["image"], batch["boxes"], batch["classes"], batch["masks"])

    def grade(batches) -> float:
        """Average precision at an IoU of 0.5 (COCO's) on the instances that the detector would learn from."""
        known = {"images": [], "categories": [{"id": c} for c in range(1, classes)], "annotations": []}
        results = []
        for batch in batches:
            for image, boxes, numbers, masks in zip(
                *(batch[k] for k in ("image", "boxes", "classes", "masks")), strict=True
            ):
                image_id = len(known["images"]) + 1
                known["images"].append({"id": image_id, "height": opt.crop, "width": opt.crop})
                instances.add(known, image_id, masks.cpu().numpy(), boxes.cpu().numpy(), numbers.cpu().numpy())
                found = network.detect(image, opt.crop, opt.crop, MIN_SCORE, MOST)
                for score, cls, code, area in zip(
                    found.scores.tolist(),
                    found.classes.tolist(),
                    rle.encode(found.masks.cpu().numpy()),
                    found.masks.sum(dim=(1, 2)).tolist(),
                    strict=True,
                ):
                    result = {"image_id": image_id, "category_id": cls, "score": score, "segmentation": code}
                    results.append(result | {"area": area, "in_void": 0.0})
        means, _ = average_precision(known, {}, results)
        return means["ap_50"] or 0.0

    learned, held = training.hold_out(items, "s7_instances", opt, lambda item: item[0].id)
    provenance = {
        "stage": "s7_instances",
        "options": opt.model_dump(),
        "backbone": paths.backbone,
        "classes": classes,
        "origin": vars(origin),
    }
    job = training.Job(
        "s7_instances",
        network,
        training.old_and_new(network, opt),
        learned,
        lambda item: item[0].id,
        sample,
        loss,
        opt.epochs,
        opt,
        artifacts.fingerprint(provenance, artifacts.sha256(paths.instances), [r.sha256 for r, _ in items]),
        held=held,
        grade=grade,
    )
    training.fit(job, paths.weights, provenance, device)


if __name__ == "__main__":
    cli.run(main)
