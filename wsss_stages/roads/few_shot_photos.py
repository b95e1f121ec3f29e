"""Masks of anyone's photographs of a class that was never trained, from a few masks of it."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from torch import channels_last

from wsss_stages.config.options import FewShotPhotos
from wsss_stages.data.few_shot.supports import given_supports
from wsss_stages.data.notes import Notes
from wsss_stages.roads.few_shot_segment import FewShotSegmenter
from wsss_stages.roads.photo_run import PhotoRun, Result
from wsss_stages.roads.predict_photos import VERSION, record, source_files
from wsss_stages.roads.prediction_folder import PredictionFolder
from wsss_stages.store import artifacts, locks
from wsss_stages.training.networks import restore_few_shot

CLASSES = ["background", "object"]


def few_shot_photos(
    weights: Path,
    support: Sequence[Sequence[Path]],
    photos: Sequence[Path],
    out: Path,
    opt: FewShotPhotos,
    device: str,
    overlays: bool = False,
    probabilities: bool = False,
) -> Result:
    """Write the masks of photographs and videos below `out`, as `predict_photos`.

    Args:
        support: of `given_supports`.

    Raises: ContractError for weights of another kind, DatasetError for supports, ValueError where there is nothing to do, InUseError.
    """
    notes = Notes()
    if out.resolve() in (group[0].resolve() for group in support):
        raise ValueError(f"--out {out} holds the supports, beside which nothing is written. Give another folder.")
    files, supports = source_files(photos, out, notes), given_supports(support)
    network, metadata = restore_few_shot(weights, opt)
    network.to(device, memory_format=channels_last)  # pyright: ignore[reportCallIssue]
    side, stride = metadata["features"]["side"], metadata["features"]["stride"]
    labeller = FewShotSegmenter(network, supports, side, stride, opt, device, probabilities)
    shown = [
        (array.shape, hashlib.sha256(array.tobytes()).hexdigest())
        for one in supports
        for array in (one.photo, one.mask)
    ]
    made_by = artifacts.fingerprint(VERSION, artifacts.sha256(weights), shown, opt.model_dump(exclude={"every"}))
    folder = PredictionFolder(out, made_by, CLASSES, overlays, probabilities)
    record(out, folder, weights)
    with locks.held(out / "areas.csv", "classes.csv"):
        folder.tidy()
        result = PhotoRun(labeller, folder, opt.every, "few_shot").run(files)
    result.notes.update(notes)
    return result
