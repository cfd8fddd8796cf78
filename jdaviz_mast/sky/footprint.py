"""A footprint: the part of the sky that an observation covers, as MAST's ``s_region`` says it.

``s_region`` is written in STC-S: POLYGON or CIRCLE, several of them, with or without the name
of a frame (IVOA ObsCore 1.1, section 4.12; STC-S 1.33, https://www.ivoa.net/documents/STC-S).
Edges of a polygon are arcs of great circles. Which side of them is inside is not told by their
direction, since MAST holds both: it is the smaller one.
"""

import re
from functools import cached_property

import astropy.units as u
import numpy as np
from astropy.coordinates import FK4, FK5, ICRS, Galactic, SkyCoord

from jdaviz_mast.errors import InvalidInput
from jdaviz_mast.sky.plane import Plane

__all__ = ["Footprint", "footprints_of"]

_FRAMES = {
    "ICRS": None, "UNKNOWNFRAME": None, "J2000": FK5(), "FK5": FK5(), "B1950": FK4(),
    "FK4": FK4(), "GALACTIC": Galactic(), "GALACTIC_II": Galactic(),
}  # fmt: skip
#: Words that STC-S may have between shape and numbers, and what they do not change.
_NOISE = {"UNION", "GEOCENTER", "BARYCENTER", "HELIOCENTER", "TOPOCENTER", "UNKNOWNREFPOS",
          "SPHERICAL2"}  # fmt: skip
_WORD = re.compile(r"[A-Za-z_][A-Za-z_0-9]*|[^\s,()]+")
_ALLOWED = "MAST writes a footprint as POLYGON or CIRCLE, with positions in degrees"
#: Corners of the polygon that stands for a circle.
_CIRCLE_CORNERS = 96
#: What spans more than this from its middle has no smaller side that could be meant.
_WIDEST = np.cos(np.radians(89))
#: Two corners closer than this, in radians, are one: a tenth of a milliarcsecond.
_SAME = np.radians(1e-4 / 3600)


class Footprint:
    """One or several polygons on the sphere.

    Make it with `from_s_region` or `from_corners`.

    Parameters
    ----------
    rings : sequence of array, each of shape (n, 3)
        Corners of each polygon as unit vectors in ICRS, not closed.
    """

    def __init__(self, rings):
        self.rings = tuple(rings)

    def __repr__(self):
        corners = ", ".join(str(len(ring)) for ring in self.rings)
        return f"<Footprint of {corners} corners>"

    @classmethod
    def from_s_region(cls, s_region):
        """Read an ``s_region``.

        Parameters
        ----------
        s_region : str
            Such as ``POLYGON ICRS 151.75 -40.41 151.79 -40.43 151.75 -40.47`` or
            ``CIRCLE 151.75 -40.43 0.02``; angles in degrees.

        Returns
        -------
        footprint : Footprint

        Raises
        ------
        InvalidInput
            If there is no footprint in it: nothing, NaN, no area, or not STC-S.
        """
        rings = []
        for shape, frame, numbers in _shapes(s_region):
            ring = _circle(numbers) if shape == "CIRCLE" else _polygon(numbers)
            if ring is None:
                raise InvalidInput("s_region", s_region, _ALLOWED)
            rings.append(_to_icrs(ring, frame))
        footprint = cls(rings)
        if footprint._spread < _WIDEST:
            raise InvalidInput("s_region", s_region, "it spans more than half of the sky")
        return footprint

    @classmethod
    def from_corners(cls, corners):
        """Make the footprint of a polygon.

        Parameters
        ----------
        corners : `~astropy.coordinates.SkyCoord`, shape (n,)
            At least three, in order around it, not closed.

        Raises
        ------
        InvalidInput
            If they are no polygon, or it spans more than half of the sky.
        """
        allowed = "give three positions or more, as one SkyCoord, that span less than half the sky"
        if not isinstance(corners, SkyCoord) or corners.ndim != 1:
            raise InvalidInput("corners", corners, allowed)
        icrs = corners.transform_to(ICRS())
        ring = _distinct(_vectors(icrs.ra.deg, icrs.dec.deg))
        if not np.all(np.isfinite(ring)) or len(ring) < 3 or cls([ring])._spread < _WIDEST:
            raise InvalidInput("corners", corners, allowed)
        return cls([ring])

    @property
    def vertices(self):
        """Corners of each polygon, a list of ICRS `~astropy.coordinates.SkyCoord`."""
        return [_positions(ring) for ring in self.rings]

    @property
    def s_region(self):
        """The footprint in STC-S, as MAST's column ``s_region`` has it: degrees, ICRS."""
        polygons = [np.column_stack([v.ra.deg, v.dec.deg]).ravel() for v in self.vertices]
        return " ".join(
            "POLYGON ICRS " + " ".join(repr(float(number)) for number in polygon)
            for polygon in polygons
        )

    @property
    def center(self):
        """Middle of the smallest cone known to hold it, a scalar `~astropy.coordinates.SkyCoord`.

        It is the middle of the corners, and need not lie inside.
        """
        return _positions(self._middle)

    @property
    def radius(self):
        """Distance from `center` to the farthest corner, an angle; nothing lies beyond it."""
        return u.Quantity(self._radius, u.rad).to(u.deg)

    @property
    def area(self):
        """Solid angle in deg²; what lies in two of its polygons counts once."""
        plane = Plane(self._middle, self._radius)
        return u.Quantity(plane.area(plane.geometry(self.rings)), u.sr).to(u.deg**2)

    def contains(self, positions):
        """Return which positions lie inside.

        Parameters
        ----------
        positions : `~astropy.coordinates.SkyCoord`, shape (n,)

        Returns
        -------
        inside : array of bool, shape (n,)
        """
        icrs = positions.transform_to(ICRS())
        plane = Plane(self._middle, self._radius)
        return plane.contains(plane.geometry(self.rings), _vectors(icrs.ra.deg, icrs.dec.deg))

    def covered_by(self, others):
        """Return how much of this footprint others cover.

        Parameters
        ----------
        others : sequence of Footprint or None
            None where an observation has no footprint.

        Returns
        -------
        fractions : array of float, shape (n,)
            Of the solid angle of this one, from 0 to 1; NaN where there is no footprint.
        """
        plane = Plane(self._middle, self._radius)
        own = plane.geometry(self.rings)
        whole = plane.area(own)
        fractions = np.full(len(others), np.nan)
        for index, other in enumerate(others):
            if other is None:
                continue
            fractions[index] = 0.0
            if self._distance(other) < self._radius + other._radius and whole > 0:
                common = plane.area(own.intersection(plane.geometry(other.rings)))
                fractions[index] = min(common / whole, 1.0)
        return fractions

    def _distance(self, other):
        return _between(self._middle, other._middle)

    @cached_property
    def _middle(self):
        total = sum((ring.sum(axis=0) / len(ring) for ring in self.rings), np.zeros(3))
        length = np.linalg.norm(total)
        # Corners all around the sky have no middle; any point is as far from them.
        return total / length if length > 1e-9 else self.rings[0][0]

    @cached_property
    def _radius(self):
        return max(float(_between(ring, self._middle).max()) for ring in self.rings)

    @property
    def _spread(self):
        """Cosine of the radius."""
        return np.cos(self._radius)


