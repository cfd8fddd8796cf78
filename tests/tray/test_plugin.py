"""The tray from Python, in each application: search, import, and what it says."""

import re
import threading
import time

import jdaviz
import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table
from trays import F090W, F187N, layers, tray_of, wait_for

from jdaviz_mast import ImportJob, conf
from jdaviz_mast.demo import Fault
from jdaviz_mast.errors import (
    ArchiveError,
    ArchiveUnreachable,
    Cancelled,
    FileProblem,
    InvalidInput,
    ObservationNotFound,
    TargetNotFound,
)
from jdaviz_mast.tray.form import sentence
from jdaviz_mast.viewer import images

APPLICATIONS = ("App", "Imviz", "Cubeviz")
TYPED = ("observationDate", "targetName", "instrument", "filter", "exposureTime",
         "calibrationLevel", "proposalId", "proposalPi", "observationTitle",
         "wavelengthRange")  # fmt: skip


@pytest.fixture(params=APPLICATIONS)
def viz(request):
    return getattr(jdaviz, request.param)()


@pytest.fixture
def imviz():
    return jdaviz.Imviz()


SEARCHES = {
    "Target name": {"target": "NGC 3132"},
    "Coordinates": {"ra": 151.755, "dec": -40.437, "radius": 6, "radius_unit": "arcmin"},
    "Observation ID": {"observation_id": F090W},
    "Program ID": {"program_id": "2733"},
}


@pytest.mark.parametrize("by", SEARCHES)
def test_each_search_at_level_3_and_at_all_levels(viz, archive, by):
    tray = tray_of(viz)
    tray.search_by = by
    for name, value in SEARCHES[by].items():
        setattr(tray, name, value)
    found = tray.search()
    assert isinstance(found, Table)
    assert set(found["calib_level"]) == {3}
    assert F090W in found["obs_id"]
    assert len(tray.observations.items) == len(found)
    assert tray.observations.export_table() is found

    tray.all_levels = True
    levels = set(tray.search()["calib_level"])
    assert levels == ({3} if by == "Observation ID" else {1, 2, 3})


def test_level_3_import_makes_layers_of_level_3_only(viz, archive):
    tray = tray_of(viz)
    tray.search_by, tray.observation_id = "Observation ID", F090W
    tray.search()
    tray.observations.select_rows(0)
    job = tray.import_selected()
    assert isinstance(job, ImportJob)
    assert job.state == "complete"
    assert tray.jobs == [job]
    assert {f.about["product"]["calib_level"] for f in job.files} == {3}
    assert set(layers(viz)) == {"NGC-3132 F090W L3", "NGC-3132 F090W L3 segm"}

    data = layers(viz)["NGC-3132 F090W L3"]
    path = next(f.path for f in job.files if f.name.endswith("_i2d.fits"))
    pixels = data.get_component(data.main_components[0]).data
    assert np.array_equal(pixels, fits.getdata(path, "SCI"), equal_nan=True)
    assert hasattr(data.coords, "pixel_to_world")
    assert sum(key.startswith("mast_") for key in data.meta) >= 30
    assert data.meta["mast_obs_id"] == F090W
    assert data.meta["mast_product_productFilename"] == path.name
    assert all(data.meta[name] is not None for name in TYPED)
    if "Cubeviz" in type(viz).__name__:
        assert any("data menu" in note for note in tray._obj.import_notes)
    else:
        metadata = viz.plugins["Metadata"]
        metadata.dataset = "NGC-3132 F090W L3"
        assert metadata.meta["mast_proposal_id"]["value"] == "2733"


def test_all_levels_import_makes_layers_of_each_level(viz, archive):
    tray = tray_of(viz)
    tray.all_levels = True
    # HST's raw is the level-1 product that is an image; a JWST exposure gives level 2.
    exposure = next(
        row for row in archive.observations
        if row["calib_level"] == 2 and row["obs_id"].startswith("jw02733002001_02103_00001")
    )  # fmt: skip
    hst = next(row for row in archive.observations
               if row["obs_collection"] == "HST" and row["calib_level"] == 3)  # fmt: skip
    for obs_id in (hst["obs_id"], exposure["obs_id"], F090W):
        tray.search_by, tray.observation_id = "Observation ID", obs_id
        tray.search()
        products = tray._obj.mast.products(tray.observations._obj.row(0), all_levels=True)
        if obs_id == F090W:  # hundreds of exposures: its own level is enough here
            tray.all_levels = False
        tray.observations.select_all()
        job = tray.import_selected()
        assert job.state == "complete", [f.error for f in job.files]
        if obs_id != F090W:
            assert {f.uri for f in job.files} == set(products["dataURI"])
    imported = layers(viz).values()
    assert {data.meta["calibrationLevel"] for data in imported} == {1, 2, 3}
    assert all(hasattr(data.coords, "pixel_to_world") for data in imported)
    for data in imported:  # each exposure carries its own row, not the mosaic's
        own = data.meta["mast_obsid"]
        assert own in (data.meta["mast_product_obsID"], data.meta["mast_product_parent_obsid"])


