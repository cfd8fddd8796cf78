"""True JWST products, served under their own names, lie where their FITS WCS says."""

import jdaviz
import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS

PRODUCTS = (
    "jw01288015001_04101_00001_mirimage_i2d.fits",
    "jw01288016001_34101_00002_mirimage_i2d.fits",
)


@pytest.mark.parametrize("application", ["App", "Imviz", "Cubeviz"])
def test_true_mosaics_import_with_the_right_coordinates(shared, archive, application):
    paths = [shared / "real" / name for name in PRODUCTS]
    rows = [archive.add_file(path) for path in paths]
    viz = getattr(jdaviz, application)()
    tray = viz.plugins["MAST Import"]
    # Single exposures, level 2: naming one is enough
    for path, row in zip(paths, rows, strict=True):
        job = tray.import_observation(row["obs_id"])
        assert path.name in [file.name for file in job.files if file.state == "complete"]
        data = next(
            d for d in viz._app.data_collection
            if d.meta.get("mast_product_productFilename") == path.name
        )  # fmt: skip
        pixels = data.get_component(data.main_components[0]).data
        assert np.array_equal(pixels, fits.getdata(path, "SCI"), equal_nan=True)
        header = fits.getheader(path, "SCI")
        center = (data.shape[1] - 1) / 2, (data.shape[0] - 1) / 2
        truth = WCS(header).pixel_to_world(*center)
        assert data.coords.pixel_to_world(*center).separation(truth).arcsec < 0.01
        assert data.get_component(data.main_components[0]).units == "MJy / sr"


@pytest.mark.parametrize("application", ["App", "Specviz2d"])
def test_a_true_2d_spectrum_imports_with_its_wavelengths(shared, archive, application, tmp_path):
    true = shared / "real" / "jw01492-o005_s00004_nirspec_f100lp-g140m-s1600a1-sub2048_s2d.fits"
    # The embedded archive has one of that name already.
    name = true.name.replace("s00004", f"s9999{len(application)}")
    path = tmp_path / name
    path.write_bytes(true.read_bytes())
    row = archive.add_file(path)
    viz = getattr(jdaviz, application)()
    tray = viz.plugins["MAST Import"]
    tray.import_observation(row["obs_id"])
    assert tray._obj.import_message == "1 2D spectrum loaded."
    data = next(
        d for d in viz._app.data_collection
        if d.meta.get("mast_product_productFilename") == name and d.ndim == 2
    )  # fmt: skip
    spectrum = data.get_object(statistic=None)
    assert np.array_equal(spectrum.flux.value, fits.getdata(path, "SCI"), equal_nan=True)
    assert spectrum.flux.unit == "MJy"
    wavelength = spectrum.spectral_axis.to_value("um")
    assert 0.96 < wavelength[0] < wavelength[-1] < 1.9  # the band of G140M with F100LP
