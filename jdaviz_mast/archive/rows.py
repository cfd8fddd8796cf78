"""Rows of the archive's tables as plain values, and what stands for them."""

import numpy as np
from astropy.table import Row, Table

from jdaviz_mast.archive.query import Query
from jdaviz_mast.errors import InvalidInput, ObservationNotFound

__all__ = ["as_dict", "as_observations"]


def as_dict(row):
    """Return a table row as a dict of plain Python values, None where masked."""
    return {
        name: None if np.ma.is_masked(row[name]) else _plain(row[name]) for name in row.colnames
    }


def _plain(value):
    value = value.item() if hasattr(value, "item") else value
    return None if isinstance(value, float) and np.isnan(value) else value


def as_observations(archive, given, check_cancelled=None):
    """Return observations as a table.

    Parameters
    ----------
    archive : Archive
        Asked for an ID.
    given : `~astropy.table.Table`, `~astropy.table.Row` or str
        What a search returned, one row of it, or an observation ID.
    check_cancelled : callable, optional

    Returns
    -------
    observations : `~astropy.table.Table`

    Raises
    ------
    InvalidInput
        If it is something else.
    ObservationNotFound, ArchiveUnreachable, ArchiveTimeout, ArchiveError
    """
    if isinstance(given, str):
        # Whoever names one observation means it, at whichever level it is.
        query = Query.create(observation_id=given, all_levels=True)
        found = archive.observations(query, check_cancelled=check_cancelled)
        if not len(found):
            raise ObservationNotFound(f"The archive holds no observation {given!r}.")
        return found
    if isinstance(given, Row):
        return Table(given)
    if not isinstance(given, Table) or "obsid" not in given.colnames:
        raise InvalidInput(
            "observations", type(given).__name__, "give what search() returned, or an ID"
        )
    return given
