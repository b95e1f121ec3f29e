"""Load backbone weights from a local file, a hub, or not at all; what was loaded is recorded."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import torch

from wsss_stages.artifacts import sha256
from wsss_stages.nets.backbones import Backbone


@dataclass(frozen=True)
class Origin:
    """Where a network's weights came from: source, sha256 of the file or of the hub's tensors, what was missing."""

    source: str
    sha256: str
    missing: tuple[str, ...] = ()


class WeightsError(ValueError):
    """A weights file that cannot be used: which, what is wrong, what is wanted."""


def read_state(path: Path) -> dict[str, torch.Tensor]:
    """Tensors of a .safetensors or .pth file. Pickled code is refused. Raises WeightsError."""
    if not path.is_file():
        raise WeightsError(f"{path}: no such file; wanted .pth or .safetensors weights, 'hub' or 'none'")
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            state = load_file(path)
        else:
            state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        reason = str(error).splitlines()[0]
        raise WeightsError(
            f"{path}: not readable as plain tensors ({reason}). A truncated download, or a pickle with code in it, "
            "which is never run; convert it to .safetensors on a machine that you trust."
        ) from error
    for wrapper in ("state_dict", "model"):
        if isinstance(state, dict) and isinstance(state.get(wrapper), dict):
            state = state[wrapper]
    if not isinstance(state, dict) or not all(isinstance(v, torch.Tensor) for v in state.values()):
        raise WeightsError(f"{path}: holds {type(state).__name__}, not a dictionary of tensors")
    bad = [name for name, tensor in state.items() if tensor.is_floating_point() and not tensor.isfinite().all()]
    if bad:
        raise WeightsError(f"{path}: {bad[0]} holds NaN or infinity ({len(bad)} tensors do)")
    return {name.removeprefix("module."): tensor for name, tensor in state.items()}


def load(backbone: Backbone, source: str) -> Origin:
    """Fill a backbone from a file, 'hub' or 'none'. Raises WeightsError when most of it would stay random."""
    if source == "none":
        return Origin("none", "")
    if source == "hub":
        state, digest = _hub_state(backbone), ""
        digest = hashlib.sha256(b"".join(t.numpy().tobytes() for t in state.values())).hexdigest()
    else:
        state, digest = read_state(Path(source)), sha256(Path(source))
    state, wanted = backbone.converted(state), backbone.network.state_dict()
    wrong = [n for n, t in state.items() if n in wanted and t.shape != wanted[n].shape]
    if wrong:
        name = wrong[0]
        raise WeightsError(
            f"{source}: {name} is {tuple(state[name].shape)}, but {backbone.name} wants {tuple(wanted[name].shape)}. "
            "Are these weights of another backbone? See classifier.backbone and segment.backbone."
        )
    missing = [n for n in wanted if n not in state and not n.endswith("num_batches_tracked")]
    if len(missing) > len(wanted) / 2:
        raise WeightsError(
            f"{source}: {len(missing)} of {len(wanted)} tensors of {backbone.name} are not in it (the first is "
            f"{missing[0]}; the file begins with {next(iter(state), 'nothing')}). Are these weights of another backbone?"
        )
    backbone.network.load_state_dict(state, strict=False)
    return Origin(source, digest, tuple(sorted({".".join(n.split(".")[:2]) for n in missing})))


def _hub_state(backbone: Backbone) -> dict[str, torch.Tensor]:
    """Pretrained tensors of torchvision's or timm's hub; needs a network or their cache."""
    library, _, name = backbone.hub.partition(":")
    if library == "torchvision":
        from torchvision.models import get_model

        return get_model(name, weights="DEFAULT").state_dict()
    if library in ("timm", "timm_model"):
        import timm

        more = {"features_only": True} if library == "timm" else {}
        return timm.create_model(name, pretrained=True, **more).state_dict()
    raise WeightsError(f"backbone {backbone.name} has no hub weights; give a local file or 'none'")
