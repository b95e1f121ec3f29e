"""Train the affinity CNN on pairs of seeds (Eqs. 3.6-3.13).

reads   index.json             images of the training split
        s3_seeds MANIFESTS     labels of the pairs: contracts.GRABCUT, CHECKED, SEEDS, SEEDS_FULL or EXPANDED
        classifier             weights of s1_classifier, where the backbone starts from
        BACKBONE WEIGHTS       without a classifier: a local file, 'package', 'hub' or 'none'
writes  weights.safetensors    the network and where it came from; beside it curve.json
"""

from wsss_stages.config import options
from wsss_stages.stages import cli
from wsss_stages.store import contracts


def main(argv: list[str] | None = None) -> None:
    paths, opt = cli.parse(
        __doc__,
        options.Affinity,
        argv,
        paths={
            "index": "index.json",
            "seeds-manifests+": "manifests of s3_seeds, all shards of the training split",
            "classifier?": "weights of s1_classifier; without them the backbone starts from --backbone-weights",
            "weights>": "weights.safetensors to write",
        },
        texts=cli.BACKBONE | cli.DEVICE,
    )
    from wsss_stages.data.calibration import calibration_photographs
    from wsss_stages.data.index import Index
    from wsss_stages.roads.affinity import AffinityTraining
    from wsss_stages.shards.manifest import Manifest
    from wsss_stages.stages import devices
    from wsss_stages.training.networks import build_affinity, build_affinity_alone

    device = devices.pick(paths.device)
    index, seeds = Index.read(paths.index), Manifest(paths.seeds_manifests, [contracts.ALL[opt.seeds]])
    if paths.classifier:
        network, sources = build_affinity(paths.classifier, opt.stride, opt.seed)
    else:
        source, photographs = paths.backbone_weights, calibration_photographs(index)
        network, sources = build_affinity_alone(paths.backbone, opt.stride, opt.seed, source, photographs)
    AffinityTraining(network, sources, index, seeds, opt).fit(paths.weights, device)


if __name__ == "__main__":
    cli.run(main)