@pytest.mark.parametrize("application", ["App", "Imviz"])
def test_images_of_one_target_are_aligned_on_the_sky(application, archive):
    viz = getattr(jdaviz, application)()
    tray = tray_of(viz)
    tray.target, tray.mission = "NGC 3132", "JWST"
    tray.search()
    tray.observations.select_rows([0, 4])
    tray.import_selected()
    assert viz.plugins["Orientation"].align_by.selected == "WCS"
    shown = {
        layer.layer.label
        for viewer in viz._app._viewer_store.values()
        for layer in viewer.layers
        if layer.visible
    }
    assert {label for label in layers(viz) if "segm" not in label} <= shown
    assert not any("segm" in label for label in shown)


def test_other_extensions_come_on_request(imviz, archive):
    tray = tray_of(imviz)
    tray.extensions = ["SCI", "ERR"]
    tray.import_observation(F090W)
    expected = {"NGC-3132 F090W L3", "NGC-3132 F090W L3 [ERR]", "NGC-3132 F090W L3 segm"}
    assert set(layers(imviz)) == expected
    path = next(f.path for f in tray.jobs[-1].files if f.name.endswith("_i2d.fits"))
    data = layers(imviz)["NGC-3132 F090W L3 [ERR]"]
    pixels = data.get_component(data.main_components[0]).data
    assert np.array_equal(pixels, fits.getdata(path, "ERR"), equal_nan=True)
    tray.extensions = []
    with pytest.raises(InvalidInput, match="extensions"):
        tray.import_observation(F090W)


def test_layers_and_files_are_not_mixed_up(imviz, archive, monkeypatch):
    tray = tray_of(imviz)
    products = tray.choose_products(F090W)
    product = products[products["productFilename"] == f"{F090W}_i2d.fits"]
    tray.extensions = ["SCI", "ERR"]
    read = images.read_image

    def read_science(path, extension):
        if extension[0] == "ERR":
            raise FileProblem("the rest is cut off.")
        return read(path, extension)

    with monkeypatch.context() as patch:
        patch.setattr(images, "read_image", read_science)
        tray._obj._start_import(product).wait()
    assert tray._obj.import_message == "1 image loaded."
    (problem,) = tray._obj.import_notes
    assert "but not all of it could be shown: the rest is cut off" in problem

    tray._obj._start_import(product).wait()
    said = "1 image loaded, 1 image is already in the viewer."
    assert tray._obj.import_message == said

    tray = tray_of(jdaviz.Imviz())
    tray.extensions = ["SCI", "ERR"]
    tray._obj._start_import(product).wait()
    assert tray._obj.import_message == "2 images loaded from 1 file."


def test_of_many_images_the_highest_level_is_opened_and_the_rest_kept(imviz, archive):
    tray = tray_of(imviz)
    tray.search_by, tray.observation_id, tray.all_levels = "Observation ID", F090W, True
    tray.max_images = 3
    tray.search()
    products = tray._obj.mast.products(tray.observations.export_table(), all_levels=True)
    names = np.array(products["productFilename"])
    exposures = np.flatnonzero(np.char.endswith(names, "_cal.fits"))[:5]
    mosaic = np.flatnonzero(names == f"{F090W}_i2d.fits")
    job = tray._obj._start_import(products[[*exposures, *mosaic]]).wait()
    assert all(file.path.exists() for file in job.files)
    assert sorted(data.meta["calibrationLevel"] for data in layers(imviz).values()) == [2, 2, 3]
    visible = [lyr.layer.label for lyr in imviz.default_viewer._obj.glue_viewer.layers
               if lyr.visible]  # fmt: skip
    assert visible == ["NGC-3132 F090W L3"]  # exposures would cover the mosaic made of them
    said = "3 more files are downloaded only: raise “Open at most” (max_images)"
    assert any(said in note for note in tray._obj.import_notes)
    tray._obj.vue_set_max_images("5")
    assert tray.max_images == 5
    tray._obj.vue_set_max_images("0")
    assert tray.max_images == 5
    assert tray._obj.import_message.startswith("Open at most cannot be “0”")
    # The field still shows it, so that nothing is imported with the number before.
    tray.observations.select_rows([0])
    tray._obj.import_message = ""
    tray._obj.vue_import_selected()
    assert tray._obj.import_message.startswith("Open at most cannot be “0”")
    with pytest.raises(InvalidInput):
        tray._obj._layer_options()
    tray._obj.vue_set_max_images("5")
    assert tray._obj._layer_options()["max_images"] == 5


