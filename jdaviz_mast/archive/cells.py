"""Cells of an answer that are not of their column's type: they are left out, and said."""

import numpy as np
from astroquery.mast.utils import parse_type

__all__ = ["UNREADABLE", "leave_out_unreadable"]

#: Key of a table's ``meta`` under which it is said which cells were left out.
UNREADABLE = "mast_unreadable"

_NUMBERS = (np.int64, np.float64, np.ubyte)
#: Cells of one answer that are named, and characters of each that are shown.
_NAMED = 5
_SHOWN = 40
#: What says which row it is, the first that there is.
_NAMES = ("obs_id", "productFilename", "ID", "obsID", "obsid")


def leave_out_unreadable(answer):
    """Empty the cells of an answer that cannot be what their column says they are.

    astroquery converts each column as a whole, so that one text in a column of numbers would
    cost all rows. An empty cell counts as missing: masked, or NaN among floats.

    Parameters
    ----------
    answer : dict
        Of the portal, with ``fields`` and ``data``; its rows are changed.

    Returns
    -------
    sentences : list of str
        What was left out of which row; the first few, and how many more.
    """
    rows = [row for row in answer["data"] if isinstance(row, dict)]
    found = []
    for field in answer["fields"]:
        name, kind = field["name"], parse_type(field["type"])[1]
        filled = [(row, row[name]) for row in rows if row.get(name) is not None]
        if _fit([cell for _, cell in filled], kind):
            continue
        for row, cell in filled:
            if not _fit([cell], kind):
                row[name] = None
                if cell not in ("", []):  # nothing was left out
                    found.append((name, row, cell))
    sentences = [
        f"The archive's {name} of {_name(row)} cannot be read and is left out: {_short(cell)}."
        for name, row, cell in found[:_NAMED]
    ]
    if len(found) > _NAMED:
        sentences.append(f"{len(found) - _NAMED:,} more values cannot be read and are left out.")
    return sentences


def _fit(cells, kind):
    if any(isinstance(cell, list) for cell in cells):  # would be another dimension
        return False
    if kind not in _NUMBERS:
        return True
    try:
        np.fromiter(cells, dtype=object, count=len(cells)).astype(kind)
    except (ValueError, TypeError, OverflowError):
        return False
    return True


def _name(row):
    return next((str(row[name]) for name in _NAMES if row.get(name)), "a row without a name")


def _short(cell):
    text = " ".join(repr(cell).split())
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
