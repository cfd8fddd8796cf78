"""The colour set and the level ladder of the tray, from Python and as the page's buttons do."""

import warnings

import jdaviz
import pytest
from astropy.table import Table
from trays import F090W, F187N, tray_of, wait_for

from jdaviz_mast.demo import Fault
from jdaviz_mast.errors import InvalidInput, MastError
from jdaviz_mast.viewer import jdaviz_api
from jdaviz_mast.viewer.colours import hues

F356W = "jw02733-o001_t001_nircam_clear-f356w"
THREE = {F090W: "F090W", F187N: "F187N", F356W: "F356W"}


@pytest.fixture(params=("App", "Imviz"))
def viz(request):
    return getattr(jdaviz, request.param)()


@pytest.fixture
def imviz():
    return jdaviz.Imviz()


def select(tray, obs_ids, **fields):
    """Search for the target and select some of what is found."""
    fields = {"search_by": "Target name", "target": "NGC 3132"} | fields
    for name, value in fields.items():
        setattr(tray, name, value)
    found = tray.search()
    where = {str(obs_id): n for n, obs_id in enumerate(found["obs_id"])}
    tray.observations.select_rows([where[obs_id] for obs_id in obs_ids])
    return found


def fetched(job):
    return sorted(file.path.name for file in job.files)


def test_selected_rows_are_imported_and_coloured(viz):
    tray = tray_of(viz)
    select(tray, THREE)
    colours = tray.colour_set()
    assert colours == dict(
        zip([f"NGC-3132 {name} L3" for name in ("F356W", "F187N", "F090W")], hues(3), strict=True)
    )
    # Nothing but the images was fetched for it.
    assert fetched(tray.jobs[-1]) == sorted(f"{obs_id}_i2d.fits" for obs_id in THREE)
    assert [item["filter"] for item in tray._obj.colour_legend] == ["F356W", "F187N", "F090W"]
    assert [item["colour"] for item in tray._obj.colour_legend] == hues(3)
    assert "NGC-3132, from red to blue: F356W, F187N, F090W" in tray._obj.import_message
    options = viz.plugins["Plot Options"]
    options.layer.selected = "NGC-3132 F187N L3"
    assert options.image_color.value == "#00ff00"
    tray.undo_colours()
    assert tray._obj.colour_legend == []
    assert options.image_color_mode.text == "Colormap"


def test_what_is_loaded_is_not_fetched_again(imviz, asked):
    tray = tray_of(imviz)
    select(tray, [F090W, F187N])
    tray.import_selected()
    count = len(tray.jobs)
    tray.colour_set()
    assert len(tray.jobs) == count
    select(tray, THREE)
    tray.colour_set()
    assert fetched(tray.jobs[-1]) == [f"{F356W}_i2d.fits"]
    # The segmentation maps came with the import; they were not shown, and are not.
    assert tray._obj._colours.switched_off == []


def test_only_the_selected_rows_are_coloured(imviz):
    tray = tray_of(imviz)
    tray.import_observation(F187N)
    select(tray, [F090W, F356W])
    picture = ["NGC-3132 F356W L3", "NGC-3132 F090W L3"]
    assert list(tray.colour_set()) == picture  # the two were imported first
    assert tray._obj._colours.switched_off == ["NGC-3132 F187N L3"]
    assert "Switched off, since colours add up: NGC-3132 F187N L3." in tray._obj.import_notes
    tray.undo_colours()
    tray._obj.vue_colour_set()  # all are there
    assert [item["label"] for item in tray._obj.colour_legend] == picture
    select(tray, [F090W])
    with pytest.raises(InvalidInput, match="loaded filters: 'F090W'"):
        tray.colour_set()


def test_without_a_selection_what_is_loaded_is_coloured(imviz):
    tray = tray_of(imviz)
    with pytest.raises(InvalidInput, match="loaded filters: 'none'"):
        tray.colour_set()
    tray.import_observation(F090W)
    with pytest.raises(InvalidInput, match="loaded filters: 'F090W'"):
        tray.colour_set()
    tray.import_observation(F187N)
    assert len(tray.colour_set()) == 2


def test_layers_by_name(imviz):
    tray = tray_of(imviz)
    for obs_id in THREE:
        tray.import_observation(obs_id)
    labels = ["NGC-3132 F090W L3", "NGC-3132 F356W L3"]
    assert list(tray.colour_set(labels)) == labels[::-1]
    assert tray._obj._colours.switched_off == ["NGC-3132 F187N L3"]
    with pytest.raises(InvalidInput, match="labels"):
        tray.colour_set("NGC-3132 F090W L3")
    with pytest.raises(InvalidInput, match="labels: 'gone'"):
        tray.colour_set(["NGC-3132 F090W L3", "gone"])


def test_rows_of_two_targets_are_no_colour_set(imviz):
    tray = tray_of(imviz)
    found = select(tray, [], search_by="Observation ID",
                   observation_id=f"{F090W}, jw02736-o001_t001_nircam_clear-f200w")  # fmt: skip
    assert len(found) == 2
    tray.observations.select_all()
    with pytest.raises(InvalidInput, match="one target"):
        tray.colour_set()
    assert tray.jobs == []


def test_the_button_imports_first_and_does_not_wait(imviz, archive):
    tray = tray_of(imviz)
    select(tray, THREE)
    archive.latency = 0.3
    tray._obj.vue_colour_set()
    assert tray._obj.colouring
    tray._obj.vue_colour_set()  # pressed twice
    wait_for(lambda: tray._obj.colour_legend, tray)
    assert not tray._obj.colouring
    assert len(tray.jobs) == 1
    assert "A colour picture of NGC-3132" in tray._obj.import_message
    tray._obj.vue_undo_colours()
    assert tray._obj.colour_legend == []
    assert tray._obj.import_message == ""


