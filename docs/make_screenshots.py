"""Make the pictures of these pages: the demo, driven in headless Chromium.

``python docs/make_screenshots.py [FOLDER]`` writes them to ``docs/images``, or to a folder. It
needs what the tests marked ``browser`` need, and takes about a minute.
"""

import io
import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import sync_playwright

DOCS = Path(__file__).parent
sys.path.insert(0, str(DOCS.parent / "tests" / "browser"))

from tray_page import PATIENCE, Application, Jobs, Tray, pixels  # noqa: E402

#: As many as a palette has: with fewer, a nebula has steps. At a width of 880 it has 200 kB.
COLOURS = 256
FLAGS = ["--no-sandbox", "--disable-gpu"]
#: What jdaviz says over its tool bar comes and goes.
QUIET = ".v-snack { display: none }"
#: A click on what is partly hidden moves the sidebar sideways, too.
UPRIGHT = "() => document.querySelectorAll('.v-card').forEach(card => { card.scrollLeft = 0; })"
WINDOW = {"width": 1400, "height": 900}


class Studio:
    """A demo, a browser, and a folder for pictures."""

    def __init__(self, browser, url, folder):
        self.browser, self.url, self.folder = browser, url, Path(folder)

    def open(self, **window):
        """Open a page; return its tray."""
        return Tray(self.browser.new_page(viewport=WINDOW | window), self.url)

    def save(self, name, page, *elements, width=None):
        """Save a page, or the part of it that some elements take up, with a palette."""
        page.add_style_tag(content=QUIET)
        page.evaluate(UPRIGHT)
        page.mouse.move(WINDOW["width"] / 2, 40)  # where nothing explains itself
        page.wait_for_timeout(700)  # for what is still sliding or fading
        options = {}
        if elements:
            elements[0].scroll_into_view_if_needed()
            page.wait_for_timeout(500)
            boxes = [element.bounding_box() for element in elements]
            left, top = (min(box[side] for box in boxes) - 8 for side in "xy")
            right = max(box["x"] + box["width"] for box in boxes) + 8
            bottom = max(box["y"] + box["height"] for box in boxes) + 8
            options["clip"] = {"x": left, "y": top, "width": right - left, "height": bottom - top}
        picture = Image.open(io.BytesIO(page.screenshot(**options))).convert("RGB")
        if width:
            height = round(picture.height * width / picture.width)
            picture = picture.resize((width, height), Image.Resampling.LANCZOS)
        reduced = picture.quantize(COLOURS, dither=Image.Dither.NONE)
        reduced.save(self.folder / f"{name}.png", optimize=True)


def nebula(studio):
    """A colour picture, and then what the tray knows of how it came about."""
    tray = studio.open()
    page = tray.page
    tray.search_target("NGC 3132")
    for name in ("F470N", "F212N", "F090W"):
        tray.select(name)
    page.locator("#mast-colour-set").click()
    page.locator("#mast-colours").wait_for()
    wait_for_colour(page)
    show_results(page)
    studio.save("tray", page, width=880)

    page.locator("#mast-library-head").click()
    page.locator(".mast-kept").first.wait_for()
    page.locator("#mast-library-search").fill("i2d")
    page.wait_for_function("document.querySelectorAll('.mast-kept').length == 3", timeout=PATIENCE)
    studio.save("library", page, page.locator("#mast-library"))
    page.locator("#mast-library-head").click()

    page.locator("#mast-provenance-open").click()
    page.locator("#mast-provenance").get_by_text("Program: JWST 2733").wait_for()
    # The file's own row has the folder of whoever makes the pictures.
    page.locator("#mast-provenance .mast-origin-row").nth(2).evaluate(
        "row => { row.parentElement.scrollTop = row.offsetTop - row.parentElement.offsetTop; }"
    )
    studio.save("provenance", page, page.locator("#mast-provenance"))
    page.get_by_role("button", name="Close the provenance").click()

    Jobs(tray).all.first.get_by_role("button", name="More for").click()
    page.get_by_role("menuitem", name="Make again and compare").click()
    page.locator("#mast-import-message").get_by_text("the same").wait_for()
    studio.save(
        "make_it_again", page, page.locator("#mast-import-message"), page.locator("#mast-jobs")
    )


def exclusive_access(studio):
    """A row with a padlock, and a token that opens it."""
    tray = studio.open(height=1500)
    page = tray.page
    tray.choose("Search by", "Program ID")
    page.get_by_label("Program ID", exact=True).fill("7777")
    page.locator("#mast-search").click()
    tray.row("NGC-3132-HALO").wait_for()
    page.locator("#mast-token .mast-token-head").click()
    page.get_by_label("Token", exact=True).fill("demo-token")
    page.get_by_role("button", name="Use", exact=True).click()
    page.locator("#mast-token-message").wait_for()
    page.get_by_role("button", name="Check", exact=True).click()
    page.locator("#mast-token-message").get_by_text("knows you as").wait_for()
    studio.save(
        "exclusive_access",
        page,
        page.locator(".mast-observations").first,
        page.locator("#mast-token"),
    )


def spectrum_and_cube(studio):
    """A cube, its uncertainty and its spectra."""
    tray = imported(studio, "NGC 7319")
    for home in tray.page.locator("[value='jdaviz:homezoom']").all():
        home.click()  # all of both spectra; which viewer comes first depends on the network
    studio.save("spectrum_and_cube", tray.page)


def light_curve(studio):
    """The light curve of a star."""
    tray = imported(studio, "TIC 261136679")
    studio.save("light_curve", tray.page)


def imported(studio, target):
    """Search for a target, import all that is found, and show where it was found."""
    tray = studio.open()
    tray.search_target(target)
    tray.rows.first.locator(".mast-select").click()
    tray.import_selected()
    tray.page.locator("#mast-import-message").get_by_text("loaded").wait_for()
    tray.page.wait_for_timeout(2000)  # figures draw themselves once they have their size
    show_results(tray.page)
    return tray


def show_results(page):
    """Turn the sidebar to the results."""
    page.locator("#mast-search-message").evaluate("element => element.scrollIntoView()")


def wait_for_colour(page):
    """Wait until the viewer shows colours."""
    for _ in range(PATIENCE // 500):
        picture = pixels(page.locator(".bqplot").first)
        if np.mean(np.ptp(picture, axis=2) > 30) > 0.01:
            return
        page.wait_for_timeout(500)
    raise AssertionError("the viewer shows no colours")


SCENES = (exclusive_access, nebula, spectrum_and_cube, light_curve)


def make(folder, scenes=SCENES):
    """Write all pictures, or those of some scenes, into a folder."""
    home = Path(tempfile.mkdtemp())
    demo = Application("demo", "--download-dir", str(home / "mast"), home=home)
    names = ("chromium", "chromium-browser", "google-chrome")
    path = next(filter(None, map(shutil.which, names)), None)
    try:
        with sync_playwright() as driver:
            browser = driver.chromium.launch(executable_path=path, headless=True, args=FLAGS)
            studio = Studio(browser, demo.url, folder)
            for scene in scenes:
                scene(studio)
            browser.close()
    finally:
        demo.stop()
        shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    make(sys.argv[1] if len(sys.argv) > 1 else DOCS / "images")
