"""Draw weak labels from true masks, as annotators would give them, to see what cheaper labels cost in quality.

reads   index.json     images with truth, and instances where there are any
writes  OUT            Annotations/ID.xml (boxes), Scribbles/ID.png, points.json, tags.csv; then run with
                       --config 'data={weak_labels: OUT}'
"""

import sys

from wsss_stages.config import options
from wsss_stages.stages import cli

CONNECTED = "images without numbered masks, whose objects are the connected parts of a class"


def main(argv: list[str] | None = None) -> None:
    paths, opt = cli.parse(
        __doc__, options.SimulateWeak, argv, paths={"index": "index.json", "out>": "folder to write"}
    )
    import numpy as np

    from wsss_stages.data.images import read_labels
    from wsss_stages.data.importers import voc_writer
    from wsss_stages.data.index import Index, stable_hash
    from wsss_stages.data.notes import Notes
    from wsss_stages.data.weak import simulate
    from wsss_stages.store import artifacts
    from wsss_stages.store.progress import progress

    index = Index.read(paths.index)
    if paths.out.resolve() == index.root.resolve():
        raise ValueError(f"--out {paths.out} is the dataset itself, which is only ever read; name another folder")
    records = [r for r in index.records.values() if r.truth]
    if not records:
        raise ValueError(f"no image of {paths.index} has a true mask (SegmentationClass/ID.png) to draw from")
    points, tags, notes = {}, {}, Notes()
    for record in progress(records, "simulate_weak"):

        def rng(kind: str, image_id: str = record.id) -> np.random.Generator:
            return np.random.default_rng(stable_hash(image_id, "simulate_weak", kind, opt.seed))

        labels = record.truth_labels(index.root)
        instances = read_labels(index.root / record.instances) if record.instances else None
        notes.add(CONNECTED, int(record.instances is None), record.id)
        size = record.full_height, record.full_width
        objects = simulate.objects(labels, instances)
        if "box" in opt.kinds:
            draw = rng("box")
            boxes = [(index.classes[c], simulate.box(mask, opt.box_jitter, draw)) for mask, c in objects]
            voc_writer.write_boxes(paths.out / "Annotations" / f"{record.id}.xml", *size, boxes)
        if "scribble" in opt.kinds:
            drawn = simulate.scribbles(labels, instances, opt.scribble_ratio, opt.scribble_width, rng("scribble"))
            voc_writer.write_labels(paths.out / "Scribbles" / f"{record.id}.png", drawn)
        if "point" in opt.kinds:
            draw = rng("point")
            clicks = [(*simulate.point(mask, draw), c) for mask, c in objects]
            points[record.id] = [{"x": x, "y": y, "cls": c} for x, y, c in clicks]
        tags[record.id] = [index.classes[c] for c in simulate.tags(labels)]
    if "point" in opt.kinds:
        artifacts.write_json(paths.out / "points.json", points)
    if "tag" in opt.kinds:
        voc_writer.write_tags(paths.out / "tags.csv", tags)
    without = len(index.records) - len(records)
    sys.stdout.write(
        f"{paths.out}: {', '.join(opt.kinds)} of {len(records)} images"
        + (f"; {without} images without truth have none\n" if without else "\n")
    )
    for text, note in notes.items():
        sys.stdout.write(f"{text}: {note}\n")


if __name__ == "__main__":
    cli.run(main)
