"""Registries: a module in a folder is all that a new thing takes, and options name what there is."""

import subprocess
import sys
from typing import get_args

import pytest

from wsss_stages.config import options
from wsss_stages.data.importers.kinds import KINDS
from wsss_stages.nets.families import FAMILIES
from wsss_stages.nets.heads import HEADS
from wsss_stages.nets.registry import Registry
from wsss_stages.roads.mask_sources import MASK_SOURCES


@pytest.fixture
def package(tmp_path, monkeypatch):
    folder = tmp_path / "some_letters"
    folder.mkdir()
    (folder / "__init__.py").write_text("from wsss_stages.nets.registry import Registry\nFOUND = Registry(__name__)\n")
    (folder / "one.py").write_text(
        "from some_letters import FOUND\n@FOUND.register('a', 'b')\ndef letter(): return 1\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    yield folder
    for name in [name for name in sys.modules if name.split(".")[0] == "some_letters"]:
        del sys.modules[name]


def test_a_module_more_is_a_name_more(package):
    (package / "two.py").write_text("from some_letters import FOUND\n@FOUND.register('c')\ndef letter(): return 2\n")
    import some_letters

    assert "some_letters.two" not in sys.modules, "modules wait until a name is looked up"
    assert {name: made() for name, made in some_letters.FOUND.items()} == {"a": 1, "b": 1, "c": 2}
    assert "d" not in some_letters.FOUND and None not in some_letters.FOUND and len(some_letters.FOUND) == 3


def test_a_name_that_is_taken_is_refused():
    registry = Registry("letters")
    registry.register("a")(1)
    with pytest.raises(ValueError, match=r"letters: found 'a' a second time.*Rename"):
        registry.register("a")(2)


def test_options_name_what_is_registered():
    assert set(get_args(options.Segment.model_fields["head"].annotation)) == set(HEADS)
    assert set(get_args(options.Data.model_fields["kind"].annotation)) == set(KINDS)
    assert set(get_args(options.Masks.model_fields["source"].annotation)) == set(MASK_SOURCES)
    described = options.Classifier.model_fields["backbone"].description
    assert all(name.removeprefix("resnet") in described for name in FAMILIES if name != "resnet34")


@pytest.mark.parametrize(
    "code",
    [
        "from wsss_stages.nets.families import FAMILIES; list(FAMILIES)",
        "from wsss_stages.nets.heads import HEADS; list(HEADS)",
        "from wsss_stages.data.importers.kinds import KINDS; list(KINDS)",
    ],
)
def test_names_are_known_without_torchvision_and_timm(code):
    asked = f"import sys; {code}; sys.exit(bool({{'torchvision', 'timm', 'skimage'}} & set(sys.modules)))"
    assert not subprocess.run([sys.executable, "-c", asked]).returncode
