"""Print how a file was made, back to the photograph: wsss inspect FILE_OR_ID

    wsss inspect results/mine/box/ours/s6_propagate/train/pseudo/dog_01.png
    wsss inspect dog_01 --results results/mine

FILE is an artifact (.h5, .png), a manifest, weights.safetensors, scores.json or index.json of a results folder; ID is
that of an image, for all of whose artifacts the same is printed. The report on the file itself has stage, options,
contract, inputs with their sha256, code, libraries, seed, device and seconds. Every file that it was made from has a
line: intact, changed since, or missing.
"""

import argparse
import json
import sys
from pathlib import Path

from wsss_stages.shards import lineage
from wsss_stages.stages import cli


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", metavar="FILE_OR_ID")
    parser.add_argument(
        "--results", type=Path, default=Path("results"), help="folder to look for an ID in (default results)"
    )
    parser.add_argument("--image", metavar="ID", help="follow this image through a manifest, scores or weights")
    parser.add_argument("--json", action="store_true", help="print everything as JSON")
    asked = parser.parse_args(argv)

    path = Path(asked.what)
    nodes = [lineage.of_file(path, asked.image)] if path.is_file() else lineage.of_image(asked.what, asked.results)
    if not nodes:
        raise FileNotFoundError(
            f"{asked.what}: found neither a file of that name nor an image with an artifact below {asked.results}; "
            "wanted a path, or the id of an image, with --results FOLDER if the results are elsewhere"
        )
    if asked.json:
        sys.stdout.write(json.dumps([lineage.as_json(node) for node in nodes], indent=1) + "\n")
        return
    for node in nodes:
        _show(node)


def _show(node: lineage.Node) -> None:
    """Print the sources of a file as an outline, then all facts about the file."""
    facts = _facts(node)
    width = max(len(name) for name, _ in facts)
    lines = [f"{name:{width}}  {value}" for name, value in facts]
    sys.stdout.write("\n".join([*_outline(node, 0), *lines]) + "\n\n")


def _outline(node: lineage.Node, depth: int) -> list[str]:
    line = f"{'    ' * depth}{node.path}: {node.kind}{_state(node)}{_maker(node)}"
    return [line, *(inner for source in node.sources for inner in _outline(source, depth + 1))]


def _state(node: lineage.Node) -> str:
    return f", {node.state}" if node.state else ""


def _maker(node: lineage.Node) -> str:
    if not node.runs:
        return ""
    run = node.runs[-1]
    return f" ({run['stage']}, {sum(r['seconds'] for r in node.runs):.0f} s on {run.get('device', 'cpu')})"


def _facts(node: lineage.Node) -> list[tuple[str, str]]:
    """Return the facts about a file: first the file's own metadata, then how it was made."""
    own = [(name, _text(value)) for name, value in node.metadata.items() if name not in ("options", "stage")]
    options = (node.runs[-1]["options"] if node.runs else {}) or node.metadata.get("options", {})
    facts = [("stage", node.runs[-1]["stage"] if node.runs else str(node.metadata.get("stage", "not recorded"))), *own]
    facts += [(f"option {name}", _text(value)) for name, value in options.items()]
    for run in node.runs:
        facts += [
            (f"run of {run['started']}", f"{run['seconds']} s, {run.get('device', 'cpu')}"),
            ("command", " ".join(run["command"])),
            ("code", ", ".join(f"{k} {v}" for k, v in run["code"].items())),
            ("libraries", f"python {run['python']}, " + ", ".join(f"{k} {v}" for k, v in run["libraries"].items())),
            *((f"input {path}", sha or "folder") for path, sha in run["inputs"].items()),
        ]
    if not node.runs:
        facts.append(("runs", "no record beside it: it was made by an earlier version, or by hand"))
    return facts


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


if __name__ == "__main__":
    cli.run(main)
