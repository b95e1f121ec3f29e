"""Weak labels and class activation maps to confident pixel seeds (Eqs. 2.4-2.7, 3.1-3.5, Sec. 3.6.1).

reads   WEAK/index.json        the shard's images and their weak labels, of the kind that the run takes; of tags saliency maps
                               too, where there are any (Sec. 3.6.2)
        s2_cam MANIFEST        contracts.CAM; for quantiles those of other shards too
        s3_masks MANIFEST      contracts.MASKS of boxes; of other labels where a source makes any
writes  MANIFEST               beside it PNG labels per image: cam_label (M_I), seeds_full (M_F), seeds (M_g), and of boxes, or
                               of tags with masks, grabcut (M_B); of scribbles and points expanded (M_S, M_P)
"""

from wsss_stages.config import options
from wsss_stages.stages import cli
from wsss_stages.store import contracts

EVERY = (contracts.CAM_LABEL, contracts.SEEDS_FULL, contracts.SEEDS)
MADE = {
    "box": (*EVERY, contracts.GRABCUT),
    "scribble": (*EVERY, contracts.EXPANDED),
    "point": (*EVERY, contracts.EXPANDED),
    "tag": EVERY,
    "mixed": (*EVERY, contracts.GRABCUT, contracts.EXPANDED),
}


def main(argv: list[str] | None = None) -> None:
    paths, opt = cli.parse(
        __doc__,
        options.Seeds,
        argv,
        paths={
            "index": "index.json of weak_index",
            "cam": "manifest of s2_cam, same shard",
            "cams?+": "manifests of s2_cam, all shards of the training split, for --thresholds quantiles; otherwise that of --cam",
            "masks?": "manifest of s3_masks, same shard; needed for boxes and mixed labels",
            "manifest>": "k-of-n.json to write",
        },
        texts=cli.TRAIN | cli.DEVICE,
    )
    from wsss_stages.data.index import Index
    from wsss_stages.roads.seeds import Seeder, levels_of
    from wsss_stages.shards.manifest import Manifest
    from wsss_stages.shards.shard import Shard
    from wsss_stages.stages import devices

    index = Index.read(paths.index)
    if index.weak not in MADE:
        raise ValueError(
            f"{paths.index} holds every kind of weak label; wanted the index of one, which "
            "`python -m wsss_stages.stages.weak_index` makes from it"
        )
    if not paths.masks and index.weak in options.MASKED:
        raise ValueError(
            f"found {index.weak} labels without --masks; wanted the manifest of s3_masks of the same shard"
        )
    cams = paths.cams or [paths.cam]
    levels = levels_of(Manifest(cams, [contracts.CAM]), opt) if opt.thresholds == "quantiles" else None
    depends, sources = opt.model_dump() | {"levels": levels}, [(contracts.CAM, paths.cam)]
    sources += [(contracts.MASKS, paths.masks)] if paths.masks else []
    of_tags = (contracts.GRABCUT,) if index.weak == "tag" and paths.masks else ()
    made = (*MADE[index.weak], *of_tags)
    shard = Shard("s3_seeds", made, index, paths.split, paths.manifest, depends, sources)
    Seeder(index, opt, levels, devices.pick(paths.device), bool(paths.masks)).run(shard)


if __name__ == "__main__":
    cli.run(main)
