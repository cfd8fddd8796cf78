"""What all readers of FITS files have in common: opening, headers, units, byte order."""

import warnings
from pathlib import Path

import astropy.units as u
from astropy.io import fits
from astropy.utils.exceptions import AstropyWarning

from jdaviz_mast.errors import FileProblem

__all__ = ["PRIMARY_HEADER", "header_dict", "native", "open_fits", "unit_of", "why"]

#: Key under which jdaviz looks for the header of the first HDU.
PRIMARY_HEADER = "_primary_header"
# Spellings in files of HST, TESS and Kepler that astropy does not read.
_UNITS = {"ELECTRONS/S": "electron/s", "ELECTRONS": "electron", "COUNTS": "count",
          "COUNTS/S": "count/s", "UNITLESS": "", "E-/S": "electron/s",
          "ANGSTROMS": "Angstrom"}  # fmt: skip


def open_fits(path):
    """Open a FITS file, to be closed by the caller.

    It is not mapped into memory: a layer must outlive its file.

    Raises
    ------
    FileProblem
        If it cannot be read as FITS.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", AstropyWarning)
            return fits.open(path, memmap=False, lazy_load_hdus=True)
    except OSError as error:
        raise FileProblem(f"{Path(path).name}: this is not a FITS file ({why(error)}).") from error


def why(error):
    """Return what an `OSError` says, without the path that the system puts behind it."""
    return getattr(error, "strerror", None) or error


def native(values):
    """Return an array in the machine's byte order, swapped in place."""
    if values.dtype.isnative:
        return values
    return values.byteswap(inplace=True).view(values.dtype.newbyteorder("="))


def header_dict(hdu, hdus):
    """Return the header of an HDU as a dict, that of the file's first HDU within it.

    Commentary cards are joined, blank ones dropped.
    """
    cards = _cards(hdu.header)
    if hdu is not hdus[0]:
        cards[PRIMARY_HEADER] = _cards(hdus[0].header)
    return cards


def _cards(header):
    cards = {key: header[key] for key in header if key and key not in ("COMMENT", "HISTORY")}
    for key in ("COMMENT", "HISTORY"):
        if key in header:
            cards[key] = "\n".join(str(line) for line in header[key])
    return cards


def unit_of(text):
    """Return the unit that a keyword such as BUNIT or TUNIT names, None if none is meant."""
    text = str(text or "").strip()
    text = _UNITS.get(text.upper(), text)
    try:
        return u.Unit(text)
    except ValueError:
        return None
