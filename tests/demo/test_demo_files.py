"""The files: valid, where they say they are, of the size they say, and always the same."""

import hashlib
import json
import math
import os
import subprocess
import sys

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.table import Table
from astropy.wcs import WCS
from demo_material import F090W, F1130W

from jdaviz_mast.demo import DemoArchive, write_i2d
from jdaviz_mast.demo.padding import pad_fits, pad_jpeg, pad_text
from jdaviz_mast.demo.sky import parse_region

datamodels = pytest.importorskip("stdatamodels.jwst.datamodels")


def one_of_each(archive):
    """One URI for every kind of file, level, data type and mission."""
    seen = {}
    rows = {row["obsid"]: row for row in archive.observations}
    for product in archive.products:
        row = rows[product["obsID"]]
        key = [row["obs_collection"], product["calib_level"], product["productType"]]
        key += [
            product["productSubGroupDescription"],
            product["productFilename"].rsplit("_", 1)[-1],
        ]
        if product["productType"] == "SCIENCE":
            key.append(row["dataproduct_type"])
        seen.setdefault(tuple(key), product["dataURI"])
    return list(seen.values())


_PROBE = DemoArchive()  # rows only: nothing is made or served
KINDS = one_of_each(_PROBE)
JWST_FITS = [
    uri
    for uri in KINDS
    if uri.startswith("mast:JWST") and uri.endswith(".fits") and "gs-" not in uri
]
IMAGES = [
    uri for uri in KINDS if uri.endswith(("_i2d.fits", "_cal.fits", "_crf.fits", "_segm.fits"))
]


def row_of(uri):
    product = next(p for p in _PROBE.products if p["dataURI"] == uri)
    return next(o for o in _PROBE.observations if o["obsid"] == product["obsID"])


# Calibrated exposures of spectra lie on the detector alone.
IMAGES = [u for u in IMAGES if "gs-" not in u and row_of(u)["dataproduct_type"] == "image"]


def skycoord(corners):
    return SkyCoord(corners[:, 0], corners[:, 1], unit="deg")


@pytest.mark.parametrize("uri", KINDS, ids=lambda uri: uri.split("/")[-1])
def test_size_in_the_catalogue_is_the_true_one(shared_archive, uri):
    declared = {p["size"] for p in shared_archive.products if p["dataURI"] == uri}
    assert declared == {shared_archive.make(uri).stat().st_size}


@pytest.mark.parametrize("uri", [u for u in KINDS if u.endswith(".fits")])
def test_fits_file_is_valid_and_complete(shared_archive, uri):
    path = shared_archive.make(uri)
    with fits.open(path, checksum=True) as hdus:
        hdus.verify("exception")
        last = hdus[-1].fileinfo()
        # Nothing lies behind the last HDU.
        assert last["datLoc"] + last["datSpan"] == path.stat().st_size
        assert hdus[0].header["TELESCOP"] == row_of(uri)["obs_collection"]


@pytest.mark.parametrize("uri", JWST_FITS, ids=lambda uri: uri.split("/")[-1])
def test_jwst_file_satisfies_its_schema(shared_archive, uri):
    path, row = shared_archive.make(uri), row_of(uri)
    with datamodels.open(path, strict_validation=True) as model:
        model.validate()
        assert type(model).__name__ == fits.getval(path, "DATAMODL")
        assert model.meta.target.catalog_name == row["target_name"]
        assert int(model.meta.observation.program_number) == int(row["proposal_id"])
        assert model.meta.instrument.filter in row["filters"]
        assert model.meta.observation.date_beg[:4] in ("2022", "2026")
        assert model.meta.exposure.start_time == pytest.approx(row["t_min"])


def test_combined_image_has_the_extensions_and_units_of_a_real_one(shared_archive, real):
    with (
        fits.open(next(real.glob("*_i2d.fits"))) as true,
        fits.open(shared_archive.make(F1130W)) as ours,
    ):
        assert [hdu.name for hdu in ours] == [hdu.name for hdu in true]
        for mine, theirs in zip(ours[1:], true[1:], strict=True):
            assert mine.header.get("BUNIT") == theirs.header.get("BUNIT")
            if theirs.name != "ASDF":
                assert mine.data.dtype == theirs.data.dtype
                assert mine.data.ndim == theirs.data.ndim
        for key in ("TELESCOP", "INSTRUME", "DETECTOR", "FILTER", "EXP_TYPE", "DATAMODL"):
            assert ours[0].header[key] == true[0].header[key]
        wanted = {"WCSAXES", "CRPIX1", "CRVAL2", "CTYPE1", "CDELT1", "PC1_1", "S_REGION", "RADESYS"}
        assert wanted <= set(true["SCI"].header)
        assert wanted <= set(ours["SCI"].header)
        assert ours["SCI"].header["PIXAR_SR"] > 0


