"""The embedded demo, made in the folder first."""

from pathlib import Path

from wsss_stages.data.importers.kinds import Settings, kind
from wsss_stages.data.importers.kinds.voc import from_voc
from wsss_stages.data.index import Index


@kind("scenes")
def from_scenes(dataset: str, root: Path, truth: Path, opt: Settings) -> Index:
    """Return the index of the scenes."""
    from wsss_stages.data.importers.scenes import make_scenes

    make_scenes(root, opt.scenes_train, opt.scenes_val)
    return from_voc(dataset, root, truth, opt)
