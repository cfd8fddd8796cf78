"""Pixel grids that fill a footprint: size in pixels and FITS WCS, with numpy alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .sky import from_plane, parse_region, polygon, to_plane

__all__ = ["Grid", "grid_for", "rectangle", "sub_region"]


@dataclass(frozen=True)
class Grid:
    """A tangent-plane pixel grid.

    Attributes
    ----------
    shape : tuple of int
        Rows and columns.
    center : tuple of float
        Tangent point, the FITS keywords CRVAL: right ascension and declination, degrees.
    crpix : ndarray of float, shape (2,)
        Its pixel position, counted from 1.
    cd : ndarray of float, shape (2, 2)
        Arcseconds to the east and to the north per pixel along x and y.
    """

    shape: tuple
    center: tuple
    crpix: np.ndarray
    cd: np.ndarray

    @property
    def scale(self):
        """Pixel scale in arcseconds: the side of a square pixel of the same area."""
        return float(np.sqrt(abs(np.linalg.det(self.cd))))

    def plane(self):
        """Offsets of every pixel's centre from the tangent point, in arcseconds.

        Returns
        -------
        tuple of ndarray
            East and north, each of `shape`.
        """
        y, x = np.mgrid[: self.shape[0], : self.shape[1]].astype(np.float32)
        x, y = x + np.float32(1 - self.crpix[0]), y + np.float32(1 - self.crpix[1])
        cd = self.cd.astype(np.float32)
        return cd[0, 0] * x + cd[0, 1] * y, cd[1, 0] * x + cd[1, 1] * y

    def pixels(self, offsets):
        """Pixel positions, counted from 0, of `offsets` (arcseconds), shape (n, 2)."""
        return np.asarray(offsets) @ np.linalg.inv(self.cd).T + self.crpix - 1

    def corners(self):
        """Outer corners of the grid on the sky, in MAST's order, degrees, shape (4, 2)."""
        ny, nx = self.shape
        outer = np.array([[0, 0], [nx, 0], [nx, ny], [0, ny]]) + 0.5 - self.crpix
        return np.stack(from_plane(outer @ self.cd.T, self.center), axis=-1)


def _axes(s_region, center):
    """Lower left corner and the two sides of a footprint in the plane, in arcseconds."""
    _, corners = parse_region(s_region)
    plane = to_plane(corners[:, 0], corners[:, 1], center)
    origin, first, opposite, last = plane
    # Seen on the sky, east is left of north: x cross y has to be negative.
    if np.linalg.det(np.stack([first - origin, last - origin])) > 0:
        first, last = last, first
    # The four corners of a rectangle on the sky are a parallelogram in the plane but for
    # milliarcseconds: the mean of opposite sides meets all of them best.
    x = ((first - origin) + (opposite - last)) / 2
    y = ((last - origin) + (opposite - first)) / 2
    return plane.mean(axis=0) - (x + y) / 2, x, y


def grid_for(s_region, center, long_side):
    """Grid whose outer edge is the footprint.

    Parameters
    ----------
    s_region : str
        POLYGON of four corners.
    center : tuple of float
        Tangent point in degrees; the same for all images of a scene, so that they align
        to rounding error.
    long_side : int
        Pixels along the longer side.
    """
    origin, x, y = _axes(s_region, center)
    lengths = np.hypot(*x), np.hypot(*y)
    nx, ny = (max(1, round(long_side * length / max(lengths))) for length in lengths)
    cd = np.stack([x / nx, y / ny], axis=1)
    crpix = np.linalg.solve(cd, -origin) + 0.5
    return Grid((ny, nx), tuple(center), crpix, cd)


def sub_region(s_region, box):
    """Part of a footprint: `box` is (x0, y0, x1, y1) as fractions of its sides.

    Returns
    -------
    tuple of (float, float, str)
        Centre in degrees and the ``s_region``.
    """
    _, corners = parse_region(s_region)
    center = tuple(corners.mean(axis=0))
    origin, x, y = _axes(s_region, center)
    x0, y0, x1, y1 = box
    fractions = np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]])
    ra, dec = from_plane(origin + fractions @ np.stack([x, y]), center)
    middle = origin + fractions.mean(axis=0) @ np.stack([x, y])
    corners = np.stack([ra, dec], axis=-1)
    return *(float(value) for value in from_plane(middle, center)), polygon(corners)


def rectangle(ra, dec, width, height, angle):
    """``s_region`` of a rectangle: sides in arcseconds, `angle` of y east of north, degrees."""
    turn = np.radians(angle)
    x = np.array([-np.cos(turn), np.sin(turn)]) * width / 2
    y = np.array([np.sin(turn), np.cos(turn)]) * height / 2
    corners = from_plane(np.array([-x - y, x - y, x + y, y - x]), (ra, dec))
    return polygon(np.stack(corners, axis=-1))
