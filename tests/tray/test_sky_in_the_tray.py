"""Footprints on the images, the field that is shown, and previews: the tray from Python."""

import jdaviz
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from echo import delay_callback
from trays import F090W, F187N, layers, tray_of, wait_for

from jdaviz_mast.errors import InvalidInput, ObservationNotFound
from jdaviz_mast.sky import Footprint, footprints_of
from jdaviz_mast.tray.sky_panel import MOST_FOOTPRINTS
from jdaviz_mast.viewer import jdaviz_api
from jdaviz_mast.viewer.sky_view import SkyView, sky_views


@pytest.fixture(params=["App", "Imviz"])
def viz(request):
    return getattr(jdaviz, request.param)()


@pytest.fixture
def tray(viz):
    """The tray, with NGC 3132 found and its F090W image shown."""
    tray = tray_of(viz)
    tray.target = "NGC 3132"
    tray.search()
    tray.import_observation(F090W)
    return tray


def _viewer(viz):
    return next(iter(sky_views(viz._app).values()))


def _lines(viz):
    """The two marks of the first viewer: the other footprints, and the selected ones."""
    return [m for m in _viewer(viz).figure.marks if m.__class__.__name__ == "Lines"
            and m.colors[0] in ("#5fc9f8", "#ff9a3c")]  # fmt: skip


def _click(viz, x, y):
    _viewer(viz)._on_mouse_interaction(None, {"event": "click", "domain": {"x": x, "y": y}}, None)


def _drawn(mark):
    return len(np.atleast_2d(mark.x)) if mark.visible else 0


# Footprints


def test_footprints_are_drawn_where_the_sky_says(viz, tray):
    tray.footprints = True

    others, selected = _lines(viz)
    rows = tray._obj.observations.observations
    shapes = footprints_of(rows["s_region"])
    assert _drawn(others) == sum(len(s.rings) for s in shapes if s)
    assert not selected.visible
    coords = jdaviz_api.sky_coordinates(_viewer(viz))
    corners = coords.pixel_to_world(others.x[0][:4], others.y[0][:4])
    assert corners.separation(shapes[0].vertices[0]).arcsec.max() < 0.01


def test_the_selection_of_the_table_is_on_top(viz, tray):
    tray.footprints = True
    tray.observations.select_rows([0, 2])

    others, selected = _lines(viz)
    assert _drawn(selected) == 2
    assert _drawn(others) == len(tray._obj.observations) - 2
    tray.observations.select_none()
    assert not selected.visible


def test_a_click_selects_the_row_and_another_one_the_next(viz, tray):
    tray.footprints = True
    table = tray._obj.observations
    x, y = _viewer(viz).state.reference_data.coords.world_to_pixel(
        SkyCoord(151.757, -40.436, unit="deg")
    )
    under = [
        index
        for index, shape in enumerate(footprints_of(table.observations["s_region"]))
        if shape is not None and shape.contains(SkyCoord([151.757], [-40.436], unit="deg"))[0]
    ]
    assert len(under) > 3

    seen = []
    for _ in under:
        _click(viz, float(x), float(y))
        assert len(table.selected_indices) == 1
        seen += table.selected_indices
        assert seen[-1] in [row["index"] for row in table.rows]  # the page was turned to it
    assert sorted(seen) == under
    _click(viz, float(x), float(y))
    assert table.selected_indices == seen[:1]


def test_a_click_keeps_what_was_ticked_by_hand(viz, tray):
    tray.footprints = True
    table = tray._obj.observations
    shapes = footprints_of(table.observations["s_region"])
    tray.observations.select_rows([len(shapes) - 1])
    view = SkyView(_viewer(viz))
    x, y = view.outlines({0: shapes[0]})[0][0].mean(axis=1)

    _click(viz, x, y)
    _click(viz, x, y)

    assert len(table.selected_indices) == 2
    assert table.selected_indices[0] == len(shapes) - 1


def test_a_click_asks_for_the_totals_as_a_tick_does(viz, tray):
    tray.footprints = True
    shape = footprints_of(tray._obj.observations.observations["s_region"][:1])[0]
    x, y = SkyView(_viewer(viz)).outlines({0: shape})[0][0].mean(axis=1)

    _click(viz, x, y)

    assert tray._obj.observations.n_selected == 1
    assert "ask" not in tray._obj.selection_totals
    wait_for(lambda: tray._obj.selection_totals.get("files"), tray)


def test_a_click_on_the_empty_sky_selects_nothing(viz, tray):
    tray.footprints = True
    _click(viz, 1e6, 1e6)
    _viewer(viz)._on_mouse_interaction(None, {"event": "click"}, None)

    assert tray._obj.observations.selected_indices == []


