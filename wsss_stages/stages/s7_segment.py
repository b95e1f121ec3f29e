"""Train the final segmenter on pseudo labels, or on truth for its upper bound (Sec. 3.4; two-step RRM, Sec. 2.3.1).

reads   index.json             images of the training split, and their truth with --labels truth
        MANIFESTS              of s6_propagate, contracts.PSEUDO; for --labels grabcut or cam of s3_seeds, contracts.GRABCUT or
                               CAM_LABEL; for --labels rrm of rrm_label, contracts.RRM_LABEL
        BACKBONE WEIGHTS       a local file, 'package', 'hub' or 'none' (--backbone-weights)
writes  weights.safetensors    the network and where it came from; beside it curve.json
"""

from wsss_stages.config import options
from wsss_stages.stages import cli
from wsss_stages.store import contracts

LEARNED = {
    "pseudo": contracts.PSEUDO,
    "grabcut": contracts.GRABCUT,
    "rrm": contracts.RRM_LABEL,
    "cam": contracts.CAM_LABEL,
}
"""What --labels names, but truth."""


def main(argv: list[str] | None = None) -> None:
    paths, opt = cli.parse(
        __doc__,
        options.Segment,
        argv,
        paths={
            "index": "index.json",
            "pseudo?+": "manifests of s6_propagate (--labels grabcut, cam: s3_seeds; rrm: rrm_label), all shards; not needed for "
            "--labels truth",
            "weights>": "weights.safetensors to write",
        },
        texts={"device": ("auto", "auto, cpu, cuda or cuda:N")},
    )
    if not (opt.backbone and opt.backbone_weights):
        raise ValueError(
            f"found --backbone {opt.backbone!r} and --backbone-weights {opt.backbone_weights!r}; wanted the name of a backbone, "
            "see s1_classifier --help, and a file, 'package', 'hub' or 'none'. In config.yaml empty ones are the classifier's."
        )
    from wsss_stages import training
    from wsss_stages.data.augment import augment
    from wsss_stages.data.calibration import calibration_photographs
    from wsss_stages.data.index import Index
    from wsss_stages.evaluation import metrics
    from wsss_stages.nets import backbones
    from wsss_stages.nets.segmenter import agreement, segmentation_loss
    from wsss_stages.shards.manifest import Manifest
    from wsss_stages.stages import devices
    from wsss_stages.store import artifacts
    from wsss_stages.training.networks import build_segmenter

    device = devices.pick(paths.device)
    contract = LEARNED.get(opt.labels)
    index, pseudo = Index.read(paths.index), Manifest(paths.pseudo or [], [contract] if contract else [])
    records = index.split("train")
    if contract is None:
        records = records.having(lambda record: record.truth)
        if not records:
            raise training.TrainingError(
                f"{paths.index}: no training image has truth, so there is no upper bound; use --labels pseudo"
            )
        origins = (artifacts.sha256(index.root / r.truth) for r in records)
    else:
        missing = [r.id for r in records if not pseudo.sha256(r.id, contract.name)]
        if missing:
            raise training.TrainingError(
                f"{len(missing)} of {len(records)} training images have no {contract.name} label, the first is "
                f"{missing[0]}; give --pseudo all manifests of {contract.made_by}"
            )
        origins = (pseudo.sha256(r.id, contract.name) for r in records)
    classes = len(index.classes)
    network, origin = build_segmenter(opt, classes, calibration_photographs(index))

    def sample(record, rng):
        labels = pseudo.read(record.id, contract)["label"] if contract else record.truth_labels(index.root)
        view, labels, _ = augment(record.image(index.root), labels, rng, opt.crop, opt.scale_min, opt.scale_max)
        return {"image": view.transpose(2, 0, 1), "labels": labels}

    def loss(batch):
        graded = network.graded(backbones.normalise(batch["image"]))
        return {
            name: weight * segmentation_loss(logits, batch["labels"], opt.balanced_ce, network.grid)
            for name, (logits, weight) in graded.items()
        }

    def grade(batches) -> float:
        """mIoU with the labels that the segmenter learns from."""
        return metrics.mean_iou(agreement(network, batches, classes)) or 0.0

    items, held = training.hold_out(records, "s7_segment", opt, lambda record: record.id)
    provenance = {
        "stage": "s7_segment",
        "options": opt.model_dump(),
        "classes": classes,
        "origin": vars(origin),
    }
    job = training.Job(
        "s7_segment",
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
            artifacts.fingerprint_each((r.sha256, origin) for r, origin in zip(records, origins, strict=True)),
        ),
        held=held,
        grade=grade,
        factors=training.repeat_factors((record.tags for record in items), opt.repeat_below),
    )
    training.fit(job, paths.weights, provenance, device)


if __name__ == "__main__":
    cli.run(main)
