"""Segment photographs of a class that was never trained, from a few masks of it.

reads   SUPPORT                photographs NAME.jpg, and for each its mask masks/NAME.png (0 background); any number of them
        QUERY                  photographs
        weights.safetensors    the network of scl_train
writes  OUT/NAME.png           masks, 0 background and 1 object, as large as the photographs
        OUT/overlays/NAME.jpg  the same over the photographs
"""

import sys

from wsss_stages.config import options
from wsss_stages.stages import cli


def main(argv: list[str] | None = None) -> None:
    paths, opt = cli.parse(
        __doc__,
        options.SclSegment,
        argv,
        paths={
            "support": "folder of annotated photographs",
            "query": "folder of photographs to segment",
            "weights": "weights of scl_train",
            "out>": "folder to write to",
        },
        texts=cli.DEVICE,
    )
    from wsss_stages.data.few_shot.supports import photographs, read_supports
    from wsss_stages.roads.few_shot_segment import FewShotSegmenter
    from wsss_stages.stages import devices
    from wsss_stages.training.networks import restore_few_shot

    if paths.out.resolve() in (paths.support.resolve(), paths.query.resolve()):
        raise ValueError(f"--out {paths.out} holds the photographs, which are never overwritten. Give another folder.")
    supports, queries = read_supports(paths.support), photographs(paths.query)
    device = devices.pick(paths.device)
    network, metadata = restore_few_shot(paths.weights, opt)
    devices.move(network, device)
    side, stride = metadata["features"]["side"], metadata["features"]["stride"]
    FewShotSegmenter(network, supports, side, stride, opt, device).run(queries, paths.out)
    sys.stdout.write(f"{paths.out}: {len(queries)} masks from {len(supports)} supports\n")


if __name__ == "__main__":
    cli.run(main)