def test_they_go_when_switched_off_and_follow_the_results(viz, tray):
    tray.footprints = True
    assert _drawn(_lines(viz)[0]) > 5
    tray.search_by, tray.observation_id = "Observation ID", F187N
    tray.search()
    assert _drawn(_lines(viz)[0]) == 1
    tray._obj.observations.filter_text = "nothing like this"
    assert _lines(viz) == []
    tray._obj.observations.filter_text = ""
    assert _drawn(_lines(viz)[0]) == 1

    tray.footprints = False

    assert _lines(viz) == []
    assert not _viewer(viz)._events_for_callback.keys() & {"click"}


def test_they_are_drawn_when_the_image_comes(viz):
    tray = tray_of(viz)
    tray.target = "NGC 3132"
    tray.search()
    tray.footprints = True
    assert "as soon as an image" in tray._obj.sky.note

    tray.import_observation(F090W)

    assert _drawn(_lines(viz)[0]) > 5
    assert "as soon as" not in tray._obj.sky.note


def test_they_follow_the_alignment(viz, tray):
    tray.footprints = True
    before = np.array(_lines(viz)[0].x)
    viz.plugins["Orientation"].align_by = "Pixels"
    after = np.array(_lines(viz)[0].x)

    assert not np.allclose(before[0], after[0])
    shape = footprints_of(tray._obj.observations.observations["s_region"][:1])[0]
    coords = jdaviz_api.sky_coordinates(_viewer(viz))
    view = SkyView(_viewer(viz))
    corners = view.positions(after[0][:4], np.array(_lines(viz)[0].y)[0][:4])
    assert coords is not None
    assert corners.separation(shape.vertices[0]).arcsec.max() < 0.05


def test_hundreds_are_enough(viz, tray, archive):
    from astropy.table import Table, vstack

    table = tray._obj.observations
    many = vstack([table.observations] * 30, metadata_conflicts="silent")
    tray.footprints = True
    table.show(Table(many))

    assert _drawn(_lines(viz)[0]) <= 2 * MOST_FOOTPRINTS
    assert f"first {MOST_FOOTPRINTS} rows" in tray._obj.sky.note
    last = len(many) - 1
    tray.observations.select_rows([last])  # is drawn all the same
    assert _drawn(_lines(viz)[1]) >= 1


def test_rows_without_a_footprint_are_counted(viz, tray, archive):
    archive.observations[0]["s_region"] = "POLYGON 1 2"
    archive.observations[1]["s_region"] = None
    tray.search_by, tray.program_id = "Program ID", "2733"
    tray.search()
    tray.footprints = True

    assert "2 rows have no footprint" in tray._obj.sky.note


# The field that is shown


def test_search_where_i_look(viz, tray):
    found = tray.search_where_i_look()

    field, name = tray._obj.sky.field()
    assert len(found) > 5
    assert found.meta["overlap"][0] > 0.3
    assert tray._obj.observations.observations is found
    message = tray._obj.search_message
    assert "overlap the field" in message
    assert "Ranked by overlap" in message
    assert name in tray._obj.results_of
    assert field.covered_by(footprints_of(found["s_region"])).min() > 0


def test_what_narrows_a_search_narrows_that_of_the_field_too(viz, tray):
    everything = tray.search_where_i_look()
    filters = tray.more_filters
    filters.filters, filters.exposure_from = "F090W", "1"

    found = tray.search_where_i_look()

    assert 0 < len(found) < len(everything)
    assert set(found["filters"]) == {"F090W"}
    assert ", F090W, from 1 s, level 3" in tray._obj.results_of
    filters.filters, tray.all_levels = "F999W", True
    assert len(tray.search_where_i_look()) == 0
    assert "fewer filters" in tray._obj.search_message
    filters.wavelength_from = "red"
    tray._obj.sky.vue_look()
    assert tray._obj.search_message.startswith("Wavelength cannot be “red”")


def test_the_field_is_what_the_viewer_shows(viz, tray):
    whole, name = tray._obj.sky.field()
    state = _viewer(viz).state
    middle_x, middle_y = (state.x_min + state.x_max) / 2, (state.y_min + state.y_max) / 2
    width, height = state.x_max - state.x_min, state.y_max - state.y_min
    with delay_callback(state, "x_min", "x_max", "y_min", "y_max"):
        state.x_min, state.x_max = middle_x - width / 20, middle_x + width / 20
        state.y_min, state.y_max = middle_y - height / 20, middle_y + height / 20

    part, _ = tray._obj.sky.field(name)

    ratio = float(part.area / whole.area)
    assert ratio == pytest.approx(0.01, rel=1e-3)
    assert whole.covered_by([part])[0] == pytest.approx(ratio, rel=1e-3)
    assert part.center.separation(whole.center).arcsec < 1


def test_no_image_no_field(viz):
    tray = tray_of(viz)
    with pytest.raises(InvalidInput, match="image with sky coordinates"):
        tray.search_where_i_look()
    tray._obj.sky.vue_look()
    assert "image with sky coordinates" in tray._obj.search_message


def test_an_unknown_viewer_is_said(viz, tray):
    with pytest.raises(InvalidInput, match="no-such.*choose from"):
        tray.search_where_i_look("no-such")


