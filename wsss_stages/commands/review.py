"""Look at a run's labels in the browser, worst first, and correct them.

    wsss review photos --open                     # of `wsss run photos`, in the same folder
    wsss review results/photos --weak point --variant ours --who "A. Person"
    wsss review photos --port 8123                # on a server; here: ssh -L 8123:127.0.0.1:8123 server

It prints an address, which works on this machine alone and only with the token in it; Ctrl-C ends it. Every decision and every stroke is on the
disk, in results/NAME/review, before the page says so. Then take them into the run: wsss import. While one person reviews, others get the page to look
only.
"""

import argparse
import signal
import sys
import webbrowser
from pathlib import Path

from wsss_stages.commands import project as projects
from wsss_stages.commands.corrections import user
from wsss_stages.config.options import KINDS
from wsss_stages.stages import cli

FOLDER = "review"


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("target", type=Path, metavar="FOLDER", help=projects.TARGET_HELP)
    parser.add_argument("--results", type=Path, default=Path(), metavar="DIR", help=projects.RESULTS_HELP)
    parser.add_argument("--weak", choices=list(KINDS), help="kind of weak label (default: the only one with results)")
    parser.add_argument(
        "--variant", default="ours", metavar="NAME", help="variant whose labels are shown (default ours)"
    )
    parser.add_argument("--who", default="", metavar="NAME", help="your name (default: the user's name)")
    parser.add_argument("--port", type=int, default=0, help="port on this machine (default: a free one)")
    parser.add_argument("--read-only", action="store_true", help="look only")
    parser.add_argument("--open", action="store_true", help="open the page in the browser")
    asked = parser.parse_args(argv)
    for number in (signal.SIGINT, signal.SIGTERM):  # a shell's background job ignores SIGINT
        signal.signal(number, signal.default_int_handler)

    from wsss_stages.roads.review_site.images import RunImages
    from wsss_stages.roads.review_site.server import ReviewServer
    from wsss_stages.roads.review_site.session import Session

    results = projects.results_of(asked.target, asked.results)
    weak = asked.weak or only_weak(results, asked.variant)
    images = RunImages.open(results.resolve(), weak, asked.variant)
    session = Session(images, results / FOLDER, asked.who or user(), asked.read_only)
    try:
        server = ReviewServer(session, asked.port)
        notes = [session.busy] * bool(session.busy) + [f"{len(images.ids)} images; Ctrl-C ends the page"]
        try:
            sys.stdout.write("".join(f"{line}\n" for line in [server.address, *notes]))
            sys.stdout.flush()
            if asked.open:
                webbrowser.open(server.address)
            server.serve_forever()
        except KeyboardInterrupt:
            sys.stdout.write(f"\n{counted(session)}\n")
        finally:
            server.server_close()
    finally:
        session.close()


def only_weak(results: Path, variant: str) -> str:
    """Return the kind of weak label that has results of a variant. Raises ValueError where there are several or none."""
    found = [kind for kind in KINDS if (results / kind / variant).is_dir()]
    if len(found) != 1:
        what = f"results of {', '.join(found)}" if found else f"no results of the variant {variant}"
        raise ValueError(f"{results}: found {what}; wanted one. Set --weak and --variant, or run first: wsss run")
    return found[0]


def counted(session) -> str:
    """Return how many images are decided, and what to do with them."""
    counts = session.listed(0, 0, "all")["counts"]
    done = (
        f"{counts['accept']} accepted, {counts['fix']} to be fixed, {counts['skip']} skipped, {counts['open']} not seen"
    )
    return f"{done}. Take them into the run: wsss import {session.folder.parent} --corrections {session.folder}"


if __name__ == "__main__":
    cli.run(main)