@pytest.mark.parametrize("uri", IMAGES, ids=lambda uri: uri.split("/")[-1])
def test_image_lies_where_s_region_says(shared_archive, uri):
    path, row = shared_archive.make(uri), row_of(uri)
    header = fits.getheader(path, "SCI")
    nx, ny = header["NAXIS1"], header["NAXIS2"]
    outer = np.array([[0, 0], [nx, 0], [nx, ny], [0, ny]]) - 0.5
    corners = skycoord(np.array(WCS(header).pixel_to_world_values(outer)))
    for region in (row["s_region"], header["S_REGION"]):
        declared = skycoord(parse_region(region)[1])
        _, away, _ = declared.match_to_catalog_sky(corners)
        assert away.arcsec.max() < 0.1


@pytest.mark.parametrize("uri", IMAGES, ids=lambda uri: uri.split("/")[-1])
def test_gwcs_agrees_with_the_fits_wcs(shared_archive, uri):
    path = shared_archive.make(uri)
    header = fits.getheader(path, "SCI")
    x, y = np.meshgrid(
        np.linspace(0, header["NAXIS1"] - 1, 9), np.linspace(0, header["NAXIS2"] - 1, 9)
    )
    with datamodels.open(path) as model:
        ours = SkyCoord(*model.meta.wcs(x, y), unit="deg")
    fits_world = SkyCoord(*WCS(header).pixel_to_world_values(x, y), unit="deg")
    assert ours.separation(fits_world).arcsec.max() < 1e-5


@pytest.mark.parametrize(
    "uri",
    [
        F090W,
        F1130W,
        "mast:JWST/product/jw02733-o001_t001_nircam_f444w-f470n_i2d.fits",
        "mast:JWST/product/jw02733-o002_t001_miri_f1800w_i2d.fits",
        "mast:JWST/product/jw02733001001_02105_00003_nrcb1_i2d.fits",
        "mast:HST/product/ib5741010_drc.fits",
    ],
)
def test_all_filters_and_missions_show_the_same_stars(shared_archive, uri):
    center = SkyCoord(151.757250, -40.436406, unit="deg")
    with fits.open(shared_archive.make(uri)) as hdus:
        image, wcs = hdus["SCI"].data, WCS(hdus["SCI"].header)
    truth = Table.read(shared_archive.make(F090W.replace("_i2d.fits", "_cat.ecsv")))
    x, y = wcs.world_to_pixel(truth["sky_centroid"])
    inside = (x > 5) & (y > 5) & (x < image.shape[1] - 6) & (y < image.shape[0] - 6)
    brightest = np.flatnonzero(inside)[0]
    column, row = round(float(x[brightest])), round(float(y[brightest]))
    if brightest == 0:
        assert truth["sky_centroid"][0].separation(center).arcsec < 0.01
        assert image[row - 1 : row + 2, column - 1 : column + 2].max() == np.nanmax(image)
    part = image[row - 2 : row + 3, column - 2 : column + 3]
    part = part - part.min()
    dy, dx = np.mgrid[-2:3, -2:3]
    peak = column + (part * dx).sum() / part.sum(), row + (part * dy).sum() / part.sum()
    assert np.hypot(peak[0] - x[brightest], peak[1] - y[brightest]) < 0.5


def test_image_shows_a_ring_nebula_and_an_unexposed_border(shared_archive):
    with fits.open(shared_archive.make(F090W)) as hdus:
        image, wcs = hdus["SCI"].data, WCS(hdus["SCI"].header)
        assert np.isnan(hdus["ERR"].data[np.isnan(image)]).all()
        assert (hdus["WHT"].data[np.isnan(image)] == 0).all()
    assert np.isnan(image[0]).all()
    assert 0.7 < np.isfinite(image).mean() < 0.999
    assert 600 <= max(image.shape) <= 1200
    x0, y0 = wcs.world_to_pixel(SkyCoord(151.757250, -40.436406, unit="deg"))
    y, x = np.indices(image.shape)
    scale = np.sqrt(wcs.proj_plane_pixel_area()).to_value("arcsec")
    radius = np.hypot(x - x0, y - y0) * scale
    cavity, shell, outside = (
        np.nanmedian(image[(radius > low) & (radius < high)])
        for low, high in ((6, 12), (20, 27), (60, 70))
    )
    assert shell > cavity > 3 * outside


