"""Colour pictures: which images, in which order, in which colour; and what jdaviz then shows."""

import astropy.units as u
import jdaviz
import numpy as np
import pytest
from astropy.wcs import WCS
from glue.core import Data

from jdaviz_mast.errors import InvalidInput
from jdaviz_mast.viewer import jdaviz_api
from jdaviz_mast.viewer.colour_set import ColourSet
from jdaviz_mast.viewer.colours import (
    choose_layers,
    hues,
    layers_of,
    one_image_each,
    opacity,
    plain_name,
)

OPTIONS = ("image_visible", "image_color", "image_opacity", "stretch_function",
           "stretch_preset", "stretch_vmin", "stretch_vmax")  # fmt: skip


def image(label, filters, limits=(None, None), target="NGC-3132", suffix="i2d", level=3,
          mission="JWST", seconds=100.0, component="SCI,1"):  # fmt: skip
    """Glue data as an import makes them, of a small image with a bright disk."""
    y, x = np.mgrid[:40, :40]
    pixels = np.random.default_rng(len(label)).normal(1, 0.1, (40, 40))
    pixels += 30 * np.exp(-(((x - 20) ** 2 + (y - 20) ** 2) / 30))
    data = Data(label=label)
    data.coords = WCS({"CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CRVAL1": 151.75,
                       "CRVAL2": -40.4, "CRPIX1": 20.0, "CRPIX2": 20.0, "CDELT1": -1e-4,
                       "CDELT2": 1e-4, "CUNIT1": "deg", "CUNIT2": "deg"})  # fmt: skip
    data.add_component(pixels, component)
    data.meta |= {
        "mast_target_name": target, "mast_obs_collection": mission, "filter": filters,
        "mast_em_min": limits[0], "mast_em_max": limits[1], "calibrationLevel": level,
        "exposureTime": seconds, "mast_product_dataproduct_type": "image",
        "mast_product_productType": "SCIENCE", "mast_product_calib_level": level,
        "mast_product_obs_collection": mission,
        "mast_product_productFilename": f"{label.replace(' ', '-').lower()}_{suffix}.fits",
    }  # fmt: skip
    return data


def by_label(*images):
    return {data.label: data for data in images}


F090W = image("short", "F090W", (795.0, 1005.0))
F187N = image("middle", "F187N", (1863.0, 1884.0))
F356W = image("long", "F356W", (3140.0, 3980.0))


@pytest.mark.parametrize("number", range(2, 13))
def test_hues_run_from_red_to_blue_and_add_up_to_white(number):
    colours = [np.array(list(bytes.fromhex(colour[1:]))) for colour in hues(number)]
    assert len({tuple(colour) for colour in colours}) == number
    assert colours[0].argmax() == 0  # the longest wavelength is red
    assert colours[-1].argmax() == 2  # the shortest is blue
    total = np.sum(colours, axis=0)
    assert np.ptp(total) <= number  # rounding, one step of 255 each
    # Redder to bluer, one after the other: balance of blue against red never falls.
    balance = [int(colour[2]) - int(colour[0]) for colour in colours]
    assert balance == sorted(balance)


def test_three_filters_are_red_green_and_blue():
    assert hues(3) == ["#ff0000", "#00ff00", "#0000ff"]
    assert hues(1) == ["#ffffff"]


@pytest.mark.parametrize("number", range(1, 13))
def test_opacity_keeps_the_sum_near_white(number):
    strength = opacity(hues(number))
    assert 0 < strength <= 1
    brightest = max(
        sum(bytes.fromhex(c[1:])[channel] / 255 * strength for c in hues(number))
        for channel in range(3)
    )
    assert 0.99 <= brightest <= 1.21


def test_layers_come_from_the_longest_wavelength_on():
    layers = choose_layers(by_label(F187N, F090W, F356W))
    assert [layer.filter for layer in layers] == ["F356W", "F187N", "F090W"]
    assert [layer.colour for layer in layers] == hues(3)
    assert layers[0].wavelength == 3560 * u.nm


def test_crossed_filters_of_one_range_are_told_apart_by_the_narrow_one():
    crossed = [image(name, f"F444W;{name}", (3880.0, 4986.0)) for name in ("F470N", "F405N")]
    for images in (crossed, crossed[::-1]):
        layers = choose_layers(by_label(*images, F090W))
        assert [layer.label for layer in layers] == ["F470N", "F405N", "short"]


