"""The sky as a person has it: footprints, previews and the field that is shown."""

import time

import numpy as np
import pytest
from tray_page import LAYOUTS, PATIENCE, pixels

F187N = "jw02733-o001_t001_nircam_clear-f187n"
ORANGE = (255, 154, 60)


@pytest.fixture(params=LAYOUTS)
def tray(request, open_tray, archive):
    tray = open_tray(request.param)
    tray.search_target("NGC 3132")
    tray.row("F090W").wait_for()
    return tray


def selected(tray):
    """Texts of the rows of the page that are selected."""
    return [row.inner_text() for row in tray.page.locator("tr.mast-selected").all()]


def menu_of(tray, row, action):
    tray.row(row).get_by_role("button", name="More for").click()
    tray.page.locator(".menuable__content__active").get_by_text(action).click()


def coloured(tray, color):
    """How many pixels of the viewer have about that colour."""
    image = pixels(tray.page.locator(".bqplot").first)
    return int(np.sum(np.abs(image - color).max(axis=2) < 40))


def open_layers(page):
    """The menu of the first viewer, which names its layers."""
    menu = page.locator("[id^=dm-content-]:visible")
    if not menu.count():
        page.locator(".layer-legend").first.locator("button").first.click()
    menu.first.wait_for()
    return menu.first


def until(condition):
    deadline = time.monotonic() + PATIENCE / 1000
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.2)


def test_footprints_and_rows_are_one(tray):
    page = tray.page
    page.locator("#mast-footprints").locator("xpath=..").click()
    page.get_by_text("as soon as an image").wait_for()
    tray.row("F090W").get_by_role("button", name="Import").click()
    assert "2 images, 1 catalog loaded" in tray.message_of("import")
    page.get_by_text("as soon as an image").wait_for(state="detached")
    assert coloured(tray, ORANGE) < 50

    tray.select("F187N")  # from the table to the sky
    until(lambda: coloured(tray, ORANGE) > 200)
    tray.select("F187N")
    until(lambda: coloured(tray, ORANGE) < 50)

    box = page.locator(".bqplot").first.bounding_box()  # and back
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.click(*middle)
    page.locator("tr.mast-selected").wait_for()
    first = selected(tray)
    assert len(first) == 1
    until(lambda: coloured(tray, ORANGE) > 200)
    time.sleep(0.5)  # else it is a double click
    page.mouse.click(*middle)
    until(lambda: len(selected(tray)) == 1 and selected(tray) != first)

    page.locator("#mast-footprints").locator("xpath=..").click()
    until(lambda: coloured(tray, ORANGE) < 50)


def test_preview_then_place_then_import(tray):
    page = tray.page
    menu_of(tray, "F187N", "Preview")
    image = page.locator(".mast-preview-image")
    image.wait_for()
    until(lambda: image.evaluate("image => image.naturalWidth") > 100)
    assert "F187N" in page.locator(".mast-preview-title").first.inner_text()
    image.click()
    large = page.locator("#mast-preview-large")
    large.wait_for()
    assert large.bounding_box()["width"] > 500
    large.click()
    large.wait_for(state="hidden")

    page.locator("#mast-place").click()
    page.locator("#mast-preview-message").wait_for()
    page.locator("canvas").first.wait_for()
    until(lambda: pixels(page.locator(".bqplot").first).std() > 5)
    layers = open_layers(page)
    layers.get_by_text("NGC-3132 F187N preview", exact=True).wait_for()
    page.keyboard.press("Escape")

    tray.row("F187N").get_by_role("button", name="Import").click()
    assert "2 images, 1 catalog loaded" in tray.message_of("import")
    layers = open_layers(page)
    layers.get_by_text("NGC-3132 F187N L3", exact=True).wait_for()
    assert layers.get_by_text("NGC-3132 F187N preview", exact=True).count() == 0


def test_search_where_i_look(tray):
    page = tray.page
    assert page.locator("#mast-look").is_disabled()
    tray.row("F090W").get_by_role("button", name="Import").click()
    assert "2 images, 1 catalog loaded" in tray.message_of("import")

    page.locator("#mast-look").click()
    page.get_by_text("overlap the field").wait_for()

    assert "arcmin²" in page.locator(".mast-caption").inner_text()
    assert tray.rows.count() >= 5
