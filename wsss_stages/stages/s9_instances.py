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
    from wsss_stages.data.index import Index
    from wsss_stages.roads.detection_scores import DetectionScores
    from wsss_stages.shards.manifest import Manifest
    from wsss_stages.store import artifacts

    scores = DetectionScores(Index.read(paths.index), paths.split)
    scores.read(Manifest(paths.manifests))
    summary = scores.summary()
    artifacts.write_json(paths.scores.with_name("detections.json"), scores.results)
    artifacts.write_sealed(paths.scores, summary)
    for name, value in summary["mean"].items():
        if value is not None:
            sys.stdout.write(f"{paths.split} {name}: {100 * value:.1f} % on {summary['images']} images\n")
    for text, note in scores.notes.items():
        sys.stdout.write(f"{text}: {note}\n")


if __name__ == "__main__":
    cli.run(main)
