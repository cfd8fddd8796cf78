"""JWST's instrument keywords: MAST's mission search, and the observations that it points to."""

import difflib

from astropy.table import Table
from astroquery.exceptions import InvalidQueryError
from astroquery.mast import MastMissionsClass
from astroquery.mast.services import ServiceAPI

from jdaviz_mast.archive.portal import Sender
from jdaviz_mast.errors import ArchiveError, InvalidInput

__all__ = ["DATASETS_AT_MOST", "check_keywords", "column_list", "find_datasets"]

_COLUMN_LIST_URL = "https://mast.stsci.edu/search/util/api/v0.1/column_list"
#: Data sets that one keyword search may find: what MAST answers at once.
DATASETS_AT_MOST = 5000
#: Columns that are no property of an observation, but of one search.
_NOT_KEYWORDS = ("search_pos", "search_key", "ang_sep")


class _Service(ServiceAPI, Sender):
    """astroquery's connection to mission search, that changes nothing others share."""


def column_list(session, mission):
    """Return the keywords of a mission.

    The service is the one that astroquery's ``get_column_list`` uses; that function allows
    neither a time limit nor another server.

    Parameters
    ----------
    session : `requests.Session`
    mission : str
        ``'jwst'`` or ``'hst'``.

    Returns
    -------
    keywords : `~astropy.table.Table`
        ``name``, ``type`` and ``description``, in MAST's order.
    """
    response = session.get(_COLUMN_LIST_URL, params={"mission": mission})
    response.raise_for_status()
    rows = [
        (column["column_name"], column["qual_type"], " ".join(column["description"].split()))
        for column in response.json()
        if column["queryable"] == "yes" and column["column_name"] not in _NOT_KEYWORDS
    ]
    if not rows:
        raise ArchiveError(f"The archive sent no keywords of {mission.upper()}.")
    return Table(rows=rows, names=("name", "type", "description"))


def check_keywords(conditions, keywords):
    """Return conditions with the keywords spelled as the archive spells them.

    Raises
    ------
    InvalidInput
        If one is not among ``keywords``; the message says which is most alike.
    """
    known = {name.lower(): name for name in keywords["name"]}
    for name in conditions:
        if name.lower() not in known:
            alike = difflib.get_close_matches(name.lower(), known, n=1)
            did_you = f"did you mean '{known[alike[0]]}'? " if alike else ""
            raise InvalidInput("keywords", name, f"{did_you}Mast.keywords() lists all".strip())
    return {known[name.lower()]: condition for name, condition in conditions.items()}


def find_datasets(session, conditions, keywords, *, position=None, radius=None):
    """Return JWST's data sets that fulfil conditions on keywords.

    Parameters
    ----------
    session : `requests.Session`
    conditions : dict of str to str
        Keyword to what MAST's mission search understands: ``'NRC_IMAGE'``, either of
        ``'NRC_IMAGE,MIR_IMAGE'``, ``'!NRC_IMAGE'``, ``'>100'``, ``'10..20'``, ``'NRC*'``.
    keywords : `~astropy.table.Table`
        Those that there are, see `column_list`.
    position : `~astropy.coordinates.SkyCoord`, optional
    radius : `~astropy.units.Quantity`, optional
        Around it.

    Returns
    -------
    datasets : `~astropy.table.Table`
        ``fileSetName``, ``instrume`` and ``program``.

    Raises
    ------
    InvalidInput
        If a keyword is not known, or too many data sets fulfil the conditions.
    """
    missions = MastMissionsClass(mission="jwst")
    connection = _Service(session)
    missions._service_api_connection = connection
    missions.mission = "jwst"  # tells the connection its address
    # What astroquery compares the keywords with; it would ask MAST for it otherwise.
    missions.columns["jwst"] = keywords
    where = {} if position is None else {"coordinates": position, "radius": radius}
    asked = ", ".join(f"{name}={condition}" for name, condition in conditions.items())
    try:
        response = missions.query_criteria_async(
            limit=DATASETS_AT_MOST, select_cols=["instrume", "program"], **where, **conditions
        )
    except InvalidQueryError as error:  # astroquery's name for the status 400
        raise InvalidInput(
            "keywords", asked, "the archive does not understand one of the values"
        ) from error
    answer = response.json()
    total = int(answer.get("totalResults") or 0)
    if total > DATASETS_AT_MOST:
        raise InvalidInput(
            "keywords",
            asked,
            f"{total:,} data sets have them, and {DATASETS_AT_MOST:,} is the most; add keywords, "
            "a program or a target",
        )
    if not total:
        return Table(names=("fileSetName", "instrume", "program"), dtype=(str, str, str))
    found = missions._parse_result(response)
    return found["fileSetName", "instrume", "program"]
