"""The output of `make demo` at its end."""

import pytest

from tests.messages import lacking
from wsss_stages.stages import summary
from wsss_stages.store import artifacts


def test_every_label_map_with_its_score(toy, capsys):
    summary.main(["--results", str(toy.root)])
    printed = capsys.readouterr().out
    scores = toy.read(toy.root / "s9_evaluate" / "train" / "scores.json")
    line = next(text for text in printed.splitlines() if "pseudo" in text)
    assert f"{100 * scores['rows']['pseudo']['miou']:.1f} %" in line and "report.html" in printed


def test_without_truth_it_says_so(tmp_path, capsys):
    artifacts.write_sealed(tmp_path / "scores.json", {"images": 0, "rows": {"boxes": {"miou": None}}})
    summary.main(["--results", str(tmp_path)])
    assert not lacking(capsys.readouterr().out, "no truth")


def test_it_needs_a_folder(capsys):
    with pytest.raises(SystemExit):
        summary.main([])
    assert "--results" in capsys.readouterr().err
