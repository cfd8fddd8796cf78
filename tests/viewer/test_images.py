"""From a FITS file to glue data: pixels, units, coordinates, header."""

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS
from gwcs import WCS as GWCS  # noqa: N811

from jdaviz_mast.errors import FileProblem, NotAnImage
from jdaviz_mast.viewer.images import image_extensions, read_image


def celestial_header():
    header = fits.Header()
    header["CTYPE1"], header["CTYPE2"] = "RA---TAN", "DEC--TAN"
    header["CRPIX1"], header["CRPIX2"] = 5.0, 4.0
    header["CRVAL1"], header["CRVAL2"] = 151.757, -40.436
    header["CDELT1"], header["CDELT2"] = -1e-5, 1e-5
    return header


@pytest.fixture
def hst_file(tmp_path):
    """A file such as HST's flt: two science extensions, errors, quality, a table."""
    rng = np.random.default_rng(1)
    primary = fits.PrimaryHDU()
    primary.header["TELESCOP"] = "HST"
    hdus = [primary]
    for version in (1, 2):
        header = celestial_header()
        header["BUNIT"] = "ELECTRONS/S"
        header["HISTORY"] = "made for a test"
        pixels = rng.normal(size=(8, 10)).astype(">f4")
        hdus.append(fits.ImageHDU(pixels, header, name="SCI", ver=version))
        hdus.append(fits.ImageHDU(pixels**2, header, name="ERR", ver=version))
        hdus.append(fits.ImageHDU(np.zeros((8, 10), "i2"), header, name="DQ", ver=version))
    hdus.append(fits.BinTableHDU.from_columns([fits.Column("a", "J", array=[1])], name="TAB"))
    path = tmp_path / "jabc01xyq_flt.fits"
    fits.HDUList(hdus).writeto(path)
    return path


def test_the_first_science_extension_is_read_by_default(hst_file):
    data = read_image(hst_file)
    expected = fits.getdata(hst_file, ("SCI", 1))
    component = data.get_component(data.main_components[0])
    assert np.array_equal(component.data, expected)
    assert component.data.dtype == np.dtype("float32")  # the machine's byte order
    assert component.units == "electron / s"
    assert data.meta["BUNIT"] == "ELECTRONS/S"
    assert data.meta["_primary_header"]["TELESCOP"] == "HST"
    assert data.meta["HISTORY"] == "made for a test"


@pytest.mark.parametrize("extension", [("SCI", 2), "ERR", ("DQ", 2)])
def test_other_extensions_are_read_on_request(hst_file, extension):
    data = read_image(hst_file, extension)
    expected = fits.getdata(hst_file, extension)
    assert np.array_equal(data.get_component(data.main_components[0]).data, expected)


def test_extensions_are_listed_without_tables(hst_file):
    names = ("SCI", "ERR", "DQ")
    assert image_extensions(hst_file) == [(name, v) for v in (1, 2) for name in names]


def test_a_scaled_image_is_read_in_its_values(tmp_path):
    values = np.arange(12, dtype="u2").reshape(3, 4) + 40000  # stored with BZERO
    fits.ImageHDU(values, name="SCI").writeto(tmp_path / "x.fits")
    data = read_image(tmp_path / "x.fits")
    assert np.array_equal(data.get_component(data.main_components[0]).data, values)
    assert data.coords is None


def test_a_broken_gwcs_gives_way_to_the_fits_wcs(tmp_path):
    tree = np.frombuffer(b"#ASDF 1.0.0\n%YAML 1.1\n--- {meta: {wcs: broken}}\n...\n", "u1")
    column = fits.Column("ASDF_METADATA", f"{len(tree)}B", array=tree[None])
    fits.HDUList(
        [
            fits.PrimaryHDU(),
            fits.ImageHDU(np.ones((8, 10)), celestial_header(), name="SCI"),
            fits.BinTableHDU.from_columns([column], name="ASDF"),
        ]
    ).writeto(tmp_path / "x_i2d.fits")
    coords = read_image(tmp_path / "x_i2d.fits").coords
    assert isinstance(coords, WCS)
    assert coords.pixel_to_world(4, 3).ra.deg == pytest.approx(151.757)


def test_a_jwst_mosaic_comes_with_its_gwcs(archive):
    product = next(
        row for row in archive.products
        if row["productFilename"] == "jw02733-o001_t001_nircam_clear-f090w_i2d.fits"
    )  # fmt: skip
    path = archive.make(product["dataURI"])
    data = read_image(path)
    assert isinstance(data.coords, GWCS)
    assert np.array_equal(
        data.get_component(data.main_components[0]).data, fits.getdata(path, "SCI"), equal_nan=True
    )
    # The other extensions lie on the same sky.
    assert isinstance(read_image(path, "ERR").coords, GWCS)


def test_the_data_outlive_the_file(hst_file):
    data = read_image(hst_file)
    expected = fits.getdata(hst_file, ("SCI", 1))
    hst_file.unlink()
    assert np.array_equal(data.get_component(data.main_components[0]).data, expected)


@pytest.mark.parametrize(
    ("extension", "words"), [(None, "no 2D image"), ("SCI", "no image extension SCI")]
)
def test_a_file_without_such_an_image_is_told_apart(tmp_path, extension, words):
    path = tmp_path / "cube_s3d.fits"
    fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(np.zeros((3, 4, 5)), name="SCI")]).writeto(path)
    with pytest.raises(NotAnImage, match=f"cube_s3d.fits holds {words}"):
        read_image(path, extension)


def test_what_is_no_fits_is_told_apart(tmp_path):
    path = tmp_path / "x.fits"
    path.write_text("<html>log in</html>")
    with pytest.raises(FileProblem, match="not a FITS file"):
        read_image(path)


def test_a_file_that_is_cut_short_is_told_apart(hst_file):
    whole = hst_file.read_bytes()
    hst_file.write_bytes(whole[: 2880 * 2 + 100])
    with pytest.raises(FileProblem):
        read_image(hst_file)


def test_chips_are_taken_all_and_repeated_reads_once(hst_file, tmp_path):
    assert image_extensions(hst_file, ["SCI"]) == [("SCI", 1)]
    with fits.open(hst_file) as hdus:
        for hdu in hdus[1:7]:
            hdu.header["CCDCHIP"] = 3 - hdu.ver
        hdus.writeto(tmp_path / "chips_flt.fits")
    chips = image_extensions(tmp_path / "chips_flt.fits", ["sci", "DQ"])
    assert chips == [("SCI", 1), ("DQ", 1), ("SCI", 2), ("DQ", 2)]
    with pytest.raises(NotAnImage, match="no image extension WHT or CTX"):
        image_extensions(hst_file, ["WHT", "CTX"])


def test_the_first_image_stands_in_where_none_is_called_science(tmp_path):
    fits.PrimaryHDU(np.ones((3, 4))).writeto(tmp_path / "plain.fits")
    assert image_extensions(tmp_path / "plain.fits", ["SCI"]) == [("PRIMARY", 1)]
