"""Segment photographs or videos of a class that was never trained, from a few masks of it.

    wsss few-shot --weights weights.safetensors --support cup.jpg cup_mask.png --photos kitchen/ --out masks
    wsss few-shot --weights weights.safetensors --support a.jpg a.png --support b.jpg b.png --photos . --out ../masks
    wsss few-shot --weights weights.safetensors --support cups/ --photos kitchen/ --out masks --overlays

reads   SUPPORT                a photograph and its mask (0 background), once or several times; or a folder of photographs NAME.jpg with masks/NAME.png
        PHOTOS                 photographs and videos: files, or folders with all below them
        weights.safetensors    the network of scl_train
writes  OUT/masks/NAME.png     masks, 0 background and 1 object, as large as the photographs; and all else as `predict` does
"""

import sys

from wsss_stages.config import options
from wsss_stages.stages import cli


def main(argv: list[str] | None = None) -> None:
    paths, opt = cli.parse(
        __doc__,
        options.FewShotPhotos,
        argv,
        paths={
            "support*": "a photograph and its mask, or a folder of both; once or several times",
            "photos+": "photographs, videos, or folders of them",
            "weights": "weights of scl_train",
            "out": "folder to write to",
        },
        texts=cli.DEVICE,
        switches={
            "overlays": "write the masks over the photographs too",
            "probabilities": "write the probabilities of both classes too",
        },
    )
    from wsss_stages.roads.few_shot_photos import few_shot_photos
    from wsss_stages.roads.photo_summary import summary
    from wsss_stages.stages import devices

    result = few_shot_photos(
        paths.weights,
        paths.support,
        paths.photos,
        paths.out,
        opt,
        devices.pick(paths.device),
        paths.overlays,
        paths.probabilities,
    )
    sys.stdout.write(summary(paths.out, result))
    if result.findings:
        sys.exit(1)


if __name__ == "__main__":
    cli.run(main)
