"""Weak labels and class activation maps to confident pixel seeds (Eqs. 2.4-2.7, 3.1-3.5, Sec. 3.6.1).

reads   WEAK/index.json        the shard's images and their weak labels, of the kind that the run takes; of tags saliency maps
                               too, where there are any (Sec. 3.6.2)
        s2_cam MANIFEST        contracts.CAM; for quantiles those of other shards too
writes  MANIFEST               beside it PNG labels per image: cam_label (M_I), seeds_full (M_F), seeds (M_g), and of boxes
                               grabcut (M_B) and grabcut_masks/ID.h5, every box's foreground; of scribbles and points
                               expanded (M_S, M_P)
"""

from wsss_stages.config import options
from wsss_stages.stages import cli
from wsss_stages.store import contracts

EVERY = (contracts.CAM_LABEL, contracts.SEEDS_FULL, contracts.SEEDS)
MADE = {
    "box": (*EVERY, contracts.GRABCUT, contracts.GRABCUT_MASKS),
    "scribble": (*EVERY, contracts.EXPANDED),
    "point": (*EVERY, contracts.EXPANDED),
    "tag": EVERY,
    "mixed": (*EVERY, contracts.GRABCUT, contracts.GRABCUT_MASKS, contracts.EXPANDED),
}

MAPS = "the class activation maps"
SAMPLE = 500
"""Quantiles are those of so many images at most, chosen by a hash of their ids."""


