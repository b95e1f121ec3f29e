"""Say what a folder of photographs is, and all that is wrong with it.

    wsss check photos                 # kind, photographs, labels, classes, notes, and whether a run could start
    wsss check export.zip --weak box  # whether every photograph has a box of each of its classes

Nothing is written. The exit status is 1 where something is wrong.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from wsss_stages.commands import project as projects
from wsss_stages.commands import settings
from wsss_stages.config import check, options
from wsss_stages.data import description


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    settings.add_folder(parser)
    args = parser.parse_args(argv)
    chosen = settings.asked(args)
    given = dict(chosen.get("data") or {})
    kind = given.get("kind") or settings.only_kind(args.folder)
    check.section("data", given | {"kind": kind})
    sys.stdout.write(f"folder       {args.folder}, kind {kind}\n")

    from wsss_stages.data.importers.kinds import KINDS as IMPORTERS
    from wsss_stages.data.importers.kinds import Settings

    read = options.Data.model_validate(given | {"kind": kind})
    with tempfile.TemporaryDirectory(prefix="wsss_check_") as folder:
        name = projects.legal_name(args.folder)
        index = IMPORTERS[kind](name, args.folder, Path(folder) / "truth", read.fill(Settings))
        contents = description.Contents.of(index)
        sys.stdout.write("".join(f"{line}\n" for line in description.lines(index, contents)))
        settings.with_weak(chosen, index, contents)
    sys.stdout.write(f"nothing is wrong; next: wsss run {args.folder}\n")


if __name__ == "__main__":
    from wsss_stages.stages import cli

    cli.run(main)
