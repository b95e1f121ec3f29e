"""Train an A²GNN on every image's seeds and write its pseudo label (Eqs. 3.15-3.28).

reads   WEAK/index.json        the shard's images and boxes
        s3_seeds MANIFEST      node labels: contracts.GRABCUT, SEEDS, SEEDS_FULL or EXPANDED
        s5_graph MANIFEST      contracts.EDGES; contracts.WALK for --walk-share
        s5_object_masks MANIFEST  contracts.OBJECTS, for --objects-share
        affinity               weights of s4_affinity, for the node features
writes  MANIFEST               beside it PNGs per image: graph_label (before the CRF), pseudo (after it), confidence
"""

from wsss_stages.config import options
from wsss_stages.stages import cli
from wsss_stages.store import contracts

SUPERPIXELS, COMPACTNESS = 400, 10.0
"""Nodes of an image for --nodes superpixels, about, and how square they are."""
NODES_ON_GPU = 30_000
"""Nodes trained at once where nothing else is asked for; on a CPU one image is fastest, for it stays in the cache."""


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
            "affinity": "weights of s4_affinity",
            "manifest>": "k-of-n.json to write",
        },
        texts={"split": ("train", "split of the index"), "device": ("auto", "auto, cpu, cuda or cuda:N")},
    )
    import numpy as np
    import torch

    from wsss_stages import UNKNOWN
    from wsss_stages.a2gnn import graph as graphs
    from wsss_stages.a2gnn import nodes, object_masks, pixels
    from wsss_stages.a2gnn.kept_boxes import keep_objects, without_object
    from wsss_stages.a2gnn.propagate import Graph, Settings, Trained, train
    from wsss_stages.a2gnn.tight_boxes import touch_all_sides
    from wsss_stages.data.index import Index, stable_hash
    from wsss_stages.labels.boxes import allowed
    from wsss_stages.labels.crf import CrfSettings, DenseCrf
    from wsss_stages.labels.enlarge import in_window, most_likely
    from wsss_stages.labels.superpixels import superpixels
    from wsss_stages.nets import backbones
    from wsss_stages.nets.grid import PIXELS, labels_at_nodes, onto
    from wsss_stages.pairwise.windows import offsets
    from wsss_stages.shards.shard import Shard
    from wsss_stages.stages import devices
    from wsss_stages.store import artifacts
    from wsss_stages.store.check_finite import finite
    from wsss_stages.store.prefetch import Prefetch
    from wsss_stages.store.progress import progress
    from wsss_stages.training.networks import restore_affinity

    device = devices.pick(paths.device)
    index = Index.read(paths.index).some(paths.split, opt.images)
    network, trained = restore_affinity(paths.affinity)
    network.to(device, memory_format=torch.channels_last)
    stride = trained["options"]["stride"]
    window = offsets(trained["options"]["radius"], trained["options"]["window"])
    made = (contracts.GRAPH_LABEL, contracts.PSEUDO, contracts.CONFIDENCE)
    if opt.objects_share > 0 and paths.objects is None:
        raise ValueError(
            f"--objects-share {opt.objects_share} needs --objects, a manifest of s5_object_masks; found none. "
            "--objects-share 0 does without"
        )
    reads = [(contracts.EDGES, paths.graph), (contracts.ALL[opt.seeds], paths.seeds_manifest)]
    if opt.grabcut_share > 0:
        reads.append((contracts.GRABCUT, paths.seeds_manifest))
    if opt.walk_share > 0:
        reads.append((contracts.WALK, paths.graph))
    if opt.objects_share > 0:
        reads.append((contracts.OBJECTS, paths.objects))
    shard = Shard(
        "s6_propagate",
        made,
        index,
        paths.split,
        paths.manifest,
        opt.model_dump(exclude={"images"}),
        reads,
        artifacts.sha256(paths.affinity),
    )

    def classes_of(record):
        return [0, *record.tags] if opt.restrict_classes else list(range(len(index.classes)))

    def objects_of(item) -> torch.Tensor:
        """Class probabilities by the soft masks of the boxes."""
        boxes, box_classes = item.record.box_arrays()
        classes = classes_of(item.record)
        P = object_masks.unpack(item.read(contracts.OBJECTS)["P"], boxes)
        return object_masks.merge(P, boxes, nodes.rows_of(box_classes, classes), len(classes), *item.size)

    def walk_of(item) -> torch.Tensor:
        """Class probabilities by the random walk; where it brings nothing, those of background."""
        scores = torch.from_numpy(item.read(contracts.WALK)["P"]).float()
        rows = nodes.rows_of(np.array([0, *item.record.tags]), classes_of(item.record))
        P = torch.zeros(len(classes_of(item.record)), *scores.shape[1:]).index_copy(0, rows, scores)
        return pixels.normalised(pixels.enlarged(P, network.grid, *item.size))

    @torch.no_grad()
    def graph_of(item, photo: np.ndarray) -> Graph:
        record, seed = item.record, stable_hash(item.id, "s6_propagate", opt.seed)
        image = torch.from_numpy(photo).permute(2, 0, 1)[None].to(device) / 255
        image = nodes.whole_nodes(backbones.normalise(image), stride)
        E = torch.from_numpy(item.read(contracts.EDGES)["E"]).float()
        h, w = E.shape[1:]
        X = graphs.node_features(network.maps(image))
        finite(X, "the node features", "s6_propagate", item.id, "s4_affinity")
        if opt.features:
            X = graphs.principal(X, opt.features)
        classes = classes_of(record)
        seeds = labels_at_nodes(item.read(contracts.ALL[opt.seeds])["label"], network.grid)
        boxes, box_classes = record.box_arrays()
        return Graph(
            item.id,
            X.view(h, w, -1),
            E.to(device),
            onto(image, PIXELS, network.grid, (h, w))[0],
            nodes.rows_of(seeds, classes).to(device),
            torch.from_numpy(nodes.boxes_at_nodes(boxes, network.grid, h, w)).to(device),
            nodes.rows_of(box_classes, classes).to(device),
            len(classes),
            seed,
            parts_of(photo, h, w) if opt.nodes == "superpixels" else None,
        )

    def parts_of(photo: np.ndarray, h: int, w: int) -> torch.Tensor:
        """Superpixel of each node, numbered without gaps; padding belongs to the last row's and column's."""
        parts = labels_at_nodes(superpixels(photo, SUPERPIXELS, COMPACTNESS), network.grid)
        parts = np.pad(parts, ((0, h - parts.shape[0]), (0, w - parts.shape[1])), mode="edge")
        numbers = np.unique(parts, return_inverse=True)[1].reshape(h, w)
        return torch.from_numpy(numbers).to(device)

    def finish(item, photo: np.ndarray, found: Trained | None) -> None:
        record, classes = item.record, classes_of(item.record)
        h, w = record.height, record.width
        full_size = record.full_height, record.full_width
        ids = np.array(classes, np.uint8)
        P = walk_of(item).to(device) if found is None else pixels.probabilities(found.logits, network.grid, h, w)
        finite(P, "the graph network's scores", "s6_propagate", item.id, "s4_affinity")
        boxes, box_classes = record.box_arrays()
        known = None
        if opt.classes_in_boxes and record.all_boxed:
            known = torch.from_numpy(allowed(boxes, box_classes, classes[1:], h, w)).to(device)
        tight = torch.from_numpy(boxes), nodes.rows_of(box_classes, classes), opt.tight_share
        if known is not None:
            P = pixels.only_where_allowed(P, known)
        graph_label = ids[most_likely(P, *full_size)[0].cpu().numpy()]
        if opt.grabcut_share > 0:
            P = pixels.mix(
                P, nodes.rows_of(item.read(contracts.GRABCUT)["label"], classes).to(device), opt.grabcut_share
            )
        if opt.objects_share > 0 and record.all_boxed:
            P = (1 - opt.objects_share) * P + opt.objects_share * objects_of(item).to(device)
        if opt.walk_share > 0:
            P = (1 - opt.walk_share) * P + opt.walk_share * walk_of(item).to(device)
        P = finite(touch_all_sides(P, *tight), "the class probabilities", "s6_propagate", item.id, "s4_affinity")
        crf = DenseCrf(photo, **opt.crf.fill(CrfSettings).kernels(), device=device)
        Q = crf.infer(P[None], opt.crf.iterations, item.id)[0]
        finite(Q, "the CRF's probabilities", "s6_propagate", item.id, "s4_affinity")
        if known is not None:
            Q = pixels.only_where_allowed(Q, known)
        Q = touch_all_sides(Q, *tight)
        row, confidence = most_likely(Q, *full_size)
        label, confidence = ids[row.cpu().numpy()], confidence.clamp(0, 1).cpu().numpy()
        own = [
            in_window(Q[row], *full_size, box).clamp(0, 1).cpu().numpy()
            for row, box in zip(tight[1].tolist(), record.full_boxes().tolist(), strict=True)
        ]
        full_boxes = record.full_boxes(), box_classes
        notes = {"boxes_without_object_before": without_object(label, *full_boxes)}
        label, confidence = keep_objects(label, confidence, own, *full_boxes, opt.keep_share, opt.tight_share)
        notes["boxes_without_object"] = without_object(label, *full_boxes)
        if record.truth_sha256:
            truth = record.truth_labels(index.root)
            known = truth != UNKNOWN
            label[known], confidence[known] = truth[known], 1
        confidence = (confidence * 65535).round().astype(np.uint16)
        if found is not None:
            notes |= {"object_seeds": found.object_seeds, "object_seeds_inconsistent": found.inconsistent}
        item.write({"graph_label": graph_label, "pseudo": label, "confidence": confidence}, notes)

    uses_graph, settings = opt.walk_share < 1, opt.fill(Settings)
    limit = opt.batch_nodes or (1 if device == "cpu" else NODES_ON_GPU)
    batches = shard.batches(lambda r: -(-r.height // stride) * -(-r.width // stride), limit)
    for batch, photos in progress(
        Prefetch(batches, lambda batch: [item.image for item in batch]), "s6_propagate (batches)"
    ):
        graphs_of_batch = [graph_of(item, photo) for item, photo in zip(batch, photos, strict=True) if uses_graph]
        networks = train(graphs_of_batch, window, settings) if uses_graph else [None] * len(batch)
        for item, photo, its in zip(batch, photos, networks, strict=True):
            if not item.done:
                finish(item, photo, its)
    shard.finish()


if __name__ == "__main__":
    cli.run(main)
