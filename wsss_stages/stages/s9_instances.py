"""Score detections against true instances: average precision at IoU 0.5, 0.7, 0.75 and COCO's mean over 0.5 to 0.95.

reads   index.json                 true instances of a split; images without them are left out and counted
        s8_detect MANIFESTS        contracts.DETECTIONS, all shards
writes  average_precision.json     means over classes, by size of objects, and of each class
        detections.json            beside it: the detections as COCO's results JSON

Pixels that annotators left open (255) belong to neither side, and a detection that matches no object but lay in them by at
least the IoU asked for is not counted.
"""

import sys

from wsss_stages.config import options
from wsss_stages.stages import cli
from wsss_stages.store import contracts


def main(argv: list[str] | None = None) -> None:
    paths, _ = cli.parse(
        __doc__,
        options.Section,
        argv,
        paths={
            "index": "index.json",
            "manifests+": "manifests of s8_detect, all shards",
            "scores>": "average_precision.json to write",
        },
        texts=cli.VAL,
    )
    from wsss_stages.data import instances, rle
    from wsss_stages.data.index import Index
    from wsss_stages.data.notes import Notes
    from wsss_stages.evaluation.average_precision import average_precision
    from wsss_stages.shards.manifest import Manifest
    from wsss_stages.store import artifacts
    from wsss_stages.store.progress import progress

    index, manifest = Index.read(paths.index), Manifest(paths.manifests)
    records = index.split(paths.split)
    truth, results, scored, void = instances.frame(index, records), [], [], {}
    notes = Notes()
    for number, record in enumerate(progress(records, "s9_instances"), 1):
        found = manifest.read(record.id, contracts.DETECTIONS)
        codes = rle.unpack(found, record.full_height, record.full_width)
        its = [
            {
                "image_id": number,
                "category_id": int(cls),
                "bbox": [x0, y0, x1 - x0, y1 - y0],
                "score": float(score),
                "segmentation": code,
            }
            for cls, score, (x0, y0, x1, y1), code in zip(
                found["classes"], found["score"], found["box"].tolist(), codes, strict=True
            )
        ]
        results += its
        if record.truth and record.instances:
            open_pixels = instances.add_truth(truth, number, record, index)
            (void[number],) = rle.encode(open_pixels[None])
            scored += [its_own | rle.without(its_own["segmentation"], open_pixels) for its_own in its]
        else:
            notes.add(instances.UNNUMBERED, 1, record.id)
    images = len(void)
    means, of_classes = average_precision(truth, void, scored)
    artifacts.write_json(paths.scores.with_name("detections.json"), results)
    artifacts.write_sealed(
        paths.scores,
        {
            "dataset": index.dataset,
            "split": paths.split,
            "images": images,
            "images_without_truth": len(records) - images,
            "objects": len(truth["annotations"]),
            "detections": len(scored),
            "mean": means,
            "classes": {index.classes[number]: rows for number, rows in of_classes.items()},
        },
    )
    for name, value in means.items():
        if value is not None:
            sys.stdout.write(f"{paths.split} {name}: {100 * value:.1f} % on {images} images\n")
    for text, note in notes.items():
        sys.stdout.write(f"{text}: {note}\n")


if __name__ == "__main__":
    cli.run(main)
