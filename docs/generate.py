"""The parts of the site that come from the project's own files: mkdocs calls the hooks below while it builds.

A page asks for a part with a line `<!-- generated: NAME -->`, NAME being a key of PARTS. The first page, the changelog and the page for
contributors are README.md, CHANGELOG.md and CONTRIBUTING.md. Nothing of it is stored, so none of it can be out of date.
"""

import ast
import html
import re
import textwrap
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import yaml
from pydantic import BaseModel

from wsss_stages.commands.wsss import COMMANDS
from wsss_stages.config import comparisons
from wsss_stages.config.options import KINDS, SECTIONS, Run, legal
from wsss_stages.store import contracts

ROOT = Path(__file__).parents[1]
PAGES = {"README.md": "index.md", "CHANGELOG.md": "changelog.md", "CONTRIBUTING.md": "contributing.md"}
"""Files of the top level that are pages of the site, and their names there."""
STAGES = [
    "data", "weak_index", "s1_classifier", "s2_cam", "s3_masks", "s3_seeds", "s4_object_net", "s5_object_masks", "s4_affinity", "s5_walk", "s5_graph",
    "s6_propagate", "s6_agreement", "s7_segment", "s8_predict", "s9_evaluate", "s9_review", "report", "table", "comparison", "s6_instance_masks", "s7_instances",
    "s8_detect", "s9_instances", "rrm_train", "rrm_label", "dfr_train", "scl_episodes", "scl_features", "scl_train", "scl_evaluate",
    "scl_report", "scl_table", "simulate_weak",
]  # fmt: skip
"""Scripts of wsss_stages/stages that read and write, in the order of the data."""
MAPPINGS = ("variants",)
"""Settings of a run that are mappings of their own."""
MOST_IN_A_LINE = 3
"""Sections of a variant that its table lists."""
MARK = re.compile(r"^<!-- generated: (\w+) -->$", re.M)
LONG_CODE = re.compile(r"(?<=<code>)[^<]{25,}(?=</code>)")
LINK = re.compile(r"(!?\[[^\]]*\])\(([^)\s#]+)(#[^)\s]*)?\)")


def stages() -> str:
    """Return a chapter for every stage: what it does, reads and writes, by its own docstring, and the artifacts of an image."""
    return "\n\n".join(map(_stage, STAGES))


def artifacts() -> str:
    """Return the table of all artifacts of an image, a row an array."""
    rows = [
        (f"`{c.name}/ID{c.suffix}`", f"`{c.made_by}`", c.version, f"`{name}`", f.dtype, f"`{f.shape}`", f.doc)
        for c in contracts.ALL.values()
        for name, f in c.fields.items()
    ]
    return table(("file", "stage", "version", "array", "type", "axes", "meaning"), rows)


def options() -> str:
    """Return a table for the run as a whole and one for every section: option, legal values, default, meaning."""
    config = yaml.safe_load((ROOT / "config.yaml").read_text())
    run = [
        (f"`{name}`", legal.wanted(field), "" if name in MAPPINGS else f"`{_shown(config[name])}`", field.description)
        for name, field in Run.model_fields.items()
    ]
    chapters = [f"## The run\n\n{table(HEADER, run)}"]
    for name, section in SECTIONS.items():
        about = (section.__doc__ or "").strip().partition(": ")[2] or section.__doc__ or ""
        chapters.append(f"## {name}\n\n{_first_upper(about)}\n\n{table(HEADER, _options(section()))}")
    return "\n\n".join(chapters)


def kinds() -> str:
    """Return the defaults that other weak labels than boxes have."""
    rows = [
        (
            f"`{kind}`",
            f"`{section}.{option}`",
            f"`{_shown(value)}`",
            f"`{_shown(getattr(SECTIONS[section](), option))}`",
        )
        for kind, sections in KINDS.items()
        for section, values in sections.items()
        for option, value in values.items()
    ]
    return table(("weak", "option", "default", "with boxes"), rows)


def variants() -> str:
    """Return the variants of config.yaml: base, and what they set; those that set much have a chapter of their own."""
    named = yaml.safe_load((ROOT / "config.yaml").read_text())["variants"]
    rows, chapters = [], []
    for name, of in named.items():
        sections = {key: value for key, value in of.items() if key != "base"}
        if len(sections) > MOST_IN_A_LINE:
            chapters.append(f"### {name}\n\n```yaml\n{_yaml(sections, False)}\n```")
            sets = f"[below](#{name})"
        else:
            sets = _line(sections)
        rows.append((f"`{name}`", f"`{of['base']}`" if "base" in of else "", sets))
    return "\n\n".join((table(("variant", "base", "sets"), rows), *chapters))


def tables() -> str:
    """Return the targets that make tables of the thesis, with what each compares."""
    content = yaml.safe_load((ROOT / "workflow" / "tables.yaml").read_text())
    found = content["tables"] | content["few_shot"]["tables"] | content["comparisons"]
    rows = [
        (f"`{name}`", known["title"], known.get("weak", ""), len(known["rows"]), len(comparisons.printed(name)) or "")
        for name, known in sorted(found.items())
    ]
    return table(("target", "compares", "labels", "rows", "others, printed"), rows)


def commands() -> str:
    """Return the subcommands of `wsss`, each with the text of its module."""
    rows = [(f"[`wsss {name}`](#wsss-{name})", command.does) for name, command in COMMANDS.items()]
    chapters = [f"## wsss {name}\n\n{_command(command.module)}" for name, command in COMMANDS.items()]
    return "\n\n".join((table(("command", "what it does"), rows), *chapters))


