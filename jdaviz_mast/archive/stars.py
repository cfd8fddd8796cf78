"""What the TESS Input Catalog (TIC) knows of a star."""

import re
from dataclasses import dataclass

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord

__all__ = ["Star", "star_near", "star_of", "tic_number"]

#: The catalog's columns (https://mast.stsci.edu/api/v0/_t_i_cfields.html) and their units.
_UNITS = {"Tmag": u.mag, "Teff": u.K, "rad": u.R_sun, "mass": u.M_sun, "d": u.pc}
_COLUMNS = ("ID", "ra", "dec", *_UNITS)

#: A name whose resolved position is nearer than this to a star is taken to be that star.
_SAME_STAR = 5 * u.arcsec
_TIC_ID = re.compile(r"tic[\s-]*(\d{1,11})", re.IGNORECASE)


@dataclass(frozen=True)
class Star:
    """A star of the TIC; what the catalog does not know is None.

    Attributes
    ----------
    id : str
        Number in the catalog.
    position : `~astropy.coordinates.SkyCoord`
        ICRS, scalar.
    tmag : `~astropy.units.Quantity` or None
        Magnitude in the TESS band.
    temperature : `~astropy.units.Quantity` or None
        Effective temperature, K.
    radius, mass : `~astropy.units.Quantity` or None
        In those of the Sun.
    distance : `~astropy.units.Quantity` or None
        In pc.
    """

    id: str
    position: SkyCoord
    tmag: u.Quantity | None = None
    temperature: u.Quantity | None = None
    radius: u.Quantity | None = None
    mass: u.Quantity | None = None
    distance: u.Quantity | None = None

    def in_words(self):
        """Return such as ``TIC 261136679: Tmag 5.11, Teff 6037 K, 1.1 R☉, 1.02 M☉, 18.3 pc``."""
        known = (
            ("Tmag {:.2f}", self.tmag),
            ("Teff {:.0f} K", self.temperature),
            ("radius {:.3g} R☉", self.radius),
            ("mass {:.3g} M☉", self.mass),
            ("{:.4g} pc away", self.distance),
        )
        facts = [text.format(value.value) for text, value in known if value is not None]
        return f"TIC {self.id}: {', '.join(facts) or 'no parameters are known'}"


def tic_number(name):
    """Return the number in a name such as ``TIC 261136679``, or None."""
    found = _TIC_ID.fullmatch(name.strip())
    return found[1] if found else None


def star_of(portal, number):
    """Return the `Star` with a number, or None.

    Parameters
    ----------
    portal : `jdaviz_mast.archive.portal.Portal`
    number : str
    """
    filters = [{"paramName": "ID", "values": [number]}]
    params = {"columns": ",".join(_COLUMNS), "filters": filters}
    rows = _ask(portal, "Mast.Catalogs.Filtered.Tic.Rows", params)
    return _star(rows[0]) if len(rows) else None


def star_near(portal, position):
    """Return the `Star` at a position, or None if there is none within 5 arcsec.

    Parameters
    ----------
    portal : `jdaviz_mast.archive.portal.Portal`
    position : `~astropy.coordinates.SkyCoord`
        ICRS, scalar.
    """
    params = {"ra": position.ra.deg, "dec": position.dec.deg, "radius": _SAME_STAR.to_value("deg")}
    stars = [_star(row) for row in _ask(portal, "Mast.Catalogs.Tic.Cone", params)]
    return min(stars, key=lambda star: star.position.separation(position), default=None)


def _ask(portal, service, params):
    # The description of the catalog's columns is long, and nothing of it is used here.
    portal.column_configs.setdefault(service, {})
    return portal.service_request(service, params)


def _star(row):
    values = {name: _value(row, name) for name in _COLUMNS}
    quantities = [
        None if values[name] is None else float(values[name]) * unit
        for name, unit in _UNITS.items()
    ]
    position = SkyCoord(float(values["ra"]), float(values["dec"]), unit="deg", frame="icrs")
    return Star(str(values["ID"]), position, *quantities)


def _value(row, name):
    if name not in row.colnames:
        return None
    value = row[name]
    missing = np.ma.is_masked(value) or (isinstance(value, float) and np.isnan(value))
    return None if missing else value
