"""Backbone weights from a local file or model folder, an installed package, a hub, or none; their origin is recorded."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from wsss_stages.nets.backbone import Backbone
from wsss_stages.nets.inputs import MEAN, STD, normalise
from wsss_stages.nets.padding import LEAN, TWINS, lean
from wsss_stages.nets.unfold import unfold_norms
from wsss_stages.store import model_folders, tensor_files
from wsss_stages.store.artifacts import sha256
from wsss_stages.store.packages import WeightsError, package_file


@dataclass(frozen=True)
class Origin:
    """The source of a network's weights, the missing tensors, and the statistics of the images that they were trained with.

    source: 'none', 'hub', a file or folder, or 'package' with name and version.  sha256: of the file or of the hub's tensors.
    mean, deviation: of RGB in [0, 1].
    """

    source: str
    sha256: str
    missing: tuple[str, ...] = ()
    mean: tuple[float, ...] = MEAN
    deviation: tuple[float, ...] = STD
    interpolation: str = "bilinear"
    unfolded: int = 0
    """Number of photographs by which folded batch norms were separated from the filters."""


def read_state(path: Path) -> dict[str, torch.Tensor]:
    """Return tensors of a .safetensors or .pth file, without the prefix of a wrapper. Raises WeightsError."""
    try:
        state = tensor_files.read(path)
    except tensor_files.TensorFileError as error:
        raise WeightsError(str(error)) from error
    return {name.removeprefix("module."): tensor for name, tensor in state.items()}


def load(backbone: Backbone, source: str, photographs: Iterable[torch.Tensor] = ()) -> Origin:
    """Fill a backbone from a file, a folder, 'package', 'hub' or 'none'. Raises WeightsError when most of it would stay random.

    Args:
        photographs: (1, 3, h, w) RGB in [0, 1] for `unfold.unfold_norms`, read only where batch norms are folded; () keeps those.
    """
    inputs = vars(backbone.inputs)
    if source == "none":
        return Origin("none", "", **inputs)
    if source == "hub":
        state = _hub_state(backbone)
        digest = hashlib.sha256(b"".join(t.numpy().tobytes() for t in state.values())).hexdigest()
    else:
        path, source = package_file(backbone.name) if source == "package" else (_file(backbone, Path(source)), source)
        state, digest = read_state(path), sha256(path)
    state, wanted = backbone.converted(state), backbone.network.state_dict()
    wrong = [n for n, t in state.items() if n in wanted and t.shape != wanted[n].shape]
    if wrong:
        name = wrong[0]
        raise WeightsError(
            f"{source}: {name} is {tuple(state[name].shape)}, but {backbone.name} wants {tuple(wanted[name].shape)}. "
            "The weights may belong to another backbone: see classifier.backbone and segment.backbone."
        )
    missing = [n for n in wanted if n not in state and not n.endswith("num_batches_tracked")]
    if len(missing) > len(wanted) / 2:
        raise WeightsError(
            f"{source}: {len(missing)} of {len(wanted)} tensors of {backbone.name} are not in it (the first is "
            f"{missing[0]}; the file begins with {next(iter(state), 'nothing')}). The weights may belong to another backbone, or be "
            f"this one's in another layout: wanted tensors named {', '.join(list(wanted)[:3])}, and so on."
        )
    backbone.network.load_state_dict(state, strict=False)
    _check_padding(backbone, source)
    unfolded = unfold_norms(backbone, map(normalise, photographs)) if photographs else 0
    absent = tuple(sorted({".".join(n.split(".")[:2]) for n in missing}))
    return Origin(source, digest, absent, **inputs, unfolded=unfolded)


def _file(backbone: Backbone, source: Path) -> Path:
    """Return a file of weights; that of a folder as timm saves it. Raises WeightsError for a folder of another model."""
    if not source.is_dir():
        return source
    found, wanted = model_folders.config_of(source).get("architecture"), backbone.name.split(".")[0]
    if found != wanted:
        raise WeightsError(
            f"{source}: found a folder of {found!r}; wanted timm's {wanted!r}. Name that backbone, or the folder of this one."
        )
    return model_folders.weights_of(source)


def _check_padding(backbone: Backbone, source: str) -> None:
    """Raise WeightsError for weights that were trained with the other padding of strided convolutions."""
    if backbone.name not in TWINS:
        return
    leans, tensorflow = lean(backbone.network), backbone.name.startswith("tf_")
    if (leans > LEAN) if tensorflow else (leans < -LEAN):
        side, trained = ("right and down", "PyTorch's") if tensorflow else ("left and up", "TensorFlow's")
        raise WeightsError(
            f"{source}: its strided filters lean {side} ({leans:+.2f} pixels on average), so it was trained with {trained} padding, "
            f"and maps of {backbone.name} would be shifted against the objects. Use {TWINS[backbone.name]} as the backbone."
        )


def _hub_state(backbone: Backbone) -> dict[str, torch.Tensor]:
    """Return pretrained tensors of torchvision's or timm's hub; needs a network or their cache. Raises WeightsError."""
    library, _, name = backbone.hub.partition(":")
    if library not in ("torchvision", "timm", "timm_model"):
        raise WeightsError(f"backbone {backbone.name} has no hub weights; give a local file or 'none'")
    try:
        return _downloaded(library, name)
    except Exception as error:  # of many libraries, which are the hub's own business
        raise WeightsError(
            f"backbone {backbone.name}: found no weights on the hub, which says: {model_folders.answer_of(error)}. Name a file or "
            "folder copied from a machine with a network; for weights behind a gate accept their terms and run `hf auth login`."
        ) from error


def _downloaded(library: str, name: str) -> dict[str, torch.Tensor]:
    if library == "torchvision":
        from torchvision.models import get_model

        return get_model(name, weights="DEFAULT").state_dict()
    import timm

    more: Any = {"features_only": True} if library == "timm" else {}
    return timm.create_model(name, pretrained=True, **more).state_dict()
