"""Pictures and tables of a run for `snakemake --report`: every step on a dozen images, scores, curves, costs.

reads   index.json, the manifests of s2, s3, both s5, s6 and rrm_label, or of s8 on the training images, as far as a variant has them,
        its last network, walk.json of s5_walk, scores.json, curve.json and benchmarks
writes  rows.png  scores.html  confusion.png  curves.png  affinity.html  found.html  substitutions.html  costs.html  in FOLDER
"""

import argparse
import heapq
from pathlib import Path


def main(argv: list[str] | None = None) -> None:
    paths = _parsed(argv)
    from wsss_stages.data.index import Index, stable_hash
    from wsss_stages.roads.report import Report
    from wsss_stages.roads.step_pictures import StepPictures
    from wsss_stages.shards.manifest import Manifest
    from wsss_stages.store import artifacts, provenance
    from wsss_stages.training.networks import restore_segmenter

    provenance.reads(
        paths.index, *paths.manifests, paths.segmenter, *filter(None, [paths.walk]), *paths.scores, *paths.curves
    )
    provenance.writes(paths.folder / "rows.png")
    index = Index.read(paths.index)
    records = heapq.nsmallest(paths.images, index.split("train"), key=lambda r: stable_hash(r.id, "report"))
    manifest = Manifest(paths.manifests, images={record.id for record in records})
    window = next((made for made in manifest.options if "offset" in made), None)
    segmenter, _ = restore_segmenter(paths.segmenter)
    report = Report(index, paths.folder)
    report.steps(records, StepPictures(index, manifest, window, segmenter))
    scores = [artifacts.read_sealed(path) for path in paths.scores]
    report.scores(scores)
    report.curves([artifacts.read_sealed(path) for path in paths.curves])
    report.affinity(scores, artifacts.read_sealed(paths.walk) if paths.walk else None)
    report.found()
    report.substitutions(manifest.notes)
    report.costs(paths.benchmarks)


def _parsed(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--index", type=Path, required=True, help="index.json")
    parser.add_argument(
        "--manifests",
        type=Path,
        nargs="+",
        required=True,
        help="manifests (k-of-n.json) of s2, s3, s5, s6, rrm_label, s8, training split",
    )
    parser.add_argument("--segmenter", type=Path, required=True, help="weights of s7_segment, rrm_train or dfr_train")
    parser.add_argument("--walk", type=Path, help="walk.json of s5_walk, if it chose the random walk")
    parser.add_argument("--scores", type=Path, nargs="+", required=True, help="scores.json files")
    parser.add_argument("--curves", type=Path, nargs="+", required=True, help="curve.json files, in order")
    parser.add_argument("--benchmarks", type=Path, nargs="+", required=True, help="Snakemake's benchmark files")
    parser.add_argument("--images", type=int, default=12, help="rows of the picture (default 12)")
    parser.add_argument("--folder", type=Path, required=True, help="where to write")
    return parser.parse_args(argv)


if __name__ == "__main__":
    from wsss_stages.stages import cli

    cli.run(main)
