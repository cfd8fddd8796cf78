"""A ring of corners in a plane as polygons that GEOS can work with, in bounded time."""

import numpy as np
import shapely

__all__ = ["parts_of", "polygons"]

#: Corners, and meetings of edges, up to which a ring that crosses itself is taken at its word.
_MOST_CORNERS = 1000
_MOST_MEETINGS = 200


def polygons(corners):
    """Return the polygons that a ring encloses.

    Parameters
    ----------
    corners : array, shape (n, 2)
        Not closed, or closed.

    Returns
    -------
    polygons : list of `shapely.Polygon`
        Valid, none of them empty. Of a ring that crosses itself they are what it is wound
        around an odd number of times. The pieces grow with the square of the corners: where
        it meets itself in hundreds of places, which is no outline of anything, it is its
        convex hull.
    """
    if len(corners) < 3:
        return []
    polygon = shapely.Polygon(corners)
    if polygon.is_valid:
        return parts_of(polygon)
    if not _is_tame(np.asarray(corners)):
        return parts_of(polygon.convex_hull)
    return parts_of(shapely.make_valid(polygon))


def parts_of(geometry):
    """Return the polygons in a geometry, not the lines that degenerate ones leave behind."""
    parts = shapely.get_parts(shapely.get_parts(geometry))  # a collection may hold several
    return [part for part in parts if part.geom_type == "Polygon" and not part.is_empty]


def _is_tame(corners):
    """Return whether a ring meets itself in no more places than can be worked out at once."""
    if len(corners) > _MOST_CORNERS:
        return False
    following = np.roll(corners, -1, axis=0)
    low, high = np.minimum(corners, following), np.maximum(corners, following)
    meetings = 0
    for n in range(len(corners)):
        others = slice(n + 1, None)
        near = np.all((low[others] <= high[n]) & (high[others] >= low[n]), axis=1)
        start, end = corners[others][near], following[others][near]
        across = _side(corners[n], following[n], start) * _side(corners[n], following[n], end)
        along = _side(start, end, corners[n]) * _side(start, end, following[n])
        meetings += np.count_nonzero((across <= 0) & (along <= 0))
        if meetings > _MOST_MEETINGS + len(corners):  # each edge meets its neighbour
            return False
    return True


def _side(start, end, point):
    """Return on which side of a line points are: the sign, 0 on the line."""
    x, y = np.moveaxis(end - start, -1, 0)
    to_x, to_y = np.moveaxis(point - start, -1, 0)
    return np.sign(x * to_y - y * to_x)
