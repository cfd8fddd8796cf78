"""From a `Query` to a table of observations: targets resolved, keywords looked up, lists joined."""

import astropy.units as u
import numpy as np
from astropy.table import vstack

from jdaviz_mast.archive.cells import UNREADABLE
from jdaviz_mast.archive.datasets import is_exposure, observation_names
from jdaviz_mast.archive.places import Place
from jdaviz_mast.archive.stars import tic_number
from jdaviz_mast.errors import Cancelled, MastError

__all__ = ["META", "ROWS_AT_MOST", "count", "search"]

#: Rows that MAST's portal answers at the most.
ROWS_AT_MOST = 500_000
#: Key of a table's ``meta`` under which it is said what was asked and who answered.
META = "mast_search"

#: Names of observations that are asked for at once.
_BATCH = 200
#: Programs whose observations are asked for at once.
_PROGRAMS = 10
#: How far an observation may be from its target: a tile of a mosaic, an instrument in parallel.
_FROM_TARGET = 1 * u.deg
#: A name that no observation has: asks for the columns of an answer.
_NOBODY = "-"


def search(archive, query, *, page=None, check_cancelled=None):
    """Return what an archive holds for a query.

    Parameters
    ----------
    archive : `jdaviz_mast.archive.Archive`
    query : `jdaviz_mast.archive.Query`
    page : int, optional
        Only this page of ``jdaviz_mast.conf.page_size`` rows. Several targets, and keywords, have
        one page alone.
    check_cancelled : callable, optional

    Returns
    -------
    observations : `~astropy.table.Table`
        Unique by ``obsid``. ``meta["mast_search"]`` holds ``query`` (words), ``total`` (rows that
        match), ``places`` (where targets are, and who says so), ``star`` (what the TESS Input
        Catalog knows), ``failed`` (target or observation ID to reason) and ``notes`` (all that in
        sentences).
    """
    queries = query.each()
    if len(queries) == 1:
        found, meta = _one(archive, query, page, check_cancelled)
    else:
        found, meta = _several(archive, query, check_cancelled)
    meta |= {"query": query.describe()}
    meta["notes"] += found.meta.pop(UNREADABLE, [])
    if meta["total"] > ROWS_AT_MOST:
        meta["notes"].append(
            f"MAST holds {meta['total']:,} observations and answers {ROWS_AT_MOST:,} at the most: "
            "add filters to see the rest."
        )
    found.meta[META] = meta
    return found


def count(archive, query, *, check_cancelled=None):
    """Return how many observations match a query of one subject and no keywords."""
    criteria, _ = _criteria(archive, query, check_cancelled)
    return archive.count(criteria, check_cancelled=check_cancelled)


def _one(archive, query, page, check_cancelled):
    criteria, place = _criteria(archive, query, check_cancelled)
    if query.keywords:
        found = _with_keywords(archive, query, criteria, place, check_cancelled)
        total = len(found)
    else:
        expected = None
        if query.is_heavy and page in (None, 1):
            expected = archive.count(criteria, check_cancelled=check_cancelled)
            if not expected:  # a search of everything for nothing would take as long
                criteria |= {"obs_id": [_NOBODY]}
        found, total = archive.matching(criteria, page=page, check_cancelled=check_cancelled)
        total = max(total, expected or 0)
    notes = [f"{place.in_words()}."] if place is not None and place.name else []
    star = None
    if page in (None, 1) and query.target:
        star, note = _star(archive, query.target, place, found, check_cancelled)
        notes += [note] if note else []
    # Of a page alone nobody can tell what is on the others.
    failed = _not_found(query, criteria, found) if 0 < len(found) == total else {}
    notes += [f"{name}: {reason}." for name, reason in failed.items()]
    return found, {
        "total": total,
        "places": [] if place is None else [_plain_place(place)],
        "star": None if star is None else _plain_star(star),
        "failed": failed,
        "notes": notes,
    }


def _not_found(query, criteria, found):
    """Return which of several observation IDs an answer has nothing of: ID to reason."""
    there = {str(name).lower() for name in found["obs_id"]}
    reason = "MAST holds no observation of this ID"
    if not query.all_levels:
        reason += f" at level {' or '.join(map(str, query.levels))}"
    if query.keywords or criteria.keys() - {"obs_id", "calib_level"}:
        reason += " with these filters"
    return {name: reason for name in query.observation_ids if name.lower() not in there}


def _criteria(archive, query, check_cancelled):
    """Return the filters of a query of one subject, and the place it is about."""
    criteria, place = query.criteria(), None
    if query.target:
        place = archive.resolve(query.target, check_cancelled=check_cancelled)
    elif query.coordinates is not None:
        place = Place(query.coordinates)
    if place is not None:
        criteria |= {"coordinates": place.position, "radius": query.radius}
    return criteria, place


