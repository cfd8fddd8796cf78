"""Tangent planes, footprints and distances on the sky, with numpy alone."""

from __future__ import annotations

import numpy as np

__all__ = ["footprint_distance", "from_plane", "parse_region", "polygon", "separation", "to_plane"]

_ARCSEC = np.pi / 180 / 3600


def to_plane(ra, dec, center):
    """Gnomonic projection of `ra`, `dec` (degrees) about `center` (ra, dec in degrees).

    Returns
    -------
    ndarray of float, shape (..., 2)
        Offsets to the east and to the north, in arcseconds.
    """
    ra, dec = np.radians(ra), np.radians(dec)
    ra0, dec0 = np.radians(center)
    cos_away = np.sin(dec0) * np.sin(dec) + np.cos(dec0) * np.cos(dec) * np.cos(ra - ra0)
    east = np.cos(dec) * np.sin(ra - ra0) / cos_away
    north = np.cos(dec0) * np.sin(dec) - np.sin(dec0) * np.cos(dec) * np.cos(ra - ra0)
    return np.stack([east, north / cos_away], axis=-1) / _ARCSEC


def from_plane(offsets, center):
    """Invert `to_plane`: right ascension and declination in degrees."""
    east, north = np.moveaxis(np.asarray(offsets, dtype=float) * _ARCSEC, -1, 0)
    ra0, dec0 = np.radians(center)
    below = np.cos(dec0) - north * np.sin(dec0)
    ra = ra0 + np.arctan2(east, below)
    dec = np.arctan2(np.sin(dec0) + north * np.cos(dec0), np.hypot(east, below))
    return np.degrees(ra) % 360, np.degrees(dec)


def separation(ra1, dec1, ra2, dec2):
    """Great-circle distance of two positions (degrees), in arcseconds."""
    ra1, dec1, ra2, dec2 = map(np.radians, (ra1, dec1, ra2, dec2))
    half = (
        np.sin((dec2 - dec1) / 2) ** 2 + np.cos(dec1) * np.cos(dec2) * np.sin((ra2 - ra1) / 2) ** 2
    )
    return float(2 * np.arcsin(min(1.0, np.sqrt(half))) / _ARCSEC)


def parse_region(s_region):
    """Shape and numbers of an ``s_region``; the frame's name is dropped.

    Returns
    -------
    tuple of (str, ndarray)
        ``("POLYGON", corners)`` with corners of shape (n, 2) in degrees, the closing
        corner left out, or ``("CIRCLE", [ra, dec, radius])`` in degrees.
    """
    shape, *words = s_region.split()
    numbers = np.array([float(word) for word in words if not word[:1].isalpha()])
    if shape.upper() == "CIRCLE":
        return "CIRCLE", numbers
    corners = numbers.reshape(-1, 2)
    if len(corners) > 3 and np.array_equal(corners[0], corners[-1]):
        corners = corners[:-1]
    return "POLYGON", corners


def polygon(corners, frame=""):
    """`corners`, shape (n, 2) in degrees, as MAST writes an ``s_region``."""
    numbers = " ".join(f"{number:.9f}" for number in np.ravel(corners))
    return f"POLYGON {frame} {numbers}" if frame else f"POLYGON {numbers}"


def footprint_distance(ra, dec, s_region):
    """Distance of a position (degrees) from a footprint, in arcseconds; 0 inside.

    This is MAST's ``distance``: in its recorded answers a pointing whose footprint
    covers the position is 0 away, however far its centre.
    """
    shape, numbers = parse_region(s_region)
    if shape == "CIRCLE":
        return max(0.0, separation(ra, dec, *numbers[:2]) - numbers[2] * 3600)
    if separation(ra, dec, *numbers[0]) > 30 * 3600:
        # The tangent plane is of no use that far out, and nobody asks for such a cone.
        return min(separation(ra, dec, *corner) for corner in numbers)
    start = to_plane(numbers[:, 0], numbers[:, 1], (ra, dec))
    edge = np.roll(start, -1, axis=0) - start
    length = np.maximum(np.sum(edge**2, axis=1), 1e-12)
    along = np.clip(-np.sum(start * edge, axis=1) / length, 0, 1)
    nearest = np.hypot(*(start + along[:, None] * edge).T).min()
    (x0, y0), (x1, y1) = start.T, (start + edge).T
    crosses = (y0 > 0) != (y1 > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        right_of_it = x0 - y0 * (x1 - x0) / (y1 - y0) > 0
    return 0.0 if np.count_nonzero(crosses & right_of_it) % 2 else float(nearest)
