"""A colour picture on the page, and the exposures that an image was made of."""

import os
from pathlib import Path

import numpy as np
import pytest
from tray_page import LAYOUTS, PATIENCE, pixels

FILTERS = ("F444W;F470N", "F212N", "F090W")
#: Folder for screenshots, for whoever wants to look.
SHOTS = "JDAVIZ_MAST_SCREENSHOTS"


@pytest.fixture(params=LAYOUTS)
def tray(request, open_tray):
    tray = open_tray(request.param)
    tray.search_target("NGC 3132")
    tray.row("F090W").wait_for()
    return tray


def shot(page, name):
    if folder := os.environ.get(SHOTS):
        page.screenshot(path=Path(folder) / f"{name}.png")


def saturation(picture):
    """How far each pixel is from grey, 0 to 255."""
    return picture.max(axis=2) - picture.min(axis=2)


def settled(page, viewer, condition):
    """Wait until what a viewer shows fulfils something; return it."""
    for _ in range(PATIENCE // 500):
        picture = pixels(viewer)
        if condition(picture):
            return picture
        page.wait_for_timeout(500)
    raise AssertionError("it did not come to show that")


def test_one_click_makes_a_colour_picture(tray):
    page = tray.page
    for name in FILTERS:
        tray.select(name.split(";")[-1])
    page.locator("#mast-colour-set").click()
    legend = page.locator("#mast-colours")
    legend.wait_for()
    names = [text.strip() for text in legend.locator(".mast-colour").all_inner_texts()]
    assert names == list(FILTERS)
    swatches = legend.locator(".mast-swatch").evaluate_all(
        "all => all.map(one => getComputedStyle(one).backgroundColor)"
    )
    assert swatches == ["rgb(255, 0, 0)", "rgb(0, 255, 0)", "rgb(0, 0, 255)"]
    viewer = page.locator(".bqplot").first
    picture = settled(page, viewer, lambda p: np.mean(saturation(p) > 30) > 0.01)
    red, _, blue = np.moveaxis(picture, 2, 0)
    assert np.mean(red - blue > 20) > 0.002  # the halo of molecular hydrogen
    assert np.mean(blue - red > 20) > 0.002  # the ionized cavity
    legend.scroll_into_view_if_needed()
    shot(page, "colour-set")

    page.locator("#mast-undo-colours").click()
    legend.wait_for(state="detached")
    settled(page, viewer, lambda p: not np.any(saturation(p) > 30))


def test_the_exposures_of_an_image_are_imported_beside_it(tray):
    page = tray.page
    tray.row("F187N").get_by_role("button", name="More for").click()
    page.get_by_text("What it was made of").click()
    panel = page.locator("#mast-products")
    panel.get_by_text("_cal.fits").first.wait_for()
    assert "Exposures of jw02733-o001_t001_nircam_clear-f187n" in panel.inner_text()
    panel.scroll_into_view_if_needed()
    shot(page, "ladder")
    panel.get_by_role("button", name="Import jw").first.click()
    assert "1 image loaded" in tray.message_of("import")
