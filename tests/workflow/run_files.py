"""The run files of the thesis's results: which data in miniature each needs, what it makes, and settings that make it tiny."""

import re
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

import cv2
import numpy as np

from tests import miniatures
from tests.miniatures import coco, coco20i, pascal5i, voc2012

ROOT = Path(__file__).parents[2]
VOC = ("voc2012", "sbd", "scribblesup", "whats_the_point")


PLACES = {
    "scribble_annotation/pascal_2012": "VOCdevkit/VOC2012",
    "whats_the_point/data/*.json": "VOCdevkit/VOC2012",
    "VOCdevkit/VOC2010/scribble_annotation/pascal_context": "VOCdevkit/VOC2010/Context",
}
"""Published weak labels and the folders in which the run files' headers put them."""


class Result(NamedTuple):
    """A result of the thesis: its run files, the miniatures of its data, targets, and the tables that read what they make."""

    runs: tuple[str, ...]
    data: tuple[str, ...]
    targets: tuple[str, ...]
    tables: tuple[str, ...]


RESULTS = {
    "voc12_box": Result(("voc12", "voc12_box"), VOC, ("all",), ("table_3_1",)),
    "voc12_scribble": Result(("voc12", "voc12_scribble"), VOC, ("all",), ("table_3_10",)),
    "voc12_point": Result(("voc12", "voc12_point"), VOC, ("all",), ("table_3_10",)),
    "voc12_tag": Result(("voc12", "voc12_tag"), VOC, ("all",), ("table_3_11",)),
    "voc12_tag_saliency": Result(("voc12", "voc12_tag", "voc12_tag_saliency"), VOC, ("all",), ("table_3_11",)),
    "voc12_rrm": Result(("voc12", "voc12_rrm"), VOC, ("all",), ("table_2_6",)),
    "voc12_rrm_two_step": Result(("voc12", "voc12_rrm_two_step"), VOC, ("all",), ("table_2_6",)),
    "voc12_dfr": Result(
        ("voc12", "voc12_dfr"),
        VOC,
        ("all", "results/voc12/scribble/dfr_thesis/s9_evaluate/val/scores.json"),
        ("table_4_1", "table_4_2"),
    ),
    "voc12_instances": Result(("voc12", "voc12_instances"), VOC, ("instances",), ("table_3_2",)),
    "context_scribble": Result(("context_scribble",), ("context",), ("all",), ("table_4_3",)),
    "coco_box": Result(("coco_box",), ("coco2014",), ("all",), ()),
    "coco_instances": Result(("coco_box", "coco_instances"), ("coco2014",), ("instances",), ("table_3_3",)),
    "pascal5i": Result(("pascal5i",), ("pascal5i",), ("table_5_1",), ()),
    "coco20i": Result(
        ("coco20i",),
        ("coco20i",),
        tuple(f"results/coco20i/scl/fold{fold}/pfenet_scl/scl_evaluate/scores.json" for fold in range(4)),
        ("table_5_2", "table_5_3", "table_5_4"),
    ),
    "coco20i_2017": Result(
        ("coco20i", "coco20i_2017"),
        (),
        tuple(f"results/coco20i_2017/scl/fold{fold}/canet_scl/scl_evaluate/scores.json" for fold in range(4)),
        ("table_5_5",),
    ),
}
"""By the last of their run files."""
STEP = {"epochs": 1, "batch_size": 2, "crop": 64, "workers": 0, "held_out": 0}
FRESH: dict[str, Any] = {"backbone": "tiny", "backbone_weights": "none"}
TINY: dict[str, Any] = {
    "shards": 1,
    "backbone_weights": "none",
    "report_images": 2,
    "classifier": STEP | {"backbone": "tiny"},
    "cam": {"scales": [1.0]},
    "instances": STEP | FRESH | {"width": 16, "hidden": 32, "mask_layers": 1, "proposals": 40, "samples": 16},
    "scl_episodes": {
        "min_pixels": 20,
        "test_pairs": 2,
        "test_seeds": 1,
        "train_pairs": 4,
        "held_out": 0.3,
        "held_out_pairs": 2,
        "shots": 5,
    },
    "scl_features": {"side": 64},
    "scl": {"epochs": 1, "batch_size": 2, "workers": 0, "channels": 16, "bins": [1.0, 0.5]},
    "scl_evaluate": {"shots": [1, 5], "rounds": 1},
    "tables": {"folds": [0]},
    "variants": {
        "thesis": {
            "affinity": STEP,
            "propagate": {"epochs_first": 1, "epochs_second": 1, "hidden": 16},
            "segment": STEP | FRESH | {"head_channels": 16},
            "rrm": STEP | {"channels": 16, "scales": [1.0]},
            "dfr": STEP | FRESH | {"channels": 8, "features": 8, "warm_up": 0},
        },
    },
}
"""Sizes, steps and backbones alone."""


def write_data(name: str, folder: Path) -> Path:
    """Write the miniatures of a result's data, and maps of saliency where it wants some; return what `dataset_root` names."""
    with (
        mock.patch.object(pascal5i, "PICTURES", 2 * pascal5i.PICTURES),  # five supports and a query of every class
        mock.patch.object(coco20i, "PICTURES", 2 * coco20i.PICTURES),
    ):
        for one in RESULTS[name].data:
            miniatures.write(one, folder / "data")
        if name == "coco20i_2017":
            train, val = ({first + 2 * n: coco20i.shown(n) for n in range(coco20i.PICTURES)} for first in (9, 1000))
            coco.write_year(folder / "data", 2017, train, val)
    if "saliency" in name:
        (folder / "saliency").mkdir()
        for image in (*voc2012.TRAIN, *voc2012.ONLY_SBD):
            photo = cv2.imdecode(
                np.fromfile(folder / "data" / voc2012.DEVKIT / "JPEGImages" / f"{image}.jpg", np.uint8),
                cv2.IMREAD_GRAYSCALE,
            )
            cv2.imwrite(str(folder / "saliency" / f"{image}.png"), photo)
    for published, place in PLACES.items():
        for path in sorted((folder / "data").glob(published)):
            (folder / "data" / place).mkdir(exist_ok=True)
            path.rename(folder / "data" / place / path.name)
    return folder / "data"


def commands(name: str) -> list[str]:
    """Return the commands of a run file's header, complete ones."""
    text = (ROOT / "workflow" / "runs" / f"{name}.yaml").read_text()
    return re.findall(r"^#   (snakemake .*--configfile .*)$", text, re.M)
