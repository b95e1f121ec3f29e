"""Predict masks of photographs or videos with trained weights.

    wsss predict --weights weights.safetensors --photos holiday/ --out masks
    wsss predict --weights weights.safetensors --photos clip.mp4 --every 10 --out masks --overlays
    wsss predict --weights weights.safetensors --photos orthophotos/ --max-side 0 --tile 1024 --out masks

reads   PHOTOS                   photographs and videos: files, or folders with all below them
        weights.safetensors      of s7_segment, rrm_train or dfr_train
writes  OUT/masks/NAME.png       palette PNGs of the photographs' own size, 0 background, 1..N class; of a video NAME/000000.png, one a frame
        OUT/overlays/NAME.jpg    with --overlays: the masks over the photographs, at most 2048 pixels a side; of a video NAME.mp4
        OUT/probabilities/NAME.h5  with --probabilities: P (classes, y, x) float16, the longer side at most 1024
        OUT/areas.csv            a row for every mask: pixels and share of every class
        OUT/classes.csv          number, name and colour of every class

It needs no index and no config. Run again, it makes what is missing or was made with other weights or options. A photograph that cannot
be read is named at the end, and the exit status is 1; the others are done.
"""

import sys

from wsss_stages.config import options
from wsss_stages.stages import cli


def main(argv: list[str] | None = None) -> None:
    paths, opt = cli.parse(
        __doc__,
        options.PredictPhotos,
        argv,
        paths={
            "weights": "weights.safetensors of s7_segment, rrm_train or dfr_train",
            "photos+": "photographs, videos, or folders of them",
            "out": "folder to write to",
        },
        texts=cli.DEVICE
        | {
            "classes": (
                "",
                "names of the classes, with commas, or a file: index.json or a name a line; empty = those in the weights",
            )
        },
        switches={
            "overlays": "write the masks over the photographs too",
            "probabilities": "write the probabilities of all classes too",
        },
    )
    from wsss_stages.roads.photo_summary import summary
    from wsss_stages.roads.predict_photos import predict_photos
    from wsss_stages.stages import devices

    result = predict_photos(
        paths.weights,
        paths.photos,
        paths.out,
        opt,
        devices.pick(paths.device),
        paths.classes,
        paths.overlays,
        paths.probabilities,
    )
    sys.stdout.write(summary(paths.out, result))
    if result.findings:
        sys.exit(1)


if __name__ == "__main__":
    cli.run(main)
