"""Pictures and tables of a run for `snakemake --report`: what every step did to a dozen images, scores, curves, costs.

reads   index.json, the manifests of s2, s3, both s5, s6 and rrm_label, or of s8 on the training images, as far as a variant has them,
        its last network, walk.json of s5_walk, scores.json, curve.json and benchmarks
writes  rows.png  scores.html  confusion.png  curves.png  affinity.html  found.html  substitutions.html  costs.html  in FOLDER
"""

import argparse
import heapq
from pathlib import Path

FOUND = (
    "What the index took from the dataset's folder, what it took otherwise than it lay there, and what it left out; the last "
    "column names the first images or files."
)
AFFINITY = (
    "Mean edge between nodes that touch by a side, across outlines and inside them: of the true labels, and of the seeds on images "
    "that the affinity CNN did not learn from. Below, the walks that one was chosen of, by the mean IoU of seeds hidden from them."
)
USED = {"train": "learn from", "val": "validate on"}
"""What the images of a split are for."""


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--index", type=Path, required=True, help="index.json")
    parser.add_argument(
        "--manifests", type=Path, nargs="+", required=True, help="of s2, s3, s5, s6, rrm_label, s8, training split"
    )
    parser.add_argument("--segmenter", type=Path, required=True, help="weights of s7_segment, rrm_train or dfr_train")
    parser.add_argument("--affinity", type=Path, help="weights of s4_affinity, for its window, where there are edges")
    parser.add_argument("--walk", type=Path, help="walk.json of s5_walk, where it chose the random walk")
    parser.add_argument("--scores", type=Path, nargs="+", required=True, help="scores.json files")
    parser.add_argument("--curves", type=Path, nargs="+", required=True, help="curve.json files, in order")
    parser.add_argument("--benchmarks", type=Path, nargs="+", required=True, help="Snakemake's benchmark files")
    parser.add_argument("--images", type=int, default=12, help="rows of the picture (default 12)")
    parser.add_argument("--folder", type=Path, required=True, help="where to write")
    paths = parser.parse_args(argv)

    import cv2
    import numpy as np
    import torch

    from wsss_stages import training
    from wsss_stages.data.index import Index, stable_hash
    from wsss_stages.evaluation import figures
    from wsss_stages.labels.cam import enlarge
    from wsss_stages.nets import backbones
    from wsss_stages.nets.segmenter import multi_scale
    from wsss_stages.pairwise.windows import offsets
    from wsss_stages.shards.manifest import Manifest
    from wsss_stages.store import artifacts, contracts, provenance
    from wsss_stages.training.networks import restore_segmenter

    provenance.reads(
        paths.index, *paths.manifests, paths.segmenter, *filter(None, [paths.walk]), *paths.scores, *paths.curves
    )
    provenance.writes(paths.folder / "rows.png")
    index = Index.read(paths.index)
    records = heapq.nsmallest(paths.images, index.split("train"), key=lambda r: stable_hash(r.id, "report"))
    manifest = Manifest(paths.manifests, images={record.id for record in records})
    window = training.read_provenance(paths.affinity)["options"] if paths.affinity else None
    segmenter, _ = restore_segmenter(paths.segmenter)
    paths.folder.mkdir(parents=True, exist_ok=True)

    def save(figure, name: str) -> None:
        with artifacts.whole(paths.folder / name) as partial:
            figure.savefig(partial, dpi=110, format="png")
        figures.plt.close(figure)

    def write(text: str, name: str) -> None:
        with artifacts.whole(paths.folder / name) as partial:
            partial.write_text(text)

    made = manifest.made
    mined = {"CAM and CRF M_I": contracts.CAM_LABEL} if contracts.PSEUDO.name not in made else {}
    by_kind = {
        **mined,
        "GrabCut M_B": contracts.GRABCUT,
        "superpixels M_P" if index.weak == "point" else "superpixels M_S": contracts.EXPANDED,
        "seeds M_g": contracts.SEEDS,
        "soft masks": contracts.OBJECT_LABEL,
    }
    propagated = {
        "A²GNN": contracts.GRAPH_LABEL,
        "pseudo label": contracts.PSEUDO,
        "RRM": contracts.RRM_BRANCH,
        "RRM and CRF": contracts.RRM_LABEL,
    }

    def nodes(record, pseudo: np.ndarray) -> list[tuple[int, int]]:
        """x, y of the middles of the three largest boxes, or of the deepest pixel of up to three classes."""
        if record.boxes:
            largest = sorted(record.boxes, key=lambda b: (b[2] - b[0]) * (b[3] - b[1]), reverse=True)[:3]
            return [((x0 + x1) // 2, (y0 + y1) // 2) for x0, y0, x1, y1 in largest]
        pseudo = cv2.resize(pseudo, (record.width, record.height), interpolation=cv2.INTER_NEAREST)
        depths = [cv2.distanceTransform(np.uint8(pseudo == c), cv2.DIST_L2, 3) for c in record.tags[:3]]
        deepest = [np.unravel_index(d.argmax(), d.shape) for d in depths if d.max() > 0]
        return [(int(x), int(y)) for y, x in deepest]

    def row(record) -> dict:
        image = record.image(index.root)
        h, w = image.shape[:2]

        def labels(contracts):
            """Pictures of the label maps that there are."""
            return {
                title: figures.over(image, manifest.read(record.id, contract)["label"])
                for title, contract in contracts.items()
                if contract.name in made
            }

        def edges() -> dict:
            if window is None:
                return {}
            E = manifest.read(record.id, contracts.EDGES)["E"]
            middles = nodes(record, manifest.read(record.id, contracts.PSEUDO)["label"])
            around = offsets(window["radius"], window["window"])
            return {"edges of 3 nodes": figures.node_edges(image, E, around, window["stride"], middles)}

        def cam() -> dict:
            if contracts.CAM.name not in made:
                return {}
            strength = enlarge(manifest.read(record.id, contracts.CAM)["cam"], h, w)
            return {"CAM": figures.heat(image, strength.max(axis=0)) if len(strength) else None}

        tensor = torch.from_numpy(image).permute(2, 0, 1)[None] / 255
        prediction = multi_scale(segmenter, backbones.normalise(tensor), [1.0], False).argmax(dim=0).numpy()
        truth = record.truth_labels(index.root)
        weak = figures.with_marks(image, index.scribble_labels(record), record.points)
        return {
            "weak labels": figures.with_boxes(weak, record.boxes, record.box_classes),
            **cam(),
            **labels(by_kind),
            **edges(),
            **labels(propagated),
            "segmenter": figures.over(image, prediction.astype("uint8")),
            "truth": None if truth is None else figures.over(image, truth),
        }

    rows = [row(record) for record in records]
    there = sorted({c for r in records for c in r.tags})
    names = [r.id if len(r.id) < 22 else f"…{r.id[-20:]}" for r in records]
    pictures = [list(cells.values()) for cells in rows]
    save(figures.rows_figure(list(rows[0]), pictures, names, {c: index.classes[c] for c in there}), "rows.png")

    scores = [artifacts.read_sealed(path) for path in paths.scores]
    table = [
        [
            f"{s['split']}: {name}",
            s["images"],
            *(_percent(r[k]) for k in ("miou", "miou_frequent", "boundary_iou", "unknown")),
            *map(_percent, r["iou"].values()),
        ]
        for s in scores
        for name, r in s["rows"].items()
    ]
    note = "IoU in per cent; pixels that a label map leaves unknown count as background. `boxes`: boxes filled with their class."
    write(
        figures.html_table(
            "Scores",
            note,
            ["labels", "images", "mIoU", "mIoU of frequent", "boundary IoU", "unknown", *index.classes],
            table,
        ),
        "scores.html",
    )
    finals = [contract.name for contract in (contracts.PREDICTION, *contracts.FINAL)]
    last, shown = next(
        (s, s["rows"][name]) for name in finals for s in scores if name in s["rows"]
    )  # an empty split has none
    title = f"{last['split']}, {last['images']} images: share of true pixels, %"
    save(figures.confusion_figure(np.array(shown["confusion"]), index.classes, title), "confusion.png")
    save(figures.curves_figure([artifacts.read_sealed(path) for path in paths.curves]), "curves.png")
    chosen = artifacts.read_sealed(paths.walk) if paths.walk else None
    header = ["what", "across outlines", "inside", "pairs across, or walk", "mIoU %"]
    write(
        figures.html_table("Affinity and random walk", AFFINITY, header, affinity_rows(scores, chosen)), "affinity.html"
    )
    write(
        figures.html_table("What was found in your folder", FOUND, ["what", "how often", "first"], found(index)),
        "found.html",
    )
    note = "Where a step could not work on what it was given, this is what it did instead; and how much the confident seeds cover."
    write(
        figures.html_table("Substitutions", note, ["what", "how often"], substitutions(manifest.notes)),
        "substitutions.html",
    )
    note = (
        "Wall seconds summed over shards and the largest peak of resident memory of a job, as Snakemake measured them."
    )
    write(
        figures.html_table("Costs", note, ["stage", "jobs", "seconds", "peak memory, MB"], costs(paths.benchmarks)),
        "costs.html",
    )


def found(index) -> list[list]:
    """Return one row per note of the importer: what, how often, the first names; and how many images there are."""
    rows = [[f"images to {verb}", len(index.splits[split]), ""] for split, verb in USED.items()]
    return rows + [[text, note.count, ", ".join(note.names)] for text, note in sorted(index.notes.items())]


def affinity_rows(scores: list[dict], chosen: dict | None) -> list[list]:
    """Return a row for the outlines of true labels and of seeds, and one for every walk that s5_walk chose of."""
    known = [(f"{s['split']}: truth", s["outlines"]) for s in scores if s.get("outlines", {}).get("pairs_inside")]
    known += [("seeds", chosen["outlines"])] if chosen else []
    rows: list[list] = [
        [name, *(v and f"{v:.3f}" for v in (o["across"], o["inside"])), o["pairs_across"], None] for name, o in known
    ]
    for one in chosen["agreements"] if chosen else []:
        mark = " (chosen)" if (one["power"], one["steps"]) == (chosen["power"], chosen["steps"]) else ""
        walk = f"power {one['power']:g}, {one['steps']} steps{mark}"
        rows.append(["random walk", None, None, walk, _percent(one["miou"])])
    return rows


def substitutions(notes: dict[str, int]) -> list[list]:
    """Return one row per note of the stages, and of what s3_seeds counted the shares of `labels.levels`, in per cent."""
    from wsss_stages.labels import levels

    counted = {name.removeprefix(levels.NOTE): n for name, n in notes.items() if name.startswith(levels.NOTE)}
    rows = [[name, n] for name, n in sorted(notes.items()) if not name.startswith(levels.NOTE)]
    found = levels.shares(counted) if counted else {}
    return rows + [[f"{levels.NOTE}{name}, %", 100 * share] for name, share in found.items()]


def costs(benchmarks: list[Path]) -> list[list]:
    """One row per stage of Snakemake's benchmark files: jobs, seconds in sum, largest resident memory in MB."""
    import csv

    from wsss_stages.config.variants import STAGES

    known = {"data", "s1_classifier", "s2_cam", *STAGES}
    stages: dict[str, list] = {}
    for path in benchmarks:
        with open(path) as file:
            (measured,) = list(csv.DictReader(file, delimiter="\t"))
        stage = next(name for part in path.parts if (name := part.removesuffix(".tsv")) in known)
        found = stages.setdefault(stage, [stage, 0, 0.0, 0.0])
        found[1] += 1
        found[2] += float(measured["s"])
        found[3] = max(found[3], float(measured["max_rss"]) if measured["max_rss"] not in ("-", "NA") else 0.0)
    return [stages[stage] for stage in sorted(stages)]


def _percent(share: float | None) -> float | None:
    return None if share is None else 100 * share


if __name__ == "__main__":
    from wsss_stages.stages import cli

    cli.run(main)
