"""What a FITS file is by its own headers, whatever the archive's row says that it is."""

import warnings
from pathlib import Path

from astropy.io import fits
from astropy.utils.exceptions import AstropyWarning

from jdaviz_mast.errors import FileProblem
from jdaviz_mast.products import kinds

__all__ = ["kind_of_file"]

_SCIENCE = ("SCI", "FLUX", "DATA")
_SPECTRAL = ("WAVE", "AWAV", "LAMBDA", "FREQ", "VELO", "VRAD", "VOPT", "ENER", "WAVN", "ZOPT")
_CELESTIAL = ("RA--", "DEC-", "GLON", "GLAT")


def kind_of_file(path, expected):
    """Return what a file is: the expected `Kind`, unless its headers contradict that.

    Parameters
    ----------
    path : path-like
    expected : Kind
        What the archive's row says.

    Returns
    -------
    kind : Kind

    Raises
    ------
    FileProblem
        If it cannot be read as FITS.
    """
    if not expected.format or not str(path).lower().removesuffix(".gz").endswith(".fits"):
        return expected
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", AstropyWarning)
            with fits.open(path, memmap=False) as hdus:
                return _kind(hdus, expected)
    except OSError as error:
        reason = error.strerror or error  # the system adds the whole path
        raise FileProblem(f"{Path(path).name}: this is not a FITS file ({reason}).") from error


def _kind(hdus, expected):
    tables = [h for h in hdus if isinstance(h, (fits.BinTableHDU, fits.TableHDU))]
    tables = [hdu for hdu in tables if hdu.name != "ASDF"]
    found = next(filter(None, map(_kind_of_table, tables)), None)
    if found is None:
        found = _kind_of_image(hdus, expected)
    if found is None:
        found = kinds.CATALOG if tables else kinds.OTHER
    if expected.format == "Catalog" and tables:
        return expected
    same = (found.format, found.by_slice) == (expected.format, expected.by_slice)
    return expected if same else found


def _kind_of_table(hdu):
    columns = {column.name.upper(): column for column in hdu.columns}
    if "TIME" in columns and "FLUX" in columns and columns["FLUX"].dim:
        return kinds.TARGET_PIXELS
    if "TIME" in columns and any("FLUX" in name for name in columns):
        return kinds.LIGHT_CURVE
    if "WAVELENGTH" in columns and ("FLUX" in columns or "SURF_BRIGHT" in columns):
        return kinds.SPECTRUM_1D
    return None


def _kind_of_image(hdus, expected):
    images = [hdu for hdu in hdus if hdu.is_image and hdu.shape and 0 not in hdu.shape]
    images.sort(key=lambda hdu: hdu.name not in _SCIENCE)  # stable
    if not images:
        return None
    header, dimensions = images[0].header, len(images[0].shape)
    if dimensions == 4:
        return kinds.RAMP
    if dimensions == 3:
        spectral = _types(header, _SPECTRAL) or hdus[0].header.get("DATAMODL") == "IFUCubeModel"
        return kinds.CUBE if spectral else kinds.SLICES
    if dimensions != 2:
        return kinds.OTHER
    dispersed = "DISPAXIS" in header or "DISPAXIS" in hdus[0].header or _types(header, _SPECTRAL)
    # An image of what a prism or grating spread is one still; of a 2D spectrum the header may
    # say nothing.
    if expected.is_image or (_types(header, _CELESTIAL) and not dispersed):
        return kinds.IMAGE
    if dispersed or expected is kinds.SPECTRUM_2D:
        return kinds.SPECTRUM_2D
    return kinds.IMAGE


def _types(header, prefixes):
    types = [str(header.get(f"CTYPE{n}", "")).strip().upper() for n in (1, 2, 3)]
    return any(kind.startswith(prefixes) for kind in types)
