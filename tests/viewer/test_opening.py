"""Every kind of product opens, as what it is, in every application that can hold it."""

import os

import jdaviz
import numpy as np
import product_files
import pytest
from astropy.io import fits
from astropy.table import QTable
from glue.viewers.profile.state import ProfileViewerState

from jdaviz_mast.errors import MastError, NotViewable
from jdaviz_mast.products import kind_of, kinds
from jdaviz_mast.products.suffixes import SUFFIXES
from jdaviz_mast.viewer.opening import MOST_PARTS, Opened, open_product, parts_of

KINDS = {s.name: kinds.KINDS[s.kind] for s in SUFFIXES if kinds.KINDS[s.kind].format}
#: Whether every suffix is opened in App, of which many are written alike.
THOROUGH = bool(os.environ.get("JDAVIZ_MAST_THOROUGH"))
#: One suffix of each kind, and those of files that are made otherwise.
VARIED = ("uncal", "ramp", "rate", "i2d", "segm", "rateints", "psfstack", "x1d", "c1d", "x1dints",
          "x1dsum", "sx1", "s2d", "x2d", "s3d", "cat", "whtlt", "flt", "ffic", "lc", "llc", "tp",
          "lpd-targ")  # fmt: skip
APPLICATIONS = {"deconfigged": "App", "imviz": "Imviz", "cubeviz": "Cubeviz",
                "specviz": "Specviz", "specviz2d": "Specviz2d", "rampviz": "Rampviz"}  # fmt: skip
CASES = [
    (configuration, suffix)
    for configuration in kinds.APPLICATIONS
    for suffix in (KINDS if configuration == "deconfigged" and THOROUGH else VARIED)
    if KINDS[suffix].opens_in(configuration)
]


def new_app(configuration):
    if configuration == "lcviz":
        import lcviz

        return lcviz.LCviz()
    return getattr(jdaviz, APPLICATIONS[configuration])()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("products")


@pytest.fixture(scope="module")
def made(folder):
    """Callable that returns the path of the file of a suffix, made once."""
    paths = {}

    def path(suffix):
        if suffix not in paths:
            paths[suffix] = product_files.make(suffix, folder / suffix)
        return paths[suffix]

    return path


def about(path, level=3):
    name = path.name
    observation = {"obs_id": name.split(".")[0], "target_name": "M-51", "s_ra": 202.4696,
                   "filters": "F444W", "calib_level": level}  # fmt: skip
    product = {"productFilename": name, "dataURI": f"mast:JWST/product/{name}",
               "calib_level": level}  # fmt: skip
    return {"observation": observation, "product": product}


def open_file(viz, path, **options):
    rows = about(path)
    return open_product(viz._app, path, kind_of(rows["product"]), rows, **options)


def data_of(viz, label):
    return next(data for data in viz._app.data_collection if data.label == label)


def shown(viz):
    """Return labels of what is in a viewer."""
    return {
        layer.layer.label for viewer in viz._app._viewer_store.values() for layer in viewer.layers
    }


@pytest.mark.parametrize(("configuration", "suffix"), CASES)
def test_it_opens(configuration, suffix, made):
    viz, path = new_app(configuration), made(suffix)
    kind = kind_of({"productFilename": path.name})
    assert kind.opens_in(configuration)
    opened = open_file(viz, path)
    labels = [*opened.layers, *opened.hidden_layers]
    assert labels
    assert opened.formats == {kind.format: len(labels)}
    assert not any("but it is" in note for note in opened.notes)
    if (configuration, kind.format) != ("cubeviz", "Image"):
        assert set(labels) <= shown(viz)
    # every layer knows where it came from, also what jdaviz derives from it
    for data in viz._app.data_collection:
        if not data.meta.get("_WCS_ONLY"):
            assert data.meta["mast_product_productFilename"] == path.name, data.label
            assert data.meta["targetName"] == "M-51"
    check_values(viz, labels, suffix, path)

    # once more: nothing new
    before = [data.label for data in viz._app.data_collection]
    again = open_file(viz, path)
    assert not again.formats
    assert again.already == {kind.format: len(labels)}
    assert [data.label for data in viz._app.data_collection] == before


