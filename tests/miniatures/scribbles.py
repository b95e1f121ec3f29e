"""ScribbleSup (Lin et al., CVPR 2016) as scribble_annotation.zip unpacks: scribble_annotation/pascal_2012/ID.xml.

An XML has a <polygon> a line, with the class's name in <tag> and <point>s of X and Y, counted from 1; the background has lines, too.
"""

from pathlib import Path

from tests.miniatures.pictures import Picture
from tests.miniatures.voc2012 import ONLY_SBD, TRAIN, VAL, pictures
from wsss_stages.data.importers.voc import VOC_CLASSES

FOLDER = Path("scribble_annotation/pascal_2012")


def write(folder: Path) -> None:
    """Write the scribbles of every picture that has a box, below a folder."""
    (folder / FOLDER).mkdir(parents=True, exist_ok=True)
    for one in pictures({**TRAIN, **VAL, **ONLY_SBD}):
        (folder / FOLDER / f"{one.id}.xml").write_text(scribbles(one, VOC_CLASSES))


def scribbles(one: Picture, names: list[str]) -> str:
    """Return the XML of a picture: a horizontal line in every object and one along the upper border."""
    height, width = one.size
    lines = [("background", [(2, 2), (width // 2, 3), (width - 3, 2)])]
    for number, cls in enumerate(one.classes, 1):
        x, y = one.centre(number)
        lines.append((names[cls], [(x - 4, y), (x, y + 1), (x + 4, y)]))
    body = "".join(
        f"\t<polygon>\n\t\t<tag>{name}</tag>\n"
        + "".join(f"\t\t<point>\n\t\t\t<X>{x + 1}</X>\n\t\t\t<Y>{y + 1}</Y>\n\t\t</point>\n" for x, y in points)
        + "\t</polygon>\n"
        for name, points in lines
    )
    size = f"\t<size>\n\t\t<width>{width}</width>\n\t\t<height>{height}</height>\n\t\t<depth>3</depth>\n\t</size>\n"
    return f"<annotation>\n\t<folder>pascal_2012</folder>\n\t<filename>{one.id}.jpg</filename>\n{size}{body}</annotation>\n"
