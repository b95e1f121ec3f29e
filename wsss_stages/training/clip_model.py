"""CLIP from a model folder or a hub, and its embeddings of words."""

import importlib.util
from pathlib import Path
from typing import Any, cast

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from wsss_stages.data.names import words_of
from wsss_stages.nets.clip_cam import BACKGROUND, PROMPT, ClipCam
from wsss_stages.nets.inputs import Inputs
from wsss_stages.store import model_folders
from wsss_stages.store.packages import WeightsError
from wsss_stages.training import pretrained

FILES = ["*.json", "merges.txt", model_folders.WEIGHTS]
"""Files of a model that a hub is asked for."""
TOKENIZERS = (("tokenizer.json",), ("vocab.json", "merges.txt"))
"""Files of a tokenizer; without them transformers makes one that knows no word, and says nothing."""
CLIP_INPUTS = Inputs((0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711), "bicubic")
"""Mean and deviation of OpenAI's training, for folders without preprocessor_config.json."""


def build_clip(name: str, classes: list[str]) -> tuple[ClipCam, Path]:
    """Return CLIP with the words of a dataset's classes, background first among them, and the file of its weights.

    Args:
        name: a model folder, or a name on the hub.

    Raises: WeightsError for a model that cannot be used; ValueError for a class that is no words.
    """
    folder = folder_of(name)
    model, tokenizer = load(folder)
    words = [words_of(cls) for cls in classes[1:]]
    background = [word for word in BACKGROUND if word not in words]
    embedded = embeddings(model, tokenizer, words + background, [*classes[1:], *background])
    found = ClipCam(model, embedded[: len(words)], embedded[len(words) :], inputs_of(folder))
    return found, model_folders.weights_of(folder)


def folder_of(name: str) -> Path:
    """Return a model's folder, downloaded where there is none of that name here. Raises WeightsError."""
    folder = Path(name).expanduser()
    if folder.is_dir():
        return folder
    if importlib.util.find_spec("transformers") is None:
        raise WeightsError(
            "cam.source is 'clip', but the package transformers is not installed. Run `pip install 'wsss-stages[clip]'`."
        )
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(name, allow_patterns=FILES))
    except Exception as error:  # of many libraries, which are the hub's own business
        raise WeightsError(
            f"cam.clip_model {name!r}: found no such folder, and the hub says: {model_folders.answer_of(error)}. Name the folder of a "
            "CLIP model, copied from a machine with a network; for a model behind a gate accept its terms and run `hf auth login`."
        ) from error


def load(folder: Path) -> tuple[nn.Module, Any]:
    """Return model and tokenizer of a folder. Raises WeightsError where it holds another model or not all of its weights."""
    kind = model_folders.config_of(folder).get("model_type")
    if kind != "clip":
        raise WeightsError(
            f"{folder}: found a model of type {kind!r}; wanted 'clip'. Name a folder of CLIP in cam.clip_model."
        )
    if not any(all((folder / name).is_file() for name in names) for names in TOKENIZERS):
        wanted = " or ".join(" and ".join(names) for names in TOKENIZERS)
        raise WeightsError(f"{folder}: found no tokenizer; wanted {wanted}. Copy the whole folder of the model.")
    pretrained.read_state(model_folders.weights_of(folder))  # raises for a file that is cut off or holds NaN
    from transformers import AutoTokenizer, CLIPModel, logging

    logging.set_verbosity_error()  # missing tensors are reported below
    logging.disable_progress_bar()
    try:
        how = {"local_files_only": True, "use_safetensors": True, "dtype": torch.float32, "output_loading_info": True}
        model, found = cast(tuple[Any, dict], CLIPModel.from_pretrained(folder, **how))
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    except (OSError, RuntimeError, ValueError, KeyError) as error:
        raise WeightsError(
            f"{folder}: transformers cannot read it: {model_folders.answer_of(error)}. Copy the whole folder of the model."
        ) from error
    if missing := sorted({*found["missing_keys"], *(key for key, *_ in found["mismatched_keys"])}):
        raise WeightsError(
            f"{folder}: {len(missing)} tensors of CLIP are not in {model_folders.WEIGHTS} or do not fit ({missing[0]} first). Copy the "
            "folder again."
        )
    if len(tokenizer) > (known := model.config.text_config.vocab_size):
        raise WeightsError(
            f"{folder}: found a tokenizer of {len(tokenizer)} tokens; wanted at most {known}, as the model knows. Copy the whole folder of "
            "the model."
        )
    return model.eval(), tokenizer


def inputs_of(folder: Path) -> Inputs:
    """Return mean and deviation of the images that a folder's model was trained with."""
    for name in ("preprocessor_config.json", "processor_config.json"):
        content = model_folders.config_of(folder, name) if (folder / name).is_file() else {}
        cfg = content.get("image_processor", content)
        if "image_mean" in cfg and "image_std" in cfg:
            mean, deviation = (tuple(map(float, cfg[name])) for name in ("image_mean", "image_std"))
            return Inputs(mean, deviation, "bicubic")
    return CLIP_INPUTS


@torch.no_grad()
def embeddings(model: Any, tokenizer: Any, words: list[str], names: list[str]) -> Float[Tensor, "n d"]:
    """Return the embeddings of words in the prompt, of length 1. Raises ValueError, with a name, for words without tokens or too many.

    Args:
        names: the class of each, for messages.
    """
    longest = model.config.text_config.max_position_embeddings
    for word, name in zip(words, names, strict=True):
        alone, whole = (len(tokenizer(text)["input_ids"]) for text in (word, PROMPT.format(word)))
        if alone <= len(tokenizer("")["input_ids"]) or whole > longest:
            found = "no words that CLIP reads" if alone <= longest and whole <= longest else f"{whole} tokens"
            raise ValueError(
                f"class {name!r}: found {found}; wanted a name of words, at most {longest} tokens with the prompt. Rename the class in "
                "classes.txt, or set cam.source to classifier."
            )
    tokens = tokenizer([PROMPT.format(word) for word in words], padding=True, return_tensors="pt")
    pooled = model.text_model(tokens["input_ids"], attention_mask=tokens["attention_mask"]).pooler_output
    return F.normalize(model.text_projection(pooled), dim=-1)
