"""Draw weak labels from true masks, as annotators would give them, to measure the quality that cheaper labels cost.

reads   index.json     images with truth, and instances where there are any
writes  OUT            Annotations/ID.xml (boxes), Scribbles/ID.png, points.json, tags.csv; then run with
                       --config 'data={weak_labels: OUT}'
"""

import sys

from wsss_stages.config import options
from wsss_stages.stages import cli


def main(argv: list[str] | None = None) -> None:
    paths, opt = cli.parse(
        __doc__, options.SimulateWeak, argv, paths={"index": "index.json", "out>": "folder to write"}
    )
    from wsss_stages.data.index import Index
    from wsss_stages.roads.weak_labels import WeakLabeller

    index = Index.read(paths.index)
    if paths.out.resolve() == index.root.resolve():
        raise ValueError(f"--out {paths.out} is the dataset itself, which is never written to; name another folder")
    records = [r for r in index.records.values() if r.truth]
    if not records:
        raise ValueError(f"no image of {paths.index} has a true mask (SegmentationClass/ID.png) to draw from")
    labeller = WeakLabeller(index, paths.out, opt)
    labeller.run(records)
    without = len(index.records) - len(records)
    sys.stdout.write(
        f"{paths.out}: {', '.join(opt.kinds)} of {len(records)} images"
        + (f"; {without} images without truth have none\n" if without else "\n")
    )
    for text, note in labeller.notes.items():
        sys.stdout.write(f"{text}: {note}\n")


if __name__ == "__main__":
    cli.run(main)
