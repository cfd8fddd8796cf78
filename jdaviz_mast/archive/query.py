"""What a user may ask: input checked once, at the boundary, into a `Query` with units."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

import astropy.units as u
import numpy as np
from astropy.coordinates import Angle, SkyCoord

from jdaviz_mast.errors import InvalidInput

__all__ = ["ALL_LEVELS", "COMBINED_LEVEL", "MAX_RADIUS", "MISSIONS", "Query"]

#: MAST's spelling of the missions and collections that can be searched by name
#: (the values of ``obs_collection``, https://outerspace.stsci.edu/display/MASTDOCS).
MISSIONS = (
    "JWST", "HST", "TESS", "Kepler", "K2", "GALEX", "HLSP", "HLA", "PS1", "SWIFT",
    "IUE", "FUSE", "EUVE", "HUT", "BEFS", "TUES", "WUPPE", "SPITZER_SHA", "OPO", "K2FFI",
)  # fmt: skip

#: The calibration level that is shown unless all are asked for: combined images, mosaics.
COMBINED_LEVEL = 3
#: Every level that has files. Level -1 is planned and has none.
ALL_LEVELS = (0, 1, 2, 3, 4)
#: Beyond this a cone holds more rows than the portal answers (about 500,000).
MAX_RADIUS = 30 * u.deg

#: Two numbers, in degrees or sexagesimal, such as ``151.757 -40.436`` or ``10:07:02 -40:26:11``.
_NUMBER = r"[+-]?\d[\d.:hmsd°'\"]*"
_POSITION = re.compile(rf"{_NUMBER}(\s*,\s*|\s+){_NUMBER}")
_OBSERVATION_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+:-]*")
_FILE_NAME = re.compile(r".*\.(fits|fits\.gz|jpg|json|csv|ecsv|txt|pdf)", re.IGNORECASE)


@dataclass(frozen=True)
class Query:
    """One checked question to the archive.

    Build it with `Query.create`. Exactly one of ``target``, ``coordinates``,
    ``observation_ids`` and ``program_ids`` is set, unless the filters alone say enough.

    Attributes
    ----------
    target : str or None
        Name for the name resolver.
    coordinates : `~astropy.coordinates.SkyCoord` or None
        ICRS position, scalar.
    radius : `~astropy.units.Quantity`
        Radius of the cone around target or coordinates, an angle.
    observation_ids, program_ids : tuple of str
    missions, instruments, filters : tuple of str
        Values that the archive's columns may have; empty for any.
    all_levels : bool
        Whether levels below the combined one are wanted too.
    """

    target: str | None = None
    coordinates: SkyCoord | None = None
    radius: u.Quantity = 0.1 * u.deg
    observation_ids: tuple[str, ...] = ()
    program_ids: tuple[str, ...] = ()
    missions: tuple[str, ...] = ()
    instruments: tuple[str, ...] = ()
    filters: tuple[str, ...] = ()
    all_levels: bool = False

    @classmethod
    def create(
        cls,
        target=None,
        *,
        coordinates=None,
        radius=0.1 * u.deg,
        observation_id=None,
        program_id=None,
        mission=None,
        instrument=None,
        filters=None,
        all_levels=False,
    ):
        """Check what a user gave and return a `Query`.

        The arguments are those of `jdaviz_mast.Mast.search`.

        Raises
        ------
        InvalidInput
            Names the argument, its value and what is allowed.
        """
        subjects = {
            "target": target,
            "coordinates": coordinates,
            "observation_id": observation_id,
            "program_id": program_id,
        }
        given = [name for name, value in subjects.items() if value is not None]
        if len(given) > 1:
            raise InvalidInput(" and ".join(given), "two searches at once", "give one of them")
        if not isinstance(all_levels, (bool, np.bool_)):
            raise InvalidInput("all_levels", all_levels, "give True or False")
        if isinstance(target, str) and _POSITION.fullmatch(target.strip()):
            target, coordinates = None, target  # who types a position means it
        filters_say_enough = instrument is not None or filters is not None
        if not given and not filters_say_enough:
            raise InvalidInput(
                "search", None, f"give one of {', '.join(subjects)}, or an instrument or filters"
            )
        return cls(
            target=None if target is None else _target(target),
            coordinates=None if coordinates is None else _position(coordinates),
            radius=_radius(radius),
            observation_ids=() if observation_id is None else _observation_ids(observation_id),
            program_ids=() if program_id is None else _program_ids(program_id),
            missions=_missions(mission),
            instruments=_instruments(instrument),
            filters=_patterns("filters", filters),
            all_levels=bool(all_levels),
        )

    def criteria(self):
        """Return the query as MAST's column filters, a dict of column to list of values."""
        levels = ALL_LEVELS if self.all_levels else (COMBINED_LEVEL,)
        columns = {
            "obs_id": self.observation_ids,
            "proposal_id": self.program_ids,
            "obs_collection": self.missions,
            "instrument_name": self.instruments,
            "filters": self.filters,
            "calib_level": tuple(str(level) for level in levels),
        }
        return {name: list(values) for name, values in columns.items() if values}

    def describe(self):
        """Return the query in a few words, for messages."""
        if self.target:
            return f"“{self.target}” within {_plain(self.radius)}"
        if self.coordinates is not None:
            position = f"{self.coordinates.ra.deg:.5f} {self.coordinates.dec.deg:+.5f}"
            return f"RA Dec {position} within {_plain(self.radius)}"
        if self.observation_ids:
            return f"observation {', '.join(self.observation_ids)}"
        if self.program_ids:
            return f"program {', '.join(self.program_ids)}"
        return ", ".join(self.instruments + self.filters)