PARTS: dict[str, Callable[[], str]] = {
    f.__name__: f for f in (stages, artifacts, options, kinds, variants, tables, commands)
}
HEADER = ("option", "legal values", "default", "meaning")


def filled(markdown: str) -> str:
    """Return a page with its generated parts. Raises ValueError for a part that there is none of."""

    def part(found: re.Match) -> str:
        if found[1] not in PARTS:
            raise ValueError(f"no generated part {found[1]!r}; there are {', '.join(PARTS)}")
        return PARTS[found[1]]()

    return MARK.sub(part, markdown)


def page(source: str) -> str:
    """Return a file of the top level as a page: links to pages are relative to docs/, links to other files are text."""

    def link(found: re.Match) -> str:
        label, target, anchor = found[1], PurePosixPath(found[2]), found[3] or ""
        if "://" in found[2]:
            return found[0]
        if target.parts[0] == "docs":
            return f"{label}({target.relative_to('docs')}{anchor})"
        return f"{label}({PAGES[str(target)]}{anchor})" if str(target) in PAGES else label[1:-1]

    return LINK.sub(link, (ROOT / source).read_text())


def table(header: tuple[str, ...], rows: list[tuple]) -> str:
    """Return a Markdown table; bars and line breaks inside cells are escaped."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(_cell(cell) for cell in line)} |" for line in lines)


def equations(content: str) -> str:
    """Return HTML with the equations of docstrings and pages as MathML, which browsers show without a script."""
    from latex2mathml.converter import convert

    def inline(found: re.Match) -> str:
        return convert(html.unescape(found[1]))

    def block(found: re.Match) -> str:
        return convert(html.unescape(found[1]), display="block")

    content = re.sub(r"<p>\.\. math:: (.*?)</p>", block, content, flags=re.S)
    return re.sub(r":math:<code>(.*?)</code>", inline, content, flags=re.S)


def on_config(config: Any) -> Any:
    """Put the version of the project beside the name of the site, on every page."""
    config.site_name = f"{config.site_name} {version()}"
    return config


def version() -> str:
    """Return the version, whose only home is pyproject.toml."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]


def on_files(files: Any, config: Any) -> Any:
    """Add the pages of the top level to mkdocs's files."""
    from mkdocs.structure.files import File

    for source, name in PAGES.items():
        files.append(File.generated(config, name, content=page(source)))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Fill in a page's generated parts, and lead its links to files of the top level to their pages."""
    for source, name in PAGES.items():
        markdown = markdown.replace(f"](../{source})", f"]({name})")
    return filled(markdown)


def on_page_content(content: str, **_: Any) -> str:
    """Set a page's equations; a click on a picture shows it at its full size, and long names in tables may break."""
    content = re.sub(r'(<img [^>]*src="(pictures/[^"]+)"[^>]*>)', r'<a href="\2">\1</a>', equations(content))
    return re.sub(r"<td.*?</td>", lambda cell: LONG_CODE.sub(_breaking, cell[0]), content, flags=re.S)


def _breaking(code: re.Match) -> str:
    return re.sub(r"(::|[/_]|\.(?=\w))", r"\1<wbr>", code[0])


def _stage(name: str) -> str:
    """Return a stage's chapter."""
    docstring = ast.get_docstring(ast.parse((ROOT / "wsss_stages" / "stages" / f"{name}.py").read_text())) or ""
    about, _, rest = docstring.partition("\n\n")
    files, _, more = rest.partition("\n\n")
    more = re.sub(
        r"^(\S.*\n)(?= {4})|^( {4}.*\n)(?=\S)", r"\1\2\n", more, flags=re.M
    )  # an indented list is one of its own
    made = [f"[`{c.name}`](#artifacts)" for c in contracts.ALL.values() if c.made_by == name]
    parts = [
        f"### {name}",
        about,
        f"```text\n{files}\n```",
        more,
        f"Artifacts of an image: {', '.join(made)}." if made else "",
    ]
    return "\n\n".join(filter(None, parts))


def _command(module: str) -> str:
    """Return the docstring of a command, with its examples as code."""
    path = ROOT / "wsss_stages" / "commands" / f"{module.replace('.', '/')}.py"
    text = ast.get_docstring(ast.parse(path.read_text())) or ""
    return re.sub(
        r"(?:^ {4}.*\n?)+", lambda found: f"```bash\n{textwrap.dedent(found[0]).rstrip()}\n```\n", text, flags=re.M
    )


def _options(section: BaseModel, prefix: str = "") -> Iterator[tuple[str, str, str, str]]:
    """Yield a row for every option of a section, nested ones with a dot."""
    for name, field in type(section).model_fields.items():
        value = getattr(section, name)
        if isinstance(value, BaseModel):
            yield from _options(value, f"{prefix}{name}.")
        else:
            yield f"`{prefix}{name}`", legal.wanted(field), f"`{_shown(value)}`", field.description or ""


def _line(sections: dict[str, Any]) -> str:
    """Return overrides in one line."""
    return "; ".join(f"`{name}: {_yaml(values, True)}`" for name, values in sections.items())


def _yaml(values: Any, in_a_line: bool) -> str:
    return yaml.safe_dump(
        values, default_flow_style=in_a_line or None, sort_keys=False, width=10_000 if in_a_line else 76
    ).strip()


def _shown(value: Any) -> str:
    return "''" if value == "" else str(value).lower() if isinstance(value, bool) else str(value)


def _cell(cell: object) -> str:
    return str(cell).replace("|", "\\|").replace("\n", " ")


def _first_upper(text: str) -> str:
    text = text.strip()
    return text[:1].upper() + text[1:]
