"""World coordinates for a picture that shows a footprint: from its corners on the sky."""

import numpy as np
from astropy.coordinates import SkyCoord
from astropy.wcs import WCS

from jdaviz_mast.errors import InvalidInput

__all__ = ["picture_wcs"]

#: How far the sides of picture and footprint may differ in proportion.
_TOLERANCE = 0.05


def picture_wcs(footprint, shape):
    """Return the WCS of a picture that fills a footprint of four corners.

    The JWST pipeline writes the corners of a resampled image beginning with its first pixel
    (https://github.com/spacetelescope/stcal, ``alignment/util.py``), so that it is known how
    the picture lies. Which of the neighbours is to the right follows from the handedness of
    the sky.

    Parameters
    ----------
    footprint : Footprint
    shape : (int, int)
        Rows and columns of the picture; its first row is the lowest, as in FITS.

    Returns
    -------
    wcs : `~astropy.wcs.WCS`
        Tangent plane, with square corners only as far as the footprint has them.

    Raises
    ------
    InvalidInput
        If it is not known how the picture lies: the footprint has not four corners, or
        other proportions.
    """
    rings = footprint.vertices
    if len(rings) != 1 or len(rings[0]) != 4:
        count = " and ".join(str(len(ring)) for ring in rings)
        allowed = "only of a footprint of four corners it is known how its preview lies"
        raise InvalidInput("footprint", f"{count} corners", allowed)
    center = SkyCoord(footprint.center.ra, footprint.center.dec)
    offsets = _tangent_offsets(rings[0], center)
    origin, first, opposite, last = offsets
    # Seen on the sky, east (positive here) is left of north.
    if np.linalg.det([first - origin, last - origin]) > 0:
        first, last = last, first
    # A footprint is a rectangle but for distortion: the mean of opposite sides meets it best.
    x = ((first - origin) + (opposite - last)) / 2
    y = ((last - origin) + (opposite - first)) / 2
    rows, columns = shape
    proportion = np.hypot(*x) / np.hypot(*y)
    if abs(np.log(proportion * rows / columns)) > _TOLERANCE:
        allowed = (
            f"the footprint is {proportion:.2f} times as wide as high, so the picture shows "
            "something else"
        )
        raise InvalidInput("picture", f"{columns} × {rows} pixels", allowed)
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval = [center.ra.deg, center.dec.deg]
    wcs.wcs.cunit = ["deg", "deg"]
    wcs.wcs.cd = np.stack([x / columns, y / rows], axis=1)
    corner = offsets.mean(axis=0) - (x + y) / 2  # outer edge of the first pixel
    wcs.wcs.crpix = np.linalg.solve(wcs.wcs.cd, -corner) + 0.5
    wcs.wcs.set()
    return wcs


def _tangent_offsets(positions, center):
    """Return gnomonic offsets to the east and north in degrees, shape (n, 2)."""
    local = positions.transform_to(center.skyoffset_frame()).cartesian.xyz.value
    return np.degrees(np.stack([local[1] / local[0], local[2] / local[0]], axis=-1))
