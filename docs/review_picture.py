"""The picture of the review page in docs/review.md: python docs/review_picture.py results/scenes docs/pictures/review.png

It serves a finished run (`make demo`) to look only, opens the page in Chromium and paints a stroke, which nothing saves. Needs the extra `dev`.
"""

import shutil
import sys
import tempfile
import threading
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

from wsss_stages.roads.review_site.images import RunImages
from wsss_stages.roads.review_site.server import ReviewServer
from wsss_stages.roads.review_site.session import Session

COLOURS = 128
"""Colours of the picture, so that the file stays small."""


def picture(results: Path, out: Path, width: int = 1300, height: int = 780) -> None:
    """Write a picture of the page as wide and high as a window, in pixels."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        session = Session(RunImages.open(results.resolve(), "box", "ours"), Path(folder), "you", False)
        server = ReviewServer(session)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": width, "height": height})
        page.goto(server.address)
        page.locator(".entry").nth(3).wait_for()
        page.keyboard.press("b")
        page.wait_for_timeout(3000)
        page.screenshot(path=out)
        browser.close()
        server.shutdown()
        session.close()
    with Image.open(out) as image:
        small = image.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    small.save(out, optimize=True)


if __name__ == "__main__":
    picture(Path(sys.argv[1]), Path(sys.argv[2]), *map(int, sys.argv[3:]))
