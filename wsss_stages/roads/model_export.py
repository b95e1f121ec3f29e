"""A segmenter as one file for other programs: ONNX, or TorchScript; compared with the network before it takes its name."""

import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from wsss_stages.data.findings import shown
from wsss_stages.nets.grid import to_pixels
from wsss_stages.nets.inputs import normalise
from wsss_stages.nets.segmenter import Segmenter
from wsss_stages.nets.traceable import PhotoNetwork, traceable
from wsss_stages.roads.named_classes import class_names
from wsss_stages.roads.predict_photos import segmenter_metadata
from wsss_stages.store import artifacts
from wsss_stages.store.palette import voc_palette
from wsss_stages.training.networks import restore_segmenter

OPSET = 17
"""Version of ONNX's operators."""
TRACED = (97, 131)
"""Size of the photograph that the network is traced on; odd, so that no two maps are equally large by chance."""
COMPARED = ((97, 131), (64, 64), (100, 33), (160, 239))
"""Sizes at which the exported model must give the network's labels."""
SAME = 0.999
"""Least share of equal labels."""
EXTRA = "about.json"
"""Name of the metadata in a TorchScript file."""

Runner = Callable[[np.ndarray], np.ndarray]
"""Gives the labels of a photograph."""


def export_model(
    weights: Path, model: str, out: Path, classes: str = "", probabilities: bool = False, max_side: int = 1024
) -> float:
    """Write a model, whole or not at all, and return the least share of labels that are the network's over COMPARED.

    Args:
        classes: value of --classes.  probabilities: whether it gives them too.  max_side: recorded, as the size that photographs should be
            reduced to before.

    Raises: ContractError for weights of another kind or of other classes, ValueError for a network that cannot be exported.
    """
    metadata = segmenter_metadata(weights)
    names = class_names(weights, metadata, classes)
    network, _ = restore_segmenter(weights)
    about = _about(weights, metadata, names, max_side)
    write, opened = {"onnx": (_write_onnx, _open_onnx), "torchscript": (_write_torchscript, _open_torchscript)}[model]
    with artifacts.whole(out) as partial:
        try:
            write(traceable(network), partial, about, probabilities)
        except OSError:
            raise
        except Exception as error:  # tracers raise nearly anything
            first = shown(str(error).strip().partition("\n")[0])
            raise ValueError(f"{weights}: {first} It cannot be exported as {model}.") from error
        share = agreement(network, opened(partial))
        if share < SAME:
            raise ValueError(
                f"{weights}: found {share:.4%} of labels equal at one of the sizes {COMPARED}, where the exported model was compared with "
                f"the network; wanted {SAME:.1%}. Its operations depend on the size of the photograph in a way that {model} does not "
                "hold; nothing was written. Train s7_segment with another backbone or head."
            )
    return share


@torch.no_grad()
def agreement(network: Segmenter, run: Runner) -> float:
    """Return the least share of labels, over photographs of noise of all sizes of COMPARED, that are the network's own."""
    shares = []
    for number, (height, width) in enumerate(COMPARED):
        photo = noise(height, width, number)
        image = torch.from_numpy(photo).permute(2, 0, 1)[None] / 255
        label = to_pixels(network(normalise(image)), network.grid, (height, width))[0].argmax(dim=0).numpy()
        shares.append(float((run(photo) == label).mean()))
    return min(shares)


def noise(height: int, width: int, seed: int) -> np.ndarray:
    """Return a photograph (height, width, 3) uint8 of coarse noise, so that a network's labels differ from place to place."""
    rng = np.random.default_rng(seed)
    coarse = torch.from_numpy(rng.uniform(0, 255, (1, 3, -(-height // 16), -(-width // 16))))
    smooth = torch.nn.functional.interpolate(coarse, (height, width), mode="bilinear")[0]
    return smooth.permute(1, 2, 0).numpy().astype(np.uint8)


def _about(weights: Path, metadata: dict[str, Any], names: list[str], max_side: int) -> dict[str, str]:
    """Return the metadata of a model: texts."""
    colours = ["#" + bytes(colour).hex() for colour in voc_palette()[: len(names)].tolist()]
    return {
        "classes": json.dumps(names, ensure_ascii=False),
        "colours": json.dumps(colours),
        "max_side": str(max_side),
        "stage": metadata["stage"],
        "weights_sha256": artifacts.sha256(weights),
        "image": "uint8 (height, width, 3) RGB, at least 32 pixels a side",
        "labels": "uint8 (height, width): number of the class, 0 background",
        "probabilities": "float32 (classes, height, width), if there is such an output",
    }


def _write_onnx(network: PhotoNetwork, path: Path, about: dict[str, str], probabilities: bool) -> None:
    import onnx

    outputs = ["labels", *(["probabilities"] if probabilities else [])]
    sides = {0: "height", 1: "width"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the tracer, which outlives its announced end
        torch.onnx.export(
            network if probabilities else LabelsAlone(network),
            (_example(),),
            str(path),
            dynamo=False,  # the other exporter holds no pooling whose cells depend on the size, and wants onnxscript
            input_names=["image"],
            output_names=outputs,
            dynamic_axes={"image": sides, "labels": sides, "probabilities": {1: "height", 2: "width"}},
            opset_version=OPSET,
        )
    made = onnx.load(str(path))
    onnx.helper.set_model_props(made, about)
    onnx.checker.check_model(made)
    onnx.save(made, str(path))


def _open_onnx(path: Path) -> Runner:
    import onnxruntime

    session = onnxruntime.InferenceSession(path.read_bytes(), providers=["CPUExecutionProvider"])
    return lambda photo: np.asarray(session.run(["labels"], {"image": photo})[0])


def _write_torchscript(network: PhotoNetwork, path: Path, about: dict[str, str], probabilities: bool) -> None:
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        module = torch.jit.trace(network if probabilities else LabelsAlone(network), (_example(),), check_trace=False)
        torch.jit.save(module, str(path), _extra_files={EXTRA: json.dumps(about)})


def _open_torchscript(path: Path) -> Runner:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        module = torch.jit.load(str(path))

    def run(photo: np.ndarray) -> np.ndarray:
        made = module(torch.from_numpy(photo))
        return (made[0] if isinstance(made, tuple) else made).numpy()

    return run


class LabelsAlone(torch.nn.Module):
    """A network without its probabilities."""

    def __init__(self, network: PhotoNetwork):
        super().__init__()
        self.network = network

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return self.network(image)[0]


def _example() -> torch.Tensor:
    return torch.from_numpy(noise(*TRACED, 0))
