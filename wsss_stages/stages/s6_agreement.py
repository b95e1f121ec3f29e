"""Hide a part of the seeds of some images and ask how many are found again by what spreads the others.

reads   WEAK/index.json        some training images with graphs, those that the affinity CNN did not learn from if there are any
        s3_seeds MANIFESTS     labels that are spread, and hidden ones to find
        s5_graph MANIFESTS     contracts.EDGES, and the power and the steps of the random walk
        s2_cam MANIFESTS       contracts.CAM, for a walk from the CAMs
        affinity, classifier   weights of s4_affinity, of s1_classifier, as s5_graph read them
writes  agreement.json         of graph_label and of pseudo: the mean IoU with the hidden seeds

Of every image squares of seeds are hidden, a quarter, others than in s5_walk. No truth is needed, so that edges and ways to spread seeds
can be compared on images without masks. Soft masks of boxes and GrabCut's share are left out, for they have seen the hidden seeds.
"""

from wsss_stages.config import options
from wsss_stages.stages import cli
from wsss_stages.store import contracts


def main(argv: list[str] | None = None) -> None:
    paths, opt = cli.parse(
        __doc__,
        options.Propagate,
        argv,
        paths={
            "index": "index.json",
            "seeds-manifests+": "manifests of s3_seeds, all shards of the training split",
            "graphs+": "manifests of s5_graph, all shards of the training split",
            "cams?+": "manifests of s2_cam, all shards of the training split; for a walk from the CAMs",
            "affinity?": "weights of s4_affinity, where s5_graph read them",
            "classifier?": "weights of s1_classifier, where s5_graph read them",
            "agreement>": "agreement.json to write",
        },
        texts=cli.DEVICE,
    )
    from wsss_stages.data.index import Index
    from wsss_stages.roads.seed_agreement import SeedAgreement, asked_images
    from wsss_stages.shards.manifest import Manifest
    from wsss_stages.stages import devices
    from wsss_stages.store import artifacts
    from wsss_stages.training import graph_networks

    device = devices.pick(paths.device)
    graphs = Manifest(paths.graphs, [contracts.EDGES])
    networks = graph_networks.restore_as_made(graphs.options[0], paths.affinity, paths.classifier)
    networks.move(devices.move, device)
    index = Index.read(paths.index)
    records = asked_images(index, graphs, networks)
    read = [contracts.EDGES, *(contracts.ALL[kind] for kind in (opt.seeds, networks.opt.seeds))]
    sources = Manifest(
        [*paths.seeds_manifests, *paths.graphs, *(paths.cams or [])], read, {record.id for record in records}
    )
    agreement = SeedAgreement(networks, index, opt, device)
    agreement.run(records, sources)
    content = {"dataset": index.dataset, "images": len(records), "rows": agreement.found()}
    artifacts.write_sealed(paths.agreement, content)


if __name__ == "__main__":
    cli.run(main)
