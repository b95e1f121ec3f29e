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
        texts={
            "backbone-weights": ("none", "local .pth or .safetensors, 'package', 'hub' or 'none'"),
            "device": ("auto", "auto, cpu, cuda or cuda:N"),
        },
    )
    import numpy as np
    import torch.nn.functional as F

    from wsss_stages import training
    from wsss_stages.data.augment import augment
    from wsss_stages.data.calibration import calibration_photographs
    from wsss_stages.data.index import Index
    from wsss_stages.evaluation import metrics
    from wsss_stages.nets import backbones
    from wsss_stages.nets.seam import seam_losses
    from wsss_stages.stages import devices
    from wsss_stages.store import artifacts
    from wsss_stages.training.networks import build_classifier

    device = devices.pick(paths.device)
    index = Index.read(paths.index)
    records = index.split("train", having=lambda record: record.tags)
    if not records:
        raise training.TrainingError(
            f"{paths.index}: no training image has a tag; a classifier needs some. Draw boxes."
        )
    classes = len(index.classes) - 1
    network, origin = build_classifier(
        opt.method, opt.backbone, opt.stride, classes, paths.backbone_weights, opt.seed, calibration_photographs(index)
    )

    def sample(record, rng):
        view, _, _ = augment(record.image(index.root), None, rng, opt.crop, opt.scale_min, opt.scale_max, fit=True)
        tags = np.zeros(classes, np.float32)
        tags[np.array(record.tags) - 1] = 1
        return {"image": view.transpose(2, 0, 1), "tags": tags}

    def loss(batch):
        image = backbones.normalise(batch["image"])
        if opt.method == "seam":
            return seam_losses(network, image, batch["tags"], opt.seam_scale)
        return {"classification": F.multilabel_soft_margin_loss(network.tags(image), batch["tags"])}

    def grade(batches) -> float:
        """Mean average precision of the tags."""
        found = [(network.tags(backbones.normalise(its["image"])).cpu(), its["tags"].cpu()) for its in batches]
        scores, tags = (np.concatenate(arrays) for arrays in zip(*found, strict=True))
        return metrics.mean_average_precision(scores, tags)

    items, held = training.hold_out(records, "s1_classifier", opt, lambda record: record.id)
    provenance = {"stage": "s1_classifier", "options": opt.model_dump(), "classes": classes, "origin": vars(origin)}
    job = training.Job(
        "s1_classifier",
        network,
        training.old_and_new(network, opt),
        items,
        lambda record: record.id,
        sample,
        loss,
        opt.epochs,
        opt,
        artifacts.fingerprint(
            provenance, artifacts.fingerprint_each((r.sha256, r.height, r.width, r.tags) for r in records)
        ),
        held=held,
        grade=grade,
        factors=training.repeat_factors((record.tags for record in items), opt.repeat_below),
    )
    training.fit(job, paths.weights, provenance, device)


if __name__ == "__main__":
    cli.run(main)
