"""Weak labels to a mask of every box (Eq. 3.2), click, scribble or tag, by GrabCut, a promptable network or files of your own.

reads   WEAK/index.json        the shard's images and their weak labels, of the kind that the run takes
        s2_cam MANIFEST        contracts.CAM, for --source sam with points and tags
        --model, --folder      the promptable network, or the user's own masks
writes  MANIFEST               beside it masks/ID.h5 (contracts.MASKS): for every prompt a mask, where the source has one a soft mask,
                               a confidence, and whether it was substituted
"""

from wsss_stages.config import options
from wsss_stages.stages import cli
from wsss_stages.store import contracts


def main(argv: list[str] | None = None) -> None:
    paths, opt = cli.parse(
        __doc__,
        options.Masks,
        argv,
        paths={
            "index": "index.json of weak_index",
            "cam?": "manifest of s2_cam, same shard, for --source sam with points, tags or mixed labels",
            "manifest>": "k-of-n.json to write",
        },
        texts=cli.TRAIN | cli.DEVICE,
    )
    from wsss_stages.data.index import Index
    from wsss_stages.roads.mask_sources import MASK_SOURCES
    from wsss_stages.roads.masks import Masker
    from wsss_stages.roads.text_boxes import TextBoxes
    from wsss_stages.shards.shard import Shard
    from wsss_stages.stages import devices

    index = Index.read(paths.index)
    with_cams = options.needs_cams(opt.source, index.weak)
    if with_cams and not paths.cam:
        raise ValueError(
            f"found --source {opt.source} and {index.weak} labels without --cam; wanted the manifest of s2_cam of the same shard"
        )
    device = devices.pick(paths.device if options.by_network(opt.source) else "cpu")
    source = MASK_SOURCES[opt.source].build(opt, index, device)
    worded = with_cams and index.weak != "point" and opt.text_boxes_model
    words = TextBoxes.build(opt, index.classes, device) if worded else None
    shard = Shard(
        "s3_masks", (contracts.MASKS,), index, paths.split, paths.manifest, opt.model_dump(),
        [(contracts.CAM, paths.cam)] if with_cams else [], source.weights + (words.weights if words else ""),
        evidence=source.evidence,
    )  # fmt: skip
    Masker(index, opt, source, with_cams, words).run(shard)


if __name__ == "__main__":
    cli.run(main)