def test_filters_differ_in_the_halo(shared_archive):
    ratio = {}
    for uri in (F090W, F1130W):
        with fits.open(shared_archive.make(uri)) as hdus:
            image, wcs = hdus["SCI"].data, WCS(hdus["SCI"].header)
        x0, y0 = wcs.world_to_pixel(SkyCoord(151.757250, -40.436406, unit="deg"))
        y, x = np.indices(image.shape)
        radius = np.hypot(x - x0, y - y0) * np.sqrt(wcs.proj_plane_pixel_area()).to_value("arcsec")
        sky = np.nanpercentile(image, 2)
        parts = [(6, 12), (34, 42)]
        inner, halo = (
            np.nanmean(image[(radius > low) & (radius < high)]) - sky for low, high in parts
        )
        ratio[uri] = halo / inner
    assert ratio[F1130W] > 2 * ratio[F090W]


OTHER_ARCHIVE = """
import hashlib, json, sys
from jdaviz_mast.demo import DemoArchive
with DemoArchive() as archive:
    made = {uri: archive.make(uri).read_bytes() for uri in json.load(sys.stdin)}
print(json.dumps({uri: hashlib.sha256(data).hexdigest() for uri, data in made.items()}))
"""


def test_every_archive_makes_the_same_bytes(shared_archive):
    """In another process: what was imported from the demo can be imported again tomorrow."""
    answer = subprocess.run(
        [sys.executable, "-c", OTHER_ARCHIVE], input=json.dumps(KINDS), text=True,
        env=os.environ | {"PYTHONHASHSEED": "7"}, capture_output=True, check=True,
    ).stdout  # fmt: skip
    made = {uri: shared_archive.make(uri).read_bytes() for uri in KINDS}
    assert json.loads(answer) == {
        uri: hashlib.sha256(data).hexdigest() for uri, data in made.items()
    }


def test_catalog_lists_the_stars_of_the_image(shared_archive):
    uri = F090W.replace("_i2d.fits", "_cat.ecsv")
    table = Table.read(shared_archive.make(uri))
    with fits.open(shared_archive.make(F090W)) as hdus:
        image, wcs = hdus["SCI"].data, WCS(hdus["SCI"].header)
    x, y = wcs.world_to_pixel(table["sky_centroid"])
    assert np.allclose(x, table["xcentroid"].value, atol=1e-3)
    assert np.allclose(y, table["ycentroid"].value, atol=1e-3)
    segments = fits.getdata(shared_archive.make(F090W.replace("_i2d", "_segm")), "SCI")
    for star in table[:5]:
        column, row = round(star["xcentroid"]), round(star["ycentroid"])
        assert image[row, column] > np.nanmedian(image)
        assert segments[row, column] > 0
    assert table["aper_total_flux"][0] > table["aper_total_flux"][-1]


def test_association_names_the_exposures_that_are_listed(shared_archive):
    row = next(o for o in shared_archive.observations if F090W.endswith(o["obs_id"] + "_i2d.fits"))
    listed = [p for p in shared_archive.products if p["parent_obsid"] == row["obsid"]]
    uri = next(p["dataURI"] for p in listed if p["productFilename"].endswith("_asn.json"))
    association = json.loads(shared_archive.make(uri).read_text())
    members = {m["expname"] for m in association["products"][0]["members"]}
    assert members == {
        p["productFilename"] for p in listed if p["productSubGroupDescription"] == "CAL"
    }


def test_previews_are_pictures(shared_archive):
    image = pytest.importorskip("PIL.Image")
    for uri in (u for u in KINDS if u.endswith(".jpg")):
        with image.open(shared_archive.make(uri)) as picture:
            picture.load()
            assert picture.format == "JPEG"
            assert np.asarray(picture).std() > 5, uri


def test_cube_holds_lines_at_the_targets_redshift(shared_archive):
    uri = next(u for u in KINDS if u.endswith("_s3d.fits") and "-o001" in u)
    with datamodels.open(shared_archive.make(uri)) as model:
        light = np.nansum(model.data, axis=(1, 2))
        _, _, wavelength = model.meta.wcs(0, 0, np.arange(len(light)))
        assert wavelength[np.argmax(light)] == pytest.approx(1.8756 * 1.0225, abs=0.01)
        header = fits.getheader(shared_archive.make(uri), "SCI")
    from_fits = header["CRVAL3"] + header["CDELT3"] * (np.arange(len(light)) + 1 - header["CRPIX3"])
    assert np.allclose(wavelength, from_fits)


