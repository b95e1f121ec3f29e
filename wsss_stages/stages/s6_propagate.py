"""Spread every image's seeds by an A²GNN of its own, or by a simpler way, and write its pseudo label (Eqs. 3.15-3.28).

reads   WEAK/index.json        the shard's images and boxes
        s3_seeds MANIFEST      node labels: contracts.GRABCUT, CHECKED, SEEDS, SEEDS_FULL or EXPANDED
        s5_graph MANIFEST      contracts.EDGES; contracts.WALK for --walk-share
        s5_object_masks MANIFEST  contracts.OBJECTS, for --objects-share
        affinity, classifier   weights of s4_affinity, of s1_classifier, for the node features, as s5_graph read them
writes  MANIFEST               beside it PNGs per image: graph_label (before the CRF), pseudo (after it), confidence
"""

from wsss_stages.config import options
from wsss_stages.stages import cli
from wsss_stages.store import contracts

MADE = (contracts.GRAPH_LABEL, contracts.PSEUDO, contracts.CONFIDENCE)


def main(argv: list[str] | None = None) -> None:
    paths, opt = cli.parse(
        __doc__,
        options.Propagate,
        argv,
        paths={
            "index": "index.json",
            "seeds-manifest": "manifest of s3_seeds, same shard",
            "graph": "manifest of s5_graph, same shard",
            "objects?": "manifest of s5_object_masks, same shard; for --objects-share above 0",
            "affinity?": "weights of s4_affinity, where s5_graph read them",
            "classifier?": "weights of s1_classifier, where s5_graph read them",
            "manifest>": "k-of-n.json to write",
        },
        texts=cli.TRAIN | cli.DEVICE,
    )
    if opt.objects_share > 0 and paths.objects is None:
        raise ValueError(
            f"--objects-share {opt.objects_share} needs --objects, a manifest of s5_object_masks; found none. "
            "Give it, or set --objects-share 0"
        )
    from wsss_stages.data.index import Index
    from wsss_stages.roads.propagate import Propagator
    from wsss_stages.shards.manifest import Manifest
    from wsss_stages.shards.shard import Shard
    from wsss_stages.stages import devices
    from wsss_stages.training import graph_networks

    device = devices.pick(paths.device)
    (made,) = Manifest([paths.graph], images=()).options
    networks = graph_networks.restore_as_made(made, paths.affinity, paths.classifier)
    networks.move(devices.move, device)
    index = Index.read(paths.index).sample(paths.split, opt.images)
    sources = [(contracts.EDGES, paths.graph), (contracts.ALL[opt.seeds], paths.seeds_manifest)]
    sources += [(contracts.GRABCUT, paths.seeds_manifest)] if opt.grabcut_share > 0 else []
    sources += [(contracts.WALK, paths.graph)] if opt.walk_share > 0 else []
    sources += [(contracts.OBJECTS, paths.objects)] if opt.objects_share > 0 else []
    depends = opt.model_dump(exclude={"images"})
    shard = Shard("s6_propagate", MADE, index, paths.split, paths.manifest, depends, sources, networks.weights)
    Propagator(networks, index, opt, device).run(shard)


if __name__ == "__main__":
    cli.run(main)
