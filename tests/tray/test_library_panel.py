"""The library in the tray: searched, paged, loaded without the network, removed."""

import pytest
from jdaviz import Imviz
from trays import F090W, layers, tray_of, wait_for

import jdaviz_mast
from jdaviz_mast import Mast, conf
from jdaviz_mast.errors import InvalidInput, NotViewable

HST = "ib5741010"


@pytest.fixture
def folder(archive, tmp_path):
    """A folder that an earlier session has fetched into."""
    mast = Mast(archive.url, tmp_path)
    for observation in (F090W, HST):
        mast.fetch(observation)
    with conf.set_temp("server", archive.url), conf.set_temp("download_dir", str(tmp_path)):
        yield tmp_path


@pytest.fixture
def viz(folder):
    return jdaviz_mast.enable(Imviz())


@pytest.fixture
def tray(viz):
    return tray_of(viz)


@pytest.fixture
def panel(tray):
    """The panel, unfolded as on the page."""
    panel = tray._obj.library_panel
    panel.vue_toggle()
    wait_for(lambda: not panel.busy, tray)
    return panel


def names(panel):
    return [row["name"] for row in panel.rows]


def test_what_is_on_disk_is_shown_when_it_is_unfolded(tray, panel, folder):
    on_disk = {p.name for p in folder.rglob("*/*/*") if p.is_file() and ".jdaviz" not in str(p)}
    assert set(names(panel)) == on_disk
    assert panel.total == len(on_disk)
    assert panel.totals.startswith(f"{len(on_disk)} files, ")
    row = next(row for row in panel.rows if row["name"] == f"{F090W}_i2d.fits")
    assert (row["target"], row["taken"]) == ("NGC-3132", "NIRCAM/IMAGE · F090W")
    assert row["version"].startswith("version 1.")
    assert not row["shown"]
    assert not row["why_not"]


def test_words_choose_and_pages_turn(tray, panel, monkeypatch):
    monkeypatch.setattr("jdaviz_mast.tray.library_panel.FILES_PER_PAGE", 2)
    panel.vue_search("f090w")
    wait_for(lambda: panel.text == "f090w" and not panel.busy, tray)
    assert panel.total == 3
    first = names(panel)
    panel.vue_turn(2)
    wait_for(lambda: panel.page == 2, tray)
    assert len(names(panel)) == 1
    assert all("f090w" in name for name in first + names(panel))
    panel.vue_search("nothing like it")
    wait_for(lambda: panel.total == 0, tray)
    assert (panel.page, panel.rows, panel.totals) == (1, [], "")
    panel.vue_search("")
    wait_for(lambda: panel.total > 3, tray)


def test_load_needs_no_network_and_knows_where_the_layer_came_from(viz, tray, panel, asked):
    row = next(row for row in panel.rows if row["name"] == f"{F090W}_i2d.fits")
    panel.vue_load(row["key"])
    assert panel.loading == row["key"]
    wait_for(lambda: panel.message, tray)
    (label,) = layers(viz)
    assert label in panel.message
    assert panel.message_type == "success"
    assert not panel.loading
    meta = layers(viz)[label].meta
    assert meta["mast_product_dataURI"] == f"mast:JWST/product/{F090W}_i2d.fits"
    assert meta["targetName"] == "NGC-3132"
    assert [row["name"] for row in panel.rows if row["shown"]] == [f"{F090W}_i2d.fits"]
    # No job is made of it, and nothing is asked.
    assert len(tray.jobs) == 2
    assert asked() == []
    viz._app.data_item_remove(label)
    assert not any(row["shown"] for row in panel.rows)


def test_python_loads_by_uri_path_or_name_and_waits(viz, tray, folder):
    uri = f"mast:JWST/product/{F090W}_i2d.fits"
    labels = tray.load_from_library(uri)
    assert labels == list(layers(viz))
    assert tray.load_from_library(f"{F090W}_i2d.fits") == []
    file = tray.library.files("hst i2d") or tray.library.files("drz")
    assert tray.load_from_library(file[0].path)
    with pytest.raises(InvalidInput, match="uri"):
        tray.load_from_library("mast:X/none")
    table = next(f for f in tray.library.files() if f.name.endswith("_cat.ecsv"))
    table.path.write_text("nothing of a table")
    with pytest.raises(jdaviz_mast.errors.MastError):
        tray.load_from_library(table.uri)


def test_what_does_not_open_here_says_so(tray, panel):
    x1d = [row for row in panel.rows if row["why_not"]]
    for row in x1d:
        with pytest.raises(NotViewable):
            tray.load_from_library(row["key"])


def test_a_file_without_any_trail_opens_by_its_headers(viz, tray, folder):
    import shutil

    shutil.rmtree(folder / ".jdaviz-mast")
    (label,) = tray.load_from_library(f"{F090W}_i2d.fits")
    assert layers(viz) or label in [d.label for d in viz._app.data_collection]


def test_removed_from_the_page_it_is_gone_from_the_disk(tray, panel, folder):
    row = next(row for row in panel.rows if row["name"] == f"{F090W}_i2d.fits")
    tray.basket.add(F090W)
    wait_for(lambda: "on disk already" in tray._obj.basket.totals.get("files", ""), tray)
    panel.vue_remove("/etc/hostname")
    panel.vue_remove(row["key"])
    wait_for(lambda: panel.message, tray)
    wait_for(lambda: row["name"] not in names(panel), tray)
    assert not (folder / "JWST" / F090W / row["name"]).exists()
    assert row["name"] in panel.message
    assert tray.library.file(row["key"], gone=True) is None
    wait_for(lambda: "to fetch" in tray._obj.basket.totals["files"], tray)
    tray.import_observation(F090W)
    wait_for(lambda: row["name"] in names(panel), tray)
    assert not panel.message  # it is there again


def test_what_is_imported_now_appears(tray, panel, folder, archive):
    tray.import_observation("ib5741020")
    wait_for(lambda: any("ib5741020" in name for name in names(panel)), tray)
    shown = {row["name"] for row in panel.rows if row["shown"]}
    assert any("ib5741020" in name for name in shown)


def test_a_library_that_cannot_be_read_is_told(tray, panel, folder):
    import sqlite3

    later = sqlite3.connect(folder / ".jdaviz-mast" / "library.sqlite")
    later.execute("PRAGMA user_version = 99")
    later.close()
    panel.vue_search("f090w")
    wait_for(lambda: panel.message, tray)
    assert "later version" in panel.message
    assert panel.message_type == "error"
    assert not panel.busy
