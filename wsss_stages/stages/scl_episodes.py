"""Choose the images for a fold's episodes of training and of the choice of weights, and draw those of the test
(Secs. 5.2, 5.4.2).

reads   index.json       true masks
writes  episodes.json    classes of the test, lists of [query, [supports], class] for it, and images of each class for training
"""

import sys

from wsss_stages.config import options
from wsss_stages.stages import cli


def main(argv: list[str] | None = None) -> None:
    paths, opt = cli.parse(
        __doc__,
        options.SclEpisodes,
        argv,
        paths={"index": "index.json", "episodes>": "episodes.json to write"},
        texts={"fold": ("0", "fold, from 0")},
    )
    from wsss_stages.data.few_shot.episodes import Settings, draw_fold
    from wsss_stages.data.index import Index

    index = Index.read(paths.index)
    made = draw_fold(index, int(paths.fold), opt.fill(Settings))
    made.write(paths.episodes)
    names = ", ".join(index.classes[c] for c in made.novel)
    sys.stdout.write(
        f"{paths.episodes}: {len(made.train.shown)} images to train on, {len(made.held_out.shown)} to choose by, {len(made.test)} times "
        f"{opt.test_pairs} to test {names}\n"
    )
    for note, count in made.notes.items():
        sys.stdout.write(f"{note}: {count}\n")


if __name__ == "__main__":
    cli.run(main)
