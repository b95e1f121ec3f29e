"""The documentation: what is generated is complete, links lead somewhere, snippets run, messages are the code's."""

import ast
import importlib
import importlib.util
import itertools
import re
import tomllib
from operator import attrgetter
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import yaml
from packaging.requirements import Requirement

from wsss_stages.config.options import SECTIONS, Run
from wsss_stages.store import contracts

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.glob("*.md"))
CARDS = sorted((DOCS / "cards").glob("*.md"))


@pytest.fixture(scope="module")
def generate():
    spec = importlib.util.spec_from_file_location("generate", DOCS / "generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def nav(entries: list) -> list[str]:
    """Return the pages of a navigation."""
    return [
        page
        for entry in entries
        for value in entry.values()
        for page in ([value] if isinstance(value, str) else nav(value))
    ]


def anchors(text: str) -> set[str]:
    """Return the anchors of a page's headings, as mkdocs and GitHub make them."""
    titles = re.findall(r"^#+ (.*)$", text, re.M)
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in titles}


def test_every_option_stands_on_the_page_with_its_default(generate):
    page = generate.options()
    chapters = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", page, re.M | re.S))
    assert set(SECTIONS) <= set(chapters)
    for name, section in SECTIONS.items():
        for option, value in section().model_dump().items():
            names = [f"{option}.{inner}" for inner in value] if isinstance(value, dict) else [option]
            assert all(f"| `{inner}` |" in chapters[name] for inner in names), (name, option)
    assert all(f"| `{name}` |" in page for name in Run.model_fields)


def test_a_default_and_its_bounds_are_the_code_s(generate):
    row = next(line for line in generate.options().splitlines() if line.startswith("| `keep` |"))
    assert row.split(" | ")[1:3] == ["a number above 0, at most 1", "`0.4`"]


def test_every_stage_and_artifact_stands_on_the_page(generate):
    scripts = {path.stem for path in (ROOT / "wsss_stages" / "stages").glob("*.py")}
    helpers = {"__init__", "cli", "devices", "summary"}
    reading = {
        s
        for s in scripts - helpers
        if "\nreads " in (ast.get_docstring(ast.parse((ROOT / f"wsss_stages/stages/{s}.py").read_text())) or "")
    }
    assert set(generate.STAGES) == reading
    page, table = generate.stages(), generate.artifacts()
    assert re.findall(r"^### (\w+)$", page, re.M) == generate.STAGES
    for contract in contracts.ALL.values():
        assert f"`{contract.name}/ID{contract.suffix}` | `{contract.made_by}`" in table
        assert contract.made_by in generate.STAGES


def test_every_variant_and_table_stands_on_the_page(generate):
    variants = yaml.safe_load((ROOT / "config.yaml").read_text())["variants"]
    tables = yaml.safe_load((ROOT / "workflow" / "tables.yaml").read_text())
    assert all(f"| `{name}` |" in generate.variants() for name in variants)
    assert all(f"| `{name}` |" in generate.tables() for name in {**tables["tables"], **tables["few_shot"]["tables"]})


def test_every_subcommand_stands_on_the_page_with_its_examples(generate):
    page = generate.commands()
    for name, command in generate.COMMANDS.items():
        assert f"| [`wsss {name}`](#wsss-{name}) | {command.does} |" in page
        chapter = page.partition(f"## wsss {name}\n")[2].partition("\n## ")[0]
        assert f"```bash\nwsss {name} " in chapter and chapter.count("```") % 2 == 0


def test_an_unknown_part_is_an_error(generate):
    assert generate.filled("a\n\n<!-- generated: kinds -->\n").startswith("a\n\n| weak |")
    with pytest.raises(ValueError, match="nothing"):
        generate.filled("<!-- generated: nothing -->")


def test_cells_cannot_break_a_table(generate):
    assert generate.table(("a", "b"), [("x|y", "1\n2")]).splitlines()[-1] == "| x\\|y | 1 2 |"


def test_the_readme_is_short():
    assert len((ROOT / "README.md").read_text().splitlines()) <= 90


@pytest.mark.parametrize("page", [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *PAGES], ids=lambda path: path.name)
def test_links_lead_to_files_and_headings(page, generate):
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.S)
    links = re.findall(r"\]\(([^)\s#]*)(?:#([^)\s]*))?\)", text)
    for target, anchor in links:
        if "://" in target:
            continue
        file = page.parent / target if target else page
        assert file.exists(), f"{page.name}: {target}"
        if anchor:
            assert anchor in anchors(generate.filled(file.read_text())), f"{page.name}: {target}#{anchor}"