def test_an_answer_that_cannot_be_shown_is_said(imviz, archive, monkeypatch):
    tray = tray_of(imviz)
    tray.target = "NGC 3132"
    monkeypatch.setattr(tray._obj.observations, "show", lambda _: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        tray.search()
    assert "Something unexpected went wrong" in tray._obj.search_message
    assert not tray._obj.searching


def test_importing_twice_makes_no_second_copy(viz, archive, asked):
    tray = tray_of(viz)
    tray.import_observation(F090W)
    first = dict(layers(viz))
    fetched = len(asked("Download/file"))
    tray.import_observation(F090W)
    assert len(asked("Download/file")) == fetched  # what is whole is not fetched again
    assert layers(viz) == first
    assert re.match("2 images(, 1 catalog)? are already", tray._obj.import_message)

    # another extension of the same file is another layer, and one that was removed comes back
    viz._app.data_item_remove("NGC-3132 F090W L3 segm")
    tray.extensions = ["SCI", "ERR"]
    tray.import_observation(F090W)
    assert set(layers(viz)) == {*first, "NGC-3132 F090W L3 [ERR]"}
    assert re.match("2 images loaded, 1 image(, 1 catalog)? (is|are)", tray._obj.import_message)


def test_what_is_no_image_is_said_before_it_is_fetched(imviz, archive):
    row = next(r for r in archive.observations if r["dataproduct_type"] == "cube")
    tray = tray_of(imviz)
    tray.search_by, tray.observation_id, tray.all_levels = "Observation ID", row["obs_id"], True
    tray.search()
    tray.observations.select_rows(0)
    assert "a spectral cube: it opens in" in tray._obj.selection_note
    assert "Cubeviz" in tray._obj.selection_note
    job = tray.import_selected()
    assert job.state == "complete"
    # As the detector saw it.
    assert all("_rate" in label or "_cal" in label for label in layers(imviz))
    assert any("Cubeviz" in note for note in tray._obj.import_notes)
    assert any(str(job.files[0].path.parents[2]) in note for note in tray._obj.import_notes)


BAD_FIELDS = [
    ("Target name", {"target": ""}, InvalidInput, "target"),
    ("Target name", {"target": "no such thing"}, TargetNotFound, "no such thing"),
    ("Target name", {"target": "NGC 3132", "radius": 0}, InvalidInput, "radius"),
    ("Target name", {"target": "NGC 3132", "radius": -1}, InvalidInput, "radius"),
    ("Target name", {"target": "NGC 3132", "radius": 1e9}, InvalidInput, "radius"),
    ("Target name", {"target": "NGC 3132", "radius": "wide"}, InvalidInput, "radius"),
    ("Coordinates", {"ra": 361, "dec": 0}, InvalidInput, "ra: 361"),
    ("Coordinates", {"ra": 10, "dec": -91}, InvalidInput, "dec: -91"),
    ("Coordinates", {"ra": "", "dec": ""}, InvalidInput, "ra"),
    ("Observation ID", {"observation_id": "jw02733*"}, InvalidInput, "wildcards"),
    ("Observation ID", {"observation_id": "NGC 3132"}, InvalidInput, "observation_id"),
    ("Program ID", {"program_id": "Pontoppidan"}, InvalidInput, "program_id"),
]


@pytest.mark.parametrize(("by", "fields", "error", "words"), BAD_FIELDS)
def test_bad_input_is_one_sentence_and_one_type(imviz, archive, by, fields, error, words):
    tray = tray_of(imviz)
    tray.search_by = by
    for name, value in fields.items():
        setattr(tray, name, value)
    with pytest.raises(error, match=words) as caught:
        tray.search()
    assert tray._obj.search_message == sentence(caught.value)
    assert tray._obj.search_message_type == "error"
    # and it goes on working
    tray.search_by, tray.target, tray.radius = "Target name", "NGC 3132", 0.1
    assert len(tray.search())


def test_an_unknown_unit_is_refused(imviz):
    with pytest.raises(ValueError, match="parsec"):
        tray_of(imviz).radius_unit = "parsec"


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault("status", route="invoke", status=500), ArchiveError),
        (Fault("html", route="invoke"), ArchiveError),
        (Fault("reset", route="invoke"), ArchiveUnreachable),
    ],
    ids=lambda value: getattr(value, "kind", ""),
)
def test_a_bad_day_of_the_archive_is_told_and_survived(imviz, archive, fault, error):
    tray = tray_of(imviz)
    tray.target = "NGC 3132"
    archive.fail(fault)
    with pytest.raises(error):
        tray.search()
    assert tray._obj.search_message_type == "error"
    assert not tray._obj.searching
    archive.clear_faults()
    assert len(tray.search())


