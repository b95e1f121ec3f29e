"""The way from an artifact back to the photograph: its sources, and whether each is unchanged."""

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from wsss_stages.data.index import Index, stable_hash
from wsss_stages.store import artifacts, contracts, provenance

MANIFEST = re.compile(r"\d+-of-\d+\.json")
BY_NAME = {c.name: c for c in vars(contracts).values() if isinstance(c, contracts.Contract)}


@dataclass
class Node:
    """A file, its metadata, the runs that made it, and the files that it was made from."""

    path: Path
    kind: str
    state: str = ""
    """State of the file since it was read: "intact" or a change; empty where no record tells."""
    metadata: dict = field(default_factory=dict)
    """The metadata in the file itself."""
    runs: list[dict] = field(default_factory=list)
    """The runs of its record, the last one last."""
    sources: list["Node"] = field(default_factory=list)


def of_file(path: Path, image_id: str | None = None) -> Node:
    """Return the lineage of a file; of a manifest or an index that of one image if an id is given.

    Raises ContractError for a file of another program, FileNotFoundError for a missing one.
    """
    if not path.is_file():
        raise FileNotFoundError(
            f"{path}: found no such file; wanted an artifact of a stage, its manifest, weights, scores or index"
        )
    if path.suffix in (".h5", ".png") and path.parent.name in BY_NAME:
        return _artifact(path, BY_NAME[path.parent.name])
    return _named(path, image_id, {})


def of_image(image_id: str, results: Path) -> list[Node]:
    """Return the lineage of every artifact of an image below a results folder, in the order of their paths."""
    found = []
    for manifest in sorted(manifests_below(results)):
        if manifest == shard_of(image_id, manifest):
            files = artifacts.read_sealed(manifest)["items"].get(image_id, {})
            found += [_artifact(manifest.parent / file, BY_NAME[name]) for name, (file, _) in files.items()]
    return found


def manifests_below(results: Path) -> Iterator[Path]:
    """Yield every manifest of a results folder, without reading the folders of the artifacts."""
    for folder, inner, files in os.walk(results):
        inner[:] = sorted(name for name in inner if name not in BY_NAME)
        if any(MANIFEST.fullmatch(name) for name in files):
            yield from _manifests(Path(folder))


def _manifests(folder: Path) -> Iterator[Path]:
    return folder.glob("*-of-*[0-9].json")


def shard_of(image_id: str, manifest: Path) -> Path:
    """Return the manifest beside this one whose shard an image is in."""
    count = int(manifest.stem.split("-of-")[1])
    return manifest.with_name(f"{stable_hash(image_id) % count + 1}-of-{count}.json")


def _artifact(path: Path, contract: contracts.Contract) -> Node:
    """Return an image's artifact, by the manifest that names it."""
    manifest = next((m for m in _manifests(path.parents[1]) if m == shard_of(path.stem, m)), None)
    node = Node(path, f"{contract.name} v{contract.version}")
    try:
        node.metadata = artifacts.read(path, contract)[1]
    except artifacts.ContractError as error:
        node.state = str(error)
        return node
    if manifest is None:
        node.state = "no manifest names it: its shard is not finished"
        return node
    known = artifacts.read_sealed(manifest)["items"].get(path.stem, {}).get(contract.name)
    node.state = "no longer in its shard" if known is None else _same(path, known[1])
    node.runs = provenance.runs(manifest)
    node.sources = _sources(node, path.stem, {})
    return node


def _named(path: Path, image_id: str | None, seen: dict[Path, Node]) -> Node:
    """Return a file that a command line names; each is followed once."""
    if path in seen:
        return Node(path, f"{seen[path].kind}, as above")
    node = Node(path, _kind(path), runs=provenance.runs(path))
    seen[path] = node
    if path.suffix == ".safetensors":
        node.metadata = provenance.read_provenance(path)
    node.sources = _sources(node, image_id, seen)
    return node


def _sources(node: Node, image_id: str | None, seen: dict[Path, Node]) -> list[Node]:
    """Return the inputs of the last run, each with its own sources; of a manifest the artifacts of the image."""
    found = []
    for name, sha in node.runs[-1]["inputs"].items() if node.runs else ():
        path = _where(Path(name), node.path)
        if path is None or sha is None:
            found.append(
                Node(Path(name), "folder" if sha is None else "file", "" if sha is None else "not there any more")
            )
            continue
        source = _named(path, image_id, seen)
        source.state = _same(path, sha)
        if source.kind == "manifest" and image_id:
            items = artifacts.read_sealed(path)["items"].get(image_id, {})
            for name, (file, sha) in items.items():
                made = Node(path.parent / file, f"{name} of {image_id}", _same(path.parent / file, sha))
                source.sources.insert(0, made)
        found.append(source)
    if node.kind == "index" and image_id:
        found = _photograph(node.path, image_id) + found
    return found


def _photograph(index_path: Path, image_id: str) -> list[Node]:
    """Return an image's photograph, by the index."""
    index = Index.read(index_path)
    if image_id not in index.records:
        return [Node(index_path, "index", f"has no image {image_id}")]
    record = index.records[image_id]
    return [Node(index.root / record.photo, "photograph", _same(index.root / record.photo, record.sha256))]


def _kind(path: Path) -> str:
    if path.suffix == ".safetensors":
        return "weights"
    if path.suffix != ".json":
        return "file"
    if MANIFEST.fullmatch(path.name):
        return "manifest"
    return "index" if path.name == "index.json" else path.stem


def _where(path: Path, made: Path) -> Path | None:
    """Return a path of a record, which is relative to the folder that the run was started in: this one, or one above
    the output.
    """
    for folder in (Path(), *made.absolute().parents):
        if (folder / path).exists():
            return folder / path
    return None


def _same(path: Path, sha: str) -> str:
    if not path.is_file():
        return "not there any more"
    return "intact" if artifacts.sha256(path) == sha else "changed since"


def as_json(node: Node) -> dict:
    """Return a lineage as plain values."""
    return json.loads(json.dumps(vars(node) | {"sources": [as_json(s) for s in node.sources]}, default=str))
