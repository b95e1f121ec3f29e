"""Edges of every image's graph (Eq. 3.14), and the random walk over them, the baseline.

reads   WEAK/index.json        the shard's images
        s3_seeds MANIFEST      labels that the random walk spreads: contracts.GRABCUT, CHECKED, SEEDS, SEEDS_FULL or EXPANDED
        s2_cam MANIFEST        contracts.CAM instead, for --seeds cam
        affinity               weights of s4_affinity, for edges that need them
        classifier             weights of s1_classifier, for edges by the features of its backbone, and by colour alone
        walk.json              of s5_walk, for several --walk-powers or --walk-steps
writes  MANIFEST               beside it edges/ID.h5 (contracts.EDGES), walk/ID.h5 (contracts.WALK) and random_walk/ID.png
"""

from pathlib import Path

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
            "affinity?": "weights of s4_affinity; for edges by affinity or distance",
            "classifier?": "weights of s1_classifier; for edges by its features, or by colour alone",
            "walk?": "walk.json of s5_walk; for several --walk-powers or --walk-steps",
            "manifest>": "k-of-n.json to write",
        },
        texts=cli.TRAIN | cli.DEVICE,
    )
    from wsss_stages.data.index import Index
    from wsss_stages.roads.graphs import GraphBuilder
    from wsss_stages.shards.shard import Shard
    from wsss_stages.stages import devices
    from wsss_stages.training import graph_networks

    device = devices.pick(paths.device)
    networks = graph_networks.restore(opt, paths.affinity, paths.classifier)
    networks.move(devices.move, device)
    if opt.seeds == "cam" and paths.cam is None:
        raise ValueError("--seeds cam needs --cam, a manifest of s2_cam; found none")
    opt = _with_chosen_walk(opt, paths.walk)
    source = (contracts.CAM, paths.cam) if opt.seeds == "cam" else (contracts.ALL[opt.seeds], paths.seeds_manifest)
    shard = Shard(
        "s5_graph", (contracts.EDGES, contracts.WALK, contracts.RANDOM_WALK),
        Index.read(paths.index).sample(paths.split, opt.images), paths.split,
        paths.manifest, opt.model_dump(exclude={"images"}) | networks.place, [source], networks.weights,
    )  # fmt: skip
    GraphBuilder(networks, opt, device).run(shard)


def _with_chosen_walk(opt: options.Graph, walk: Path | None) -> options.Graph:
    """Return the options with the power and the steps that s5_walk chose, where there is more than one walk to choose from."""
    if not opt.chooses_walk:
        return opt
    if walk is None:
        raise ValueError(
            f"--walk-powers {opt.walk_powers} and --walk-steps {opt.walk_steps} have several values: found no --walk, wanted "
            "walk.json of s5_walk. Or give one value of each"
        )
    from wsss_stages.store import artifacts

    chosen = artifacts.read_sealed(walk)
    return opt.model_copy(update={"walk_powers": [chosen["power"]], "walk_steps": [chosen["steps"]]})


if __name__ == "__main__":
    cli.run(main)
