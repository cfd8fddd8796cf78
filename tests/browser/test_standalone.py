"""From a name to a layer, as a person does it: on the page."""

import re
import socket
import subprocess
import time

import pytest
from tray_page import PATIENCE, Tray, pixels

from jdaviz_mast.demo import Fault

SLOW = 4_000_000  # bytes per second and connection: an import takes some seconds


@pytest.mark.parametrize("layout", ["imviz", "app"])
def test_search_select_import_and_see(open_tray, archive, layout):
    archive.bandwidth = SLOW
    tray = open_tray(layout)
    tray.search_target("NGC 3132")
    assert "observations at level 3" in tray.message_of("search")

    tray.select("F1130W")
    tray.select("F187N")
    tray.import_selected()
    tray.page.locator("#mast-progress").wait_for()

    # The page answers while files are fetched: a search field takes text, the switch turns,
    # and Python hears of it (its hint changes).
    tray.page.get_by_text("Show all calibration levels").click()
    tray.page.get_by_text("Raw, calibrated and combined data").wait_for(timeout=3000)
    assert tray.page.locator("#mast-progress").is_visible()

    assert "4 images, 2 catalogs loaded" in tray.message_of("import")
    tray.page.locator("canvas").first.wait_for()
    time.sleep(0.5)  # for the last frame
    assert pixels(tray.page.locator(".bqplot").first).std() > 5
    # One icon in the corner for each layer that is on; the menu behind it names them all.
    legend = tray.page.locator(".layer-legend").first
    assert len(legend.text_content().split()) == 2
    legend.locator("button").first.click()
    menu = tray.page.locator("[id^=dm-content-]:visible").first
    menu.get_by_text("NGC-3132 F1130W L3", exact=True).wait_for()
    menu.get_by_text("NGC-3132 F187N L3", exact=True).wait_for()


def test_an_import_survives_a_reload_of_the_page(open_tray, archive):
    archive.bandwidth = SLOW
    tray = open_tray("imviz")
    tray.search_target("NGC 3132")
    tray.select("F090W")
    tray.import_selected()
    tray.page.locator("#mast-progress").wait_for()
    tray.page.reload(wait_until="domcontentloaded")
    tray.wait_until_there()
    assert "2 images, 1 catalog loaded" in tray.message_of("import")
    tray.page.locator("canvas").first.wait_for()
    # and the tray still works
    tray.page.locator("#mast-search").click()
    assert "observations at level 3" in tray.message_of("search")


def test_the_button_of_a_row_imports_that_row(open_tray):
    tray = open_tray("app")
    tray.search_target("NGC 3132")
    tray.row("F356W").get_by_label(re.compile("^Import ")).click()
    assert "2 images, 1 catalog loaded" in tray.message_of("import")


def test_an_import_is_cancelled_from_the_page(open_tray, archive, tmp_path):
    archive.bandwidth = 100_000
    tray = open_tray("imviz")
    tray.search_target("NGC 3132")
    tray.select("F090W")
    tray.import_selected()
    tray.page.locator("#mast-cancel-import").click()
    assert "cancelled" in tray.message_of("import")
    assert not list((tmp_path / "mast").rglob("*.fits"))


def test_what_goes_wrong_is_said_on_the_page(open_tray, archive):
    tray = open_tray("imviz")
    tray.search_target("no such thing")
    assert "No position is known" in tray.message_of("search")
    archive.fail(Fault("status", route="invoke", status=500))
    tray.search_target("NGC 3132")
    tray.page.get_by_text("answered with an error (HTTP 500)").wait_for(timeout=PATIENCE)
    archive.clear_faults()
    tray.page.locator("#mast-search").click()
    tray.page.get_by_text("observations at level 3").wait_for(timeout=PATIENCE)


def test_text_of_the_archive_is_shown_as_text(open_tray, archive):
    for row in archive.observations:
        if row["target_name"] == "NGC-3132":
            row["target_name"] = "<img src=x onerror=document.title='pwned'>"
    tray = open_tray("imviz")
    tray.search_target("NGC 3132")
    tray.row("<img src=x").wait_for()
    assert tray.page.title() != "pwned"


def test_a_closed_tab_lets_a_running_import_finish(open_tray, archive, tmp_path):
    archive.bandwidth = SLOW
    tray = open_tray("imviz")
    tray.search_target("NGC 3132")
    tray.select("F090W")
    tray.import_selected()
    tray.page.get_by_text(" files,").wait_for()
    tray.page.close(run_before_unload=True)
    assert tray.application.process.wait(PATIENCE / 1000) == 0
    folder = tmp_path / "mast" / "JWST"
    files = {path.name: path.stat().st_size for path in folder.rglob("*.*") if path.is_file()}
    wanted = {
        row["productFilename"]: row["size"]
        for row in archive.products
        if row["productFilename"].startswith("jw02733-o001_t001_nircam_clear-f090w_")
        and row["productType"] == "SCIENCE" and row["calib_level"] == 3
    }  # fmt: skip
    assert files == wanted


def test_the_demo_needs_nothing_but_itself(start, chromium):
    application = start("demo")
    page = chromium.new_page()
    outside = []
    page.on("request", lambda r: outside.append(r.url) if not _is_here(r.url) else None)
    tray = Tray(page, application.url)
    tray.page.locator("#mast-search").click()  # the target is filled in
    assert "observations at level 3" in tray.message_of("search")
    assert outside == []
    page.close()


def _is_here(url):
    return url.startswith(("http://localhost", "http://127.0.0.1", "ws://", "data:", "blob:"))


def test_a_tab_of_an_earlier_process_does_not_end_the_next_one(start, chromium, archive, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = ["--server", archive.url, "--download-dir", str(tmp_path), "--port", str(port)]
    first = start(*command)
    page = chromium.new_page()
    tray = Tray(page, first.url)
    first.stop()
    second = start(*command)
    url = second.url
    page.get_by_text("Could not restore session").wait_for(timeout=PATIENCE)
    with pytest.raises(subprocess.TimeoutExpired):
        second.process.wait(8)
    page.goto(url, wait_until="domcontentloaded")
    tray.wait_until_there()
    tray.search_target("NGC 3132")
    assert "observations at level 3" in tray.message_of("search")
    page.close()
    assert second.process.wait(PATIENCE / 1000) == 0