@pytest.mark.parametrize(
    ("mission", "names"),
    [
        ("JWST", ["F1800W", "F770W", "F356W", "F090W"]),
        ("HST", ["F160W", "F1042M", "F814W", "F502N", "F225W"]),
    ],
)
def test_without_a_range_the_name_of_the_filter_says_the_wavelength(mission, names):
    images = [image(name, name, mission=mission) for name in sorted(names)]
    assert [layer.filter for layer in choose_layers(by_label(*images))] == names


def test_a_range_of_zero_is_no_range():
    odd = image("odd", "F200W", (0, 0))
    assert [layer.filter for layer in choose_layers(by_label(F356W, F090W, odd))] == [
        "F356W", "F200W", "F090W"
    ]  # fmt: skip


def test_what_is_no_combined_image_is_left_out():
    others = [
        image("segments", "F200W", (1755.0, 2226.0), suffix="segm"),
        image("weights", "F200W", (1755.0, 2226.0), component="WHT,1"),
        image("exposure", "F200W", (1755.0, 2226.0), level=2, suffix="cal"),
        image("unknown", "OPAQUE"),
    ]
    mine = Data(label="mine", x=np.ones((3, 3)))
    layers = choose_layers(by_label(*others, mine, F090W, F356W))
    assert [layer.label for layer in layers] == ["long", "short"]


def test_one_image_for_each_filter():
    drizzled = [
        image("a", "F502N", (497.5, 505.5), suffix="drz", mission="HST"),
        image("b", "F502N", (497.5, 505.5), suffix="drc", mission="HST"),
        image("c", "F656N", (655.0, 657.4), suffix="drc", mission="HST", seconds=10.0),
        image("d", "F656N", (655.0, 657.4), suffix="drc", mission="HST", seconds=20.0),
    ]
    assert [layer.label for layer in choose_layers(by_label(*drizzled))] == ["d", "b"]


def test_the_target_with_most_filters_or_the_one_asked_for():
    other = [
        image("one", "F200W", (1755.0, 2226.0), target="SMACS-J0723.3-7327"),
        image("two", "F770W", (6600.0, 8800.0), target="SMACS-J0723.3-7327"),
    ]
    images = by_label(*other, F090W, F187N, F356W)
    assert len(choose_layers(images)) == 3
    asked = choose_layers(images, "smacs j0723.3-7327")
    assert [layer.label for layer in asked] == ["two", "one"]


def test_spellings_of_a_target_are_one_target():
    assert plain_name("NGC-3132") == plain_name("ngc 3132") == plain_name("NGC_3132")
    assert plain_name("NGC-3132") != plain_name("NGC-3132-HALO")
    hst = image("hubble", "F502N", (497.5, 505.5), target="NGC3132", mission="HST", suffix="drc")
    assert len(choose_layers(by_label(F090W, hst))) == 2


@pytest.mark.parametrize("images", [(), (F090W,), (F090W, image("again", "F090W"))])
def test_fewer_than_two_filters_are_no_picture(images):
    with pytest.raises(InvalidInput, match="at least two"):
        choose_layers(by_label(*images))


def test_layers_by_label():
    images = by_label(F090W, F187N, F356W, Data(label="mine", x=np.ones((3, 3))))
    chosen = layers_of(images, ["short", "long", "mine"])
    assert [layer.label for layer in chosen] == ["long", "short", "mine"]
    for wrong in (["short", "gone"], ["short"], ["short", "short"], []):
        with pytest.raises(InvalidInput, match="labels"):
            layers_of(images, wrong)


def test_one_image_of_each_observation_is_fetched(mast):
    observations = mast.search(program_id="2733")
    hst = mast.search("NGC 3132", mission="HST")
    for found, suffix in ((observations, "_i2d.fits"), (hst, "_drc.fits")):
        images = found[found["dataproduct_type"] == "image"]
        products = mast.products(images)
        rows = [dict(zip(products.colnames, row, strict=True)) for row in products]
        names = [rows[i]["productFilename"] for i in one_image_each(rows)]
        assert sorted(names) == sorted(f"{obs_id}{suffix}" for obs_id in images["obs_id"])


# In jdaviz


@pytest.fixture(params=("App", "Imviz"))
def viz(request):
    return getattr(jdaviz, request.param)()


