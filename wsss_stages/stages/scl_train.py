"""Train a few-shot head, CANet's or PFENet's, with or without self-guided learning, on a frozen backbone (Secs. 5.3.2-5.3.3).

reads   index.json             true masks
        episodes.json          images of base classes, of which episodes are drawn afresh in every epoch
        FEATURES               manifests of scl_features, training split
        BACKBONE WEIGHTS       those that the maps were made with
writes  weights.safetensors    the network, backbone and all, as it segments held-out episodes of base classes best; beside it
                               curve.json
"""

from wsss_stages.config import options
from wsss_stages.stages import cli


def main(argv: list[str] | None = None) -> None:
    paths, opt = cli.parse(
        __doc__,
        options.Scl,
        argv,
        paths={
            "index": "index.json",
            "episodes": "episodes.json",
            "features+": "manifests of scl_features, training split",
            "weights>": "weights.safetensors to write",
        },
        texts=cli.BACKBONE | cli.DEVICE,
    )
    from wsss_stages.data.few_shot.episodes import Episodes
    from wsss_stages.data.index import Index
    from wsss_stages.roads.few_shot import FewShotTraining, standardise
    from wsss_stages.shards.frozen_maps import Frozen
    from wsss_stages.stages import devices
    from wsss_stages.training.networks import build_few_shot, build_frozen, seen_by

    device = devices.pick(paths.device)
    index = Index.read(paths.index)
    frozen = Frozen(index, paths.features, deep=opt.baseline == "pfenet" and opt.prior == "deep")
    seen = options.SclFeatures(**{name: frozen.options[name] for name in options.SclFeatures.model_fields})
    backbone, origin = build_frozen(paths.backbone, seen.stride, paths.backbone_weights)
    frozen.check_options(seen_by(backbone, seen))
    network = build_few_shot(backbone, opt)
    standardise(network, frozen, Episodes.read(paths.episodes), opt.standardise)
    sources = {"backbone": backbone.name, "origin": vars(origin)}
    FewShotTraining(network, sources, frozen, paths.episodes, opt, device).fit(paths.weights, device)


if __name__ == "__main__":
    cli.run(main)
