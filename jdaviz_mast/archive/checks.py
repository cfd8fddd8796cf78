"""What a user may write for each argument of a search, checked once into what the archive takes."""

import re
from collections.abc import Iterable
from numbers import Integral

import astropy.units as u
import numpy as np
from astropy.coordinates import Angle, SkyCoord

from jdaviz_mast.errors import InvalidInput

__all__ = ["MAX_RADIUS", "MISSIONS", "PRODUCT_TYPES", "check_choices", "check_instruments",
           "check_missions",
           "check_observation_ids", "check_position", "check_program_ids", "check_radius",
           "check_targets", "check_whole_number", "is_position", "patterns"]  # fmt: skip

#: MAST's spelling of the missions and collections that can be searched by name
#: (the values of ``obs_collection``, https://outerspace.stsci.edu/display/MASTDOCS).
MISSIONS = (
    "JWST", "HST", "TESS", "Kepler", "K2", "GALEX", "HLSP", "HLA", "PS1", "SWIFT",
    "IUE", "FUSE", "EUVE", "HUT", "BEFS", "TUES", "WUPPE", "SPITZER_SHA", "OPO", "K2FFI",
)  # fmt: skip

#: MAST's ``productType``.
PRODUCT_TYPES = ("SCIENCE", "PREVIEW", "INFO", "AUXILIARY", "THUMBNAIL", "CATALOG", "GUIDE")

#: Beyond this a cone holds more rows than the portal answers (about 500,000).
MAX_RADIUS = 30 * u.deg

#: Two numbers, in degrees or sexagesimal, such as ``151.757 -40.436`` or ``10:07:02 -40:26:11``.
_NUMBER = r"[+-]?\d[\d.:hmsd°'\"]*"
_POSITION = re.compile(rf"{_NUMBER}(\s*,\s*|\s+){_NUMBER}")
#: Between several targets or IDs in one text.
_SEPARATORS = ",;\n"
_OBSERVATION_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+:-]*")
_FILE_NAME = re.compile(r".*\.(fits|fits\.gz|jpg|json|csv|ecsv|txt|pdf)", re.IGNORECASE)


def is_position(text):
    """Return whether a text is a position rather than a name."""
    return bool(_POSITION.fullmatch(text.strip()))


def check_targets(target):
    """Return one or several names, as a tuple; those that are positions are among them."""
    if isinstance(target, str):
        lines = [line for line in re.split(r"[;\n]", target) if line.strip()] or [target]
        # The comma of a position is not one between targets.
        names = [
            name
            for line in lines
            for name in ([line] if is_position(line) else line.strip().strip(",").split(","))
        ]
    elif isinstance(target, (list, tuple, np.ndarray)) and len(target):
        names = target
    else:
        names = [target]
    return tuple(dict.fromkeys(_name(name) for name in names))


def _name(target):
    if not isinstance(target, str):
        raise InvalidInput("target", target, "give the name of an object, such as 'NGC 3132'")
    name = " ".join(target.split())
    if not name:
        raise InvalidInput("target", target, "type the name of an object, such as 'NGC 3132'")
    if len(name) > 200 or not name.isprintable():
        raise InvalidInput("target", name[:40], "give a name of at most 200 printable characters")
    return name


def check_position(coordinates):
    """Return one position as a scalar ICRS `~astropy.coordinates.SkyCoord`."""
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
    if not np.isfinite([coordinates.icrs.ra.deg, coordinates.icrs.dec.deg]).all():
        raise InvalidInput("coordinates", coordinates, "give a position on the sky, not NaN")
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


def check_radius(radius):
    """Return the radius of a cone as an angle `~astropy.units.Quantity`."""
    allowed = f"give an angle above 0 and up to {MAX_RADIUS:g}, such as 0.1 deg or '6 arcmin'"
    try:
        # A bare number means degrees, as in astroquery.mast.
        angle = u.Quantity(Angle(radius, u.deg) if not isinstance(radius, u.Quantity) else radius)
        degrees = angle.to_value(u.deg)
    except (TypeError, ValueError, u.UnitsError) as error:
        raise InvalidInput("radius", radius, allowed) from error
    if (
        np.ndim(degrees)
        or np.iscomplexobj(degrees)
        or not np.isfinite(degrees)
        or not 0 < degrees <= MAX_RADIUS.value
    ):
        raise InvalidInput("radius", str(radius), allowed)
    return angle


def values(field, value, separators=","):
    """Return one value or several, given as a list or with separators, as a tuple of texts."""
    if value is None:
        return ()
    if isinstance(value, str):
        items = re.split(f"[{separators}]", value.strip().strip(separators))
    else:
        items = value if isinstance(value, Iterable) else [value]
    checked = tuple(str(item).strip() for item in items)
    if not checked or not all(checked):
        raise InvalidInput(field, value, "give one value or several, none of them empty")
    return checked


def patterns(field, value):
    """Return values of which one at most has a wildcard."""
    items = values(field, value)
    # astroquery drops all but the first, with no more than a warning.
    if sum("*" in item or "%" in item for item in items) > 1:
        raise InvalidInput(field, value, "give at most one value with a wildcard")
    return items


def check_instruments(value):
    """Return instruments, that of all modes with a wildcard."""
    instruments = patterns("instrument", value)
    # MAST's names have a mode behind them: NIRCAM/IMAGE.
    if len(instruments) == 1 and not set(instruments[0]) & set("/*%"):
        return (f"{instruments[0]}*",)
    return instruments


def check_observation_ids(value, field="observation_id"):
    """Return exact IDs of observations, or of data sets."""
    ids = values(field, value, _SEPARATORS)
    for obs_id in ids:
        if _FILE_NAME.fullmatch(obs_id):
            raise InvalidInput(field, obs_id, "this is a file name; give the ID without the suffix")
        if re.fullmatch(r"\d{1,6}", obs_id):
            raise InvalidInput(field, obs_id, "this looks like a program ID; search by program")
        if not _OBSERVATION_ID.fullmatch(obs_id):
            raise InvalidInput(
                field,
                obs_id,
                "give the whole ID without blanks or wildcards, such as "
                "'jw02733-o001_t001_nircam_clear-f090w'",
            )
    return ids


def check_program_ids(value):
    """Return the numbers of programs as MAST writes them."""
    ids = []
    for program in values("program_id", value, _SEPARATORS):
        if not re.fullmatch(r"\d{1,6}", program) or not int(program):
            raise InvalidInput(
                "program_id", program, "give a number such as 2733, or several with commas"
            )
        # MAST writes JWST's program 01234 as '1234'.
        ids.append(str(int(program)))
    return tuple(ids)


def check_whole_number(field, value):
    """Raise `InvalidInput` if a value is no whole number, 1 or more."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, Integral) or value < 1:
        raise InvalidInput(field, value, "give a whole number, 1 or more")


def check_missions(value):
    """Return missions in MAST's spelling."""
    return check_choices("mission", value, MISSIONS)


def check_choices(field, value, choices):
    """Return one or several of some words, spelled as the archive spells them."""
    known = {choice.lower(): choice for choice in choices}
    given = values(field, value)
    for item in given:
        if item.lower() not in known:
            raise InvalidInput(field, item, f"choose from {', '.join(choices)}")
    return tuple(known[item.lower()] for item in given)
