"""What was asked, as JSON: the arguments of a search, which travel in ``meta`` of its tables."""

from collections.abc import Mapping
from urllib.parse import urlsplit, urlunsplit

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.time import Time

from jdaviz_mast.archive.search import META

__all__ = ["keep_queries", "plain_arguments", "plain_server", "queries_of"]

#: Digits of a second that a time is kept with: those that Time itself has.
_PRECISION = 9


def plain_arguments(arguments):
    """Return the arguments of a search as JSON, those that were not given left out.

    `jdaviz_mast.Mast.search` takes them again and asks the same.

    Parameters
    ----------
    arguments : dict

    Returns
    -------
    plain : dict
        A `~astropy.units.Quantity` as ``"0.1 deg"``, a `~astropy.time.Time` as ISO 8601 in UTC,
        a `~astropy.coordinates.SkyCoord` as right ascension and declination in degrees (ICRS).
    """
    given = {name: value for name, value in arguments.items() if value is not None}
    if given.get("all_levels") is not None and not given["all_levels"]:
        del given["all_levels"]
    if "target" not in given and "coordinates" not in given:
        given.pop("radius", None)
    return {name: _plain(value) for name, value in given.items()}


def plain_server(server):
    """Return the address of a server without a user's name and password."""
    parts = urlsplit(server)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def _plain(value):
    if isinstance(value, SkyCoord):
        if not value.isscalar and value.size == 1:
            value = value.reshape(())
        if not value.isscalar:
            return [_plain(one) for one in value]
        return f"{float(value.icrs.ra.deg)!r} {float(value.icrs.dec.deg)!r}"
    if isinstance(value, Time):
        if not value.isscalar:
            return [_plain(one) for one in value]
        value = value.utc.copy(format="isot")
        value.precision = _PRECISION
        return value.value
    if isinstance(value, u.Quantity):
        if not value.isscalar:
            return [_plain(one) for one in value]
        return f"{float(value.value)!r} {value.unit.to_string()}"
    if isinstance(value, Mapping):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, np.ndarray):
        return [_plain(one) for one in value.tolist()]
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(one) for one in value]
    if isinstance(value, np.generic):
        value = value.item()
    return value if isinstance(value, (str, int, float, bool, type(None))) else str(value)


def queries_of(table):
    """Return the searches that a table of observations or products came from.

    Parameters
    ----------
    table : `~astropy.table.Table`, or something that has ``meta``

    Returns
    -------
    queries : list of dict
        ``arguments`` (see `plain_arguments`) and ``places``: where the targets are, and which
        resolver says so. Empty if the table does not tell.
    """
    meta = getattr(table, "meta", None) or {}
    about = meta.get(META) if isinstance(meta, Mapping) else None
    if not isinstance(about, Mapping):
        return []
    if isinstance(about.get("queries"), list):
        return about["queries"]
    if not isinstance(about.get("query"), Mapping):
        return []
    return [{"arguments": dict(about["query"]), "places": list(about.get("places", []))}]


def keep_queries(table, *sources):
    """Write into a table's ``meta`` which searches it came from: those of its sources.

    Parameters
    ----------
    table : `~astropy.table.Table`
        Changed in place.
    *sources : `~astropy.table.Table`
    """
    queries = []
    for source in sources:
        queries += [query for query in queries_of(source) if query not in queries]
    about = {"queries": queries}
    if len(queries) == 1:
        about |= {"query": queries[0]["arguments"], "places": queries[0]["places"]}
    if queries:
        table.meta[META] = about
    else:
        table.meta.pop(META, None)