def _several(archive, query, check_cancelled):
    """Search for several targets; one that fails does not stop the others."""
    tables, places, failed, first_error = [], [], {}, None
    for name, alone in zip(query.targets, query.each(), strict=True):
        try:
            found, about = _one(archive, alone, None, check_cancelled)
        except Cancelled:
            raise
        except MastError as error:
            failed[name] = str(error)
            first_error = first_error or error
        else:
            tables.append(found)
            places += about["places"]
    if not tables:
        raise first_error
    found = _unique(_stacked(tables))
    notes = [f"{len(tables)} of {len(query.targets)} targets were searched."]
    notes += [f"{name} failed: {reason}" for name, reason in failed.items()]
    return found, {"total": len(found), "places": places, "star": None, "failed": failed,
                   "notes": notes}  # fmt: skip


def _star(archive, target, place, found, check_cancelled):
    """Return what the TESS Input Catalog knows of a target, and that in words."""
    number = tic_number(target)
    if number is None and not _has_light_curves(found):
        return None, ""
    try:
        star = archive.star(number, place.position, check_cancelled=check_cancelled)
    except Cancelled:
        raise
    except MastError as error:
        # The observations are what was asked for.
        return None, f"The TESS Input Catalog did not answer: {error}"
    return star, "" if star is None else f"{star.in_words()}."


def _has_light_curves(found):
    return len(found) > 0 and bool(np.any(found["dataproduct_type"] == "timeseries"))


# -- keywords -------------------------------------------------------------------------------


def _with_keywords(archive, query, criteria, place, check_cancelled):
    """Return the observations of the data sets that have some keywords.

    Mission search knows data sets, the portal observations: those of the same name, or of that
    name with a detector behind it. The portal applies all other filters, the position too.
    """
    conditions = dict(query.keywords)
    if query.program_ids:
        conditions.setdefault("program", ",".join(query.program_ids))
    radius = None if place is None else min(query.radius + _FROM_TARGET, 30 * u.deg)
    datasets = archive.datasets(
        conditions,
        position=None if place is None else place.position,
        radius=radius,
        check_cancelled=check_cancelled,
    )
    names = {}  # obs_id that may be → data set
    programs = {}
    for row in datasets:
        dataset = str(row["fileSetName"])
        if is_exposure(dataset) and not query.all_levels:
            continue
        programs[dataset.lower()] = str(row["program"])
        for name in observation_names(dataset, row["instrume"]):
            names[name.lower()] = dataset.lower()
    criteria = criteria | {"obs_collection": ["JWST"]}
    named = criteria.pop("obs_id", None)

    def ask(more):
        return archive.matching(criteria | more, check_cancelled=check_cancelled)[0]

    tables = [ask({"obs_id": batch}) for batch in _batches(list(names), _BATCH)]
    there = {names.get(str(name).lower()) for table in tables for name in table["obs_id"]}
    # Exposures of a time series come in segments, which mission search may not tell apart.
    missing = {name for name in programs if name not in there} if query.all_levels else set()
    for batch in _batches(sorted({programs[name] for name in missing}), _PROGRAMS):
        table = ask({"proposal_id": batch})
        begins = [str(name).lower().startswith(tuple(missing)) for name in table["obs_id"]]
        tables.append(table[np.array(begins, dtype=bool)])
    if not tables:
        return ask({"obs_id": [_NOBODY]})
    found = _unique(_stacked(tables))
    if named:
        wanted = {name.lower() for name in named}
        keep = [str(name).lower() in wanted for name in found["obs_id"]]
        found = found[np.array(keep, dtype=bool)]
    return found


def _batches(items, size):
    return [items[first : first + size] for first in range(0, len(items), size)]


# -- tables ---------------------------------------------------------------------------------


def _stacked(tables):
    """Return tables under each other; without rows, one that has the columns."""
    full = [table for table in tables if len(table)] or tables[:1]
    return full[0] if len(full) == 1 else vstack(full, metadata_conflicts="silent")


def _unique(found):
    if not len(found):
        return found
    _, first = np.unique(np.asarray(found["obsid"].astype(str)), return_index=True)
    return found[np.sort(first)]


def _plain_place(place):
    """Return a place as values that any file format can hold."""
    return {
        "target": place.name,
        "resolver": place.resolver,
        "known_as": place.known_as,
        "ra_deg": float(place.position.ra.deg),
        "dec_deg": float(place.position.dec.deg),
    }


def _plain_star(star):
    quantities = {"Tmag_mag": star.tmag, "Teff_K": star.temperature, "rad_Rsun": star.radius,
                  "mass_Msun": star.mass, "d_pc": star.distance}  # fmt: skip
    values = {n: None if q is None else float(q.value) for n, q in quantities.items()}
    return {"TIC": star.id} | values
