"""Train DFR on scribbles: one network, regularised by its own features; or the same network on truth (Sec. 4.2).

reads   WEAK/index.json        images and scribbles of the training split, or their truth with --labels truth
        BACKBONE WEIGHTS       a local file, 'package', 'hub' or 'none' (--backbone-weights)
writes  weights.safetensors    the network and where it came from; beside it curve.json
"""

from wsss_stages.config import options
from wsss_stages.stages import cli

HUE = 18.0
"""Colours of training images turn by up to so many degrees."""


def main(argv: list[str] | None = None) -> None:
    paths, opt = cli.parse(
        __doc__,
        options.Dfr,
        argv,
        paths={"index": "index.json", "weights>": "weights.safetensors to write"},
        texts={"device": ("auto", "auto, cpu, cuda or cuda:N")},
    )
    if not (opt.backbone and opt.backbone_weights):
        raise ValueError(
            f"found --backbone {opt.backbone!r} and --backbone-weights {opt.backbone_weights!r}; wanted the name of a backbone and "
            "a file, 'package', 'hub' or 'none', see --help. In config.yaml empty ones are the classifier's."
        )
    import numpy as np

    from wsss_stages import training
    from wsss_stages.data.augment import augment
    from wsss_stages.data.calibration import calibration_photographs
    from wsss_stages.data.index import Index, stable_hash
    from wsss_stages.data.weak import simulate
    from wsss_stages.dfr.iteration import Settings, losses
    from wsss_stages.evaluation import metrics
    from wsss_stages.nets.segmenter import agreement
    from wsss_stages.stages import devices
    from wsss_stages.store import artifacts
    from wsss_stages.training.networks import build_dfr

    device = devices.pick(paths.device)
    index = Index.read(paths.index)
    records = index.split("train")
    if opt.labels == "truth":
        records = records.having(lambda record: record.truth)
        if not records:
            raise training.TrainingError(
                f"{paths.index}: no training image has truth, so there is no upper bound; use --labels scribbles"
            )
        known = (artifacts.sha256(index.root / r.truth) for r in records)
    else:
        without = [r.id for r in records if r.scribbles is None]
        if without:
            raise training.TrainingError(
                f"{paths.index}: {len(without)} of {len(records)} training images have no scribbles, the first is {without[0]}; DFR "
                "learns from nothing else. Run with weak: scribble, or draw them with simulate_weak."
            )
        known = (r.scribbles_sha256 for r in records)
    classes = len(index.classes)
    network, origin = build_dfr(opt, classes, calibration_photographs(index))

    def given(record):
        if opt.labels == "truth":
            return record.truth_labels(index.root)
        scribbles = index.scribble_labels(record)
        if opt.scribble_share == 1:
            return scribbles
        where = np.random.default_rng(stable_hash(record.id, "dfr_train", "scribble_share", opt.seed))
        return simulate.shortened(scribbles, opt.scribble_share, where)

    def sample(record, rng):
        view, labels, valid = augment(
            record.image(index.root), given(record), rng, opt.crop, opt.scale_min, opt.scale_max, fit=True, hue=HUE
        )
        return {"image": view.transpose(2, 0, 1), "labels": labels, "valid": valid}

    terms = opt.fill(Settings)

    def loss(batch):
        ramp = training.ramp(batch["done"], opt.ramp_begins, opt.ramp_ends)
        return losses(network, batch["image"], batch["labels"], batch["valid"], terms, ramp)

    def grade(batches) -> float:
        """Accuracy on the pixels of scribbles, the mean over classes; mIoU on truth."""
        counts = agreement(network, batches, classes)
        return (metrics.mean_iou(counts) if opt.labels == "truth" else metrics.mean_accuracy(counts)) or 0.0

    items, held = training.hold_out(records, "dfr_train", opt, lambda record: record.id)
    provenance = {"stage": "dfr_train", "options": opt.model_dump(), "classes": classes, "origin": vars(origin)}
    job = training.Job(
        "dfr_train",
        network,
        training.old_and_new(network, opt),
        items,
        lambda record: record.id,
        sample,
        loss,
        opt.epochs,
        opt,
        artifacts.fingerprint(
            provenance,
            artifacts.fingerprint_each(
                (r.sha256, r.height, r.width, labels) for r, labels in zip(records, known, strict=True)
            ),
        ),
        training.without_decay(network),
        opt.accumulate,
        held,
        grade,
    )
    training.fit(job, paths.weights, provenance, device)


if __name__ == "__main__":
    cli.run(main)