def test_the_button_does_not_wait(viz, tray, archive):
    archive.latency = 0.3
    tray._obj.sky.vue_look()
    assert tray._obj.searching
    assert tray._obj.sky.searching
    wait_for(lambda: not tray._obj.searching, tray)
    assert "overlap the field" in tray._obj.search_message


# Previews


def test_preview_from_python_and_on_the_page(viz, archive):
    tray = tray_of(viz)
    preview = tray.preview(F187N)

    panel = tray._obj.preview_panel
    assert preview.observation["obs_id"] == F187N
    assert panel.shown
    assert not panel.busy
    assert panel.title == preview.title
    assert panel.image.startswith("data:image/jpeg;base64,")
    panel.vue_close()
    assert not panel.shown
    assert panel.image == ""
    with pytest.raises(ObservationNotFound):
        tray.preview("no_such_observation")
    assert panel.message_type == "error"
    assert "no_such_observation" in panel.message


def test_the_menu_of_a_row_offers_it(viz, tray):
    table = tray._obj.observations
    assert "preview" in [action["name"] for action in table.actions]
    table.vue_act({"name": "preview", "index": 1})
    panel = tray._obj.preview_panel
    assert panel.busy
    wait_for(lambda: panel.image, tray)
    assert str(table.row(1)["obs_id"][0]) in panel.title


def test_the_last_of_two_previews_is_shown(viz, tray, archive):
    archive.latency = 0.2
    table, panel = tray._obj.observations, tray._obj.preview_panel
    for index in (0, 1, 2):
        table.vue_act({"name": "preview", "index": index})
    wait_for(lambda: panel.image, tray)
    assert str(table.row(2)["obs_id"][0]) in panel.title


def test_a_preview_gives_way_to_its_file(viz):
    tray = tray_of(viz)
    label = tray.place_preview(F187N)

    assert label == "NGC-3132 F187N preview"
    preview = layers(viz)[label]
    assert preview.meta["mast_obs_id"] == F187N
    with pytest.raises(InvalidInput, match="there already"):
        tray.place_preview(F187N)

    tray.import_observation(F090W)
    assert label in layers(viz)  # another observation's file
    tray.import_observation(F187N)
    assert set(layers(viz)) == {
        "NGC-3132 F090W L3", "NGC-3132 F090W L3 segm", "NGC-3132 F187N L3",
        "NGC-3132 F187N L3 segm",
    }  # fmt: skip


def test_a_segmentation_map_does_not_take_a_preview_away(viz, archive):
    tray = tray_of(viz)
    label = tray.place_preview(F187N)
    products = tray.choose_products(F187N)
    names = products["productFilename"]

    tray._obj._start_import(products[names == f"{F187N}_segm.fits"]).wait()

    assert label in layers(viz)
    tray._obj._start_import(products[names == f"{F187N}_i2d.fits"]).wait()
    assert label not in layers(viz)


def test_the_panel_says_when_the_preview_has_given_way(viz):
    tray = tray_of(viz)
    label = tray.place_preview(F187N)
    panel = tray._obj.preview_panel
    tray.import_observation(F090W)
    assert panel.message.startswith(f"{label} is on the sky;")
    tray.import_observation(F187N)
    assert panel.message == f"{label} is no longer on the sky."
    assert panel.message_type == "info"


def test_a_preview_lies_where_its_file_does(viz):
    tray = tray_of(viz)
    label = tray.place_preview(F090W)
    preview = layers(viz)[label]
    rows, columns = preview.shape
    corners = preview.coords.pixel_to_world([-0.5, columns - 0.5], [-0.5, rows - 0.5])
    tray.import_observation(F090W)

    image = layers(viz)["NGC-3132 F090W L3"]
    height, width = image.shape
    x, y = image.coords.invert(corners.ra.deg, corners.dec.deg, with_bounding_box=False)
    assert x == pytest.approx([-0.5, width - 0.5], abs=1)
    assert y == pytest.approx([-0.5, height - 0.5], abs=1)


def test_a_preview_does_not_cover_its_own_file(viz):
    tray = tray_of(viz)
    tray.import_observation(F187N)
    before = [data.label for data in viz._app.data_collection]
    with pytest.raises(InvalidInput, match=r"^preview: .*in the viewer already, as NGC-3132"):
        tray.place_preview(F187N)
    assert [data.label for data in viz._app.data_collection] == before


def test_what_cannot_be_placed_says_why(viz, archive):
    row = next(row for row in archive.observations if row["obs_id"] == F187N)
    row["s_region"] = "CIRCLE 151.757 -40.436 0.02"
    tray = tray_of(viz)
    with pytest.raises(InvalidInput, match="four corners"):
        tray.place_preview(F187N)
    panel = tray._obj.preview_panel
    assert not panel.placeable
    assert "four corners" in panel.why_not


def test_an_application_that_begins_with_a_field(viz, tray):
    assert isinstance(tray._obj.sky.field()[0], Footprint)
