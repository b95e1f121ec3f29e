"""Imports of a stage before its first image: seconds of every job, which a library that it does not need must not add to."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "wsss_stages"
STAGES = sorted(path.stem for path in (PACKAGE / "stages").glob("[rswdt]*.py") if path.stem != "devices")
WITHOUT_TORCH = {
    "data", "s6_instance_masks", "s9_evaluate", "s9_instances", "s9_review", "scl_episodes", "scl_table", "simulate_weak", "summary", "table", "weak_index",
}  # fmt: skip
DRAWING = {"report", "scl_report", "s9_review", "scl_table", "table"}
"""Stages that make pictures with axes."""
DETECTING = {"s7_instances", "s8_detect"}
"""Stages of torchvision's Mask R-CNN."""
NOT_AT_ONCE = {
    "torch_geometric",
    "timm",
    "transformers",
    "pandas",
    "sklearn",
    "networkx",
    "open_clip",
    "scipy.stats",
    "skimage.segmentation",
}


def file_of(module: str) -> Path | None:
    """Return the file of a module of the package, None of another."""
    path = PACKAGE.parent.joinpath(*module.split("."))
    files = (path.with_suffix(".py"), path / "__init__.py")
    return next((file for file in files if module.startswith("wsss_stages") and file.exists()), None)


def imported(nodes: list[ast.stmt]) -> Iterator[str]:
    """Yield the modules that statements import when they are run, those of functions left out."""
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (name for alias in node.names if file_of(name := f"{node.module}.{alias.name}"))
            if node.module in ("skimage", "scipy"):
                yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Try | ast.With):
            yield from imported(node.body)


@cache
def imported_by(file: Path) -> list[str]:
    """Return the modules that a file imports."""
    return [*imported(ast.parse(file.read_text()).body)]


def needed(stage: str) -> dict[str, str]:
    """Return every module that a stage has imported before its first image, and the module that imports it."""
    tree = ast.parse((PACKAGE / "stages" / f"{stage}.py").read_text())
    main = next(node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "main")
    found = dict.fromkeys(imported([*tree.body, *main.body]), stage)
    waiting = list(found)
    while waiting:
        module = waiting.pop()
        if file := file_of(module):
            for name in [module.rsplit(".", 1)[0], *imported_by(file)]:
                if name not in found:
                    found[name] = module
                    waiting.append(name)
    return found


def allowed(stage: str, module: str) -> bool:
    library = module.split(".")[0]
    if any(module == name or module.startswith(f"{name}.") for name in NOT_AT_ONCE):
        return False
    if library == "torch":
        return stage not in WITHOUT_TORCH
    if library == "matplotlib":
        return stage in DRAWING
    return library != "torchvision" or stage in DETECTING


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_imports_no_library_that_it_can_do_without(stage):
    found = needed(stage)
    assert len(found) > 60, "the imports were not seen"
    assert not {name: by for name, by in found.items() if not allowed(stage, name)}


def test_the_libraries_of_a_start_are_those_that_were_read_off_the_files():
    code = (
        "import sys, wsss_stages.evaluation.metrics, wsss_stages.data.index, wsss_stages.labels.prompts;"
        "print(*{'torch', 'scipy', 'skimage', 'matplotlib', 'cv2'} & sys.modules.keys())"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["cv2"]
