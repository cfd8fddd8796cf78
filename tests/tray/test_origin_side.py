"""Layers that know what the archive says now, where they come from, and how they are cited."""

import threading

import jdaviz
import prov
import pytest
from trays import F090W, F187N, layers, tray_of, wait_for

from jdaviz_mast import conf
from jdaviz_mast.demo import DemoArchive, Fault
from jdaviz_mast.errors import ArchiveError, InvalidInput, ObservationNotFound
from jdaviz_mast.library.updates import is_due

URI = f"mast:JWST/product/{F187N}_i2d.fits"


def row_of(archive, obs_id):
    return next(row for row in archive.observations if row["obs_id"] == obs_id)


@pytest.fixture
def own_archive():
    """An archive whose files may be reprocessed: that is not undone after a test."""
    with DemoArchive() as archive, conf.set_temp("server", archive.url):
        yield archive


def no_worker():
    """Whether nothing goes on beside the page."""
    return not any(thread.name == "mast-tray" for thread in threading.enumerate())


def metadata_of(viz, label):
    """Callable: what jdaviz's Metadata plugin shows of a layer that is selected once."""
    plugin = viz.plugins["Metadata"]
    plugin.dataset = label
    return lambda name: plugin.meta[name]["value"]


@pytest.mark.parametrize("application", [jdaviz.App, jdaviz.Imviz])
def test_layers_and_the_metadata_plugin_show_the_new_values(application, archive):
    viz = application()
    tray = tray_of(viz)
    tray.import_observation(F187N)
    shown = metadata_of(viz, "NGC-3132 F187N L3")
    row = row_of(archive, F187N)
    row |= {"target_name": "Southern Ring", "proposal_pi": "Somebody Else", "t_exptime": 7.5}
    report = tray.refresh_metadata(F187N)
    assert report.observations[0].changes["proposal_pi"][1] == "Somebody Else"
    for name, value in (
        ("mast_target_name", "Southern Ring"), ("targetName", "Southern Ring"),
        ("proposalPi", "Somebody Else"), ("exposureTime", "7.5"), ("mast_t_exptime", "7.5"),
    ):  # fmt: skip
        assert shown(name) == value
    assert all(d.meta["targetName"] == "Southern Ring" for d in layers(viz).values())
    panel = tray._obj.freshness
    assert panel.shown
    assert panel.message == "1 observation asked for; 1 changed. 3 layers updated."
    assert f"{F187N}: principal investigator: Pontoppidan, Klaus M. → Somebody Else" in panel.lines


def test_the_primary_header_stays_shown_if_it_was(archive):
    viz = jdaviz.App()
    tray = tray_of(viz)
    tray.import_observation(F187N)
    plugin = viz.plugins["Metadata"]
    plugin.dataset = "NGC-3132 F187N L3"
    plugin.show_primary = True
    before = plugin.meta
    row_of(archive, F187N)["target_name"] = "Southern Ring"
    tray.refresh_metadata()
    assert plugin.show_primary
    assert plugin.meta == before


def test_the_viewers_of_all_applications_are_updated(archive):
    here, there = jdaviz.Imviz(), jdaviz.Imviz()
    for viz in (here, there):
        tray_of(viz).import_observation(F187N)
    row_of(archive, F187N)["target_name"] = "Southern Ring"
    tray_of(here).refresh_metadata()
    shown = metadata_of(there, "NGC-3132 F187N L3")
    assert shown("mast_target_name") == "Southern Ring"


def test_only_the_observation_that_is_named_is_updated(archive):
    viz = jdaviz.Imviz()
    tray = tray_of(viz)
    tray.import_observation(F187N)
    tray.import_observation(F090W)
    for obs_id in (F187N, F090W):
        row_of(archive, obs_id)["target_name"] = "Southern Ring"
    tray.refresh_metadata(F090W)
    names = {d.meta["mast_obs_id"]: d.meta["mast_target_name"] for d in layers(viz).values()}
    assert names == {F187N: "NGC-3132", F090W: "Southern Ring"}


def test_a_layer_whose_file_is_gone_is_refreshed_all_the_same(archive):
    viz = jdaviz.Imviz()
    tray = tray_of(viz)
    tray.import_observation(F187N)
    for file in tray._obj.mast.library.files():
        tray._obj.mast.library.remove(file.path)
    row_of(archive, F187N)["target_name"] = "Southern Ring"
    assert tray.refresh_metadata().changed
    assert {d.meta["targetName"] for d in layers(viz).values()} == {"Southern Ring"}


def test_what_fails_is_said_and_changes_nothing(archive):
    viz = jdaviz.Imviz()
    tray = tray_of(viz)
    with pytest.raises(ObservationNotFound):
        tray.refresh_metadata(F187N)
    tray.import_observation(F187N)
    row_of(archive, F187N)["target_name"] = "Southern Ring"
    archive.fail(Fault("error", match="Mast.Caom.Filtered", message="out of order"))
    with pytest.raises(ArchiveError):
        tray.refresh_metadata()
    assert tray._obj.freshness.message_type == "error"
    assert not tray._obj.freshness.busy
    assert {d.meta["targetName"] for d in layers(viz).values()} == {"NGC-3132"}


def reprocessed(library):
    return [row["name"] for row in library.rows if row["reprocessed"]]