def _plain(angle):
    return f"{angle.value:g} {angle.unit.to_string()}"


def _target(target):
    if not isinstance(target, str):
        raise InvalidInput("target", target, "give the name of an object, such as 'NGC 3132'")
    name = " ".join(target.split())
    if not name:
        raise InvalidInput("target", target, "type the name of an object, such as 'NGC 3132'")
    if len(name) > 200 or not name.isprintable():
        raise InvalidInput("target", name[:40], "give a name of at most 200 printable characters")
    return name


def _position(coordinates):
    if isinstance(coordinates, (tuple, list, np.ndarray)) and len(coordinates) == 2:
        return _position_from_pair(*coordinates)
    if isinstance(coordinates, str):
        # SkyCoord would take 361d for 1d.
        pair = re.split(r"[\s,]+", coordinates.strip())
        if len(pair) == 2:
            return _position_from_pair(*pair)
        try:
            coordinates = SkyCoord(coordinates, unit=(u.hourangle, u.deg))
        except (ValueError, u.UnitsError) as error:
            raise InvalidInput(
                "coordinates",
                coordinates,
                "give RA and Dec in degrees ('151.757 -40.436') or as '10h07m01.8s -40d26m11s'",
            ) from error
    if isinstance(coordinates, SkyCoord) and coordinates.size == 1:
        coordinates = coordinates.reshape(())
    if not isinstance(coordinates, SkyCoord) or not coordinates.isscalar:
        raise InvalidInput(
            "coordinates", coordinates, "give one SkyCoord, a text or a pair (RA, Dec) in degrees"
        )
    return coordinates.icrs


def _position_from_pair(ra, dec):
    ra = _degrees("ra", ra, 0, 360, sexagesimal=u.hourangle)
    dec = _degrees("dec", dec, -90, 90, sexagesimal=u.deg)
    return SkyCoord(ra, dec, frame="icrs")


def _degrees(field, value, low, high, *, sexagesimal):
    example = "10h07m01.8s" if field == "ra" else "-40d26m11s"
    allowed = f"give degrees from {low} to {high}, or an angle such as '{example}'"
    try:
        if not isinstance(value, str):
            angle = Angle(value, u.deg)
        elif _is_number(value):
            angle = Angle(float(value), u.deg)
        else:
            angle = Angle(value, sexagesimal)
    except (TypeError, ValueError, u.UnitsError) as error:
        raise InvalidInput(field, value, allowed) from error
    if not angle.isscalar or not np.isfinite(angle.deg) or not low <= angle.deg <= high:
        raise InvalidInput(field, value, allowed)
    return angle


def _is_number(text):
    try:
        float(text)
    except ValueError:
        return False
    return True


def _radius(radius):
    allowed = f"give an angle above 0 and up to {MAX_RADIUS:g}, such as 0.1 deg or '6 arcmin'"
    try:
        # A bare number means degrees, as in astroquery.mast.
        angle = u.Quantity(Angle(radius, u.deg) if not isinstance(radius, u.Quantity) else radius)
        degrees = angle.to_value(u.deg)
    except (TypeError, ValueError, u.UnitsError) as error:
        raise InvalidInput("radius", radius, allowed) from error
    if np.ndim(degrees) or not np.isfinite(degrees) or not 0 < degrees <= MAX_RADIUS.value:
        raise InvalidInput("radius", str(radius), allowed)
    return angle


def _values(field, value):
    if value is None:
        return ()
    items = value.strip().rstrip(",").split(",") if isinstance(value, str) else value
    if not isinstance(items, Iterable):
        items = [items]
    values = tuple(str(item).strip() for item in items)
    if not values or not all(values):
        raise InvalidInput(field, value, "give one value or several, none of them empty")
    return values


def _patterns(field, value):
    values = _values(field, value)
    # astroquery drops all but the first, with no more than a warning.
    if sum("*" in item or "%" in item for item in values) > 1:
        raise InvalidInput(field, value, "give at most one value with a wildcard")
    return values


def _instruments(value):
    instruments = _patterns("instrument", value)
    # MAST's names have a mode behind them: NIRCAM/IMAGE.
    if len(instruments) == 1 and not set(instruments[0]) & set("/*%"):
        return (f"{instruments[0]}*",)
    return instruments


def _observation_ids(value):
    ids = _values("observation_id", value)
    for obs_id in ids:
        if _FILE_NAME.fullmatch(obs_id):
            raise InvalidInput(
                "observation_id", obs_id, "this is a file name; give the ID without the suffix"
            )
        if re.fullmatch(r"\d{1,6}", obs_id):
            raise InvalidInput(
                "observation_id", obs_id, "this looks like a program ID; search by program"
            )
        if not _OBSERVATION_ID.fullmatch(obs_id):
            raise InvalidInput(
                "observation_id",
                obs_id,
                "give the whole ID without blanks or wildcards, such as "
                "'jw02733-o001_t001_nircam_clear-f090w'",
            )
    return ids


def _program_ids(value):
    ids = []
    for program in _values("program_id", value):
        if not re.fullmatch(r"\d{1,6}", program) or not int(program):
            raise InvalidInput(
                "program_id", program, "give a number such as 2733, or several with commas"
            )
        # MAST writes JWST's program 01234 as '1234'.
        ids.append(str(int(program)))
    return tuple(ids)


def _missions(value):
    known = {mission.lower(): mission for mission in MISSIONS}
    missions = _values("mission", value)
    for mission in missions:
        if mission.lower() not in known:
            raise InvalidInput("mission", mission, f"choose from {', '.join(MISSIONS)}")
    return tuple(known[mission.lower()] for mission in missions)