def check_values(viz, labels, suffix, path):
    """Compare what is in the application with what is in the file."""
    form = KINDS[suffix].format
    data = data_of(viz, labels[0])
    if form == "Image":
        expected = _science(path)
        for number, label in enumerate(labels):
            values = data_of(viz, label).get_component(data_of(viz, label).main_components[0]).data
            truth = expected[number]
            assert np.array_equal(values, truth, equal_nan=True)
    elif form == "Ramp":
        values = data.get_component(data.main_components[0]).data
        truth = fits.getdata(path, "SCI")[0]  # of the first integration: group, y, x
        assert np.allclose(values, np.moveaxis(truth.astype(int), 0, -1))
    elif form == "1D Spectrum":
        for number, label in enumerate(labels):
            spectrum = data_of(viz, label).get_object(statistic=None)
            light, flux = _table_row(path, number)
            assert np.allclose(spectrum.flux.value, flux)
            assert np.allclose(spectrum.spectral_axis.value, light)
    elif form == "2D Spectrum":
        spectrum = data.get_object(statistic=None)
        assert np.array_equal(spectrum.flux.value, fits.getdata(path, "SCI"))
        first, last = {"s2d": (1.0, 1 + 4 * 59 / 60)}.get(suffix, (2500.0, 2500 + 59 * 1.5))
        assert np.allclose(spectrum.spectral_axis.value[[0, -1]], (first, last))
    elif form == "3D Spectrum":
        values = data["flux"]
        truth = fits.getdata(path, "SCI")
        assert sorted(values.shape) == sorted(truth.shape)
        assert np.isclose(np.nansum(values), truth.sum())
    elif form == "Catalog":
        table = QTable.read(path, format="ascii.ecsv")
        names = {component.label: component for component in data.main_components}
        for name in table.colnames:
            if name != "sky_centroid":
                assert np.allclose(data[names[name]], np.asarray(table[name]))
    elif form == "Light Curve":
        with fits.open(path) as hdus:
            assert np.allclose(data["flux"], hdus[1].data["PDCSAP_FLUX"])
    else:
        with fits.open(path) as hdus:
            assert np.allclose(np.asarray(data["flux"]), hdus[1].data["FLUX"])


def _science(path):
    with fits.open(path) as hdus:
        science = [hdu.data for hdu in hdus if hdu.is_image and hdu.name == "SCI"]
        science = science or [next(h.data for h in hdus if h.is_image and h.shape)]
    return science[0] if science[0].ndim == 3 else science


def _table_row(path, number):
    with fits.open(path) as hdus:
        tables = [hdu for hdu in hdus if hdu.name in ("EXTRACT1D", "COMBINE1D", "SCI")]
        if tables[0].data["WAVELENGTH"].ndim == 1:
            table = tables[number].data
            return table["WAVELENGTH"], table["FLUX"]
        row = tables[0].data[number]
        used = np.isfinite(row["WAVELENGTH"])
        return row["WAVELENGTH"][used], row["FLUX"][used]


def test_a_file_of_many_integrations_opens_the_first(tmp_path):
    path = tmp_path / "jw01366003001_04101_00001_nrs1_x1dints.fits"
    product_files.write_integrations(path, MOST_PARTS + 4)
    parts, note = parts_of(path, kinds.SPECTRUM_1D)
    assert [part.name for part in parts[:2]] == ["integration 1", "integration 2"]
    assert len(parts) == MOST_PARTS
    assert note == f"its first {MOST_PARTS} spectra were opened, of {MOST_PARTS + 4}"


def test_an_extended_source_opens_in_surface_brightness(tmp_path):
    path = tmp_path / "jw1_x1d.fits"
    product_files.write_spectra(path, 1, "EXTENDED")
    [part], _ = parts_of(path, kinds.SPECTRUM_1D)
    spectrum = part.read()
    assert spectrum.flux.unit == "MJy / sr"
    assert np.allclose(spectrum.flux.value, fits.getdata(path, 1)["SURF_BRIGHT"])
    assert np.allclose(spectrum.uncertainty.array, 1e-4)


def test_several_sources_and_slits_have_names(tmp_path):
    spectra, slits = tmp_path / "a_x1d.fits", tmp_path / "a_s2d.fits"
    product_files.write_spectra(spectra, 2)
    product_files.write_slits(slits, 2)
    assert [part.name for part in parts_of(spectra, kinds.SPECTRUM_1D)[0]] == ["S0", "S1"]
    parts = parts_of(slits, kinds.SPECTRUM_2D)[0]
    assert [part.name for part in parts] == ["S0", "S1"]
    assert np.array_equal(parts[1].read().flux.value, fits.getdata(slits, ("SCI", 2)))


