"""How jdaviz finds the tray, and how images get into it."""

import contextlib
import subprocess
import sys

import jdaviz
import numpy as np
import pytest
from astropy.units import UnitConversionError
from astropy.wcs import WCS
from glue.core import Data
from glue.core.component import Component

import jdaviz_mast
from jdaviz_mast.viewer import jdaviz_api

APPLICATIONS = ("App", "Imviz", "Cubeviz")


def tray_labels(viz):
    return [item["label"] for item in viz._app.state.tray_items]


def image(unit="MJy / sr", shift=0.0):
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = "RA---TAN", "DEC--TAN"
    wcs.wcs.crpix, wcs.wcs.crval, wcs.wcs.cdelt = (8, 8), (10 + shift, 20), (-1e-4, 1e-4)
    data = Data(coords=wcs)
    data.add_component(Component(np.ones((16, 16), "f4"), units=unit), "SCI,1")
    return data


def visible_layers(viz):
    return {
        layer.layer.label
        for viewer in viz._app._viewer_store.values()
        for layer in viewer.layers
        if layer.visible
    }


@pytest.mark.parametrize("application", APPLICATIONS)
def test_jdaviz_finds_the_tray_without_an_import(application):
    code = (
        "import warnings; warnings.simplefilter('ignore')\n"
        f"import jdaviz, sys; viz = jdaviz.{application}()\n"
        "print('MAST Import' in viz.plugins, viz._app.state.tray_items[0]['label'])\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.split("\n")[-2] == "True MAST Import"


def test_new_app_has_the_tray():
    # App sorts its trays by name, and lcviz, once imported anywhere, adds a "Flux Column".
    assert "MAST Import" in tray_labels(jdaviz.new_app())[:2]


@pytest.mark.parametrize("application", APPLICATIONS)
def test_enable_is_idempotent(application):
    viz = getattr(jdaviz, application)()
    assert jdaviz_mast.enable(jdaviz_mast.enable(viz)) is viz
    assert tray_labels(viz).count("MAST Import") == 1


@pytest.mark.parametrize("application", APPLICATIONS)
def test_enable_adds_the_tray_to_an_app_made_before(application):
    viz = getattr(jdaviz, application)()
    app = viz._app
    app.state.tray_items = [t for t in app.state.tray_items if t["name"] != "mast-import"]
    assert "MAST Import" not in tray_labels(viz)
    jdaviz_mast.enable(viz)
    assert "MAST Import" in tray_labels(viz)[: 2 if application == "App" else 1]
    assert viz.plugins["MAST Import"].target == ""


def test_setup_again_changes_nothing():
    from jdaviz.app import PrivateApplication

    before = PrivateApplication.load_configuration
    jdaviz_mast.setup()
    assert PrivateApplication.load_configuration is before


@pytest.mark.parametrize("application", ["Specviz", "Specviz2d", "Rampviz"])
def test_applications_for_other_things_than_images_have_the_tray(application):
    assert tray_labels(getattr(jdaviz, application)())[0] == "MAST Import"


def test_lcviz_has_the_tray(recwarn):
    import lcviz

    assert tray_labels(lcviz.LCviz())[0] == "MAST Import"
    assert not [w for w in recwarn if "MAST Import" in str(w.message)]


def test_the_version_badge_is_there():
    packages = jdaviz.App()._app.state.downstream_packages
    assert [p["name"] for p in packages] == ["jdaviz-mast"]


@pytest.mark.parametrize("application", ["App", "Imviz"])
def test_images_show_and_align(application):
    viz = getattr(jdaviz, application)()
    jdaviz_api.add_image(viz._app, image(), "one")
    jdaviz_api.add_image(viz._app, image(shift=1e-3), "two")
    jdaviz_api.add_image(viz._app, image(unit=""), "map", visible=False)
    jdaviz_api.align_by_sky(viz._app)
    assert {"one", "two"} <= visible_layers(viz)
    assert "map" not in visible_layers(viz)
    assert viz.plugins["Orientation"].align_by.selected == "WCS"


@pytest.mark.parametrize("first", ["", "DN / s", "electron / s", "MJy / sr"])
def test_units_may_come_in_any_order(first):
    viz = jdaviz.App()
    units = [first, "MJy / sr", "", "electron / s", "MJy / sr"]
    for number, unit in enumerate(units):
        jdaviz_api.add_image(viz._app, image(unit), f"image {number}")
    assert visible_layers(viz) == {f"image {number}" for number in range(len(units))}


def test_a_label_is_never_taken_from_another_layer():
    viz = jdaviz.Imviz()
    jdaviz_api.add_image(viz._app, image(), "one")
    with pytest.raises(ValueError, match="'one' is taken"):
        jdaviz_api.add_image(viz._app, image(), "one")


def test_remove_data_takes_out_what_is_there():
    viz = jdaviz.Imviz()
    jdaviz_api.add_image(viz._app, image(), "one")
    jdaviz_api.remove_data(viz._app, "one")
    jdaviz_api.remove_data(viz._app, "never there")
    assert jdaviz_api.data_labels(viz._app) == []


def test_a_count_rate_under_the_mouse_does_not_stop_what_comes_next():
    viz = jdaviz.App()
    jdaviz_api.add_image(viz._app, image(), "first")
    (viewer,) = viz._app._viewer_store.values()
    readout = viz._app.session.application._tools["g-coords-info"]
    moved = {"event": "mousemove", "domain": {"x": 5.0, "y": 5.0}}
    readout._viewer_mouse_event(viewer, moved)
    jdaviz_api.add_image(viz._app, image("DN / s"), "rate")
    with contextlib.suppress(UnitConversionError):  # jdaviz's own
        readout._viewer_mouse_event(viewer, moved)
    jdaviz_api.add_image(viz._app, image(), "last")
    assert visible_layers(viz) == {"first", "rate", "last"}
