"""A tangent plane in which arcs of great circles are straight, so that planar clipping is exact.

Shapely (GEOS) cuts and unites what lies in the plane, concave, crossing itself and degenerate
included; the solid angle of the result follows from its corners without approximation.
"""

import numpy as np
import shapely

from jdaviz_mast.sky.planar import parts_of, polygons

__all__ = ["Plane"]

#: Half the side of the part of the plane that is used, in radii of the sphere: up to 89°.
_EDGE = 57.0


class Plane:
    """The gnomonic projection about a point.

    Parameters
    ----------
    middle : array, shape (3,)
        Unit vector of the tangent point.
    radius : float
        How far what is looked at reaches from there, radians: coordinates are in units of it,
        so that an arcsecond is cut as precisely as a degree.
    """

    def __init__(self, middle, radius):
        pole = np.array([0.0, 0.0, 1.0]) if abs(middle[2]) < 0.9 else np.array([1.0, 0.0, 0.0])
        x = np.cross(pole, middle)
        x /= np.linalg.norm(x)
        self._axes = np.stack([x, np.cross(middle, x), middle])
        self._unit = max(min(np.tan(radius), _EDGE), 1e-12)

    def geometry(self, rings):
        """Return polygons of the sphere as one geometry of the plane.

        Parameters
        ----------
        rings : sequence of array, each of shape (n, 3)
            Unit vectors of the corners, each polygon within a hemisphere.

        Returns
        -------
        geometry : `shapely.Geometry`
            Valid, perhaps empty. A polygon that crosses itself counts where it is wound around
            an odd number of times, see `jdaviz_mast.sky.planar.polygons`.
        """
        parts = []
        for ring in rings:
            corners = _clip(ring @ self._axes.T)
            parts += polygons(corners[:, :2] / corners[:, 2:] / self._unit)
        return parts[0] if len(parts) == 1 else shapely.union_all(parts)

    def contains(self, geometry, vectors):
        """Return which directions, an array of shape (n, 3), lie in a geometry of this plane."""
        x, y, z = self._axes @ np.moveaxis(np.asarray(vectors, dtype=float), -1, 0)
        ahead = z > 1 / _EDGE
        z = np.where(ahead, z, 1.0)
        return ahead & shapely.contains_xy(geometry, x / z / self._unit, y / z / self._unit)

    def area(self, geometry):
        """Return the solid angle of a geometry of this plane, in steradian."""
        total = 0.0
        for part in parts_of(geometry):
            holes = sum(self._ring_area(hole) for hole in part.interiors)
            total += self._ring_area(part.exterior) - holes
        return total

    def _ring_area(self, ring):
        """Sum of the triangles between the tangent point and each edge.

        A. van Oosterom and J. Strackee, IEEE Trans. Biomed. Eng. 30, 125 (1983), for a first
        corner in the direction of the tangent point, where it loses no digits.
        """
        corners = np.asarray(ring.coords)[:, :2] * self._unit
        (x, y), (next_x, next_y) = corners[:-1].T, corners[1:].T
        length = np.sqrt(1 + x**2 + y**2)
        next_length = np.sqrt(1 + next_x**2 + next_y**2)
        cosine = length * next_length + length + next_length + 1 + x * next_x + y * next_y
        return abs(2 * np.arctan2(x * next_y - y * next_x, cosine).sum())


def _clip(corners):
    """Cut what lies beyond the edge of the plane off a polygon (Sutherland and Hodgman).

    The edges are great circles, too: the cut is one of the sphere.
    """
    if np.all(corners[:, 2] * _EDGE > np.abs(corners[:, :2]).max(axis=1)):
        return corners
    for axis, sign in ((0, 1), (0, -1), (1, 1), (1, -1)):
        inside = _EDGE * corners[:, 2] + sign * corners[:, axis]
        kept = []
        for here, there, a, b in zip(
            corners, np.roll(corners, -1, axis=0), inside, np.roll(inside, -1), strict=True
        ):
            if a > 0:
                kept.append(here)
            if (a > 0) != (b > 0):
                kept.append(here + (there - here) * (a / (a - b)))
        corners = np.array(kept)
        if len(corners) < 3:
            return corners.reshape(-1, 3)
    return corners
