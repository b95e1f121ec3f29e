"""Train RRM on image tags: classification and segmentation branch on one backbone (Secs. 2.2-2.3).

reads   WEAK/index.json        images and tags of the training split
        BACKBONE WEIGHTS       a local file, 'package', 'hub' or 'none'
        classifier             with --start classifier: weights of s1_classifier, in place of the backbone's
writes  weights.safetensors    the network and where it came from; beside it curve.json, and pace.json: seconds of a step
"""

from wsss_stages.config import options
from wsss_stages.stages import cli


def main(argv: list[str] | None = None) -> None:
    paths, opt = cli.parse(
        __doc__,
        options.Rrm,
        argv,
        paths={
            "index": "index.json",
            "classifier?": "weights of s1_classifier, for --start classifier",
            "weights>": "weights.safetensors to write",
        },
        texts=cli.BACKBONE | cli.DEVICE,
    )
    if (opt.start == "classifier") != (paths.classifier is not None):
        raise ValueError(
            f"found --start {opt.start} and --classifier {paths.classifier}; wanted weights of s1_classifier with --start classifier, and "
            "with it alone"
        )
    from wsss_stages import training
    from wsss_stages.data.calibration import calibration_photographs
    from wsss_stages.data.index import Index
    from wsss_stages.roads.rrm import RrmTraining
    from wsss_stages.stages import devices
    from wsss_stages.store import artifacts
    from wsss_stages.training.networks import build_rrm, build_rrm_on

    device = devices.pick(paths.device)
    index = Index.read(paths.index)
    records = index.split("train", having=lambda record: record.tags)
    if not records:
        raise training.TrainingError(f"{paths.index}: no training image has a tag. Add boxes, scribbles or tags.csv.")
    classes = len(index.classes)
    if opt.start == "classifier":
        network, sources = build_rrm_on(paths.classifier, classes, opt)
    else:
        photographs = calibration_photographs(index)
        network, sources = build_rrm(paths.backbone, classes, opt, paths.backbone_weights, photographs)
    seconds = RrmTraining(network, sources, index, records, opt).fit(paths.weights, device)
    if training.is_leader():
        artifacts.write_sealed(paths.weights.with_name("pace.json"), {"seconds_per_step": seconds})


if __name__ == "__main__":
    cli.run(main)