def main(argv: list[str] | None = None) -> None:
    paths, opt = cli.parse(
        __doc__,
        options.Seeds,
        argv,
        paths={
            "index": "index.json of weak_index",
            "cam": "manifest of s2_cam, same shard",
            "cams?+": "with --thresholds quantiles: manifests of s2_cam, all shards of the training split; without, that of --cam alone",
            "manifest>": "k-of-n.json to write",
        },
        texts={"split": ("train", "split of the index"), "device": ("auto", "auto, cpu, cuda or cuda:N")},
    )
    import heapq
    from collections import Counter

    import cv2
    import numpy as np

    from wsss_stages import UNKNOWN
    from wsss_stages.a2gnn.fuse import first_known, fuse
    from wsss_stages.data.index import Index, stable_hash
    from wsss_stages.labels import cam as cams
    from wsss_stages.labels import grabcut, levels, reliable, superpixels
    from wsss_stages.labels.boxes import allowed
    from wsss_stages.shards.manifest import Manifest
    from wsss_stages.shards.shard import Shard
    from wsss_stages.stages import devices
    from wsss_stages.store.check_finite import finite
    from wsss_stages.store.prefetch import Prefetch
    from wsss_stages.store.progress import progress

    device = devices.pick(paths.device)
    index = Index.read(paths.index)
    if index.weak not in MADE:
        raise ValueError(
            f"{paths.index} holds every kind of weak label; wanted the index of one, which "
            "`python -m wsss_stages.stages.weak_index` makes of it"
        )

    def cam_levels() -> levels.Levels:
        """The levels of a sample of images, in hundredths: one image more or less hardly ever makes all seeds anew."""
        made = Manifest(paths.cams or [paths.cam], [contracts.CAM])
        ids = heapq.nsmallest(SAMPLE, made.items, key=lambda image_id: stable_hash(image_id, "s3_seeds", "levels"))
        stored = ((image_id, made.read(image_id, contracts.CAM)["cam"]) for image_id in ids)
        maps = [finite(cam.astype(np.float32), MAPS, "s3_seeds", image_id, "s2_cam") for image_id, cam in stored]
        shares = opt.cam_normalise, opt.background_share, opt.foreground_share
        return levels.Levels(*(round(level, 2) for level in levels.of_cams(maps, *shares)))

    mining = opt.fill(reliable.Mining)
    found = cam_levels() if opt.thresholds == "quantiles" else None
    reads = [(contracts.CAM, paths.cam)]
    depends = opt.model_dump() | {"levels": found}
    shard = Shard("s3_seeds", MADE[index.weak], index, paths.split, paths.manifest, depends, reads)

    def cam_labels(item, image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """M_I and M'_I."""
        stored = item.read(contracts.CAM)
        h, w = image.shape[:2]
        classes = stored["classes"]
        cam = finite(cams.enlarge(stored["cam"], h, w), MAPS, "s3_seeds", item.id, "s2_cam")
        if opt.cam_in_boxes and index.weak == "box":
            cam = cam * allowed(*item.record.box_arrays(), classes, h, w)[1:]
        return reliable.mined(image, cam, classes, mining, found, device, item.id)

    def by_boxes(item, image: np.ndarray, M_I: np.ndarray, M_I_top: np.ndarray) -> tuple[dict, dict]:
        boxes, box_classes = item.record.box_arrays()
        masks, reasons = grabcut.foregrounds(
            image, boxes, opt.grabcut_iterations, opt.grabcut_min_side, opt.grabcut_min_iou,
            stable_hash(item.id, "s3_seeds", opt.seed) % 2**31,
        )  # fmt: skip
        owner = grabcut.winners(masks)
        M_B = grabcut.label(owner, boxes, box_classes, opt.background_in_boxes)
        M_F, unseen = fuse(M_B, M_I, M_I, owner, boxes, box_classes)
        M_g = M_F if opt.fusion == "literal_eq_3_5" else fuse(M_B, M_I_top, M_I, owner, boxes, box_classes)[0]
        packed = {"packed": np.packbits(masks, axis=2), "substituted": np.array(reasons, dtype=bool)}
        notes = {
            **Counter(filter(None, reasons)),
            "boxes": len(boxes),
            "box_class_not_in_cam": unseen,
            "images_without_boxes": int(len(boxes) == 0),
        }
        return {"grabcut": M_B, "grabcut_masks": packed, "seeds_full": M_F, "seeds": M_g}, notes

    def expanded(item, image: np.ndarray) -> tuple[np.ndarray, int]:
        """M_S, or M_P, or both with scribbles before points; how many classes no superpixel took."""
        parts = superpixels.superpixels(image, opt.superpixels, opt.compactness)
        scribbles = index.scribble_labels(item.record)
        marks = [superpixels.clicked(item.record.points, *item.size)]
        if scribbles is not None:
            marks.insert(0, scribbles)
        found = first_known([superpixels.spread(m, parts) for m in marks])
        lost = set(np.unique(first_known(marks)).tolist()) - set(np.unique(found).tolist())
        return found, len(lost - {UNKNOWN})

    def by_marks(item, image: np.ndarray, M_I: np.ndarray, M_I_top: np.ndarray) -> tuple[dict, dict]:
        M_S, lost = expanded(item, image)
        made = {"expanded": M_S, "seeds_full": first_known([M_S, M_I]), "seeds": first_known([M_S, M_I_top])}
        return made, {"class_lost_among_superpixels": lost}

    def by_tags(item, image: np.ndarray, M_I: np.ndarray, M_I_top: np.ndarray) -> tuple[dict, dict]:
        saliency = index.saliency(item.record)
        if saliency is None:
            return {"seeds_full": M_I, "seeds": M_I_top}, {}
        M_F, M_g = reliable.with_saliency(M_I, M_I_top, saliency >= opt.salient)
        lost = set(np.unique(M_I_top).tolist()) - {*np.unique(M_g).tolist(), UNKNOWN}
        return {"seeds_full": M_F, "seeds": M_g}, {"class_lost_to_saliency": len(lost)}

    def by_all(item, image: np.ndarray, M_I: np.ndarray, M_I_top: np.ndarray) -> tuple[dict, dict]:
        record = item.record
        boxes, notes = by_boxes(item, image, M_I, M_I_top)
        M_B = boxes["grabcut"]
        if not record.all_boxed:
            M_B[M_B == 0] = UNKNOWN
        M_S, lost = expanded(item, image)
        layers = [M_S, M_B]
        if record.truth_sha256:
            truth = cv2.resize(record.truth_labels(index.root), item.size[::-1], interpolation=cv2.INTER_NEAREST)
            layers.insert(0, truth)
        made = {
            "grabcut": M_B,
            "grabcut_masks": boxes["grabcut_masks"],
            "expanded": M_S,
            "seeds_full": first_known([*layers, M_I]),
            "seeds": first_known([*layers, M_I_top]),
        }
        return made, {**notes, "class_lost_among_superpixels": lost}

    evidence = {"box": by_boxes, "scribble": by_marks, "point": by_marks, "tag": by_tags, "mixed": by_all}[index.weak]
    for item, image in progress(Prefetch(shard.todo(), lambda item: item.image), "s3_seeds"):
        M_I, M_I_top = cam_labels(item, image)
        made, notes = evidence(item, image, M_I, M_I_top)
        counted = levels.counts(made["seeds"], np.array(item.record.tags, np.uint8))
        item.write({"cam_label": M_I, **made}, notes | {levels.NOTE + name: count for name, count in counted.items()})
    shard.finish()


if __name__ == "__main__":
    cli.run(main)