def test_links_of_the_cards_lead_to_files_and_headings(generate):
    known: dict[Path, set[str]] = {}
    for page in CARDS:
        for target, anchor in re.findall(r"\]\(([^)\s#]*)(?:#([^)\s]*))?\)", page.read_text()):
            file = (page.parent / target).resolve()
            assert file.exists(), f"{page.name}: {target}"
            if anchor and file not in known:
                known[file] = anchors(generate.filled(file.read_text()))
            assert not anchor or anchor in known[file], f"{page.name}: {target}#{anchor}"


def test_every_page_is_in_the_navigation(generate):
    text = (ROOT / "mkdocs.yml").read_text()
    named = nav(yaml.safe_load(text)["nav"])
    assert sorted(named) == sorted({*(path.name for path in PAGES), *generate.PAGES.values(), "cards/index.md"})


def test_the_first_page_is_the_readme_with_links_of_the_site(generate):
    page = generate.page("README.md")
    assert "](quickstart.md)" in page and "](changelog.md)" in page and "](pictures/" in page
    assert "](docs/" not in page


def test_the_snippets_of_the_api_page_run():
    names: dict = {}
    for snippet in re.findall(r"```python\n(.*?)```", (DOCS / "api.md").read_text(), re.S):
        exec(compile(snippet, "api.md", "exec"), names)
    assert names["label"].shape == (120, 160) and names["label"][70, 100] == 1 and names["label"][10, 10] == 0
    assert names["M_B"].shape == (120, 160) and names["M_B"][60, 80] == 1 and set(np.unique(names["M_B"])) == {0, 1}
    assert names["spread"].shape == (2, 12, 16) and names["out"].shape == names["H"].shape


def test_what_the_api_page_documents_exists():
    for path in re.findall(r"^::: (\S+)", (DOCS / "api.md").read_text(), re.M):
        module, _, name = path.rpartition(".")
        assert hasattr(importlib.import_module(module), name), path


def test_messages_of_the_faq_are_the_code_s():
    """Fixed words of every message that the page shows stand in the package, so that people find them by searching."""
    source = "\n".join(path.read_text() for path in (ROOT / "wsss_stages").rglob("*.py"))
    page = (DOCS / "faq.md").read_text()
    for words in (
        "no folder JPEGImages", "a folder in PASCAL VOC layout", "no such list", "without an image", "outside the image", "like the image",
        "for training image", "for every training image", "are not in it", "an HTML page: a download that failed", "is being made by another run",
        "out of GPU memory at step", "the most possible", "sees no CUDA device; use --device cpu or auto", "finding(s) in the dataset",
        "Correct the name or add it to classes.txt", "Add the image or remove the line", "Clip the box", "wanted plain tensors",
    ):  # fmt: skip
        assert words in page, words
        assert words in source, words


@pytest.mark.parametrize("page", [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *PAGES], ids=lambda path: path.name)
def test_files_and_modules_that_a_page_names_exist(page):
    """Tests may be named from tests/ on; capitals are placeholders."""
    rooms = "bench|docs|envs|examples|profiles|tests|workflow|wsss_stages"
    text = page.read_text()
    names = re.findall(rf"\b(?:{rooms})/[a-z\d_/]+\.(?:ipynb|md|py|smk|yaml)\b", text)
    names += [module.replace(".", "/") for module in re.findall(r"python -m (wsss_stages[\w.]*\w)", text)]
    existing = (
        [ROOT / name for name in names],
        [ROOT / f"{name}.py" for name in names],
        [ROOT / "tests" / name for name in names],
    )
    assert not [name for name, *paths in zip(names, *existing, strict=True) if not any(path.exists() for path in paths)]


def test_tests_named_on_the_page_of_reliability_exist():
    page = (DOCS / "reliability.md").read_text()
    file = None
    for name, test in re.findall(r"`([a-z_/]*test_\w+\.py)?(?:::(test_\w+\*?))?`", page):
        file = ROOT / "tests" / name if name else file
        if not name and not test:
            continue
        assert file.exists(), name
        if test:
            assert re.search(rf"def {test.replace('*', '')}", file.read_text()), f"{file.name}::{test}"


