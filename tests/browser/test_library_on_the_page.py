"""The library on the page: found, searched, loaded without the network, removed."""

from tray_page import PATIENCE

from jdaviz_mast import Mast

F090W = "jw02733-o001_t001_nircam_clear-f090w"


def test_a_file_of_yesterday_is_found_loaded_and_removed(open_tray, archive, tmp_path, asked):
    mast = Mast(archive.url, tmp_path / "mast")
    for observation in (F090W, "ib5741010", "ib5741020"):
        mast.fetch(observation)
    before = len(asked("Download"))
    tray = open_tray("app")
    page = tray.page
    page.locator("#mast-library-head").click()
    rows = page.locator(".mast-kept")
    rows.first.wait_for()
    assert rows.count() == 7
    page.locator("#mast-library-search").fill("f090w i2d")
    page.wait_for_function("document.querySelectorAll('.mast-kept').length == 1", timeout=PATIENCE)
    row = rows.filter(has_text=f"{F090W}_i2d.fits")
    assert "NGC-3132 · NIRCAM/IMAGE · F090W" in row.inner_text()
    row.get_by_role("button", name="Load").click()
    assert "NGC-3132 F090W L3" in tray.message_of("library")
    row.get_by_label("In the viewer").wait_for()
    assert row.get_by_role("button", name="Load").count() == 0
    assert len(asked("Download")) == before

    path = mast.library.files("f090w i2d")[0].path
    row.get_by_role("button", name="Remove").click()
    row.get_by_role("button", name="Keep").click()
    assert path.exists()
    row.get_by_role("button", name="Remove").click()
    row.get_by_role("button", name="Delete").click()
    page.locator("#mast-library-empty").wait_for()
    assert not path.exists()
    assert "was deleted" in tray.message_of("library")
