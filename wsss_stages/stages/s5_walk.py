"""Choose power and steps of the random walk by seeds that it does not see.

reads   WEAK/index.json        some training images, those that the affinity CNN did not learn from if there are any
        s3_seeds MANIFESTS     what the walk spreads, and what it is asked for
        s2_cam MANIFESTS       contracts.CAM, for --seeds cam
        affinity               weights of s4_affinity
writes  walk.json              power and steps; the agreement of every walk; how far the affinity drops at the seeds' outlines

Of every image squares of seeds are hidden, a quarter. A walk from the others (or from the CAMs elsewhere) labels them; the agreement is
the mean IoU over classes of hidden seeds and labels, of all images together. A walk of no step labels them background.
"""

from wsss_stages.config import options
from wsss_stages.stages import cli
from wsss_stages.store import contracts

IMAGES = 40
"""To choose by, at most."""


def main(argv: list[str] | None = None) -> None:
    paths, opt = cli.parse(
        __doc__,
        options.Graph,
        argv,
        paths={
            "index": "index.json",
            "seeds-manifests+": "manifests of s3_seeds, all shards of the training split",
            "cams?+": "manifests of s2_cam, all shards of the training split; for --seeds cam",
            "affinity": "weights of s4_affinity",
            "chosen>": "walk.json to write",
        },
        texts=cli.DEVICE,
    )
    import numpy as np
    import torch

    from wsss_stages import training
    from wsss_stages.a2gnn import nodes, walk
    from wsss_stages.a2gnn.graph import compared, linked
    from wsss_stages.a2gnn.pixels import only_where_allowed
    from wsss_stages.data.hashes import sample
    from wsss_stages.data.index import Index, stable_hash
    from wsss_stages.evaluation import metrics
    from wsss_stages.evaluation.agreement import mean_edges
    from wsss_stages.labels.boxes import allowed
    from wsss_stages.nets import backbones
    from wsss_stages.nets.grid import labels_at_nodes
    from wsss_stages.pairwise.windows import offsets
    from wsss_stages.shards.manifest import Manifest
    from wsss_stages.stages import devices
    from wsss_stages.store import artifacts
    from wsss_stages.store.check_finite import finite
    from wsss_stages.store.progress import progress
    from wsss_stages.training.networks import restore_affinity

    device = devices.pick(paths.device)
    if opt.seeds == "cam" and paths.cams is None:
        raise ValueError("--seeds cam needs --cams, the manifests of s2_cam; found none")
    network, trained = restore_affinity(paths.affinity)
    network.to(device, memory_format=torch.channels_last)
    learned = options.Affinity(**trained["options"])
    stride, window = learned.stride, offsets(learned.radius, learned.window)
    index = Index.read(paths.index)
    every = index.split("train")
    held = training.hold_out(every, "s4_affinity", learned, lambda record: record.id)[1]
    ids = set(sample([record.id for record in held or every], IMAGES))
    records = [record for record in every if record.id in ids]
    contract = contracts.SEEDS if opt.seeds == "cam" else contracts.ALL[opt.seeds]
    seeds = Manifest(paths.seeds_manifests, [contract], ids)
    cams = Manifest(paths.cams or [], [contracts.CAM], ids)
    count = len(index.classes)
    counts: dict[tuple[float, int], np.ndarray] = {}
    across, inside = np.zeros(2), np.zeros(2)
    for record in progress(records, "s5_walk"):
        label, classes = seeds.read(record.id, contract)["label"], [0, *record.tags]
        image = torch.from_numpy(record.image(index.root)).permute(2, 0, 1)[None].to(device) / 255
        with torch.no_grad():
            features = compared(network, nodes.whole_nodes(backbones.normalise(image), stride), opt.edges)
        finite(features, "the network's features", "s5_walk", record.id, "s4_affinity")
        E = linked(features, opt.edges, window, opt.threshold)
        rows = nodes.rows_of(labels_at_nodes(label, network.grid), classes).to(device)
        sums = walk.outline_sums(E, rows, window)
        across, inside = across + sums[0], inside + sums[1]
        if opt.seeds == "cam":
            start = walk.start_of_cam(
                cams.read(record.id, contracts.CAM)["cam"], record.height, record.width, opt.walk_gamma, network.grid
            )
        else:
            start = walk.start_of_seeds(label, record.tags, network.grid)
        rng = np.random.default_rng(stable_hash(record.id, "s5_walk"))
        asked = walk.hidden(*rows.shape, rng).to(device)
        start = start.to(device).masked_fill(asked, 0)
        keep = start.any(dim=0) if opt.walk_hold and opt.seeds != "cam" else None
        known = None
        if record.all_boxed:
            masks = allowed(*record.box_arrays(), record.tags, record.height, record.width)
            known = torch.from_numpy(np.stack([labels_at_nodes(mask, network.grid) for mask in masks])).to(device)
        for pair, P in walk.walks(start, E, window, opt.walk_powers, opt.walk_steps, keep):
            P = P if known is None else only_where_allowed(P, known)
            counts[pair] = counts.get(pair, 0) + walk.at_hidden(P, rows, asked, classes, count)
    agreements = {pair: metrics.mean_iou(found) for pair, found in counts.items()}
    power, steps = walk.choose(agreements)
    artifacts.write_sealed(
        paths.chosen,
        {
            "power": power,
            "steps": steps,
            "images": len(records),
            "held_out": bool(held),
            "agreements": [{"power": p, "steps": s, "miou": miou} for (p, s), miou in agreements.items()],
            "outlines": mean_edges(across, inside),
        },
    )


if __name__ == "__main__":
    cli.run(main)