def named(path: str) -> tuple[ModuleType, object]:
    """Return the module and the object of a dotted name below the package. Raises AttributeError where it leads nowhere."""
    parts = path.split(".")
    module = importlib.import_module("wsss_stages")
    while parts and importlib.util.find_spec(f"{module.__name__}.{parts[0]}"):
        module = importlib.import_module(f"{module.__name__}.{parts.pop(0)}")
        if not hasattr(module, "__path__"):
            break
    return module, attrgetter(".".join(parts))(module)


def names(text: str) -> list[str]:
    """Return the dotted names of a text."""
    return re.findall(r"`((?:[A-Za-z]\w*\.)+\w+)`", text)


def cited(text: str) -> set[tuple[int, int]]:
    """Return the equations of a text, (chapter, number); 2.4-2.7 are four."""
    found = re.findall(r"(?<![\d.])([2-5])\.(\d+)(?!\.?\d)(?:-([2-5])\.(\d+))?", text)
    return {(int(c), n) for c, first, _, last in found for n in range(int(first), int(last or first) + 1)}


THESIS = (DOCS / "thesis_to_code.md").read_text()
ROWS = [
    [cell.strip() for cell in line.strip("|").split(" | ")] for line in THESIS.splitlines() if line.startswith("| ")
]
ROWS = [row for row in ROWS if row[0] != "symbol"]


def test_every_name_that_leads_from_the_thesis_to_the_code_exists():
    found = names(THESIS)
    assert len(found) > 90
    for name in found:
        try:
            assert callable(named(name)[1]), name
        except AttributeError:
            pytest.fail(f"docs/thesis_to_code.md: {name} does not exist; name the function that took its place")


@pytest.mark.parametrize("row", [row for row in ROWS if cited(row[1])], ids=lambda row: row[1])
def test_a_function_s_module_cites_the_equations_of_its_row(row):
    modules = [named(name)[0] for name in names(row[3])]
    texts = "".join(Path(module.__file__).read_text() for module in modules)
    assert cited(row[1]) <= cited(texts), f"{row[1]}: {', '.join(m.__name__ for m in modules)}"


@pytest.mark.parametrize("chapter, last", [(2, 26), (3, 28), (4, 13), (5, 17)])
def test_the_way_from_the_thesis_leaves_out_few_equations(chapter, last):
    """Equations that are left out only define parts of the next one."""
    parts = {(3, 9), (3, 11), (3, 25), (4, 9), (5, 13)}
    cited_all = set().union(*(cited(row[1]) for row in ROWS))
    assert {(chapter, n) for n in range(1, last + 1)} - cited_all <= parts


def test_equations_become_mathml_without_a_script(generate):
    pytest.importorskip("latex2mathml", reason="of the extra `docs`")
    inline, block = ":math:<code>a &lt; b_i</code>", "<p>.. math:: x^2</p>"
    page = generate.equations(f"<p>{inline}</p>{block}")
    assert page.count("<math ") == 2 and page.count('display="block"') == 1
    assert "<msub>" in page and "&#x0003C;" in page and "math:" not in page.replace("Math/MathML", "")


def test_every_argument_of_a_docstring_has_a_line_of_its_own():
    pytest.importorskip("griffe", reason="of the extra `docs`")
    spec = importlib.util.spec_from_file_location("arguments", DOCS / "arguments.py")
    arguments = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(arguments)
    text = "Do.  a: b\n\nArgs:\n    x: one, two.  y, z: three:\n        more.  And more.  w: four.\n"
    wanted = "Do.  a: b\n\nArgs:\n    x: one, two.\n    y, z: three:\n        more.  And more.  w: four.\n"
    assert arguments.one_a_line(text) == wanted
    assert arguments.one_a_line("  P: a.  Q: b") == "  P: a.  Q: b"  # no section of arguments
    assert arguments.one_a_line("Args:\n  a: 1.  b: 2.  c: 3.") == "Args:\n  a: 1.\n  b: 2.\n  c: 3."


def test_contributing_names_every_dependency():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lines = [*project["dependencies"], *itertools.chain.from_iterable(project["optional-dependencies"].values())]
    reasons = (ROOT / "CONTRIBUTING.md").read_text().partition("## Why each dependency is there")[2]
    assert not [line for line in lines if not re.search(rf"(?<![\w-]){Requirement(line).name}(?![\w-])", reasons)]
