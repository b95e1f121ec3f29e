"""Choose power and steps of the random walk by hidden seeds.

reads   WEAK/index.json        some training images, those that the affinity CNN did not learn from if there are any
        s3_seeds MANIFESTS     labels that the walk spreads, and hidden ones to predict
        s2_cam MANIFESTS       contracts.CAM, for --seeds cam
        affinity, classifier   weights of s4_affinity, of s1_classifier: what the edges need, as in s5_graph
writes  walk.json              power and steps; the agreement of every walk; how far the affinity drops at the seeds' outlines

Of every image squares of seeds are hidden, a quarter. A walk from the others (or from the CAMs elsewhere) labels them; the agreement is
the mean IoU over classes of hidden seeds and labels, of all images together. A walk of no step labels them background.
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
            "seeds-manifests+": "manifests of s3_seeds, all shards of the training split",
            "cams?+": "manifests of s2_cam, all shards of the training split; for --seeds cam",
            "affinity?": "weights of s4_affinity; for edges by affinity or distance",
            "classifier?": "weights of s1_classifier; for edges by its features, or by colour alone",
            "chosen>": "walk.json to write",
        },
        texts=cli.DEVICE,
    )
    from wsss_stages.data.index import Index
    from wsss_stages.roads.walk_choice import WalkChoice, asked_for, to_choose_by
    from wsss_stages.shards.manifest import Manifest
    from wsss_stages.stages import devices
    from wsss_stages.store import artifacts
    from wsss_stages.training import graph_networks

    device = devices.pick(paths.device)
    if opt.seeds == "cam" and paths.cams is None:
        raise ValueError("--seeds cam needs --cams, the manifests of s2_cam; found none")
    networks = graph_networks.restore(opt, paths.affinity, paths.classifier)
    networks.move(devices.move, device)
    index = Index.read(paths.index)
    records, held = to_choose_by(index.split("train"), networks.learned)
    ids = {record.id for record in records}
    seeds = Manifest(paths.seeds_manifests, [asked_for(opt)], ids)
    cams = Manifest(paths.cams or [], [contracts.CAM], ids)
    choice = WalkChoice(networks, index, opt, device)
    choice.run(records, seeds, cams)
    artifacts.write_sealed(paths.chosen, {"images": len(records), "held_out": held} | choice.chosen())


if __name__ == "__main__":
    cli.run(main)
