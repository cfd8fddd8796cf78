"""From columns of the archive to what stands in the cells of a table."""

from collections.abc import Sequence

import numpy as np
from astropy.time import Time

from jdaviz_mast.archive import as_dict

__all__ = ["MISSING", "RIGHTS", "Rows", "as_dicts", "cell_texts", "is_missing"]

MISSING = "–"
#: How MAST's ``dataRights`` are called in the tray.
RIGHTS = {"PUBLIC": "public", "EXCLUSIVE_ACCESS": "exclusive", "RESTRICTED": "restricted"}
_DAYS = ("t_min", "t_max", "t_obs_release")
_LAST_DAY = 1e5  # MJD, in the year 2132


class Rows(Sequence):
    """Rows of a table as dicts, made when they are looked at.

    Whenever any table of the application changes, jdaviz asks all of them how many rows they
    have, with ``len(table.items)``.
    """

    def __init__(self, table):
        self._table = table

    def __len__(self):
        return len(self._table)

    def __getitem__(self, index):
        if isinstance(index, slice):
            return as_dicts(self._table[index])
        return as_dict(self._table[index])

    def __iter__(self):
        return iter(as_dicts(self._table))


def as_dicts(table):
    """Return `as_dict` of every row, made column by column: a row at a time is slow."""
    columns = [_plain_values(table[name]) for name in table.colnames]
    return [dict(zip(table.colnames, row, strict=True)) for row in zip(*columns, strict=True)]


def is_missing(column):
    """Return which values of a column the archive does not have, a bool array."""
    values = np.ma.getdata(column)
    missing = np.ma.getmaskarray(column)
    return missing | np.isnan(values) if values.dtype.kind == "f" else missing


def cell_texts(table, name):
    """Return a column as a list of texts; dates are days, what is missing is a dash."""
    if name not in table.colnames:
        return [MISSING] * len(table)
    column = table[name]
    missing = is_missing(column)
    values = np.ma.getdata(column)
    if name in _DAYS:
        # An answer may hold anything; a day that no calendar has is as good as missing.
        missing = missing | ~((values > 0) & (values < _LAST_DAY))
        dates = Time(np.where(missing, 59000.0, values), format="mjd", scale="utc")
        texts = [date[:10] for date in dates.iso] if len(dates) else []
    elif values.dtype.kind == "f":
        texts = [
            f"{value:.0f}" if 1e5 <= value < 1e9 else f"{value:.5g}" for value in values.tolist()
        ]
    elif name == "dataRights":
        texts = [RIGHTS.get(value, value) for value in values.tolist()]
    else:
        texts = [str(value) for value in values.tolist()]
    return [MISSING if gone else text for gone, text in zip(missing.tolist(), texts, strict=True)]


def _plain_values(column):
    values = column.tolist()  # None where masked
    if column.dtype.kind not in "fO":
        return values
    return [None if isinstance(value, float) and np.isnan(value) else value for value in values]