def test_a_new_version_stands_beside_the_old(own_archive):
    viz = jdaviz.Imviz()
    tray = tray_of(viz)
    tray.import_observation(F187N)
    own_archive.reprocess(URI)
    tray.refresh_metadata()
    panel = tray._obj.freshness
    assert panel.updates == [
        {"kind": "reprocessed", "name": f"{F187N}_i2d.fits", "words": "1.18.0 → 1.19.0"}
    ]
    job_id = tray.jobs[0].id
    assert tray._obj.job_list.badges == {job_id: "reprocessed"}
    library = tray._obj.library_panel
    library.vue_toggle()
    wait_for(lambda: library.rows and not library.busy, tray)
    assert reprocessed(library) == [f"{F187N}_i2d.fits"]
    panel.vue_fetch(0)
    new, old = "NGC-3132 F187N L3 v1.19.0", "NGC-3132 F187N L3"
    wait_for(lambda: new in layers(viz), tray)
    wait_for(lambda: not panel.updates, tray)
    assert tray._obj.job_list.badges == {}
    assert reprocessed(library) == []
    found = layers(viz)
    values = [found[label][found[label].main_components[0]][300, 300] for label in (old, new)]
    assert values[1] == pytest.approx(1.02 * values[0])
    assert found[old].meta["reprocessedSince"] == "1.18.0 → 1.19.0"
    assert "reprocessedSince" not in found[new].meta
    files = [tray.provenance(label).rows()[1][2] for label in (old, new)]
    assert ["CAL_VER 1.18.0" in files[0], "CAL_VER 1.19.0" in files[1]] == [True, True]
    # And once more: it is there already.
    tray.resume(tray.jobs[-1].id)
    assert len(layers(viz)) == len(found)
    wait_for(no_worker, tray)  # the library, unfolded, is read again


def test_on_reopening_the_archive_is_asked_once_a_day(own_archive):
    tray_of(jdaviz.Imviz()).import_observation(F187N)
    own_archive.reprocess(URI)
    tray = tray_of(jdaviz.Imviz())
    tray._obj.vue_plugin_ping(1)
    wait_for(lambda: tray._obj.freshness.updates, tray)
    assert list(tray._obj.job_list.badges.values()) == ["reprocessed"]
    own_archive.fail(Fault("error", match="Mast.Caom", message="must not be asked"))
    another = tray_of(jdaviz.Imviz())
    another._obj.vue_plugin_ping(1)
    wait_for(lambda: another._obj.freshness.updates, another)


def test_without_a_network_there_is_no_word_of_it(own_archive):
    tray_of(jdaviz.Imviz()).import_observation(F187N)
    own_archive.stop()
    tray = tray_of(jdaviz.Imviz())
    before = [tray._obj.freshness.message, tray._obj.import_message, tray._obj.search_message]
    tray._obj.vue_plugin_ping(1)
    with conf.set_temp("timeout", 1.0):
        wait_for(no_worker, tray)
    after = [tray._obj.freshness.message, tray._obj.import_message, tray._obj.search_message]
    assert after == before == ["", "", ""]
    assert is_due(tray._obj.mast.download_dir)


def test_an_empty_folder_asks_nobody(archive, asked):
    tray = tray_of(jdaviz.Imviz())
    tray._obj.vue_plugin_ping(1)
    wait_for(no_worker, tray)
    assert not asked("invoke")
    assert not tray._obj.freshness.shown


def test_a_layer_and_a_row_show_where_they_come_from(archive):
    viz = jdaviz.Imviz()
    tray = tray_of(viz)
    with pytest.raises(InvalidInput, match="no layer"):
        tray.provenance()
    tray.import_observation(F187N)
    label = "NGC-3132 F187N L3"
    found = tray.provenance(label)
    panel = tray._obj.provenance_panel
    assert [text for _, text, _ in found.rows()][0] == f"Layer: {label}"
    assert (panel.layer, panel.shown, panel.busy) == (label, True, False)
    assert panel.rows[4]["text"] == "Program: JWST 2733"
    panel.vue_choose("NGC-3132 F187N L3 segm")
    wait_for(lambda: not panel.busy, tray)
    assert panel.rows[1]["text"].endswith("_segm.fits")
    panel.vue_save()
    wait_for(lambda: panel.message, tray)
    (path,) = tray._obj.mast.download_dir.glob("*_prov.json")
    assert panel.message == f"Saved as {path}."
    assert (
        prov.read(str(path), format="json")
        == tray._obj.mast.provenance(viz._app.data_collection["NGC-3132 F187N L3 segm"]).to_prov()
    )
    tray.observation_id = F090W
    tray.search_by = "Observation ID"
    tray.search()
    tray._obj.observations.vue_act({"name": "origin", "index": 0})
    wait_for(lambda: not panel.busy, tray)
    assert panel.rows[0]["text"] == f"Observation: {F090W}"
    tray.choose_products(F090W)
    tray._obj.products.vue_origin(0)
    wait_for(lambda: not panel.busy, tray)
    assert panel.rows[0]["text"].startswith("Product: mast:JWST/")


def test_what_is_loaded_can_be_cited(archive):
    viz = jdaviz.Imviz()
    tray = tray_of(viz)
    tray.import_observation(F187N)
    found = tray.citations()
    panel = tray._obj.citation_panel
    assert "associated with program 2733" in found.text
    assert (panel.text, panel.bibtex) == (found.text, found.bibtex)
    assert panel.title == "3 layers"
    panel.vue_close()
    assert not panel.shown
    assert "NASA/ESA Hubble" in tray.citations("ib5741010").text
