"""Train the affinity CNN on pairs of seeds (Eqs. 3.6-3.13).

reads   index.json             images of the training split
        s3_seeds MANIFESTS     labels of the pairs: contracts.GRABCUT, SEEDS, SEEDS_FULL or EXPANDED
        classifier             weights of s1_classifier, where the backbone starts from
writes  weights.safetensors    the network and where it came from; beside it curve.json
"""

from wsss_stages.config import options
from wsss_stages.stages import cli
from wsss_stages.store import contracts


def main(argv: list[str] | None = None) -> None:
    paths, opt = cli.parse(
        __doc__,
        options.Affinity,
        argv,
        paths={
            "index": "index.json",
            "seeds-manifests+": "manifests of s3_seeds, all shards of the training split",
            "classifier": "weights of s1_classifier",
            "weights>": "weights.safetensors to write",
        },
        texts={"device": ("auto", "auto, cpu, cuda or cuda:N")},
    )
    import torch

    from wsss_stages import training
    from wsss_stages.a2gnn.affinity_cnn import affinity_losses, pair_likelihood, pair_logs
    from wsss_stages.data.augment import augment
    from wsss_stages.data.index import Index
    from wsss_stages.nets import backbones
    from wsss_stages.nets.grid import PIXELS, labels_at_nodes, onto
    from wsss_stages.pairwise.windows import offsets
    from wsss_stages.shards.manifest import Manifest
    from wsss_stages.stages import devices
    from wsss_stages.store import artifacts
    from wsss_stages.training.networks import build_affinity

    device = devices.pick(paths.device)
    contract = contracts.ALL[opt.seeds]
    index, seeds = Index.read(paths.index), Manifest(paths.seeds_manifests, [contract])
    records = index.split("train")
    network, classifier = build_affinity(paths.classifier, opt.stride, opt.seed)
    if not opt.train_backbone:
        network.backbone.requires_grad_(False)
    window = offsets(opt.radius, opt.window, half=True)
    s = opt.stride

    def sample(record, rng):
        labels = seeds.read(record.id, contract)["label"]
        view, labels, valid = augment(record.image(index.root), labels, rng, opt.crop // s * s)
        return {
            "image": view.transpose(2, 0, 1),
            "labels": labels_at_nodes(labels, network.grid),
            "valid": labels_at_nodes(valid, network.grid).astype("float32"),
        }

    def loss(batch):
        image = backbones.normalise(batch["image"])
        features = network(image).float()
        small = onto(image, PIXELS, network.grid, features.shape[2:])
        return affinity_losses(
            features, batch["labels"], small, batch["valid"], window, opt.reg_weight, opt.sigma_xy, opt.sigma_rgb
        )

    def grade(batches) -> float:
        """How likely D finds the true relations of pairs of seeds."""
        logs = torch.zeros(3, 2)
        for its in batches:
            logs += pair_logs(network(backbones.normalise(its["image"])).float(), its["labels"], window)
        return pair_likelihood(logs)

    items, held = training.hold_out(records, "s4_affinity", opt, lambda record: record.id)
    provenance = {
        "stage": "s4_affinity",
        "options": opt.model_dump(),
        "backbone": classifier["options"]["backbone"],
        "origin": classifier["origin"],
        "classifier": artifacts.sha256(paths.classifier),
    }
    job = training.Job(
        "s4_affinity",
        network,
        training.old_and_new(network, opt),
        items,
        lambda record: record.id,
        sample,
        loss,
        opt.epochs,
        opt,
        artifacts.fingerprint(
            provenance, artifacts.fingerprint_each((r.evidence(), seeds.file(r.id, contract.name)[1]) for r in records)
        ),
        held=held,
        grade=grade,
    )
    training.fit(job, paths.weights, provenance, device)


if __name__ == "__main__":
    cli.run(main)
