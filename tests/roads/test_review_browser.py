"""The review page in a real browser: paint, draw, accept, reload, and a server that is killed in between."""

import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import numpy as np
import pytest

from tests.roads.review_runs import results_of
from wsss_stages.data.corrections.verdicts import Verdicts
from wsss_stages.data.images import read_labels
from wsss_stages.roads.review_site.images import RunImages

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [pytest.mark.slow, pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium")]


@contextmanager
def served(results, *words):
    """Serve a review in a process of its own; yield the process and the address."""
    command = [sys.executable, "-m", "wsss_stages.commands.review", str(results), "--who", "Ada", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process, process.stdout.readline().strip()
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def page(browser):
    """A page that reports every error of its script and every request that leaves this machine."""
    page = browser.new_page(viewport={"width": 1300, "height": 850})
    page.set_default_timeout(60_000)
    faults = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("request", lambda request: request.url.startswith("http://127.0.0.1:") or faults.append(request.url))
    yield page
    page.close()
    assert not faults


def opened(page, address):
    page.goto(address)
    wait(page, "page.image !== null && document.querySelectorAll('.entry').length > 2")


def wait(page, expression):
    """Wait until an expression is true; Playwright's own way to wait is evaluated by the page, which the page forbids."""
    end = time.monotonic() + 60
    while not page.evaluate(expression):
        assert time.monotonic() < end, expression
        page.wait_for_timeout(30)


def saved(page):
    wait(page, "page.waiting === 0 && document.getElementById('saved').textContent === 'saved'")


def stroke(page, x0, y0, x1, y1):
    """Drag from one place of the image to another, in shares of its sides."""
    area = page.locator("#boxes").bounding_box()
    place = lambda x, y: (area["x"] + x * area["width"], area["y"] + y * area["height"])  # noqa: E731
    page.mouse.move(*place(x0, y0))
    page.mouse.down()
    page.mouse.move(*place((x0 + x1) / 2, (y0 + y1) / 2))
    page.mouse.move(*place(x1, y1))
    page.mouse.up()


def test_painted_accepted_and_reloaded_nothing_is_lost_and_a_kill_loses_nothing(toy, tmp_path, page):
    results = results_of(toy, tmp_path)
    images = RunImages.open(results, "box", "ours")
    first, second, third = images.ids[:3]
    before = images.label(first)
    with served(results) as (process, address):
        opened(page, address)
        assert first in page.locator("#about").text_content()
        page.keyboard.press("b")
        page.locator("#class").select_option("2")
        stroke(page, 0.1, 0.5, 0.9, 0.5)
        saved(page)
        assert "to be fixed" in page.locator("#about").text_content()
        painted = np.uint8(page.evaluate("Array.from(page.mask)")).reshape(before.shape)
        row = painted[before.shape[0] // 2]
        assert (row[len(row) // 5 : -len(row) // 5] == 2).all() and (painted != before).any()
        page.keyboard.press("a")
        wait(page, "page.number === 1 && !page.busy")
        page.keyboard.press("x")
        stroke(page, 0.25, 0.25, 0.75, 0.7)
        saved(page)
        boxes = page.evaluate("page.image.boxes")
        assert boxes != images.record(second).full_boxes().tolist()
        opened(page, address)
        assert first in page.locator("#about").text_content() and "accepted" in page.locator("#about").text_content()
        assert (np.uint8(page.evaluate("Array.from(page.mask)")) == painted.ravel()).all()
        page.keyboard.press("ArrowRight")
        wait(page, "page.number === 1 && !page.busy")
        assert page.evaluate("page.image.boxes") == boxes
        page.keyboard.press("a")
        wait(page, "page.number === 2 && !page.busy")
        page.keyboard.press("e")
        stroke(page, 0.05, 0.9, 0.6, 0.9)
        saved(page)
        erased = np.uint8(page.evaluate("Array.from(page.mask)"))
        process.send_signal(signal.SIGKILL)
        process.wait()
        stroke(page, 0.05, 0.3, 0.6, 0.3)
        wait(page, "document.getElementById('saved').textContent.startsWith('NOT SAVED')")
    kept = Verdicts(results / "review", images.index.classes).by_image
    assert [kept[i].state for i in (first, second, third)] == ["accept", "accept", "fix"] and kept[
        second
    ].how == "boxes"
    assert (read_labels(results / "review/masks" / kept[first].mask) == painted).all() and kept[second].boxes == boxes
    with served(results) as (_, address):
        opened(page, address)
        page.locator("#filter").select_option("fix")
        wait(page, "page.total === 1 && page.image.state === 'fix' && !page.busy")
        assert third in page.locator("#about").text_content()
        assert (np.uint8(page.evaluate("Array.from(page.mask)")) == erased).all()
        page.keyboard.press("s")
        wait(page, "page.total === 0")


def test_undo_steps_and_taking_a_step_as_the_label(toy, tmp_path, page):
    results = results_of(toy, tmp_path)
    with served(results) as (_, address):
        opened(page, address)
        start = page.evaluate("Array.from(page.mask)")
        page.keyboard.press("b")
        stroke(page, 0.1, 0.2, 0.4, 0.2)
        saved(page)
        page.keyboard.press("z")
        saved(page)
        assert page.evaluate("Array.from(page.mask)") == start
        page.locator("#step").select_option("masks M_B")
        wait(page, "page.shown !== page.mask")
        step = page.evaluate("Array.from(page.shown)")
        page.locator("#take").click()
        saved(page)
        assert page.evaluate("Array.from(page.mask)") == step


def test_to_look_only_says_so_and_takes_no_stroke(toy, tmp_path, page):
    results = results_of(toy, tmp_path)
    with served(results, "--read-only") as (_, address):
        opened(page, address)
        assert page.locator("#banner").is_visible() and page.locator("#accept").is_disabled()
        before = page.evaluate("Array.from(page.mask)")
        page.keyboard.press("b")
        stroke(page, 0.1, 0.5, 0.9, 0.5)
        page.keyboard.press("a")
        assert page.evaluate("Array.from(page.mask)") == before and page.evaluate("page.number") == 0


def test_names_with_markup_are_shown_as_they_are(toy, tmp_path, page):
    name = "<img src=x onerror=alert(1)> & 猫"
    results = results_of(toy, tmp_path)
    content = toy.read_index(toy.index)
    content["index"].classes[1] = name
    (results / "box/index.json").unlink()
    toy.write_index(results / "box/index.json", content)
    with served(results) as (_, address):
        opened(page, address)
        assert page.locator("#class option").first.text_content() == name and page.locator("img[src=x]").count() == 0


def test_on_a_phone_nothing_is_wider_than_the_page(toy, tmp_path, browser):
    results = results_of(toy, tmp_path)
    page = browser.new_page(viewport={"width": 390, "height": 800}, has_touch=True)
    with served(results, "--read-only") as (_, address):
        opened(page, address)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        area = page.locator("#boxes").bounding_box()
        assert (
            area["width"] > 250
            and area["y"] + area["height"] < 800
            and page.locator("#accept").bounding_box()["y"] < 800
        )
    page.close()