def test_a_button_that_is_pressed_again_imports_once(imviz, archive):
    archive.bandwidth = 2_000_000
    tray = tray_of(imviz)
    select(tray, THREE)
    before = len(tray.jobs)
    tray._obj.vue_colour_set()
    wait_for(lambda: tray._obj.importing, tray)
    tray._obj.vue_colour_set()
    wait_for(lambda: not tray._obj.colouring, tray)
    archive.bandwidth = None
    wait_for(lambda: not tray._obj.importing and tray._obj.colour_legend, tray)
    assert len(tray.jobs) == before + 1


@pytest.mark.parametrize("labels", [5, [["a"]], [None]])
def test_labels_that_are_none_are_refused(imviz, labels):
    with pytest.raises(InvalidInput, match="^labels: "):
        tray_of(imviz).colour_set(labels)


def test_the_button_says_what_is_missing(imviz):
    tray = tray_of(imviz)
    tray._obj.vue_colour_set()
    assert tray._obj.import_message_type == "error"
    assert "at least two" in tray._obj.import_message
    select(tray, [F090W])
    tray._obj.vue_colour_set()
    wait_for(lambda: "at least two" in tray._obj.import_message, tray)
    assert len(jdaviz_api.images(imviz._app)) == 1  # it was imported all the same


def test_the_button_says_what_the_rows_are_instead(imviz):
    tray = tray_of(imviz)
    tray._obj.vue_colour_set()
    assert tray._obj.import_message == (
        "A colour picture needs combined images (level 3) of one target in at least two filters; "
        "select rows of the results, and they are imported first. Loaded filters: none."
    )
    light_curve = "tess2018206045859-s0001-0000000261136679-0120-s"
    select(tray, [light_curve], search_by="Observation ID", observation_id=light_curve)
    tray._obj.vue_colour_set()
    assert tray._obj.import_message == (
        "A colour picture is made of combined images (level 3) of one target. "
        "Selected rows: no combined image."
    )
    assert tray._obj.import_message_type == "error"


def test_an_archive_that_does_not_answer_is_said(imviz, archive):
    tray = tray_of(imviz)
    select(tray, THREE)
    archive.fail(Fault("status", route="invoke", status=500, match="Mast.Caom.Products"))
    with pytest.raises(MastError):
        tray.colour_set()
    tray._obj.import_message = ""
    tray._obj.vue_colour_set()
    wait_for(lambda: tray._obj.import_message, tray)
    assert tray._obj.import_message_type == "error"
    assert not tray._obj.colouring


def test_in_cubeviz_the_images_are_in_no_viewer():
    cubeviz = jdaviz.Cubeviz()
    tray = tray_of(cubeviz)
    select(tray, [F090W, F187N])
    assert len(tray.colour_set()) == 2
    assert tray._obj.colour_legend == []
    assert tray._obj.import_message_type == "warning"
    assert "Cubeviz shows no image by itself" in tray._obj.import_message


# The ladder


def test_the_ladder_shows_in_the_table_of_products(imviz):
    tray = tray_of(imviz)
    select(tray, [F090W])
    found = tray.ladder()
    assert isinstance(found, Table)
    assert set(found["calib_level"]) == {1, 2}
    products = tray._obj.products
    assert (products.heading, products.title) == ("Exposures of", F090W)
    assert products.total == len(found)
    tray.products.select_rows(0)
    job = tray.import_products()
    assert fetched(job) == [str(found["productFilename"][0])]
    (image,) = jdaviz_api.images(imviz._app).values()
    assert image.meta["calibrationLevel"] == 2
    assert image.meta["mast_product_productFilename"] == found["productFilename"][0]


def test_the_ladder_of_a_product_and_of_an_id(imviz):
    tray = tray_of(imviz)
    products = tray.choose_products(F090W)
    (mosaic,) = [p for p in products if str(p["productFilename"]) == f"{F090W}_i2d.fits"]
    by_product = tray.ladder(mosaic)
    assert tray._obj.products.title == f"{F090W}_i2d.fits"
    by_id = tray.ladder(F090W)
    assert list(by_product["dataURI"]) == list(by_id["dataURI"])


def test_the_menu_of_a_row_leads_down(imviz):
    tray = tray_of(imviz)
    select(tray, [])
    observations = tray._obj.observations
    assert "What it was made of" in [action["title"] for action in observations.actions]
    (index,) = [n for n, row in enumerate(observations.items) if row["obs_id"] == F187N]
    observations.vue_act({"name": "ladder", "index": index})
    wait_for(lambda: not tray._obj.products.loading, tray)
    assert tray._obj.products.title == F187N
    assert tray._obj.products.total > 0
    assert tray._obj.products.error == ""
    tray._obj.products.vue_close()
    assert not tray._obj.products.is_open


def test_what_has_no_ladder_says_why(imviz, archive):
    tray = tray_of(imviz)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(InvalidInput, match="none selected"):
            tray.ladder()
    select(tray, [], search_by="Observation ID", observation_id="ib5741a1q", all_levels=True)
    tray.observations.select_all()
    with pytest.raises(InvalidInput, match="level 3"):
        tray.ladder()
    assert "level 3" in tray._obj.products.error
    tess = "tess2018206045859-s0001-0000000261136679-0120-s"
    assert len(tray.ladder(tess)) == 0
    assert "no exposures" in tray._obj.products.error
