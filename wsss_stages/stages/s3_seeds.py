"""Boxes and class activation maps to confident pixel seeds (Eqs. 2.4-2.7, 3.1-3.5).

reads   index.json             the shard's images and their boxes
        s2_cam MANIFEST        contracts.CAM
writes  MANIFEST               beside it PNG labels per image: cam_label (M_I), grabcut (M_B), seeds_full (M_F), seeds (M_g);
                               and grabcut_masks/ID.h5, every box's foreground
"""

from wsss_stages import contracts, options
from wsss_stages.stages import cli


def main(argv: list[str] | None = None) -> None:
    paths, opt = cli.parse(
        __doc__,
        options.Seeds,
        argv,
        paths={"index": "index.json", "cam": "manifest of s2_cam, same shard", "manifest": "k-of-n.json to write"},
        texts={"split": ("train", "split of the index"), "device": ("auto", "auto, cpu, cuda or cuda:N")},
    )
    from collections import Counter

    import numpy as np
    import torch

    from wsss_stages.a2gnn.fuse import fuse
    from wsss_stages.data.index import Index, stable_hash
    from wsss_stages.labels import cam as cams
    from wsss_stages.labels import grabcut, reliable
    from wsss_stages.labels.boxes import allowed
    from wsss_stages.labels.crf import DenseCrf
    from wsss_stages.shards import Ahead, Shard, progress
    from wsss_stages.stages import devices

    device = devices.pick(paths.device)
    made = (contracts.CAM_LABEL, contracts.GRABCUT, contracts.GRABCUT_MASKS, contracts.SEEDS_FULL, contracts.SEEDS)
    index = Index.read(paths.index)
    shard = Shard("s3_seeds", made, index, paths.split, paths.manifest, opt.model_dump(), [(contracts.CAM, paths.cam)])
    for item, image in progress(Ahead(shard.todo(), lambda item: item.image), "s3_seeds"):
        stored = item.read(contracts.CAM)
        h, w = image.shape[:2]
        boxes, box_classes = item.record.box_arrays()
        classes = stored["classes"]

        cam = cams.enlarge(stored["cam"], h, w)
        if opt.cam_in_boxes:
            cam = cam * allowed(boxes, box_classes, classes, h, w)[1:]
        cam = cams.normalise(cam, opt.cam_normalise)
        scores = np.stack([cams.with_background(cam, gamma) for gamma in (opt.gamma_low, opt.gamma_high)])
        crf = DenseCrf(image, **opt.crf.kernels(), device=device)
        unary = torch.from_numpy(scores).to(device)
        Q_low, Q_high = crf.infer(unary, opt.crf.iterations, item.id).cpu().numpy()
        M_I = reliable.agreed(Q_low, Q_high, classes)
        M_I_top = reliable.confident(
            M_I, scores[1], Q_low, Q_high, classes,
            opt.keep, opt.min_cam, opt.min_background, opt.min_crf, opt.strict_class_agreement,
        )  # fmt: skip

        masks, reasons = grabcut.foregrounds(
            image, boxes, opt.grabcut_iterations, opt.grabcut_min_side, opt.grabcut_min_iou,
            stable_hash(item.id, "s3_seeds", opt.seed) % 2**31,
        )  # fmt: skip
        owner = grabcut.winners(masks)
        M_B = grabcut.label(owner, boxes, box_classes, opt.background_in_boxes)
        M_F, unseen = fuse(M_B, M_I, M_I, owner, boxes, box_classes)
        M_g = M_F if opt.fusion == "literal_eq_3_5" else fuse(M_B, M_I_top, M_I, owner, boxes, box_classes)[0]
        substituted = np.array(reasons, dtype=bool)
        packed = {"packed": np.packbits(masks, axis=2), "substituted": substituted}
        item.write(
            {"cam_label": M_I, "grabcut": M_B, "grabcut_masks": packed, "seeds_full": M_F, "seeds": M_g},
            {
                **Counter(filter(None, reasons)),
                "boxes": len(boxes),
                "box_class_not_in_cam": unseen,
                "images_without_boxes": int(len(boxes) == 0),
            },
        )
    shard.finish()


if __name__ == "__main__":
    cli.run(main)
