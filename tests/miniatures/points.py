"""What's the Point (Bearman et al., ECCV 2016): whats_the_point/data/pascal2012_trainval_main.json.

{ID: [{"x", "y": pixels counted from 0, "cls": 1..20, "rank": which click of the worker it was}]}; clicks on objects only. Those on the background that
GatedCRF's authors took from ScribbleSup lie beside it, under the name of their repository.
"""

import json
from pathlib import Path

from tests.miniatures.voc2012 import ONLY_SBD, TRAIN, VAL, pictures

FOLDER = Path("whats_the_point/data")
CLICKS, BACKGROUND = "pascal2012_trainval_main.json", "voc_whats_the_point_bg_from_scribbles.json"


def write(folder: Path) -> None:
    """Write the clicks of every picture that has a box, below a folder."""
    clicks, background = {}, {}
    for one in pictures({**TRAIN, **VAL, **ONLY_SBD}):
        centres = [one.centre(number) for number in range(1, len(one.classes) + 1)]
        clicks[one.id] = [
            {"y": y + 0.25, "x": x + 0.5, "rank": rank, "cls": cls}
            for rank, ((x, y), cls) in enumerate(zip(centres, one.classes, strict=True), 1)
        ]
        background[one.id] = [{"x": 2.0, "y": 2.5, "cls": 0}, {"x": one.size[1] - 3.0, "y": 2.0, "cls": 0}]
    (folder / FOLDER).mkdir(parents=True, exist_ok=True)
    for name, content in ((CLICKS, clicks), (BACKGROUND, background)):
        (folder / FOLDER / name).write_text(json.dumps(content))