def footprints_of(regions):
    """Read a column of ``s_region``.

    Parameters
    ----------
    regions : iterable of str
        May be masked.

    Returns
    -------
    footprints : list of Footprint or None
        None where there is none.
    """
    footprints, known = [], {}
    for region in regions:
        text = region if isinstance(region, str) else ""
        if text not in known:  # the images of one target share it
            try:
                known[text] = Footprint.from_s_region(text)
            except InvalidInput:
                known[text] = None
        footprints.append(known[text])
    return footprints


def _shapes(s_region):
    """Return the shapes of an ``s_region``: what it is, its frame, its numbers."""
    words = _WORD.findall(s_region) if isinstance(s_region, str) else []
    shapes = []
    try:
        for word in words:
            name = word.upper()
            if name in ("POLYGON", "CIRCLE"):
                shapes.append([name, None, []])
            elif name in _NOISE:
                continue
            elif name in _FRAMES:
                shapes[-1][1] = _FRAMES[name]
            else:
                shapes[-1][2].append(float(word))
        # A shape of no number at all, a word that is none of ours, an odd count.
        usable = shapes and all(
            np.all(np.isfinite(numbers)) and len(numbers) >= 3 for _, _, numbers in shapes
        )
    except (ValueError, IndexError) as error:
        raise InvalidInput("s_region", s_region, _ALLOWED) from error
    if not usable:
        raise InvalidInput("s_region", s_region, _ALLOWED)
    return shapes


def _polygon(numbers):
    if len(numbers) % 2:
        return None
    longitude, latitude = np.reshape(numbers, (-1, 2)).T
    if np.any(np.abs(latitude) > 90) or np.any(np.abs(longitude) > 720):
        return None
    ring = _distinct(_vectors(longitude, latitude))
    return ring if len(ring) >= 3 else None


def _circle(numbers):
    if len(numbers) != 3 or abs(numbers[1]) > 90 or not 0 < numbers[2] < 89:
        return None
    middle = _vectors(*np.atleast_2d(numbers[:2]).T)[0]
    # As many square degrees as the circle has: the corners lie a little outside of it.
    step = 2 * np.pi / _CIRCLE_CORNERS
    radius = np.radians(numbers[2]) * np.sqrt(step / np.sin(step))
    east, north = _axes(middle)
    angle = step * np.arange(_CIRCLE_CORNERS)[:, None]
    around = np.cos(angle) * east + np.sin(angle) * north
    return np.cos(radius) * middle + np.sin(radius) * around


def _to_icrs(ring, frame):
    if frame is None:
        return ring
    icrs = _positions(ring, frame).transform_to(ICRS())
    return _vectors(icrs.ra.deg, icrs.dec.deg)


def _distinct(ring):
    """Drop corners that repeat the one before, as the last of a closed ring does."""
    return ring[_between(ring, np.roll(ring, 1, axis=0)) > _SAME]


def _between(one, other):
    """Return the angle between unit vectors in radians, exact for tiny ones."""
    apart = one - other
    return 2 * np.arcsin(np.minimum(np.sqrt((apart * apart).sum(axis=-1)) / 2, 1))


def _axes(middle):
    """Return two unit vectors across one and across each other: to the east and to the north."""
    pole = np.array([0.0, 0.0, 1.0]) if abs(middle[2]) < 0.999999 else np.array([1.0, 0.0, 0.0])
    east = np.cross(pole, middle)
    east /= np.linalg.norm(east)
    return east, np.cross(middle, east)


def _vectors(longitude, latitude):
    longitude, latitude = np.radians(longitude), np.radians(latitude)
    across = np.cos(latitude)
    return np.stack(
        [across * np.cos(longitude), across * np.sin(longitude), np.sin(latitude)], axis=-1
    )


def _positions(vectors, frame=None):
    x, y, z = np.moveaxis(vectors, -1, 0)
    longitude = u.Quantity(np.arctan2(y, x) % (2 * np.pi), u.rad)
    latitude = u.Quantity(np.arctan2(z, np.hypot(x, y)), u.rad)
    return SkyCoord(longitude, latitude, frame="icrs" if frame is None else frame)
