"""Down the ladder of levels: from a combined product to the exposures that it was made of."""

import re
import tempfile
from pathlib import Path

import numpy as np
from astropy.table import Row, Table

from jdaviz_mast.archive import COMBINED_LEVEL, as_observations
from jdaviz_mast.errors import FileProblem, InvalidInput, MastError
from jdaviz_mast.products import read_association

__all__ = ["ladder"]

# Associations of combined products are of the third stage: image3, spec3, tso3, coron3, ami3.
_ASSOCIATION = re.compile(r"(_[a-z-]+3_\d+_asn\.json|_asn\.fits)$")
_MOST_ASKED = 6  # associations that are looked into
_LARGEST = 50_000_000  # bytes; those of thousands of exposures have a few
# Which exposures HST's combined images are made of, by their suffix.
_MADE_OF = {"drc": ("flc",), "drz": ("flt", "c0m"), "crj": ("flt",), "crc": ("flc",),
            "sx1": ("flt",), "x1dsum": ("x1d",)}  # fmt: skip
_CALIBRATED = ("cal", "calints", "flc", "flt", "c0m", "x1d")
_RAW = ("uncal", "raw", "rawtag", "d0m")
_TICK = 0.2  # seconds


def ladder(mast, given, check_cancelled=None):
    """Return what a combined product was made of; see `jdaviz_mast.Mast.ladder`."""
    observations, obs_id, suffix = _subject(mast, given, check_cancelled)
    obsids = {str(obsid) for obsid in observations["obsid"]}
    listed = mast.products(
        observations, all_levels=True, product_type=None, check_cancelled=check_cancelled
    )
    names = [str(name).lower() for name in listed["productFilename"]] if len(listed) else []
    where = dict(zip(reversed(names), reversed(range(len(names))), strict=True))
    files = [i for i, name in enumerate(names) if _ASSOCIATION.search(name)]
    own = {i for i in files if str(listed["obsID"][i]) in obsids}
    association, source = _association_of(mast, listed, files, own, obs_id, check_cancelled)
    if association is None:
        members, missing = _exposures_listed(listed, names, obsids), []
    else:
        members, missing = _look_up(association.members, where, suffix)
    parents = [
        where[name] for root in dict.fromkeys(_root(names[i]) for i in members)
        for name in (f"{root}_{raw}.fits" for raw in _RAW) if name in where
    ]  # fmt: skip
    found = listed[[*members, *parents]]
    roles = {} if association is None else association.members
    found.meta = {
        "made": obs_id,
        "association": source,
        "roles": {
            str(listed["productFilename"][i]): roles.get(names[i]) or roles.get(_root(names[i]), "")
            for i in members
        },
        "missing": missing,
    }
    return found


def _subject(mast, given, check_cancelled):
    """Return the observation (a table with ``obsid``), its ``obs_id``, and the file's suffix."""
    if isinstance(given, str):
        given = as_observations(mast._archive, given, check_cancelled)
        given = given[[int(np.ma.filled(given["calib_level"], -1).argmax())]]
    if isinstance(given, Row):
        given = Table(given)
    columns = given.colnames if isinstance(given, Table) else ()
    if len(columns) and len(given) == 1 and "dataURI" in columns:
        column, suffix = "obsID", _suffix(str(given["productFilename"][0]).lower())
    elif len(columns) and len(given) == 1 and "obsid" in columns:
        column, suffix = "obsid", ""
    else:
        raise InvalidInput(
            "product", type(given).__name__, "give one row of what search() or products() "
            "returned, or an observation ID",
        )  # fmt: skip
    if "obs_id" not in columns:
        raise InvalidInput("product", "no column obs_id", "give what search() or products() found")
    obs_id = str(given["obs_id"][0])
    level = given["calib_level"][0] if "calib_level" in columns else np.ma.masked
    if not np.ma.is_masked(level) and level < COMBINED_LEVEL:
        raise InvalidInput(
            "product", obs_id, f"a ladder begins at a combined product (level 3), this is level "
            f"{level}",
        )  # fmt: skip
    return Table({"obsid": [str(given[column][0])]}), obs_id, suffix


def _association_of(mast, listed, files, own, obs_id, check_cancelled):
    """Return the `Association` that makes an observation and its file's name, or two None."""
    # Its own first, and of those the newest, by the time stamp in the name: the others are of
    # earlier processing.
    files = sorted(files, key=lambda i: (i in own, str(listed["productFilename"][i])), reverse=True)
    fallback, problem = (None, None), None
    for index in files[:_MOST_ASKED]:
        name = str(listed["productFilename"][index])
        try:
            read = read_association(_fetch(mast, listed[[index]], check_cancelled), name)
        except FileProblem as error:
            problem = error
            continue
        for association in read:
            if association.makes(obs_id):
                return association, name
        if index in own and len(read) == 1 and fallback[0] is None:
            fallback = read[0], name  # it is listed as the observation's own
    if fallback[0] is None and problem is not None:
        raise problem
    return fallback


def _fetch(mast, product, check_cancelled):
    """Return the content of one small file; it leaves no trace among the downloads."""
    with tempfile.TemporaryDirectory(prefix="jdaviz-mast-") as folder:
        passing = type(mast)(mast.server, folder)
        passing._keeps = False
        job = passing.fetch(product, block=False)
        try:
            while not job.wait(_TICK):
                if check_cancelled is not None:
                    check_cancelled()
        finally:
            if not job.finished:
                job.cancel()
                job.wait()
        if job.error is not None:
            raise job.error
        file = job.files[0]
        if file.state != "complete":
            raise MastError(f"{file.name} could not be fetched: {file.error}")
        path = Path(file.path)
        if path.stat().st_size > _LARGEST:
            raise FileProblem(f"{file.name} is too large for an association.")
        return path.read_bytes()


def _look_up(members, where, suffix):
    """Return where the members are in the product list, and the names of those that are not."""
    found, missing = [], []
    for member in members:
        if member.endswith(".fits"):
            names = [member]
        else:
            names = [f"{member}_{s}.fits" for s in _MADE_OF.get(suffix, _CALIBRATED)]
        there = [where[name] for name in names if name in where]
        found += there
        if not there:
            missing.append(member)
    return found, missing


def _exposures_listed(listed, names, obsids):
    """Return the calibrated exposures that the archive lists with an observation.

    What to go by where there is no association, as for HST's single-visit mosaics.
    """
    return [
        i for i, name in enumerate(names)
        if str(listed["obsID"][i]) not in obsids and _suffix(name) in _CALIBRATED
        and listed["calib_level"][i] == COMBINED_LEVEL - 1
        and listed["productType"][i] == "SCIENCE"  # and no guide star
    ]  # fmt: skip


def _suffix(name):
    return name.partition(".")[0].rpartition("_")[2]


def _root(name):
    return name.partition(".")[0].rpartition("_")[0]
