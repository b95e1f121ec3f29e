"""The command of corrections: what it prints, what it writes into wsss.yaml, and what it refuses."""

import numpy as np
import pytest
import yaml
from PIL import Image

from tests.messages import lacking, raises
from wsss_stages.commands import corrections as command
from wsss_stages.data.corrections.kept import Kept
from wsss_stages.data.importers.voc import import_voc


@pytest.fixture
def results(voc, tmp_path):
    folder = tmp_path / "results" / "mine"
    import_voc("mine", voc.root).write(folder / "index.json")
    (tmp_path / "masks").mkdir()
    Image.fromarray(np.pad(np.uint8([[1]]), ((5, 10), (4, 15)))).save(tmp_path / "masks/a.png")
    return folder


def run(*words):
    command.main([str(word) for word in words])


def test_corrections_are_kept_and_the_configuration_names_them(results, tmp_path, capsys):
    config = results / "wsss.yaml"
    config.write_text("# made by a program\nweak: box\ndata:\n  kind: voc\n")
    run(results, "--corrections", tmp_path / "masks", "--who", "Ada")
    assert not lacking(capsys.readouterr().out, "corrections of 1 images", "read as masks", "1 of 1", "wsss.yaml")
    assert config.read_text().startswith("# made by a program\n")
    assert yaml.safe_load(config.read_text()) == {
        "weak": "box",
        "data": {"kind": "voc", "corrections": str(results / "corrections")},
    }
    assert Kept.read(results / "corrections").entries["a"].who == "Ada"
    config.write_text("- a list")
    with raises(ValueError, "wsss.yaml", "no sections"):
        run(results, "--corrections", tmp_path / "masks")


def test_a_correction_is_forgotten_again(results, tmp_path, capsys):
    run(results, "--corrections", tmp_path / "masks")
    run(results, "--drop", "a")
    assert not lacking(capsys.readouterr().out, "1 corrections forgotten, 0 kept", "data: ... corrections")
    assert not Kept.read(results / "corrections").entries and not list((results / "corrections/masks").iterdir())
    with raises(ValueError, "a", "--drop"):
        run(results, "--drop", "a")


def test_wrong_folders_are_named(results, tmp_path, capsys):
    with raises(ValueError, "found no results", "wsss run"):
        run(results.parent, "--corrections", tmp_path / "masks")
    with pytest.raises(SystemExit):
        run(results)
    assert "--drop" in capsys.readouterr().err
