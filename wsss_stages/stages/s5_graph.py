"""Edges of every image's graph (Eq. 3.14), and the random walk over them, the baseline.

reads   WEAK/index.json        the shard's images
        s3_seeds MANIFEST      what the random walk spreads: contracts.GRABCUT, SEEDS, SEEDS_FULL or EXPANDED
        s2_cam MANIFEST        contracts.CAM instead, for --seeds cam
        affinity               weights of s4_affinity
        walk.json              of s5_walk, for several --walk-powers or --walk-steps
writes  MANIFEST               beside it edges/ID.h5 (contracts.EDGES), walk/ID.h5 (contracts.WALK) and random_walk/ID.png
"""

from wsss_stages.config import options
from wsss_stages.stages import cli
from wsss_stages.store import contracts


def main(argv: list[str] | None = None) -> None:
    paths, opt = cli.parse(
        __doc__,
        options.Graph,
        argv,
        paths={
            "index": "index.json",
            "seeds-manifest": "manifest of s3_seeds, same shard",
            "cam?": "manifest of s2_cam, same shard; for --seeds cam",
            "affinity": "weights of s4_affinity",
            "walk?": "walk.json of s5_walk; for several --walk-powers or --walk-steps",
            "manifest>": "k-of-n.json to write",
        },
        texts={"split": ("train", "split of the index"), "device": ("auto", "auto, cpu, cuda or cuda:N")},
    )
    import numpy as np
    import torch

    from wsss_stages.a2gnn.graph import compared, linked
    from wsss_stages.a2gnn.nodes import whole_nodes
    from wsss_stages.a2gnn.pixels import enlarged, only_where_allowed
    from wsss_stages.a2gnn.walk import start_of_cam, start_of_seeds
    from wsss_stages.data.index import Index
    from wsss_stages.labels.boxes import allowed
    from wsss_stages.labels.random_walk import random_walk
    from wsss_stages.nets import backbones
    from wsss_stages.pairwise.windows import offsets
    from wsss_stages.shards.shard import Shard
    from wsss_stages.stages import devices
    from wsss_stages.store import artifacts
    from wsss_stages.store.check_finite import finite
    from wsss_stages.store.prefetch import Prefetch
    from wsss_stages.store.progress import progress
    from wsss_stages.training.networks import restore_affinity

    device = devices.pick(paths.device)
    network, trained = restore_affinity(paths.affinity)
    network.to(device, memory_format=torch.channels_last)
    stride = trained["options"]["stride"]
    window = offsets(trained["options"]["radius"], trained["options"]["window"])
    if opt.seeds == "cam" and paths.cam is None:
        raise ValueError("--seeds cam needs --cam, a manifest of s2_cam; found none")
    if opt.chooses_walk:
        if paths.walk is None:
            raise ValueError(
                f"--walk-powers {opt.walk_powers} and --walk-steps {opt.walk_steps} are to choose from: found no --walk, wanted "
                "walk.json of s5_walk; or give one of each"
            )
        chosen = artifacts.read_sealed(paths.walk)
        opt = opt.model_copy(update={"walk_powers": [chosen["power"]], "walk_steps": [chosen["steps"]]})
    (power,), (steps,) = set(opt.walk_powers), set(opt.walk_steps)
    known_options = opt.model_dump(exclude={"images"})
    place = {name: trained["options"][name] for name in ("radius", "window", "stride")}
    place["offset"] = network.grid.offset
    source = (contracts.CAM, paths.cam) if opt.seeds == "cam" else (contracts.ALL[opt.seeds], paths.seeds_manifest)
    shard = Shard(
        "s5_graph", (contracts.EDGES, contracts.WALK, contracts.RANDOM_WALK),
        Index.read(paths.index).some(paths.split, opt.images), paths.split,
        paths.manifest, known_options | place, [source], artifacts.sha256(paths.affinity),
    )  # fmt: skip

    def start(item) -> torch.Tensor:
        """(c, y, x) at the nodes: background and the image's tags, where the walk starts."""
        if opt.seeds == "cam":
            return start_of_cam(item.read(contracts.CAM)["cam"], *item.size, opt.walk_gamma, network.grid)
        return start_of_seeds(item.read(contracts.ALL[opt.seeds])["label"], item.record.tags, network.grid)

    for item, photo in progress(Prefetch(shard.todo(), lambda item: item.image), "s5_graph"):
        record = item.record
        image = torch.from_numpy(photo).permute(2, 0, 1)[None].to(device) / 255
        with torch.no_grad():
            features = compared(network, whole_nodes(backbones.normalise(image), stride), opt.edges)
            finite(features, "the network's features", "s5_graph", item.id, "s4_affinity")
            E = linked(features, opt.edges, window, opt.threshold)
        begin = start(item).to(device)
        held = begin.any(dim=0) if opt.walk_hold and opt.seeds != "cam" else None
        walked = random_walk(begin, E, window, power, steps, held)
        finite(walked, "the random walk", "s5_graph", item.id, "s4_affinity")
        P = enlarged(walked, network.grid, record.height, record.width).cpu()
        if record.all_boxed:
            known = allowed(*record.box_arrays(), record.tags, record.height, record.width)
            P = only_where_allowed(P, torch.from_numpy(known))
        label = np.array([0, *record.tags], np.uint8)[P.argmax(dim=0).numpy()]
        item.write(
            {
                "edges": E.cpu().numpy().astype(np.float16),
                "walk": walked.cpu().numpy().astype(np.float16),
                "random_walk": label,
            }
        )
    shard.finish()


if __name__ == "__main__":
    cli.run(main)
