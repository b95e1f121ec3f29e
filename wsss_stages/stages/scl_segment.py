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
    import numpy as np
    import torch
    from PIL import Image

    from wsss_stages.data.few_shot.squares import from_square, image_on_square, mask_on_square
    from wsss_stages.data.few_shot.supports import photographs, read_supports
    from wsss_stages.data.images import read_photo
    from wsss_stages.data.importers.voc_writer import write_labels
    from wsss_stages.evaluation import figures
    from wsss_stages.nets import backbones
    from wsss_stages.scl.answers import Answers
    from wsss_stages.stages import devices
    from wsss_stages.store import artifacts
    from wsss_stages.store.check_finite import finite
    from wsss_stages.store.progress import progress
    from wsss_stages.training.networks import restore_few_shot

    if paths.out.resolve() in (paths.support.resolve(), paths.query.resolve()):
        raise ValueError(f"--out {paths.out} holds the photographs, which are never written over. Give another folder.")
    supports, queries = read_supports(paths.support), photographs(paths.query)
    device = devices.pick(paths.device)
    network, known = restore_few_shot(paths.weights, opt)
    network.to(device, memory_format=torch.channels_last)
    side, stride = known["features"]["side"], known["features"]["stride"]
    sides = [max(stride, round(side * scale / stride) * stride) for scale in opt.scales]

    def encode(photos: list[np.ndarray], side: int):
        squares = np.stack([image_on_square(photo, side) for photo in photos])
        return network.encode(backbones.normalise(torch.from_numpy(squares).to(device)))

    masks = np.stack([mask_on_square(support.mask, side) for support in supports])
    answers = Answers(
        network, encode([s.photo for s in supports], side), torch.from_numpy(masks).to(device), opt.cross_path
    )
    for path in progress(queries, "scl_segment"):
        photo = read_photo(path)
        fused = [answers.fused(answers.scores(encode([photo], s), len(supports)), opt.fusion == "cross") for s in sides]
        total = sum(from_square(its, *photo.shape[:2], s, network.grid) for its, s in zip(fused, sides, strict=True))
        finite(total, "the scores", "scl_segment", path.stem, "scl_train")
        label = total.argmax(dim=0).cpu().numpy().astype(np.uint8)
        write_labels(paths.out / f"{path.stem}.png", label)
        with artifacts.whole(paths.out / "overlays" / f"{path.stem}.jpg") as partial:
            Image.fromarray(figures.over(photo, label)).save(partial, format="JPEG", quality=90)
    sys.stdout.write(f"{paths.out}: {len(queries)} masks from {len(supports)} supports\n")


if __name__ == "__main__":
    cli.run(main)
