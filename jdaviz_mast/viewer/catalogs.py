"""From a file of a catalog to a table that jdaviz takes."""

from pathlib import Path

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.table import MaskedColumn, QTable

from jdaviz_mast.errors import FileProblem
from jdaviz_mast.viewer.fits_reading import open_fits

__all__ = ["has_positions", "read_catalog"]

_PAIRS = (("ra", "dec"), ("raj2000", "dej2000"), ("s_ra", "s_dec"), ("ra_icrs", "de_icrs"))


def read_catalog(path):
    """Read a catalog, such as JWST's cat.ecsv, or the first table of a FITS file.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    table : `~astropy.table.QTable`
        With the units of the file. Columns that hold more than one value a row, other than
        positions, are left out: jdaviz has no place for them.

    Raises
    ------
    FileProblem
        If the file cannot be read, or has no rows.
    """
    path = Path(path)
    try:
        if path.name.lower().endswith(".ecsv"):
            table = QTable.read(path, format="ascii.ecsv")
        else:
            table = _first_table(path)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise FileProblem(f"{path.name}: the catalog cannot be read ({error}).") from error
    if not len(table):
        raise FileProblem(f"{path.name}: the catalog has no rows.")
    for name in table.colnames:
        column = table[name]
        if isinstance(column, SkyCoord):
            continue
        if getattr(column, "ndim", 1) > 1 or getattr(column, "dtype", np.dtype(int)).kind == "O":
            table.remove_column(name)
        elif isinstance(column, MaskedColumn) and column.dtype.kind == "f":
            table[name] = column.filled(np.nan)
    return table


def _first_table(path):
    with open_fits(path) as hdus:
        tables = [h for h in hdus if isinstance(h, (fits.BinTableHDU, fits.TableHDU))]
        tables = [h for h in tables if h.name != "ASDF"]
        if not tables:
            raise FileProblem(f"{path.name} holds no table.")
        return QTable.read(tables[0])


def has_positions(table):
    """Return whether a table has positions on the sky."""
    if any(isinstance(table[name], SkyCoord) for name in table.colnames):
        return True
    names = {name.lower() for name in table.colnames}
    if any(names.issuperset(pair) for pair in _PAIRS):
        return True
    angles = [n for n in table.colnames if getattr(table[n], "unit", None) in (u.deg, u.rad)]
    return len(angles) > 1
