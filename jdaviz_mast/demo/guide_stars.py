"""Guide-star files, of which an exposure has hundreds.

They make MAST's lists long: that of one combined observation has 3,470 products, of which 80 are
science exposures of level 2. So has the embedded archive's list of that observation.
"""

from __future__ import annotations

__all__ = ["PRODUCTS", "files_of"]

#: Products in MAST's list of an observation, of those whose guide-star files are listed here.
PRODUCTS = {"jw02733-o002_t001_miri_f1130w": 3470}

_FIRST = 2022163040000  # year, day of year, hour, minute, second
_STAGES = (("gs-acq1", "cal", 2), ("gs-acq1", "uncal", 1), ("gs-fg", "cal", 2),
           ("gs-fg", "uncal", 1))  # fmt: skip


def files_of(visit, first, count):
    """Return guide-star files of a visit.

    Parameters
    ----------
    visit : str
        Such as ``"jw02733002001"``.
    first : int
        Number of the first of them, of all that the visit has.
    count : int
        How many.

    Returns
    -------
    files : list of (str, str, int)
        Kind of file, name, and calibration level.
    """
    files = []
    for n in range(first, first + count):
        turn, stage = divmod(n, len(_STAGES))
        kind, end, level = _STAGES[stage]
        minutes, seconds = divmod(37 * turn, 60)
        hours, minutes = divmod(minutes, 60)
        stamp = _FIRST + 10000 * hours + 100 * minutes + seconds
        files.append((kind, f"{visit}_{kind}_{stamp}_{end}.fits", level))
    return files
