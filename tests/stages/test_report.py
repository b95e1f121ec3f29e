"""The report of a run of which some splits are empty."""

import json

from wsss_stages.stages import report
from wsss_stages.store import artifacts


def test_a_folder_without_validation_images_has_a_report(toy, tmp_path):
    """Predictions are scored on no image at all, so the labels of the training images are shown."""
    scored = toy.root / "s9_evaluate" / "train" / "scores.json"
    nothing = tmp_path / "scores.json"
    artifacts.write_sealed(nothing, {"split": "val", "images": 0, "images_without_truth": 0, "rows": {}, "notes": {}})
    assert "prediction" not in json.loads(scored.read_text())["rows"]
    benchmark = tmp_path / "benchmarks" / "s3_seeds" / "train" / "1-of-1.tsv"
    benchmark.parent.mkdir(parents=True)
    benchmark.write_text("s\th:m:s\tmax_rss\n12.5\t0:00:12\t300.0\n")
    manifests = [toy.manifest(stage) for stage in ("s2_cam", "s3_seeds", "s5_graph", "s6_propagate")]
    argv = (
        "--index", toy.index, "--manifests", *manifests, "--segmenter", toy.segmenter,
        "--scores", scored, nothing, "--curves", toy.classifier.with_name("curve.json"), "--benchmarks", benchmark,
        "--images", 1, "--folder", tmp_path / "report",
    )  # fmt: skip
    report.main([str(a) for a in argv])
    assert (tmp_path / "report" / "confusion.png").exists()
    page = (tmp_path / "report" / "scores.html").read_text()
    assert "<td>val" not in page and "val.txt" in page