def test_missing_library_is_named_with_the_extra_that_brings_it(archive, monkeypatch):
    import sys

    from jdaviz_mast.demo import jwst_meta

    jwst_meta.model_class.cache_clear()
    monkeypatch.setitem(sys.modules, "stdatamodels.jwst", None)
    with pytest.raises(ImportError, match=r"jdaviz-mast\[offline\]"):
        archive.make(F1130W)
    jwst_meta.model_class.cache_clear()


def test_files_are_removed_when_the_archive_stops():
    with DemoArchive() as archive:
        path = archive.make(F1130W.replace("_i2d.fits", "_cat.ecsv"))
        assert path.exists()
    assert not path.parent.exists()


def test_real_file_is_served_under_its_name_with_rows_from_its_header(archive, real):
    path = real / "jw01288015001_04101_00001_mirimage_i2d.fits"
    row = archive.add_file(path)
    assert row["obs_id"] == "jw01288015001_04101_00001_mirimage"
    assert row["instrument_name"] == "MIRI/IMAGE"
    assert row["filters"] == "F1130W"
    assert row["proposal_id"] == "1288"
    assert (row["s_ra"], row["s_dec"]) == pytest.approx((83.83139, -5.41382), abs=1e-4)
    assert row["calib_level"] == 2
    assert row["t_min"] == pytest.approx(59840.70134, abs=1e-4)
    product = archive.product("mast:JWST/product/" + path.name)
    assert product["size"] == path.stat().st_size
    assert product["parent_obsid"] == row["obsid"]
    assert archive.make(product["dataURI"]) == path.resolve()


def test_real_file_can_join_an_observation_or_replace_a_made_one(archive, real):
    path = next(real.glob("*_s2d.fits"))
    uri = "mast:JWST/product/" + path.name
    assert archive.product(uri)["size"] != path.stat().st_size
    row = archive.add_file(path)
    assert row["obsid"] == "87603310"
    assert {p["size"] for p in archive.products if p["dataURI"] == uri} == {path.stat().st_size}
    image = next(real.glob("*_i2d.fits"))
    assert archive.add_file(image, obs_id=row["obs_id"]) is row
    assert archive.product("mast:JWST/product/" + image.name)["parent_obsid"] == row["obsid"]


def test_benchmark_image_has_the_shape_asked_for(tmp_path):
    path = write_i2d(tmp_path / "jw00001-o001_t001_nircam_clear-f090w_i2d.fits", shape=(300, 200))
    with datamodels.open(path, strict_validation=True) as model:
        assert model.data.shape == (300, 200)
        names = ["err", "con", "wht", "var_poisson", "var_rnoise", "var_flat"]
        assert all(getattr(model, name).shape[-2:] == (300, 200) for name in names)
        model.validate()


@pytest.mark.parametrize("blocks", [1, 3])
def test_padding_leaves_the_content_alone(tmp_path, blocks):
    table = fits.BinTableHDU.from_columns([fits.Column("A", "J", array=np.arange(5))])
    hdus = [fits.PrimaryHDU(np.ones((3, 3))), table, fits.ImageHDU(np.arange(4.0))]
    for count in (3, 1):
        path = tmp_path / f"{count}.fits"
        fits.HDUList(hdus[:count]).writeto(path)
        size = path.stat().st_size
        pad_fits(path, size + blocks * 2880)
        assert path.stat().st_size == size + blocks * 2880
        with fits.open(path) as padded:
            padded.verify("exception")
            assert len(padded) == count
            assert (padded[0].data == 1).all()
            if count == 3:
                assert list(padded[1].data["A"]) == list(range(5))
                assert (padded[2].data == np.arange(4)).all()
    with pytest.raises(ValueError, match="cannot become"):
        pad_fits(path, 2880)


def test_padding_of_text_and_pictures_is_exact():
    assert pad_text("ab\n", 5) == b"ab\n\n\n"
    with pytest.raises(ValueError, match="do not fit"):
        pad_text("abc", 2)
    for size in (10, 1000, 60_010, 120_007):
        assert len(pad_jpeg(b"\xff\xd8\xff\xd9", size)) == size
    assert math.isclose(len(pad_jpeg(b"\xff\xd8\xff\xd9", 4)), 4)
