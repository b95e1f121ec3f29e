"""The English of the package, the benchmarks and the tests: how docstrings begin, words that no text has, and pronouns that are no names."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
OURS = ("wsss_stages", "bench", "tests", "docs")
FIRST_WORDS = {"What", "Whether", "Of", "Its", "How"}
DIALECT = re.compile(r"\b(is|are) told\b")
PRONOUNS = {"its", "told", "there"}


def faults(source: str) -> list[str]:
    """Return the faults of a module, each with its line."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            words = (ast.get_docstring(node) or "").split()
            if words and words[0] in FIRST_WORDS:
                found.append(f"{getattr(node, 'lineno', 1)}: a docstring begins with {words[0]}")
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and DIALECT.search(node.value):
            found.append(f"{node.lineno}: {DIALECT.search(node.value)[0]!r} in a text")
        found += [f"{node.lineno}: {name} is a name" for name in bound(node) if name in PRONOUNS]
    return found


def bound(node: ast.AST) -> list[str]:
    """Return the names that a node binds: variables, fields, arguments, functions, imports."""
    match node:
        case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
            return [name]
        case ast.arg(arg=name) | ast.FunctionDef(name=name) | ast.ClassDef(name=name):
            return [name]
        case ast.alias(name=name, asname=other):
            return [other or name]
    return []


@pytest.mark.parametrize("folder", OURS)
def test_the_code_is_in_plain_english(folder):
    paths = (path for path in (ROOT / folder).rglob("*.py") if path != Path(__file__))
    texts = {str(path.relative_to(ROOT)): faults(path.read_text()) for path in paths}
    assert texts and not {name: found for name, found in texts.items() if found}


@pytest.mark.parametrize(
    "source",
    [
        '"""What a module does."""',
        'def f():\n    """Of images."""',
        'raise ValueError(f"{x} is told")',
        "its = 1",
        "def f(told): ...",
        "[there for there in x]",
        "with f() as told: ...",
        "self.told = 1",
        "from x import there",
    ],
)
def test_faults_are_found(source):
    assert len(faults(source)) == 1
