"""Class activation maps of the classes present, over scales and mirror (Eqs. 2.1-2.3).

reads   index.json             the shard's images and their tags
        weights.safetensors    the classifier of s1, for --source classifier
        CLIP MODEL             for --source clip: a folder, or a name on the hub
writes  MANIFEST               beside it cam/ID.h5 (contracts.CAM), one per image
"""

from wsss_stages.config import options
from wsss_stages.stages import cli
from wsss_stages.store import contracts


def main(argv: list[str] | None = None) -> None:
    paths, opt = cli.parse(
        __doc__,
        options.Cam,
        argv,
        paths={
            "index": "index.json",
            "weights?": "weights of s1_classifier, for --source classifier",
            "manifest>": "k-of-n.json to write",
        },
        texts=cli.TRAIN | cli.DEVICE,
    )
    if (opt.source == "classifier") != (paths.weights is not None):
        raise ValueError(
            f"found --source {opt.source} and --weights {paths.weights}; wanted weights of s1_classifier with --source classifier, and "
            "with it alone"
        )
    from wsss_stages.data.index import Index
    from wsss_stages.roads.cams import CamMaker, ClipCamMaker
    from wsss_stages.shards.shard import Shard
    from wsss_stages.stages import devices
    from wsss_stages.store import artifacts, provenance
    from wsss_stages.training.clip_model import build_clip
    from wsss_stages.training.networks import restore_classifier

    device, index = devices.pick(paths.device), Index.read(paths.index)
    if opt.source == "clip":
        clip, weights = build_clip(opt.clip_model, index.classes)
        provenance.reads(weights)
        maker = ClipCamMaker(clip.to(device), opt, device)
    else:
        (network, origin), weights = restore_classifier(paths.weights), paths.weights
        devices.move(network, device)
        maker = CamMaker(network, origin["options"]["stride"], opt, device)
    shard = Shard(
        "s2_cam", (contracts.CAM,), index, paths.split, paths.manifest, opt.counted(), [], artifacts.sha256(weights), ("tags",),
    )  # fmt: skip
    maker.run(shard)


if __name__ == "__main__":
    cli.run(main)
