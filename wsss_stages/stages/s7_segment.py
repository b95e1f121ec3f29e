"""Train the final segmenter on pseudo labels, or on truth for its upper bound (Sec. 3.4; two-step RRM, Sec. 2.3.1).

reads   index.json             images of the training split, and their truth with --labels truth
        MANIFESTS              of s6_propagate, contracts.PSEUDO; for --labels grabcut, seeds or cam of s3_seeds, contracts.GRABCUT,
                               SEEDS or CAM_LABEL; for --labels rrm of rrm_label, contracts.RRM_LABEL
        BACKBONE WEIGHTS       a local file, 'package', 'hub' or 'none' (--backbone-weights)
writes  weights.safetensors    the network and where it came from; beside it curve.json
"""

from wsss_stages.config import options
from wsss_stages.stages import cli
from wsss_stages.store import contracts

LEARNED = {
    "pseudo": contracts.PSEUDO,
    "grabcut": contracts.GRABCUT,
    "seeds": contracts.SEEDS,
    "rrm": contracts.RRM_LABEL,
    "cam": contracts.CAM_LABEL,
}
"""Labels that --labels may name, without truth."""


def main(argv: list[str] | None = None) -> None:
    paths, opt = cli.parse(
        __doc__,
        options.Segment,
        argv,
        paths={
            "index": "index.json",
            "pseudo?+": "manifests of s6_propagate (--labels grabcut, seeds, cam: s3_seeds; rrm: rrm_label), all shards; not needed for "
            "--labels truth",
            "weights>": "weights.safetensors to write",
        },
        texts=cli.DEVICE,
    )
    if not (opt.backbone and opt.backbone_weights):
        raise ValueError(
            f"found --backbone {opt.backbone!r} and --backbone-weights {opt.backbone_weights!r}; wanted the name of a backbone, "
            "see s1_classifier --help, and a file, 'package', 'hub' or 'none'. In config.yaml empty ones are the classifier's."
        )
    from wsss_stages.data.calibration import calibration_photographs
    from wsss_stages.data.index import Index
    from wsss_stages.roads.segmenter import Labels, SegmenterTraining
    from wsss_stages.shards.manifest import Manifest
    from wsss_stages.stages import devices
    from wsss_stages.training.networks import build_segmenter

    device = devices.pick(paths.device)
    contract = LEARNED.get(opt.labels)
    index = Index.read(paths.index)
    labels = Labels(index, Manifest(paths.pseudo or [], [contract] if contract else []), contract, paths.index)
    network, origin = build_segmenter(opt, len(index.classes), calibration_photographs(index))
    SegmenterTraining(network, vars(origin), index, labels, opt).fit(paths.weights, device)


if __name__ == "__main__":
    cli.run(main)
