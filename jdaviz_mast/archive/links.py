"""Addresses of pages about observations, made here and never taken from an answer."""

import json
from urllib.parse import quote

from jdaviz_mast.errors import InvalidInput

__all__ = ["PORTAL_LINK", "portal_link"]

_PORTAL = "https://mast.stsci.edu/portal/Mashup/Clients/Mast/Portal.html"
_PLACE = "OBSERVATION-ID"


def _advanced_search(value):
    """Return what the Portal's Advanced Search puts into its own address, for one ``obs_id``.

    An address of the Portal is a search as JSON: such as the STScI's documentation of ABSCAL
    links to (https://github.com/spacetelescope/ABSCAL, docs).
    """
    return {
        "service": "CAOMFILTERED",
        "inputText": [{
            "paramName": "obs_id", "niceName": "obs_id", "values": [], "valString": value,
            "isDate": False, "freeText": value, "displayString": value,
        }],
        "position": "undefined, undefined, undefined",
        "paramsService": "Mast.Caom.Filtered",
        "title": "MAST:  Advanced Search 1",
        "tooltip": f"{value}; ",
        "columns": "*",
        "columnsConfig": "Mast.Caom.Cone",
    }  # fmt: skip


#: Address of an observation's page in the MAST Portal; in place of ``OBSERVATION-ID`` goes the
#: ``obs_id``, as the inside of a JSON string, percent-encoded.
PORTAL_LINK = f"{_PORTAL}?searchQuery={quote(json.dumps(_advanced_search(_PLACE)), safe='')}"


def portal_link(observation_id):
    """Return the address of an observation's page in the MAST Portal.

    Parameters
    ----------
    observation_id : str
        MAST's ``obs_id``.

    Returns
    -------
    address : str
        It leads to MAST itself, whichever server is configured.

    Raises
    ------
    InvalidInput
        If it is no text.

    Examples
    --------
    >>> from jdaviz_mast.archive import portal_link
    >>> portal_link("ib5741010").split("?")[0]
    'https://mast.stsci.edu/portal/Mashup/Clients/Mast/Portal.html'
    """
    if not isinstance(observation_id, str) or not observation_id.strip():
        raise InvalidInput("observation_id", observation_id, "give an obs_id of MAST's")
    inside = json.dumps(observation_id.strip())[1:-1]
    return PORTAL_LINK.replace(_PLACE, quote(inside, safe=""))
