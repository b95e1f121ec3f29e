"""Train Mask R-CNN on instances, as s6_instance_masks makes them of labels and boxes or of truth (Sec. 3.4).

reads   index.json             photographs
        instances.json         COCO's instances JSON of the training split; images without objects are left out
        BACKBONE WEIGHTS       a local file, 'package', 'hub' or 'none'
writes  weights.safetensors    the network and where it came from; beside it curve.json
"""

from wsss_stages.config import options
from wsss_stages.stages import cli


def main(argv: list[str] | None = None) -> None:
    paths, opt = cli.parse(
        __doc__,
        options.Instances,
        argv,
        paths={
            "index": "index.json",
            "instances": "instances.json of s6_instance_masks",
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
    from wsss_stages.roads.instances import InstancesTraining, items_of
    from wsss_stages.stages import devices
    from wsss_stages.training.networks import build_detector

    device = devices.pick(paths.device)
    index = Index.read(paths.index)
    items = items_of(index, paths.instances)
    photographs = calibration_photographs(index)
    network, origin = build_detector(opt, len(index.classes), photographs)
    sources = {"backbone": opt.backbone, "origin": vars(origin)}
    InstancesTraining(network, sources, index, items, paths.instances, opt).fit(paths.weights, device)


if __name__ == "__main__":
    cli.run(main)
