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
        texts={
            "backbone": ("mobilenet_v2", "name of the backbone, see s1_classifier"),
            "backbone-weights": ("none", "local .pth or .safetensors, 'package', 'hub' or 'none'"),
            "device": ("auto", "auto, cpu, cuda or cuda:N"),
        },
    )
    if (opt.start == "classifier") != (paths.classifier is not None):
        raise ValueError(
            f"found --start {opt.start} and --classifier {paths.classifier}; wanted weights of s1_classifier with --start classifier, and "
            "with it alone"
        )
    import numpy as np

    from wsss_stages import training
    from wsss_stages.data.augment import augment
    from wsss_stages.data.calibration import calibration_photographs
    from wsss_stages.data.index import Index
    from wsss_stages.evaluation import metrics
    from wsss_stages.labels.levels import SHARES
    from wsss_stages.nets import backbones
    from wsss_stages.rrm.iteration import Settings, classification_loss, losses, mean_inside
    from wsss_stages.stages import devices
    from wsss_stages.store import artifacts
    from wsss_stages.training.networks import build_rrm, build_rrm_on

    device = devices.pick(paths.device)
    index = Index.read(paths.index)
    records = index.split("train", having=lambda record: record.tags)
    if not records:
        raise training.TrainingError(f"{paths.index}: no training image has a tag; RRM learns from nothing else.")
    classes = len(index.classes)
    if opt.start == "classifier":
        network, whence = build_rrm_on(paths.classifier, classes, opt)
    else:
        photographs = calibration_photographs(index)
        network, whence = build_rrm(paths.backbone, classes, opt, paths.backbone_weights, photographs)
    joint = opt.class_epochs / opt.epochs

    def sample(record, rng):
        view, _, valid = augment(record.image(index.root), None, rng, opt.crop, opt.scale_min, opt.scale_max, fit=True)
        tags = np.zeros(classes - 1, np.float32)
        tags[np.array(record.tags) - 1] = 1
        return {"image": view.transpose(2, 0, 1), "valid": valid, "tags": tags}

    terms = opt.fill(Settings)

    def loss(batch):
        if batch["epoch"] < opt.class_epochs:  # the branches begin with the epoch after them
            activation = network.activation(backbones.normalise(batch["image"]))
            logits = mean_inside(activation, batch["valid"])
            return {"classification": classification_loss(logits, batch["tags"])}
        ramp = training.ramp(batch["done"], joint, joint + opt.distance_ramp * (1 - joint))
        return losses(network, batch["image"], batch["valid"], batch["tags"], terms, batch["id"], ramp)

    def grade(batches) -> float:
        """Mean average precision of the tags by the mean probability of the segmentation branch."""
        found = []
        for its in batches:
            P = network(backbones.normalise(its["image"])).float().softmax(dim=1)
            found.append((mean_inside(P, its["valid"])[:, 1:].cpu(), its["tags"].cpu()))
        return metrics.mean_average_precision(*(np.concatenate(arrays) for arrays in zip(*found, strict=True)))

    items, held = training.hold_out(records, "rrm_train", opt, lambda record: record.id)
    backbone, _ = training.old_and_new(network, opt)
    late = training.Layers(list(network.branches.parameters()), opt.head_lr_factor, joint)
    provenance = {
        "stage": "rrm_train",
        "options": opt.model_dump(),
        "classes": classes,
        **whence,
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
        shown=SHARES,
    )
    seconds = training.fit(job, paths.weights, provenance, device)
    if training.leads():
        artifacts.write_sealed(paths.weights.with_name("pace.json"), {"seconds_per_step": seconds})


if __name__ == "__main__":
    cli.run(main)
