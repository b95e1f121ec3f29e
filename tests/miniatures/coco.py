"""COCO 2014 and 2017 as their zips unpack: annotations/instances_LIST.json, and LIST/ with the photographs.

Photographs are named COCO_train2014_000000000009.jpg in 2014 and 000000000009.jpg in 2017. Category ids are COCO's own, with their gaps. There
are a polygon of two parts, and a crowd as an uncompressed run-length code.
"""

import json
from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np

from tests.miniatures.pictures import picture, save_photo

GAPS = {12, 26, 29, 30, 45, 66, 68, 69, 71, 83}
CATEGORY_IDS = [number for number in range(1, 91) if number not in GAPS]
"""COCO's 80 ids of categories, 1..90 with gaps."""
NAMES = (
    "person,bicycle,car,motorcycle,airplane,bus,train,truck,boat,traffic light,fire hydrant,stop sign,parking meter,bench,bird,cat,dog,"
    "horse,sheep,cow,elephant,bear,zebra,giraffe,backpack,umbrella,handbag,tie,suitcase,frisbee,skis,snowboard,sports ball,kite,"
    "baseball bat,baseball glove,skateboard,surfboard,tennis racket,bottle,wine glass,cup,fork,knife,spoon,bowl,banana,apple,sandwich,"
    "orange,broccoli,carrot,hot dog,pizza,donut,cake,chair,couch,potted plant,bed,dining table,toilet,tv,laptop,mouse,remote,keyboard,"
    "cell phone,microwave,oven,toaster,sink,refrigerator,book,clock,vase,scissors,teddy bear,hair drier,toothbrush"
).split(",")
TRAIN = {9: (1, 17), 25: (17,), 30: (3,), 34: (1, 3), 36: (62, 1), 49: (17, 62), 61: (3,), 64: (62,)}
VAL = {42: (1,), 73: (17, 3), 74: (62,), 133: (1, 62)}


def write_2014(folder: Path) -> None:
    """Write COCO 2014 below a folder."""
    write_year(folder, 2014, TRAIN, VAL)


def write_2017(folder: Path) -> None:
    """Write COCO 2017 below a folder."""
    write_year(folder, 2017, TRAIN, VAL)


def write_year(
    folder: Path, year: int, train: Mapping[int, tuple[int, ...]], val: Mapping[int, tuple[int, ...]]
) -> None:
    """Write both lists of a year: images by number with classes 1..80."""
    (folder / "annotations").mkdir(parents=True, exist_ok=True)
    for name, of in ((f"train{year}", train), (f"val{year}", val)):
        content = instances(of, name)
        for image in content["images"]:
            one = picture(str(image["id"]), of[image["id"]])
            save_photo(folder / name / image["file_name"], one.photo)
        (folder / "annotations" / f"instances_{name}.json").write_text(json.dumps(content))


def file_name(number: int, name: str) -> str:
    """Return the name of a photograph of the list."""
    return f"COCO_{name}_{number:012d}.jpg" if name.endswith("2014") else f"{number:012d}.jpg"


def instances(of: Mapping[int, tuple[int, ...]], name: str) -> dict:
    """Return the JSON of a list; the first image has a crowd besides."""
    images, annotations = [], []
    for number, classes in of.items():
        one = picture(str(number), classes)
        height, width = one.size
        images.append(
            {"license": 3, "file_name": file_name(number, name), "coco_url": f"http://images.cocodataset.org/{name}/{number:012d}.jpg",
             "height": height, "width": width, "date_captured": "2013-11-14 11:18:45", "id": number}
        )  # fmt: skip
        for mask, cls in ((one.objects == k, cls) for k, cls in enumerate(classes, 1)):
            annotations.append(_annotation(len(annotations) + 1, number, CATEGORY_IDS[cls - 1], mask))
    annotations.append(_crowd(len(annotations) + 1, images[0]))
    categories = [
        {"supercategory": "thing", "id": number, "name": name} for number, name in zip(CATEGORY_IDS, NAMES, strict=True)
    ]
    info = {"description": f"COCO {name[-4:]} Dataset", "version": "1.0", "year": int(name[-4:])}
    licenses = [{"url": "http://creativecommons.org/licenses/by-nc-nd/2.0/", "id": 3, "name": "Attribution"}]
    return {
        "info": info, "licenses": licenses, "images": images, "annotations": annotations, "categories": categories
    }  # fmt: skip


def _annotation(number: int, image: int, category: int, mask: np.ndarray) -> dict:
    """Return an object with its outline cut into an upper and a lower polygon."""
    rows, columns = np.nonzero(mask)
    middle = int(rows.min() + rows.max()) // 2
    parts = []
    for half in (mask[:middle], mask[middle:]):
        outlines, _ = cv2.findContours(half.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        offset = 0 if not parts else middle
        parts.append([float(value) for x, y in outlines[0][:, 0] for value in (x + 0.5, y + 0.5 + offset)])
    box = [int(columns.min()), int(rows.min()), int(np.ptp(columns)) + 1, int(np.ptp(rows)) + 1]
    return {
        "segmentation": parts, "area": float(mask.sum()), "iscrowd": 0, "image_id": image, "bbox": [float(v) for v in box],
        "category_id": category, "id": number,
    }  # fmt: skip


def _crowd(number: int, image: dict) -> dict:
    """Return a crowd of people: the two left columns of an image."""
    height, width = image["height"], image["width"]
    counts = [0, 2 * height, (width - 2) * height]
    return {
        "segmentation": {"counts": counts, "size": [height, width]}, "area": float(2 * height), "iscrowd": 1, "image_id": image["id"],
        "bbox": [0.0, 0.0, 2.0, float(height)], "category_id": 1, "id": number,
    }  # fmt: skip
