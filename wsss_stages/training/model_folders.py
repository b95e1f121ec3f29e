"""Models of transformers in folders or on the hub: safetensors alone, weights that fit, their sha256 recorded."""

from pathlib import Path
from typing import Any

from wsss_stages.store import artifacts, provenance

PICKLES = ("*.bin", "*.pth", "*.pt", "*.ckpt")
"""Files whose reading may run code."""
WANTED = ["*.json", "*.txt", "*.safetensors"]
"""Files of a model on the hub that are downloaded."""


class ModelFolderError(ValueError):
    """A model that is missing, of another kind, or whose weights do not fit: where, found, wanted, remedy."""


def folder_of(name: str, option: str) -> Path:
    """Return the folder of a model: `name` itself, or the copy of the hub's model of that name, downloaded if it is not there yet.

    Args:
        option: that has the name, for messages.

    Raises ModelFolderError with the hub's answer in one sentence.
    """
    path = Path(name)
    if path.is_dir():
        return path
    if path.exists() or name.startswith((".", "/", "~")) or name.count("/") != 1:
        raise ModelFolderError(
            f"{option}: found no folder {name}; wanted a folder with config.json and model.safetensors, or the name of a model on the hub, "
            "OWNER/NAME"
        )
    try:
        from huggingface_hub import snapshot_download
        from huggingface_hub.utils import GatedRepoError, RepositoryNotFoundError
    except ImportError as error:
        raise missing_library(option) from error
    try:
        return Path(snapshot_download(name, allow_patterns=WANTED))
    except GatedRepoError as error:
        raise ModelFolderError(
            f"{option}: the hub gives {name} only to those whom its owner has admitted. Accept its licence on its page, then `hf auth "
            "login`; or use another model."
        ) from error
    except RepositoryNotFoundError as error:
        raise ModelFolderError(
            f"{option}: the hub has no model {name}, or none that is public. Check the name, or use a folder."
        ) from error
    except Exception as error:  # whatever the connection's libraries raise
        raise ModelFolderError(
            f"{option}: {name} is not in the local cache, and the hub was not reached ({_first_line(error)}). Download it on another "
            "machine, `hf download " + name + " --local-dir FOLDER`, copy the folder and name it here."
        ) from error


def kind_of(folder: Path, kinds: tuple[str, ...], option: str) -> str:
    """Return the `model_type` of a folder's config.json, one of `kinds`. Raises ModelFolderError, also where there are no safetensors."""
    config = folder / "config.json"
    if not config.is_file():
        raise ModelFolderError(
            f"{folder}: found no config.json; wanted a folder that `save_pretrained` wrote. See {option}."
        )
    found = artifacts.read_json(config)
    kind = found.get("model_type") if isinstance(found, dict) else None
    if kind not in kinds:
        raise ModelFolderError(
            f"{config}: found a model of type {kind!r}; wanted one of {', '.join(kinds)}. Set {option} to one."
        )
    if not list(folder.glob("*.safetensors")):
        pickles = sorted(path.name for pattern in PICKLES for path in folder.glob(pattern))
        raise ModelFolderError(
            f"{folder}: found {', '.join(pickles) or 'no weights'}; wanted model.safetensors. "
            + ("Pickled weights may run code: load them where you trust them and write them anew by `save_pretrained`."
               if pickles else "Download the model again.")
            + f" See {option}."
        )  # fmt: skip
    return kind


def digest(folder: Path) -> str:
    """Return one sha256 of a model's weights and settings, which are recorded as inputs of the run."""
    files = sorted(path for pattern in ("*.safetensors", "*.json", "*.txt") for path in folder.glob(pattern))
    provenance.reads(*files)
    return artifacts.fingerprint([(path.name, artifacts.sha256(path)) for path in files])


def load(kind: Any, folder: Path, option: str) -> Any:
    """Return a model with the folder's weights, in float32. Raises ModelFolderError unless every tensor is there and fits.

    Args:
        kind: class of transformers.
    """
    import torch
    import transformers

    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    try:
        model, found = kind.from_pretrained(
            folder,
            local_files_only=True,
            use_safetensors=True,
            output_loading_info=True,
            dtype=torch.float32,
            ignore_mismatched_sizes=True,
        )
    except Exception as error:  # damaged files raise nearly anything
        raise ModelFolderError(
            f"{folder}: not read as {kind.__name__} ({_first_line(error)}). Download it again. See {option}."
        ) from error
    for fault in ("missing_keys", "unexpected_keys", "mismatched_keys"):
        if names := sorted(map(str, found[fault])):
            raise ModelFolderError(
                f"{folder}: found weights with {len(names)} {fault.replace('_', ' ')} of {kind.__name__}, {names[0]} first; wanted all that "
                f"config.json describes, and no other. The weights belong to another model: see {option}."
            )
    return model


def processor(folder: Path, option: str) -> Any:
    """Return the image processor of a model's folder. Raises ModelFolderError."""
    from transformers import AutoImageProcessor

    try:
        return AutoImageProcessor.from_pretrained(folder, local_files_only=True)
    except Exception as error:  # damaged files raise nearly anything
        raise ModelFolderError(
            f"{folder}: found no processor of images ({_first_line(error)}); wanted preprocessor_config.json or processor_config.json "
            f"beside the weights. Download it again. See {option}."
        ) from error


def missing_library(option: str) -> ModelFolderError:
    """Return the error for an installation without transformers."""
    return ModelFolderError(
        f"{option}: found no package transformers; wanted it for promptable networks. pip install 'wsss-stages[sam]'"
    )


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
