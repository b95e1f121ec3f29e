"""Train RRM on image tags: classification and segmentation branch on one backbone (Secs. 2.2-2.3).

reads   WEAK/index.json        images and tags of the training split
        BACKBONE WEIGHTS       a local file, 'package', 'hub' or 'none'
writes  weights.safetensors    the network and where it came from; beside it curve.json, and pace.json: seconds of a step
"""

from wsss_stages import options
from wsss_stages.stages import cli


def main(argv: list[str] | None = None) -> None:
    paths, opt = cli.parse(
        __doc__,
        options.Rrm,
        argv,
        paths={"index": "index.json", "weights>": "weights.safetensors to write"},
        texts={
            "backbone": ("mobilenet_v2", "name of the backbone, see s1_classifier"),
            "backbone-weights": ("none", "local .pth or .safetensors, 'package', 'hub' or 'none'"),
            "device": ("auto", "auto, cpu, cuda or cuda:N"),
        },
    )
    import numpy as np

    from wsss_stages import artifacts, metrics, training
    from wsss_stages.data.augment import augment
    from wsss_stages.data.calibration import calibration_photographs
    from wsss_stages.data.index import Index
    from wsss_stages.models import build_rrm
    from wsss_stages.nets import backbones
    from wsss_stages.rrm.iteration import classification_loss, losses, mean_inside
    from wsss_stages.stages import devices

    device = devices.pick(paths.device)
    index = Index.read(paths.index)
    records = index.split("train", having=lambda record: record.tags)
    if not records:
        raise training.TrainingError(f"{paths.index}: no training image has a tag; RRM learns from nothing else.")
    classes = len(index.classes)
    network, origin = build_rrm(paths.backbone, classes, opt, paths.backbone_weights, calibration_photographs(index))

    def sample(record, rng):
        view, _, valid = augment(record.image(index.root), None, rng, opt.crop, opt.scale_min, opt.scale_max, fit=True)
        tags = np.zeros(classes - 1, np.float32)
        tags[np.array(record.tags) - 1] = 1
        return {"image": view.transpose(2, 0, 1), "valid": valid, "tags": tags}

    def loss(batch):
        if batch["epoch"] < opt.class_epochs:  # the branches begin with the epoch after them
            logits = network.tags(backbones.normalise(batch["image"]))
            return {"classification": classification_loss(logits, batch["tags"])}
        return losses(network, batch["image"], batch["valid"], batch["tags"], opt, batch["id"])

    def grade(batches) -> float:
        """Mean average precision of the tags by the mean probability of the segmentation branch."""
        found = []
        for its in batches:
            P = network(backbones.normalise(its["image"])).float().softmax(dim=1)
            found.append((mean_inside(P, its["valid"])[:, 1:].cpu(), its["tags"].cpu()))
        return metrics.mean_average_precision(*(np.concatenate(arrays) for arrays in zip(*found, strict=True)))

    items, held = training.hold_out(records, "rrm_train", opt, lambda record: record.id)
    joint = opt.class_epochs / opt.epochs
    backbone, _ = training.old_and_new(network, opt)
    late = training.Layers(list(network.branches.parameters()), opt.head_lr_factor, joint)
    provenance = {
        "stage": "rrm_train",
        "options": opt.model_dump(),
        "backbone": paths.backbone,
        "classes": classes,
        "origin": vars(origin),
    }
    job = training.Job(
        "rrm_train",
        network,
        [backbone, training.Layers(list(network.tag.parameters()), opt.head_lr_factor), late],
        items,
        lambda record: record.id,
        sample,
        loss,
        opt.epochs,
        opt,
        artifacts.fingerprint(provenance, artifacts.fingerprint_each(r.evidence() for r in records)),
        held=held,
        grade=grade,
        graded_from=joint,
    )
    seconds = training.fit(job, paths.weights, provenance, device)
    if training.leads():
        artifacts.write_sealed(paths.weights.with_name("pace.json"), {"seconds_per_step": seconds})


if __name__ == "__main__":
    cli.run(main)
