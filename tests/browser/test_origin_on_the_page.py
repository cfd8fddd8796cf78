"""On the page: what MAST has changed, where a layer comes from, and whom to cite."""

import json

import pytest
from tray_page import Jobs, Tray

from jdaviz_mast.demo import DemoArchive

F187N = "jw02733-o001_t001_nircam_clear-f187n"
URI = f"mast:JWST/product/{F187N}_i2d.fits"


@pytest.fixture
def own_archive():
    """An archive whose files may be reprocessed: that is not undone after a test."""
    with DemoArchive() as archive:
        yield archive


@pytest.fixture
def tray(own_archive, start, chromium, tmp_path):
    folder = str(tmp_path / "mast")
    application = start("--server", own_archive.url, "--download-dir", folder)
    context = chromium.new_context(viewport={"width": 1400, "height": 1000})
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    tray = Tray(context.new_page(), application.url)
    tray.search_target("NGC 3132")
    tray.row(F187N).get_by_role("button", name=f"Import {F187N}").click()
    tray.message_of("import")
    yield tray
    context.close()


def clipboard(page):
    return page.evaluate("navigator.clipboard.readText()")


def test_a_refresh_is_shown_and_a_new_version_fetched(tray, own_archive):
    page = tray.page
    row = next(row for row in own_archive.observations if row["obs_id"] == F187N)
    row["proposal_pi"] = "<img src=x onerror=alert(1)>"
    own_archive.reprocess(URI)
    page.locator("#mast-refresh").click()
    message = tray.message_of("refresh")
    assert "1 observation asked for; 1 changed. 3 layers updated." in message
    assert "→ <img src=x onerror=alert(1)>" in message  # as text
    badge = Jobs(tray).of(F187N).locator(".mast-job-badge")
    badge.wait_for()
    assert badge.inner_text() == "reprocessed"
    page.locator("#mast-library-head").click()
    kept = page.locator(".mast-kept", has=page.locator(".mast-kept-badge"))
    kept.wait_for()
    assert kept.get_attribute("data-name") == f"{F187N}_i2d.fits"
    page.locator(".mast-fetch-new").click()
    Jobs(tray).wait_for("version 1.19.0", "complete")
    page.locator("#mast-updates").wait_for(state="detached")
    badge.wait_for(state="detached")
    kept.wait_for(state="detached")
    page.locator("#mast-provenance-open").click()
    page.locator("#mast-provenance .v-select").click()
    labels = page.locator("#mast-provenance .v-menu__content .v-list-item").all_inner_texts()
    assert "NGC-3132 F187N L3 v1.19.0" in labels


def test_a_layer_tells_its_way_and_it_is_saved(tray, tmp_path):
    page = tray.page
    page.locator("#mast-provenance-open").click()
    panel = page.locator("#mast-provenance")
    panel.get_by_text("Program: JWST 2733").wait_for()
    assert panel.locator(".mast-origin-row").first.inner_text() == "Layer: NGC-3132 F187N L3"
    panel.get_by_role("button", name="Copy").click()
    panel.get_by_text("Copied").wait_for()
    assert clipboard(page).splitlines()[0] == "Layer: NGC-3132 F187N L3"
    page.locator("#mast-save-prov").click()
    panel.get_by_text("Saved as").wait_for()
    (path,) = (tmp_path / "mast").glob("*_prov.json")
    assert "wasDerivedFrom" in json.loads(path.read_text())


def test_a_row_is_cited(tray):
    page = tray.page
    tray.row(F187N).get_by_role("button", name=f"More for {F187N}").click()
    page.get_by_role("menuitem", name="Cite").click()
    page.locator("#mast-acknowledgement").wait_for()
    page.locator("#mast-copy-bibtex").click()
    page.locator("#mast-citations").get_by_text("Copied").wait_for()
    assert clipboard(page).startswith("@MISC{jwst.prop.2733,")
    page.locator("#mast-copy-text").click()
    page.wait_for_function("navigator.clipboard.readText().then(t => t.startsWith('This work'))")
    page.get_by_role("button", name="Close the citations").click()
    page.locator("#mast-citations").wait_for(state="detached")
