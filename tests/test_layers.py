"""The layers of the house: who may import whom, and who may open files."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "wsss_stages"
MATHS = {"labels", "pairwise", "nets", "a2gnn", "rrm", "dfr", "scl"}
BELOW = {
    **dict.fromkeys(sorted(MATHS), MATHS | {"evaluation.metrics"}),
    "store": MATHS,
    "data": MATHS | {"store"},
    "config": {"data", "store"},
    "shards": {"data", "store"},
    "evaluation": MATHS | {"store"},
    "training": MATHS | {"config", "data", "store"},
    "roads": MATHS | {"training", "shards", "config", "evaluation", "data", "store"},
    "stages": MATHS | {"roads", "training", "shards", "config", "evaluation", "data", "store"},
    "commands": MATHS
    | {"stages.cli", "stages.devices", "roads", "training", "shards", "config", "evaluation", "data", "store"},
}
"""What every room may import besides itself: rooms, or single modules of one."""
SHARED = {"stages.cli", "stages.devices"}
"""What stages may import of each other."""
READERS = {
    "open", "read_text", "read_bytes", "write_text", "write_bytes", "imread", "imwrite", "imdecode", "loadtxt", "savetxt",
    "fromfile", "tofile", "memmap", "safe_open", "load_file", "save_file", "File",
}  # fmt: skip
"""Functions and methods that open files, whatever library they are of."""
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
LONGEST_MAIN, LONGEST_NESTED = 40, 5
"""Lines of a stage's `main`, whose work is in roads, and of a function inside another, which no test can reach."""
NESTED = {"pairwise/simd.py"}
"""Files whose nested functions may be longer: kernels that a compiler is given."""
LOADERS = {"np", "numpy", "torch", "json", "yaml", "pickle", "joblib"}
"""Libraries whose `load` opens a file; that of an LLVM builder reads memory."""


def parts_of(module: str) -> list[str]:
    """Return a module's own path below the package, the longest that is a file or a folder."""
    parts = module.split(".")[1:]
    while parts and not (PACKAGE.joinpath(*parts).is_dir() or PACKAGE.joinpath(*parts).with_suffix(".py").exists()):
        parts.pop()
    return parts


def imports(source: str) -> Iterator[str]:
    """Yield the modules of the package that a source imports, whatever form the statement has."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        yield from (".".join(parts_of(name)) for name in names if name.split(".")[0] == "wsss_stages")


def violations(place: str, source: str) -> list[str]:
    """Return the imports of a source that its place in the package, as a2gnn/walk.py, does not allow."""
    room = place.split("/")[0]
    found = []
    for module in imports(source):
        of = module.split(".")[0]
        if room == "stages" and of == "stages":
            allowed = module in SHARED or module == place.removesuffix(".py").replace("/", ".")
        else:
            allowed = of == room or not module or {of, module} & BELOW[room]
        if not allowed:
            found.append(module)
    return found


def readers(source: str) -> list[str]:
    """Return the names of calls in a source that open files."""
    functions = [node.func for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    found = [f.id for f in functions if isinstance(f, ast.Name) and f.id in READERS]
    for f in (f for f in functions if isinstance(f, ast.Attribute)):
        owner = f.value.id if isinstance(f.value, ast.Name) else ""
        if f.attr in READERS or (f.attr == "load" and owner in LOADERS):
            found.append(f.attr)
    return found


FILES = [(str(path.relative_to(PACKAGE)), path) for path in sorted(PACKAGE.rglob("*.py")) if path.parent != PACKAGE]


def test_every_room_has_a_place():
    assert {place.split("/")[0] for place, _ in FILES} == set(BELOW)
    assert {path.stem for path in PACKAGE.glob("*.py")} == {"__init__", "losses", "nn", "pipeline"}


@pytest.mark.parametrize("room", BELOW)
def test_imports_go_one_way_down(room):
    found = {place: violations(place, path.read_text()) for place, path in FILES if place.split("/")[0] == room}
    assert not {place: modules for place, modules in found.items() if modules}


@pytest.mark.parametrize("room", sorted(MATHS))
def test_maths_opens_no_file(room):
    found = {place: readers(path.read_text()) for place, path in FILES if place.split("/")[0] == room}
    assert not {place: names for place, names in found.items() if names}


@pytest.mark.parametrize(
    ("place", "source"),
    [
        ("stages/s4_affinity.py", "from wsss_stages.stages import s3_seeds"),
        ("stages/s4_affinity.py", "import wsss_stages.stages.s3_seeds as seeds"),
        ("a2gnn/walk.py", "import wsss_stages.store.artifacts"),
        ("nets/backbones.py", "from wsss_stages.store import artifacts as a, contracts"),
        ("nets/backbones.py", "def f():\n    from wsss_stages.data.index import Index"),
        ("evaluation/metrics.py", "from wsss_stages.training.loop import fit"),
        ("data/index.py", "from wsss_stages.shards.manifest import Manifest"),
        ("dfr/iteration.py", "from wsss_stages.config.options import Dfr"),
        ("data/few_shot/episodes.py", "from wsss_stages.config.options import SclEpisodes"),
    ],
)
def test_a_wrong_import_is_seen(place, source):
    assert violations(place, source)


@pytest.mark.parametrize(
    "source",
    [
        "with open(path) as f: pass",
        "Image.open(path)",
        "np.load(path)",
        "h5py.File(path)",
        "path.read_bytes()",
        "torch.load(path)",
    ],
)
def test_a_reader_is_seen(source):
    assert readers(source)


def test_files_stay_small():
    for place, path in FILES:
        assert len(path.read_text().splitlines()) <= 330, f"{place} has more than one subject"


def long_functions(place: str, source: str) -> list[str]:
    """Return the functions of a source that are too long for where they stand: `main` of a stage, and nested ones."""
    found = []
    for node in ast.walk(ast.parse(source)):
        nested = [inner for inner in ast.walk(node) if inner is not node] if isinstance(node, FUNCTIONS) else []
        limits = [(inner, LONGEST_NESTED) for inner in nested if isinstance(inner, FUNCTIONS) and place not in NESTED]
        if isinstance(node, FUNCTIONS) and node.name == "main" and place.startswith("stages/"):
            limits.append((node, LONGEST_MAIN))
        found += [f.name for f, limit in limits if (f.end_lineno or 0) - f.lineno + 1 > limit]
    return found


def test_functions_are_short_where_no_test_reaches_them():
    found = {place: long_functions(place, path.read_text()) for place, path in FILES}
    assert not {place: names for place, names in found.items() if names}


@pytest.mark.parametrize(
    ("place", "lines", "long"),
    [
        ("stages/s4_affinity.py", ["def main():"] + ["    pass"] * 39, []),
        ("stages/s4_affinity.py", ["def main():"] + ["    pass"] * 40, ["main"]),
        ("commands/demo.py", ["def main():"] + ["    pass"] * 40, []),
        ("roads/seeds.py", ["def f():", "    def g():"] + ["        pass"] * 4, []),
        ("roads/seeds.py", ["def f():", "    def g():"] + ["        pass"] * 5, ["g"]),
    ],
)
def test_a_long_function_is_seen(place, lines, long):
    assert long_functions(place, "\n".join(lines)) == long
