"""Train a multi-label classifier on image tags (Sec. 3.2).

reads   index.json             images and tags of the training split
        BACKBONE WEIGHTS       a local file, 'package', 'hub' or 'none'
writes  weights.safetensors    the network and where it came from; beside it curve.json
"""

from wsss_stages.config import options
from wsss_stages.stages import cli


def main(argv: list[str] | None = None) -> None:
    paths, opt = cli.parse(
        __doc__,
        options.Classifier,
        argv,
        paths={"index": "index.json", "weights>": "weights.safetensors to write"},
        texts=cli.BACKBONE_WEIGHTS | cli.DEVICE,
    )
    from wsss_stages import training
    from wsss_stages.data.calibration import calibration_photographs
    from wsss_stages.data.index import Index
    from wsss_stages.roads.classifier import ClassifierTraining
    from wsss_stages.stages import devices
    from wsss_stages.training.networks import build_classifier

    device = devices.pick(paths.device)
    index = Index.read(paths.index)
    records = index.split("train", having=lambda record: record.tags)
    if not records:
        raise training.TrainingError(
            f"{paths.index}: no training image has an image-level tag, so the classifier cannot be trained. Add boxes, scribbles, "
            "points or tags.csv."
        )
    classes, photographs = len(index.classes) - 1, calibration_photographs(index)
    network, origin = build_classifier(
        opt.method, opt.backbone, opt.stride, classes, paths.backbone_weights, opt.seed, photographs
    )
    ClassifierTraining(network, vars(origin), index, records, opt).fit(paths.weights, device)


if __name__ == "__main__":
    cli.run(main)
