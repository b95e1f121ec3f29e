"""The three layers of the house: maths sees arrays, storage sees files, stages alone see command lines and paths."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "wsss_stages"
MATHS = ("labels", "pairwise", "a2gnn", "rrm", "dfr", "scl")
STORAGE = (
    "artifacts",
    "seals",
    "locks",
    "tidying",
    "pruning",
    "shard_by_shard",
    "manifests",
    "provenance",
    "lineage",
    "contracts",
    "shards",
    "tensor_files",
    "training",
    "data",
    "models",
)


def imports(path):
    """Modules of ours that a file imports, without the package's name."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("wsss_stages"):
            module = node.module.removeprefix("wsss_stages").lstrip(".")
            yield from ([module] if module else [alias.name for alias in node.names])


@pytest.mark.parametrize("folder", MATHS)
def test_maths_opens_no_file_and_knows_no_stage(folder):
    for path in (PACKAGE / folder).glob("*.py"):
        for module in imports(path):
            assert module.split(".")[0] not in (*STORAGE, "stages"), f"{path.name} imports {module}"
        assert "open(" not in path.read_text(), path


def test_nothing_below_the_stages_knows_them():
    above = {PACKAGE / "inspect.py", *(PACKAGE / "plan").glob("*.py")}  # commands that use them
    for path in PACKAGE.rglob("*.py"):
        if path.parent.name != "stages" and path not in above:
            assert not any(m.split(".")[0] == "stages" for m in imports(path)), path


def test_no_stage_imports_another():
    shared = {"stages", "stages.cli", "stages.devices"}  # `from wsss_stages.stages import cli` reads as "stages"
    for path in (PACKAGE / "stages").glob("*.py"):
        of_stages = {m for m in imports(path) if m.split(".")[0] == "stages"}
        assert of_stages <= shared, path


def test_files_stay_small():
    for path in PACKAGE.rglob("*.py"):
        assert len(path.read_text().splitlines()) <= 330, f"{path} has more than one subject"