def test_nothing_found_is_worded_for_a_person(imviz, archive):
    tray = tray_of(imviz)
    tray.search_by, tray.program_id = "Program ID", "99999"
    assert len(tray.search()) == 0
    assert "MAST holds nothing for program 99999" in tray._obj.search_message
    assert "all calibration levels" in tray._obj.search_message
    assert tray._obj.n_rows == 0


def test_nothing_selected_is_said(imviz):
    with pytest.raises(InvalidInput, match="select rows"):
        tray_of(imviz).import_selected()


def test_an_unknown_observation_is_said(imviz):
    with pytest.raises(ObservationNotFound, match="jw99999"):
        tray_of(imviz).import_observation("jw99999-o001_t001_nircam_clear-f090w")


def test_one_failing_product_does_not_stop_the_others(imviz, archive):
    archive.fail(Fault("status", match="clear-f090w_segm", status=500))
    tray = tray_of(imviz)
    with conf.set_temp("retries", 1):
        job = tray.import_observation(F090W)
    assert job.state == "partial"
    assert "NGC-3132 F090W L3" in layers(imviz)
    assert tray._obj.import_message_type == "warning"
    assert any("segm.fits" in note for note in tray._obj.import_notes)


def test_a_web_page_for_a_file_is_no_layer(imviz, archive):
    archive.fail(Fault("html", match="clear-f090w_i2d.fits"))
    tray = tray_of(imviz)
    job = tray.import_observation(F090W)
    failed = [f for f in job.files if f.state == "failed"]
    assert [f.name for f in failed] == [f"{F090W}_i2d.fits"]
    assert not failed[0].path.exists()
    assert "NGC-3132 F090W L3" not in layers(imviz)


def test_rows_with_missing_values_are_shown_and_imported(imviz, archive):
    row = next(r for r in archive.observations if r["obs_id"] == F090W)
    row |= {"instrument_name": None, "filters": None, "t_min": None, "t_max": None}
    tray = tray_of(imviz)
    tray.search_by, tray.observation_id = "Observation ID", F090W
    tray.search()
    assert tray.observations._obj.rows[0]["filters"] == "–"
    assert tray.observations._obj.rows[0]["t_min"] == "–"
    tray.observations.select_rows(0)
    tray.import_selected()
    data = next(iter(layers(imviz).values()))
    assert data.meta["mast_filters"] in (None, "")
    assert data.meta["observationDate"].startswith("2022-07-13")  # t_obs_release


# Buttons: they do not wait, and what they start can be stopped


def test_a_button_does_not_wait(imviz, archive):
    archive.latency = 0.5
    tray = tray_of(imviz)
    tray.target = "NGC 3132"
    since = time.monotonic()
    tray._obj.vue_search()
    assert time.monotonic() - since < 0.4
    assert tray._obj.searching
    wait_for(lambda: not tray._obj.searching, tray)
    assert tray._obj.n_rows


def test_a_search_that_is_stuck_is_cancelled_at_once(imviz, archive):
    archive.fail(Fault("stall", route="invoke"))
    tray = tray_of(imviz)
    tray.target = "NGC 3132"
    tray._obj.vue_search()
    since = time.monotonic()
    tray._obj.vue_cancel_search()
    assert time.monotonic() - since < 1
    assert not tray._obj.searching
    assert "cancelled" in tray._obj.search_message
    archive.clear_faults()
    assert len(tray.search())


