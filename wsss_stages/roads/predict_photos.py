"""Masks of anyone's photographs by trained weights, without an index."""

from collections.abc import Sequence
from pathlib import Path

import torch

from wsss_stages.config.dag import NETWORKS
from wsss_stages.config.options import PredictPhotos
from wsss_stages.data.notes import Notes
from wsss_stages.data.photo_files import PhotoFile, photo_files
from wsss_stages.roads.named_classes import class_names
from wsss_stages.roads.photo_labels import PhotoLabeller
from wsss_stages.roads.photo_run import PhotoRun, Result
from wsss_stages.roads.prediction_folder import PredictionFolder
from wsss_stages.roads.predictions import Predictor
from wsss_stages.store import artifacts, locks, provenance
from wsss_stages.store.artifacts import ContractError
from wsss_stages.training.networks import restore_segmenter

MUCH = 1.5
"""Times the size that a network learned at, up to which it scales well: s7_segment's own largest scale."""
VERSION = 1
"""Raised where the same weights and options come to give other masks."""


def predict_photos(
    weights: Path,
    photos: Sequence[Path],
    out: Path,
    opt: PredictPhotos,
    device: str,
    classes: str = "",
    overlays: bool = False,
    probabilities: bool = False,
) -> Result:
    """Write the masks of photographs and videos below `out`.

    Args:
        device: torch's name of it.  classes: value of --classes.

    Raises: ContractError for weights of another kind or of other classes, ValueError where there is nothing to do, InUseError.
    """
    notes = Notes()
    files = source_files(photos, out, notes)
    metadata = segmenter_metadata(weights)
    names = class_names(weights, metadata, classes)
    network, _ = restore_segmenter(weights)
    network.to(device, memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    predictor = Predictor(network, opt, device, "predict", metadata["stage"])
    made_by = artifacts.fingerprint(VERSION, artifacts.sha256(weights), names, opt.model_dump(exclude={"every"}))
    folder = PredictionFolder(out, made_by, names, overlays, probabilities)
    record(out, folder, weights)
    with locks.held(out / "areas.csv", "classes.csv"):
        folder.tidy()
        result = PhotoRun(PhotoLabeller(predictor, opt, probabilities), folder, opt.every, "predict").run(files)
    result.notes.update(notes)
    result.hints += size_hint(min(result.largest, opt.max_side or result.largest), metadata.get("longest_side", 0))
    return result


def size_hint(seen: int, longest: int) -> list[str]:
    """Return a hint where the network has seen photographs much larger than those it learned from.

    Args:
        seen: longest side, pixels.  longest: that of the images that it learned from; 0: not recorded.
    """
    if not longest or seen <= MUCH * longest:
        return []
    return [
        f"the network saw photographs at up to {seen} pixels a side, and learned from images of at most {longest}; --max-side {longest} "
        "shows it objects as large as it knows them"
    ]


def source_files(photos: Sequence[Path], out: Path, notes: Notes) -> list[PhotoFile]:
    """Return the photographs and videos. Raises ValueError where `out` is one of their folders or a file, or there is none."""
    if out.exists() and not out.is_dir():
        raise ValueError(f"--out {out}: found a file; wanted a folder to write to. Give another name.")
    if any(path.is_dir() and path.resolve() == out.resolve() for path in photos):
        raise ValueError(f"--out {out} holds the photographs, beside which nothing is written. Give another folder.")
    return photo_files(photos, out, notes)


def segmenter_metadata(weights: Path) -> dict:
    """Return the metadata of a segmenter's weights. Raises ContractError for those of another kind."""
    metadata = provenance.read_provenance(weights)
    if metadata.get("stage") not in NETWORKS.values():
        raise ContractError(
            f"{weights}: found weights of {metadata.get('stage')}, which label no pixels; wanted those of "
            f"{', '.join(NETWORKS.values())}. Give those with --weights."
        )
    return metadata


def record(out: Path, folder: PredictionFolder, weights: Path) -> None:
    """Let the record of this run stand beside its table."""
    provenance.tell(made_by=folder.made_by, classes=folder.classes)
    provenance.writes(out / "areas.csv")
    provenance.reads(weights)
