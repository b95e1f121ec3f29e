"""Label maps and boxes to one mask per box, as COCO's instances JSON for any detector (Sec. 3.4).

reads   index.json             images and boxes of the training split; for --labels truth their true instances
        s6_propagate MANIFESTS contracts.PSEUDO; for --labels grabcut those of s3_seeds, contracts.GRABCUT
writes  instances.json         images, categories 1..N, annotations with boxes and run-length codes at full size

A box whose class is nowhere inside it keeps the whole box as its mask; such boxes are counted. So are images whose true objects
are not numbered (no SegmentationObject, or more objects than 8 bits can number): --labels truth leaves them out.
"""

import sys

from wsss_stages.config import options
from wsss_stages.stages import cli
from wsss_stages.store import contracts

NOTES = ("images without objects", "boxes taken whole")


def main(argv: list[str] | None = None) -> None:
    paths, opt = cli.parse(
        __doc__,
        options.InstanceMasks,
        argv,
        paths={
            "index": "index.json",
            "pseudo?+": "manifests of s6_propagate (--labels grabcut: s3_seeds), all shards; not needed for --labels truth",
            "instances>": "instances.json to write",
        },
    )
    import cv2

    from wsss_stages.a2gnn.instances import box_masks, filled
    from wsss_stages.data import instances
    from wsss_stages.data.index import Index
    from wsss_stages.data.notes import Notes
    from wsss_stages.shards.manifest import Manifest
    from wsss_stages.store import artifacts
    from wsss_stages.store.progress import progress

    index, pseudo = Index.read(paths.index), Manifest(paths.pseudo or [])
    contract = contracts.ALL["grabcut" if opt.labels == "grabcut" else "pseudo"]
    records = index.split("train")
    usable = [r for r in records if (r.truth and r.instances if opt.labels == "truth" else r.boxes)]
    if not usable:
        wanted = "true instances (SegmentationObject)" if opt.labels == "truth" else "boxes"
        raise ValueError(
            f"{paths.index}: no training image has {wanted}, so there are no instances to learn; "
            "use a dataset with them, and for pseudo labels weak: box or mixed"
        )
    content = instances.frame(index, usable)
    notes = Notes()
    lacking = instances.UNNUMBERED if opt.labels == "truth" else "images without objects"
    used = {record.id for record in usable}
    notes.add_each(lacking, (record.id for record in records if record.id not in used))
    for number, record in enumerate(progress(usable, "s6_instance_masks"), 1):
        if opt.labels == "truth":
            instances.add_truth(content, number, record, index)
            continue
        height, width = record.full_height, record.full_width
        label = pseudo.read(record.id, contract)["label"]
        label = cv2.resize(label, (width, height), interpolation=cv2.INTER_NEAREST)
        boxes, (_, classes) = record.full_boxes(), record.box_arrays()
        masks = box_masks(label, boxes, classes, opt.overlap)
        empty = ~masks.any(axis=(1, 2))
        masks[empty] = filled(boxes[empty], height, width)
        notes.add("boxes taken whole", int(empty.sum()), record.id)
        instances.add(content, number, masks, boxes, classes)
    content["info"] |= {"options": opt.model_dump(), "notes": dict.fromkeys(NOTES, 0) | notes.counts}
    artifacts.write_sealed(paths.instances, content)
    sys.stdout.write(f"{paths.instances}: {len(content['annotations'])} objects in {len(usable)} images\n")
    for text, note in notes.items():
        sys.stdout.write(f"{text}: {note}\n")


if __name__ == "__main__":
    cli.run(main)
