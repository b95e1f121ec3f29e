"""VOC 2012 as VOCtrainval_11-May-2012.tar unpacks, and the photographs and the list of VOC2012test.tar.

VOCdevkit/VOC2012/JPEGImages/ID.jpg                             every picture, also those that only SBD has masks of
VOCdevkit/VOC2012/Annotations/ID.xml                            boxes of all but the test's, with parts, actions and fractions of pixels
VOCdevkit/VOC2012/ImageSets/Segmentation/LIST.txt               train, val, trainval, test
VOCdevkit/VOC2012/ImageSets/Main/{LIST,CLASS_LIST}.txt          train, val; without the pictures of 2007, with those that only SBD has masks of
VOCdevkit/VOC2012/Segmentation{Class,Object}/ID.png             of train and val, 255 around every object
"""

from collections.abc import Mapping
from pathlib import Path

from tests.miniatures.pictures import Picture, picture, save_lines, save_palette, save_photo
from wsss_stages.data.importers.voc import VOC_CLASSES

DEVKIT = Path("VOCdevkit/VOC2012")
TRAIN = {"2007_000032": (1, 15), "2007_000039": (20,), "2008_000015": (9, 12), "2008_000019": (3,)}
VAL = {"2007_000033": (1,), "2007_000042": (12, 15), "2008_000009": (3, 20), "2008_000016": (9,)}
ONLY_SBD = {"2008_000008": (15, 1), "2008_000023": (20,), "2008_000002": (3,), "2008_000003": (12, 9)}
"""Pictures of VOC 2012 without a mask of VOC's own, which `train_aug` takes: two of Main's train, two of Main's val."""
TEST = {"2008_000006": (15,), "2008_000011": (3, 12)}


def pictures(of: Mapping[str, tuple[int, ...]]) -> list[Picture]:
    """Return the pictures of ids and their classes."""
    return [picture(image_id, classes) for image_id, classes in of.items()]


def write(folder: Path) -> None:
    """Write the miniature below a folder."""
    others = list(ONLY_SBD.items())
    write_devkit(folder / DEVKIT, TRAIN, VAL, dict(others[:2]), dict(others[2:]), TEST)


def write_devkit(
    root: Path,
    train: Mapping[str, tuple[int, ...]],
    val: Mapping[str, tuple[int, ...]],
    main_train: Mapping[str, tuple[int, ...]],
    main_val: Mapping[str, tuple[int, ...]],
    test: Mapping[str, tuple[int, ...]],
) -> None:
    """Write a year of VOC's development kit; its name is the folder's.

    Args:
        main_train, main_val: pictures without masks, of Main's lists.
    """
    lists = {"train": list(train), "val": list(val), "trainval": sorted([*train, *val]), "test": list(test)}
    for name, ids in lists.items():
        if ids:
            save_lines(root / "ImageSets" / "Segmentation" / f"{name}.txt", ids)
    of = {"train": {**train, **main_train}, "val": {**val, **main_val}}
    write_main(root, {name: {i: shown for i, shown in ids.items() if i[:4] != "2007"} for name, ids in of.items()})
    for one in pictures({**of["train"], **of["val"], **test}):
        save_photo(root / "JPEGImages" / f"{one.id}.jpg", one.photo)
        if one.id not in test:
            (root / "Annotations").mkdir(exist_ok=True)
            masked = one.id in train or one.id in val
            (root / "Annotations" / f"{one.id}.xml").write_text(annotation(one, root.name, masked))
        if one.id in train or one.id in val:
            save_palette(root / "SegmentationClass" / f"{one.id}.png", one.with_void(one.labels))
            save_palette(root / "SegmentationObject" / f"{one.id}.png", one.with_void(one.objects))


def write_main(root: Path, lists: Mapping[str, Mapping[str, tuple[int, ...]]]) -> None:
    """Write the lists of the classification task: one of ids, and one a class with 1 or -1 behind every id."""
    for name, of in lists.items():
        save_lines(root / "ImageSets" / "Main" / f"{name}.txt", list(of))
        for cls, class_name in enumerate(VOC_CLASSES[1:], 1):
            lines = [f"{image_id} {1 if cls in shown else -1:2d}" for image_id, shown in of.items()]
            save_lines(root / "ImageSets" / "Main" / f"{class_name}_{name}.txt", lines)


def annotation(one: Picture, year: str, masked: bool) -> str:
    """Return the XML of a picture, 1-based and inclusive; people have parts and actions, every second object has fractions."""
    height, width = one.size
    objects = "".join(_object(one, number) for number in range(1, len(one.classes) + 1))
    return (
        f"<annotation>\n\t<folder>{year}</folder>\n\t<filename>{one.id}.jpg</filename>\n\t<source>\n\t\t<database>The {year} Database"
        "</database>\n\t\t<annotation>PASCAL VOC</annotation>\n\t\t<image>flickr</image>\n\t</source>\n"
        f"\t<size>\n\t\t<width>{width}</width>\n\t\t<height>{height}</height>\n\t\t<depth>3</depth>\n\t</size>\n"
        f"\t<segmented>{int(masked)}</segmented>\n{objects}</annotation>\n"
    )


def _object(one: Picture, number: int) -> str:
    cls = one.classes[number - 1]
    x0, y0, x1, y1 = one.box(number)
    part = _box(x0 + 2, y0 + 2, x0 + 9, y0 + 9)
    person = f"\t\t<part>\n\t\t<name>head</name>\n{part}\t\t</part>\n" if cls == 15 else ""
    person += "\t\t<actions>\n\t\t\t<walking>1</walking>\n\t\t</actions>\n" if cls == 15 else ""
    fraction = ".70000076293945" if number % 2 == 0 else ""
    return (
        f"\t<object>\n\t\t<name>{VOC_CLASSES[cls]}</name>\n\t\t<pose>Frontal</pose>\n\t\t<truncated>0</truncated>\n"
        f"\t\t<difficult>0</difficult>\n{_box(x0 + 1, y0 + 1, x1, y1, fraction)}{person}\t</object>\n"
    )


def _box(xmin: int, ymin: int, xmax: int, ymax: int, fraction: str = "") -> str:
    return (
        f"\t\t<bndbox>\n\t\t\t<xmin>{xmin}{fraction}</xmin>\n\t\t\t<ymin>{ymin}</ymin>\n"
        f"\t\t\t<xmax>{xmax}</xmax>\n\t\t\t<ymax>{ymax}</ymax>\n\t\t</bndbox>\n"
    )