def test_a_slit_dispersed_along_y_is_turned(tmp_path):
    path = tmp_path / "a_s2d.fits"
    product_files.write_slit(path, (60, 14), along_y=True)
    [part], _ = parts_of(path, kinds.SPECTRUM_2D)
    spectrum = part.read()
    assert np.array_equal(spectrum.flux.value, fits.getdata(path, "SCI").T)
    assert np.allclose(spectrum.spectral_axis.value, 1 + np.arange(60) / 15)
    assert spectrum.spectral_axis.unit == "um"


CONTRADICTIONS = [
    # name that the row gives, file that it has, what it is, what opens
    ("i2d", "s3d", "a spectral cube", "3D Spectrum"),
    ("s3d", "i2d", "an image", "Image"),
    ("s3d", "rateints", "a stack of images", "Image"),
    ("rate", "rateints", "a stack of images", "Image"),
    ("cal", "uncal", "a ramp", "Ramp"),
    ("uncal", "rate", "an image", "Image"),
    ("s2d", "i2d", "an image", "Image"),
    ("i2d", "x1d", "a 1D spectrum", "1D Spectrum"),
    ("x1d", "s2d", "a 2D spectrum", "2D Spectrum"),
    ("tp", "lc", "a light curve", "Light Curve"),
    ("lc", "tp", "a target pixel file", "TPF"),
]


@pytest.mark.parametrize(("listed", "held", "words", "form"), CONTRADICTIONS)
def test_a_file_that_contradicts_its_row_opens_as_what_it_is(listed, held, words, form, made):
    viz, path = jdaviz.App(), made(held)
    opened = open_product(viz._app, path, KINDS[listed], about(path))
    assert set(opened.formats) == {form}
    assert f"but it is {words}, and was opened as that" in opened.notes[0]
    assert KINDS[listed].name in opened.notes[0]


def test_what_a_file_turns_out_to_be_may_not_open_here(made):
    viz, path = jdaviz.Imviz(), made("s3d")
    with pytest.raises(NotViewable, match="an image, but it is a spectral cube: it opens in"):
        open_product(viz._app, path, kinds.IMAGE, about(path))
    assert len(viz._app.data_collection) == 0


def state(viz):
    return [data.label for data in viz._app.data_collection], list(viz._app._viewer_store)


@pytest.fixture
def clashing(tmp_path):
    """A spectrum in MJy/sr, which does not go with those in Jy."""
    path = tmp_path / "jw1_x1d.fits"
    product_files.write_spectra(path, 1, "EXTENDED")
    return path


def test_a_unit_clash_leaves_everything_as_it_was_where_there_is_one_viewer(made, clashing):
    viz = jdaviz.Specviz()
    open_file(viz, made("x1d"))
    before, opened = state(viz), Opened()
    with pytest.raises(MastError, match="its unit, MJy / sr, may not go with"):
        open_file(viz, clashing, opened=opened)
    assert state(viz) == before
    assert not opened.layers
    # and what comes next is none the worse for it
    open_file(viz, made("c1d"))


def test_in_app_a_unit_clash_is_solved_by_a_viewer_of_its_own(made, clashing):
    viz = jdaviz.App()
    first, second = open_file(viz, made("x1d")), open_file(viz, clashing)
    in_viewers = [
        {layer.layer.label for layer in viewer.layers} for viewer in viz._app._viewer_store.values()
    ]
    assert in_viewers == [{*first.layers}, {*second.layers}]


@pytest.mark.parametrize("configuration", ["deconfigged", "specviz"])
def test_a_spectrum_outside_of_the_view_is_brought_into_it(configuration, made, tmp_path):
    viz, path = new_app(configuration), tmp_path / "jw2_x1d.fits"
    open_file(viz, made("x1d"))
    with fits.open(made("x1d")) as file:
        file[1].data["WAVELENGTH"] *= 10
        file.writeto(path)
    [viewer] = [v for v in viz._app._viewer_store.values() if v.layers]
    before = viewer.state.x_max
    open_file(viz, path)
    assert viewer.state.x_max > 9 * before
    # what can be seen leaves the view that somebody chose as it is
    viewer.state.x_min, viewer.state.x_max = before / 2, before
    path = path.rename(tmp_path / "jw3_x1d.fits")
    path.write_bytes(made("x1d").read_bytes())
    open_file(viz, path)
    assert (viewer.state.x_min, viewer.state.x_max) == (before / 2, before)


