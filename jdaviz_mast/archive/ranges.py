"""Ranges of wavelength, date and exposure time: checked once, then filters on MAST's columns."""

import re

import astropy.units as u
import numpy as np
from astropy.time import Time

from jdaviz_mast.errors import InvalidInput

__all__ = ["BEYOND_DATES", "BEYOND_WAVELENGTHS", "check_dates", "check_exposure_time",
           "check_wavelength", "overlap"]  # fmt: skip

# The portal's range filters want both ends: these are beyond all that the columns hold.
BEYOND_WAVELENGTHS = 0.0, 1e13  # nm
BEYOND_DATES = 0.0, 1e5  # MJD, the years 1858 and 2132
_LONGEST_EXPOSURE = 1e9 * u.s
#: Half of the width of the range that one exposure time stands for.
_SAME_EXPOSURE = 0.5 * u.s

_DAY = re.compile(r"(\d{4})(?:-(\d{1,2}))?(?:-(\d{1,2}))?")
_OPEN = "of two, one may be left open"
_WAVELENGTH = f"give wavelengths with units, such as 1 um or 2.5 um; {_OPEN}"
_DATES = f"give dates such as 2022-06-01, 2022-07 or 2022; {_OPEN}"
_EXPOSURE = f"give seconds, such as 120; {_OPEN}"


def check_wavelength(value):
    """Return a range of wavelengths, shortest first, or None.

    Parameters
    ----------
    value : None, `~astropy.units.Quantity`, str, or two of them
        Wavelength, or what converts to it: frequency, energy. One value stands for the range
        of that wavelength alone.

    Returns
    -------
    range : tuple of `~astropy.units.Quantity` or None
        In nm, as in MAST's ``em_min`` and ``em_max``.
    """
    if value is None:
        return None
    ends = [
        None if end is None else _quantity("wavelength", end, u.nm, _WAVELENGTH, u.spectral())
        for end in _pair(value, "wavelength", _WAVELENGTH)
    ]
    if any(end is not None and not 0 < end.value < BEYOND_WAVELENGTHS[1] for end in ends):
        raise InvalidInput("wavelength", _shown(value), "give wavelengths above 0")
    if None not in ends and ends[0] > ends[1]:
        if not _is_energy(value):
            raise InvalidInput("wavelength", _shown(value), "give the shorter wavelength first")
        ends.reverse()  # rising energy is falling wavelength
    return tuple(
        end if end is not None else beyond * u.nm
        for end, beyond in zip(ends, BEYOND_WAVELENGTHS, strict=True)
    )


def check_dates(value):
    """Return a range of times, earliest first, or None.

    Parameters
    ----------
    value : None, `~astropy.time.Time`, str, or two of them
        UTC. A year, a month or a day stands for all of it, also at the end of a range; one of
        them alone is a range.

    Returns
    -------
    range : tuple of `~astropy.time.Time` or None
    """
    if value is None:
        return None
    first, last = _pair(value, "date", _DATES)
    if first is not None and last is not None and _time(first)[0] > _time(last)[0]:
        raise InvalidInput("date", _shown(value), "give the earlier date first")
    begin = Time(BEYOND_DATES[0], format="mjd") if first is None else _time(first)[0]
    end = Time(BEYOND_DATES[1], format="mjd") if last is None else _time(last)[1]
    return begin, end


def check_exposure_time(value):
    """Return a range of exposure times, shortest first, or None.

    Parameters
    ----------
    value : None, `~astropy.units.Quantity`, str or float, or two of them
        A bare number is in seconds, as MAST's ``t_exptime``. One value stands for that time
        give or take half a second.

    Returns
    -------
    range : tuple of `~astropy.units.Quantity` or None
        In s.
    """
    if value is None:
        return None
    first, last = _pair(value, "exposure_time", _EXPOSURE)
    ends = [
        None if end is None else _quantity("exposure_time", end, u.s, _EXPOSURE)
        for end in (first, last)
    ]
    if any(end is not None and not 0 <= end < _LONGEST_EXPOSURE for end in ends):
        raise InvalidInput("exposure_time", _shown(value), "give seconds, 0 or more")
    if None not in ends and ends[0] > ends[1]:
        raise InvalidInput("exposure_time", _shown(value), "give the shorter time first")
    low, high = ends
    if None not in ends and low == high:
        return low - _SAME_EXPOSURE, high + _SAME_EXPOSURE
    return low if low is not None else 0 * u.s, high if high is not None else _LONGEST_EXPOSURE


def overlap(low_column, high_column, low, high, beyond):
    """Return filters for rows whose own range has a point in common with ``low`` to ``high``.

    Parameters
    ----------
    low_column, high_column : str
        Columns of the ends of a row's range.
    low, high : float
        In the columns' unit.
    beyond : tuple of float
        What no row is below, and above.

    Returns
    -------
    filters : dict of str to list of float
        Ranges, in the form that astroquery's ``query_criteria`` takes.
    """
    return {low_column: [beyond[0], high], high_column: [low, beyond[1]]}


def _pair(value, field, allowed):
    if not isinstance(value, tuple | list) and not getattr(value, "shape", ()):
        return value, value
    ends = list(value)
    if len(ends) != 2:
        raise InvalidInput(field, ", ".join(map(str, ends)), allowed)
    ends = [None if isinstance(end, str) and not end.strip() else end for end in ends]
    if ends[0] is None and ends[1] is None:
        raise InvalidInput(field, None, allowed)
    return ends


def _shown(value):
    """Return a range as a person would write it: it may come from fields as well as from Python."""
    if not isinstance(value, tuple | list) or len(value) != 2:
        return str(value)
    low, high = ("" if end is None else str(end).strip() for end in value)
    if low and high:
        return f"{low} to {high}"
    return f"from {low}" if low else f"up to {high}"


def _quantity(field, value, unit, allowed, equivalencies=()):
    try:
        given = u.Quantity(value)
        # A bare wavelength could be nm or µm; seconds are what exposures are counted in.
        if unit == u.s and given.unit == u.dimensionless_unscaled:
            given = given * u.s
        converted = given.to(unit, equivalencies)
    except (TypeError, ValueError, u.UnitsError) as error:
        raise InvalidInput(field, str(value), allowed) from error
    if not converted.isscalar or not np.isfinite(converted.value):
        raise InvalidInput(field, str(value), allowed)
    return converted


def _is_energy(value):
    try:
        return not u.Quantity(list(value)[0]).unit.is_equivalent(u.m)
    except (TypeError, ValueError):
        return False


def _time(value):
    """Return the first and the last moment of what was given."""
    if isinstance(value, Time):
        if value.isscalar and np.isfinite(value.mjd):
            return value.utc, value.utc
        raise InvalidInput("date", str(value), _DATES)
    text = str(value).strip()
    try:
        if not (day := _DAY.fullmatch(text)):
            moment = Time(text, scale="utc")
            return moment, moment
        year, month, date = (int(part) if part else None for part in day.groups())
        begin = Time(f"{year:04}-{month or 1:02}-{date or 1:02}", scale="utc")
        if date:
            return begin, Time(begin.mjd + 1, format="mjd")
        year, month = (year, month + 1) if month and month < 12 else (year + 1, 1)
        return begin, Time(f"{year:04}-{month:02}-01", scale="utc")
    except ValueError as error:
        raise InvalidInput("date", text, _DATES) from error
