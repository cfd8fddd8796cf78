"""Where a target is: names and the positions that MAST's resolver has for them."""

from dataclasses import dataclass

from astropy.coordinates import SkyCoord

from jdaviz_mast.errors import TargetNotFound

__all__ = ["Place", "resolve"]

_RESOLVER_URL = "http://mastresolver.stsci.edu/Santa-war/query"


@dataclass(frozen=True)
class Place:
    """A position that was searched around.

    Attributes
    ----------
    position : `~astropy.coordinates.SkyCoord`
        ICRS, scalar.
    name : str
        What was asked for; empty for a position.
    resolver : str
        Who knew it: ``SIMBAD``, ``NED``, ``TIC`` …
    known_as : str
        The resolver's own spelling of the name.
    """

    position: SkyCoord
    name: str = ""
    resolver: str = ""
    known_as: str = ""

    def in_words(self):
        """Return such as ``NGC 3132 is at 151.75725 -40.43641 (SIMBAD)``."""
        where = f"{self.position.ra.deg:.5f} {self.position.dec.deg:+.5f}"
        if not self.name:
            return f"around {where}"
        known = " ".join(self.known_as.split())
        same = _key(known) == _key(self.name) or not known
        also = "" if same else f", as {known}"
        by = f" ({self.resolver}{also})" if self.resolver else ""
        return f"{self.name} is at {where}{by}"


def _key(name):
    return "".join(name.split()).lower()


def resolve(session, name):
    """Return the `Place` of a name.

    The service and its parameters are those that astroquery's ``resolve_object`` uses; that
    function allows neither a time limit nor another server, and does not say who answered.

    Parameters
    ----------
    session : `requests.Session`
    name : str

    Raises
    ------
    TargetNotFound
        If no resolver knows the name.
    """
    params = {"outputFormat": "json", "resolveAll": "False", "name": name}
    response = session.get(_RESOLVER_URL, params=params)
    response.raise_for_status()
    places = [
        Place(
            SkyCoord(float(item["ra"]), float(item["decl"]), unit="deg", frame="icrs"),
            name,
            str(item.get("resolver") or ""),
            str(item.get("canonicalName") or ""),
        )
        for item in response.json().get("resolvedCoordinate") or []
    ]
    if not places:
        raise TargetNotFound(
            f"No position is known for the target “{name}”. Check the spelling, or search "
            "by coordinates."
        )
    return places[0]