def test_a_second_search_replaces_the_first(imviz, archive):
    archive.latency = 0.3
    tray = tray_of(imviz)
    tray.target = "NGC 3132"
    tray._obj.vue_search()
    tray.search_by, tray.program_id = "Program ID", "2733"
    found = tray.search()
    time.sleep(0.5)
    tray._obj._owner.drain()
    assert len(tray.observations.items) == len(found)


def test_an_import_is_cancelled_within_a_second(imviz, archive):
    archive.bandwidth = 200_000
    tray = tray_of(imviz)
    tray.search_by, tray.observation_id = "Observation ID", F090W
    tray.search()
    tray._obj.observations.vue_toggle(0)
    tray._obj.vue_import_selected()
    wait_for(lambda: "MB" in tray._obj.progress_text or "kB" in tray._obj.progress_text, tray)
    job = tray.jobs[-1]
    since = time.monotonic()
    tray._obj.vue_cancel_import()
    assert not tray._obj.importing
    assert "cancelled" in tray._obj.import_message
    job.wait(5)
    assert time.monotonic() - since < 1.5
    assert job.state == "cancelled"


def test_cancel_from_python_ends_a_waiting_import(imviz, archive):
    archive.bandwidth = 100_000
    tray = tray_of(imviz)
    owner = tray._obj._owner
    threading.Timer(1.0, lambda: owner.post(tray.cancel)).start()
    with pytest.raises(Cancelled):
        tray.import_observation(F090W)


def test_the_second_click_of_a_double_one_does_nothing(imviz, archive):
    archive.latency = 0.2
    tray = tray_of(imviz)
    tray.search_by, tray.observation_id = "Observation ID", F090W
    tray.search()
    tray._obj.observations.vue_import_row(0)
    tray._obj.observations.vue_import_row(0)
    assert tray._obj.import_message == ""
    wait_for(lambda: not tray._obj.importing, tray)
    assert len(tray.jobs) == 1


def test_two_imports_at_once_each_end_with_their_layers(imviz, archive):
    archive.latency = 0.2
    tray = tray_of(imviz)
    tray.search_by, tray.observation_id = "Observation ID", f"{F090W}, {F187N}"
    tray.search()
    for index in (0, 1):
        tray._obj.observations.vue_import_row(index)
    assert len(tray._obj._imports) == 2
    assert "of 2 imports" in tray._obj.progress_title
    wait_for(lambda: not tray._obj.importing, tray)
    assert [job.state for job in tray.jobs] == ["complete"] * 2
    assert {d.meta["mast_obs_id"] for d in layers(imviz).values()} == {F090W, F187N}
    assert len(layers(imviz)) == 4


def test_two_imports_of_the_same_at_once_make_one_copy(imviz, archive):
    archive.latency = 0.2
    tray = tray_of(imviz)
    tray.search_by, tray.observation_id = "Observation ID", F090W
    tray.search()
    tray._obj.observations.vue_import_row(0)
    tray.import_observation(F090W)  # asked for on purpose, not by a double click
    wait_for(lambda: not tray._obj.importing, tray)
    assert len(tray.jobs) == 2
    assert len(layers(imviz)) == 2


def test_text_of_the_archive_is_never_markup():
    """Vue escapes what stands in braces; v-html would not."""
    from pathlib import Path

    import jdaviz_mast.tray

    templates = list(Path(jdaviz_mast.tray.__file__).parent.glob("*.vue"))
    assert templates
    assert not any("v-html" in template.read_text() for template in templates)


def test_a_catalog_waits_for_the_image_that_it_is_marked_on(archive):
    # The image comes seconds after the catalog.
    archive.fail(Fault("status", match="_i2d.fits", times=1, retry_after=2))
    viz = jdaviz.App()
    tray_of(viz).import_observation(F090W)
    assert [viewer.reference for viewer in viz._app._viewer_store.values()] == ["Image"]
    shown = {layer.layer.label: layer.visible
             for layer in viz._app._viewer_store["Image"].layers}  # fmt: skip
    assert shown["NGC-3132 F090W L3 cat"] is False
    assert shown["NGC-3132 F090W L3"] is True