@pytest.mark.parametrize("configuration", ["deconfigged", "specviz"])
def test_spectra_on_other_grids_stand_at_their_own_wavelengths(configuration, made, tmp_path):
    viz, path = new_app(configuration), tmp_path / "jw2_x1d.fits"
    with fits.open(made("x1d")) as file:
        file[1].data = file[1].data[np.arange(len(file[1].data)) % 3 == 0]
        file.writeto(path)
    for one in (made("x1d"), path):
        open_file(viz, one)
    [viewer] = [v for v in viz._app._viewer_store.values() if v.layers]
    fine, coarse = (layer.layer[viewer.state.x_att] for layer in viewer.layers)
    assert len(fine) > 2 * len(coarse)
    np.testing.assert_allclose(coarse, fine[::3])
    # As long as pixels are linked, too, it is a matter of luck.
    links = viz._app.data_collection.external_links
    assert links
    assert not any("Pixel" in id.label for link in links for id in (*link.cids1, *link.cids2))


def test_an_image_takes_no_spectrum_away(made):
    viz = jdaviz.App()
    for suffix in ("s3d", "x1d", "i2d"):
        open_file(viz, made(suffix))
    viewers = viz._app._viewer_store.values()
    [viewer] = [viewer for viewer in viewers if isinstance(viewer.state, ProfileViewerState)]
    assert [layer.enabled for layer in viewer.layers] == [True, True]
    [spectrum] = [layer for layer in viewer.layers if "x1d" in layer.layer.label]
    with fits.open(made("x1d")) as file:
        meters = file[1].data["WAVELENGTH"] * 1e-6  # what the cube gives is in m
    np.testing.assert_allclose(spectrum.layer[viewer.state.x_att], meters)


def test_importing_lcviz_does_not_break_units_of_spectra(made):
    viz = jdaviz.App()
    for suffix in ("lc", "x1d", "s2d", "x1dsum"):
        open_file(viz, made(suffix))
    viz.plugins["Unit Conversion"].flux_unit = "mJy"


def test_a_second_cube_is_refused_with_a_reason_and_the_first_stays(made, tmp_path):
    viz, first = jdaviz.App(), made("s3d")
    open_file(viz, first)
    before = state(viz)
    second = tmp_path / "other_s3d.fits"
    second.write_bytes(first.read_bytes())
    with pytest.raises(MastError, match="Only one 3D spectrum"):
        open_file(viz, second)
    assert state(viz) == before


@pytest.mark.parametrize("suffix", ["i2d", "x1d", "s2d", "s3d", "uncal", "cat", "lc", "tp"])
def test_whatever_goes_wrong_in_jdaviz_leaves_no_half(suffix, made, monkeypatch):
    viz = jdaviz.App()
    app = viz._app
    open_file(viz, made("rate"))
    before = state(viz)

    def fail(*args, **kwargs):
        raise RuntimeError("no room on the screen\nat all")

    with monkeypatch.context() as patch:
        patch.setattr(app, "add_data_to_viewer", fail)
        patch.setattr(app, "set_data_visibility", fail)
        with pytest.raises(MastError, match="jdaviz says: .*no room on the screen"):
            open_file(viz, made(suffix))
    assert state(viz) == before
    open_file(viz, made(suffix))


def test_files_are_closed_and_may_go(made, tmp_path):
    viz = jdaviz.App()
    for suffix in ("x1d", "s2d", "s3d", "uncal", "i2d", "rateints", "lc", "tp"):
        source = made(suffix)
        path = tmp_path / source.name
        path.write_bytes(source.read_bytes())
        opened = open_file(viz, path)
        path.unlink()
        data = data_of(viz, opened.layers[0])
        assert np.isfinite(np.nansum(np.asarray(data[data.main_components[0]], dtype=float)))
    names = {p.resolve() for p in tmp_path.iterdir()}
    assert not names


def test_a_table_without_positions_is_plotted_and_not_put_on_an_image(made):
    viz = jdaviz.App()
    image, table = open_file(viz, made("i2d")), open_file(viz, made("whtlt"))
    viewers = {
        name: {layer.layer.label for layer in viewer.layers}
        for name, viewer in viz._app._viewer_store.items()
    }
    assert {*image.layers} <= viewers["Image"]
    assert not {*table.layers} & viewers["Image"]
    assert viewers["Scatter"] == {*table.layers}


def test_an_image_without_coordinates_is_no_hindrance(made):
    viz = jdaviz.Imviz()
    assert not open_file(viz, made("psfstack")).notes
    notes = open_file(viz, made("i2d")).notes
    assert ["not aligned on the sky" in note for note in notes] == [True]
    again = jdaviz.Imviz()
    assert not open_file(again, made("i2d")).notes
    assert not open_file(again, made("psfstack")).notes
    assert again.plugins["Orientation"].align_by.selected == "WCS"
