"""The box road on one image, for a notebook: arrays in, a label and its confidence out."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Integer, UInt8

from wsss_stages.a2gnn import nodes, object_masks, pixels
from wsss_stages.a2gnn.propagate import Settings, train
from wsss_stages.config import options
from wsss_stages.labels import grabcut
from wsss_stages.pairwise.array_checks import INTEGER, check_arrays

__all__ = ["pseudo_labels"]


def pseudo_labels(
    image: UInt8[np.ndarray, "h w 3"],
    boxes: Integer[np.ndarray, "k 4"],
    classes: Sequence[int] | Integer[np.ndarray, "k"],
    object_net: Path | str | None = None,
    affinity: Path | str | None = None,
    propagate: options.Propagate | None = None,
    device: str = "cpu",
    seed: int = 0,
) -> tuple[UInt8[np.ndarray, "h w"], Float[np.ndarray, "h w"]]:
    r"""Return the pseudo label :math:`\arg\max_c P^c(i)` of an image with boxes, and P of each pixel's label (Sec. 3.3 on one image).

    GrabCut in every box is what everything else begins with. With the weights of a run it goes on as the pipeline does: soft masks of the
    object network, and an A²GNN on the edges of the affinity CNN. Then a CRF, and no box is left without its object.

    Args:
        image: RGB.
        boxes: x0 y0 x1 y1, pixels from 0, half open, inside the image.
        classes: of each box, 1..254.
        object_net, affinity: weights of s4_object_net and s4_affinity; None: without.
        propagate: options of s6_propagate; None: the defaults.

    Returns: label, 0 where background and a box's class elsewhere; probability in [0, 1].

    >>> import numpy as np
    >>> image = np.full((40, 60, 3), 40, np.uint8)
    >>> image[10:30, 20:45] = (200, 60, 60)
    >>> label, confidence = pseudo_labels(image, np.array([[18, 8, 47, 32]]), [5])
    >>> int(label[20, 30]), int(label[2, 2])
    (5, 0)

    Raises: ValueError for arrays of other axes or types, boxes outside the image, and another number of classes than boxes.
    """
    from wsss_stages.roads.merge_labels import BoxedImage, LabelMerger

    check_arrays("pseudo_labels", image=(image, "h w 3", ("uint8",)), boxes=(boxes, "k 4", INTEGER))
    height, width = size = image.shape[:2]
    box_classes = _classes(boxes, classes, height, width)
    opt = propagate or options.Propagate()  # pyright: ignore[reportCallIssue]
    merger = LabelMerger(opt, device)
    rows = [0, *sorted(set(box_classes.tolist()))]
    boxed = BoxedImage("image", size, size, rows, boxes, box_classes, boxes, all_boxed=True)
    seeds = options.Seeds()  # pyright: ignore[reportCallIssue]
    known = options.Masks()  # pyright: ignore[reportCallIssue]
    limits = known.grabcut_iterations, known.grabcut_min_side, known.min_share
    masks, reasons = grabcut.foregrounds(image, boxes, *limits, seed)
    M_B = grabcut.label(grabcut.winners(masks), boxes, box_classes, seeds.background_in_boxes)
    P = (
        pixels.sure(nodes.rows_of(M_B, rows), len(rows))
        if affinity is None
        else _of_graph(image, M_B, boxed, Path(affinity), opt, device, seed)
    )
    objects = None if object_net is None else _of_objects(image, masks, reasons, boxed, Path(object_net), device)
    P = merger.mixed(merger.restricted(P, boxed), boxed, objects=objects)
    label, confidence, _ = merger.label(merger.refined(P, image, boxed), boxed)
    return label, confidence


def _classes(boxes: np.ndarray, classes: Sequence[int] | np.ndarray, height: int, width: int) -> np.ndarray:
    """Return the classes of the boxes as uint8. Raises ValueError."""
    if len(classes) != len(boxes):
        raise ValueError(f"pseudo_labels: found {len(classes)} classes of {len(boxes)} boxes; wanted one of each box")
    if outside := [c for c in classes if not 1 <= int(c) <= 254]:
        raise ValueError(f"pseudo_labels: found class {outside[0]}; wanted 1 to 254 (0 is background, 255 unknown)")
    for x0, y0, x1, y1 in boxes.tolist():
        if not (0 <= x0 < x1 <= width and 0 <= y0 < y1 <= height):
            raise ValueError(
                f"pseudo_labels: found box {x0} {y0} {x1} {y1}; wanted x0 < x1 and y0 < y1 inside the image of {width}x{height}"
            )
    return np.array(classes, np.uint8)


def _of_objects(image, masks, reasons: list[str], boxed, weights: Path, device: str) -> torch.Tensor:
    """Return (c, h, w) probabilities of the soft masks of boxes."""
    from wsss_stages.roads.object_masks import ObjectMasker
    from wsss_stages.training.networks import restore_object_net

    network, trained = restore_object_net(weights)
    opt = options.ObjectMasks()  # pyright: ignore[reportCallIssue]
    masker = ObjectMasker(network.to(device), trained["options"]["crop"], opt, device)
    known = [
        mask[y0:y1, x0:x1].astype(np.float32)
        for mask, (x0, y0, x1, y1) in zip(masks, boxed.boxes.tolist(), strict=True)
    ]
    P = masker.masks(image, boxed.boxes, known, np.array(reasons, bool), boxed.name)
    return object_masks.merge(P, boxed.boxes, boxed.box_rows, len(boxed.classes), *boxed.size)


def _of_graph(
    image, M_B: np.ndarray, boxed, weights: Path, opt: options.Propagate, device: str, seed: int
) -> torch.Tensor:
    """Return (c, h, w) probabilities of an A²GNN that learns from GrabCut's label."""
    from wsss_stages.roads.propagate import graph_of
    from wsss_stages.training import graph_networks

    networks = graph_networks.restore(options.Graph(), weights, None)  # pyright: ignore[reportCallIssue]
    networks.move(torch.nn.Module.to, device)
    E = networks.edges(image, "pseudo_labels", boxed.name, device)
    graph = graph_of(networks.nodes, image, boxed, E, M_B, opt.features, seed)
    (found,) = train([graph], networks.window, opt.fill(Settings))
    return pixels.probabilities(found.logits, networks.grid, *boxed.size)
