"""Edges of every image's graph (Eq. 3.14), and the random walk over them, the baseline.

reads   index.json             the shard's images
        s3_seeds MANIFEST      what the random walk spreads: contracts.GRABCUT, SEEDS or SEEDS_FULL
        affinity               weights of s4_affinity
writes  MANIFEST               beside it edges/ID.h5 (contracts.EDGES) and random_walk/ID.png
"""

from wsss_stages import contracts, options
from wsss_stages.stages import cli


def main(argv: list[str] | None = None) -> None:
    paths, opt = cli.parse(
        __doc__,
        options.Graph,
        argv,
        paths={
            "index": "index.json",
            "seeds-manifest": "manifest of s3_seeds, same shard",
            "affinity": "weights of s4_affinity",
            "manifest": "k-of-n.json to write",
        },
        texts={"split": ("train", "split of the index"), "device": ("auto", "auto, cpu, cuda or cuda:N")},
    )
    import numpy as np
    import torch

    from wsss_stages import artifacts
    from wsss_stages.a2gnn.graph import edges
    from wsss_stages.a2gnn.nodes import labels_at_nodes, whole_nodes
    from wsss_stages.a2gnn.pixels import only_where_allowed
    from wsss_stages.data.index import Index
    from wsss_stages.labels.boxes import allowed
    from wsss_stages.labels.random_walk import one_hot, random_walk
    from wsss_stages.models import restore_affinity
    from wsss_stages.nets import backbones
    from wsss_stages.pairwise.windows import offsets
    from wsss_stages.shards import Ahead, Shard, progress
    from wsss_stages.stages import devices

    device = devices.pick(paths.device)
    network, trained = restore_affinity(paths.affinity)
    network.to(device, memory_format=torch.channels_last)
    stride = trained["options"]["stride"]
    window = offsets(trained["options"]["radius"], trained["options"]["window"])
    shard = Shard(
        "s5_graph", (contracts.EDGES, contracts.RANDOM_WALK), Index.read(paths.index), paths.split, paths.manifest,
        opt.model_dump(), [(contracts.ALL[opt.seeds], paths.seeds_manifest)], artifacts.sha256(paths.affinity),
    )  # fmt: skip
    for item, photo in progress(Ahead(shard.todo(), lambda item: item.image), "s5_graph"):
        record = item.record
        image = torch.from_numpy(photo).permute(2, 0, 1)[None].to(device) / 255
        with torch.no_grad():
            E = edges(network(whole_nodes(backbones.normalise(image), stride)), window, opt.threshold)
        seeds = labels_at_nodes(item.read(contracts.ALL[opt.seeds])["label"], stride)
        classes = torch.tensor([0, *record.tags], device=device)
        walked = random_walk(
            one_hot(torch.from_numpy(seeds).to(device), classes), E, window, opt.walk_power, opt.walk_steps
        )
        P = torch.nn.functional.interpolate(walked[None], scale_factor=stride, mode="bilinear")[0]
        P = P[:, : record.height, : record.width].cpu()
        known = allowed(*record.box_arrays(), record.tags, record.height, record.width)
        label = classes.cpu()[only_where_allowed(P, torch.from_numpy(known)).argmax(dim=0)].numpy().astype(np.uint8)
        item.write({"edges": E.cpu().numpy().astype(np.float16), "random_walk": label})
    shard.finish()


if __name__ == "__main__":
    cli.run(main)
