"""Train DFR on scribbles: one network, regularised by its own features; or the same network on truth (Sec. 4.2).

reads   WEAK/index.json        images and scribbles of the training split, or their truth with --labels truth
        BACKBONE WEIGHTS       a local file, 'package', 'hub' or 'none' (--backbone-weights)
writes  weights.safetensors    the network and where it came from; beside it curve.json
"""

from wsss_stages.config import options
from wsss_stages.stages import cli


def main(argv: list[str] | None = None) -> None:
    paths, opt = cli.parse(
        __doc__,
        options.Dfr,
        argv,
        paths={"index": "index.json", "weights>": "weights.safetensors to write"},
        texts=cli.DEVICE,
    )
    if not (opt.backbone and opt.backbone_weights):
        raise ValueError(
            f"found --backbone {opt.backbone!r} and --backbone-weights {opt.backbone_weights!r}; wanted the name of a backbone and "
            "a file, 'package', 'hub' or 'none', see --help. In config.yaml empty ones are the classifier's."
        )
    from wsss_stages.data.calibration import calibration_photographs
    from wsss_stages.data.index import Index
    from wsss_stages.roads.dfr import DfrTraining, learned_from
    from wsss_stages.stages import devices
    from wsss_stages.training.networks import build_dfr

    device = devices.pick(paths.device)
    index = Index.read(paths.index)
    records = learned_from(index, paths.index, opt.labels)
    network, origin = build_dfr(opt, len(index.classes), calibration_photographs(index))
    DfrTraining(network, vars(origin), index, records, opt).fit(paths.weights, device)


if __name__ == "__main__":
    cli.run(main)