def fill(viz, *images):
    """Put copies of images in, as an import does; the segmentation map is not switched on."""
    for data in images:
        copy = Data(label=data.label)
        copy.coords, copy.meta = data.coords, dict(data.meta)
        name = data.main_components[0]
        copy.add_component(data[name].copy(), str(name))
        jdaviz_api.add_image(viz._app, copy, data.label)


def state_of(viz):
    """What Plot Options says of every layer, and of the viewer."""
    state = {}
    with jdaviz_api.plot_options(viz._app) as options:
        for viewer in options.viewer.choices:
            options.viewer.selected = viewer
            for label in options.layer.choices:
                options.layer.selected = label
                state[viewer, label] = {name: getattr(options, name).value for name in OPTIONS}
                state[viewer] = options.image_color_mode.value
    return state


SEGMENTS = image("segments", "F187N", (1863.0, 1884.0), suffix="segm")
ELSEWHERE = image("elsewhere", "F200W", (1755.0, 2226.0), target="SMACS-J0723.3-7327")


def test_colours_are_those_that_plot_options_shows(viz):
    fill(viz, F090W, F187N, F356W)
    options = viz.plugins["Plot Options"]
    options.layer.selected = "middle"
    layers = ColourSet(viz._app).apply()
    assert options.layer.selected == "middle"
    assert options.image_color_mode.text == "Color"
    for layer, colour in zip(layers, ("#ff0000", "#00ff00", "#0000ff"), strict=True):
        options.layer.selected = layer.label
        assert options.image_color.value == colour == layer.colour
        assert options.image_visible.value is True
        assert options.stretch_function.text == "Arcsinh"
        assert options.stretch_preset.value == 99.5
        assert options.image_opacity.value == pytest.approx(opacity(hues(3)))
    assert viz.plugins["Orientation"].align_by.selected == "WCS"


def test_the_picture_is_white_where_all_filters_are_bright(viz):
    fill(viz, F090W, F187N, F356W)
    ColourSet(viz._app).apply()
    viewer = next(iter(viz._app._viewer_store.values()))
    picture = viewer._composite()
    center = picture[picture.shape[0] // 2, picture.shape[1] // 2, :3]
    assert center == pytest.approx([1, 1, 1])


def test_what_would_be_added_to_the_picture_is_switched_off_and_the_rest_left_alone(viz):
    fill(viz, F090W, F356W, SEGMENTS, ELSEWHERE)
    before = state_of(viz)
    colours = ColourSet(viz._app)
    colours.apply()
    after = state_of(viz)
    assert colours.switched_off == ["segments"]
    for key, value in after.items():
        if key[1] == "elsewhere":
            assert value == before[key]
        if key[1] == "segments":
            assert value == before[key] | {"image_visible": False}


def test_undo_puts_back_what_was(viz):
    fill(viz, F090W, F187N, F356W, SEGMENTS)
    options = viz.plugins["Plot Options"]
    options.layer.selected = "short"
    options.stretch_function = "Square Root"
    options.stretch_vmin.value, options.stretch_vmax.value = 0.5, 12.5
    options.image_opacity.value = 0.75
    options.layer.selected = "long"
    options.image_visible.value = False
    before = state_of(viz)
    colours = ColourSet(viz._app)
    colours.apply()
    assert state_of(viz) != before
    colours.apply()  # a second time: what was before the first still counts
    colours.undo()
    after = state_of(viz)
    assert after.keys() == before.keys()
    for key, value in before.items():
        assert after[key] == (pytest.approx(value) if isinstance(value, dict) else value)
    colours.undo()  # nothing more to undo
    assert colours.layers == []
    assert colours.switched_off == []


def test_undo_passes_over_what_has_gone(viz):
    fill(viz, F090W, F187N, F356W)
    colours = ColourSet(viz._app)
    colours.apply()
    jdaviz_api.remove_data(viz._app, "middle")
    colours.undo()
    assert viz.plugins["Plot Options"].image_color_mode.text != "Color"


def test_images_in_no_viewer_are_not_coloured():
    cubeviz = jdaviz.Cubeviz()
    fill(cubeviz, F090W, F356W)
    colours = ColourSet(cubeviz._app)
    assert len(colours.apply()) == 2
    assert colours.layers == []
