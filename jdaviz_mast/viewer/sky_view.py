"""An image viewer as a window on the sky: which field it shows, and where a position lies in it."""

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from gwcs import WCS as GWCS  # noqa: N811

from jdaviz_mast.errors import InvalidInput
from jdaviz_mast.sky import Footprint
from jdaviz_mast.viewer import jdaviz_api

__all__ = ["SkyView", "sky_views"]

#: Beyond this distance from the middle of a view a tangent plane is of no use.
_FARTHEST = 60 * u.deg


class SkyView:
    """What a viewer shows of the sky, as it stands now.

    Parameters
    ----------
    viewer : an image viewer of jdaviz, of which `jdaviz_api.sky_coordinates` is not None
    """

    def __init__(self, viewer):
        self._coords = jdaviz_api.sky_coordinates(viewer)
        self.left, self.right, self.bottom, self.top = jdaviz_api.limits(viewer)

    @property
    def center(self):
        """The position in the middle, a scalar ICRS `~astropy.coordinates.SkyCoord`."""
        return self.positions((self.left + self.right) / 2, (self.bottom + self.top) / 2)

    def field(self):
        """Return the part of the sky that is shown, a `~jdaviz_mast.sky.Footprint`.

        Raises
        ------
        InvalidInput
            If the edges of the view are not on the sky.
        """
        allowed = "the viewer shows more than a part of the sky; zoom in"
        # The sides between the corners, too: a field of many degrees is no rectangle.
        along = np.linspace(0, 1, 8, endpoint=False)
        x = self.left + (self.right - self.left) * np.concatenate(
            [along, np.ones(8), 1 - along, np.zeros(8)]
        )
        y = self.bottom + (self.top - self.bottom) * np.concatenate(
            [np.zeros(8), along, np.ones(8), 1 - along]
        )
        positions = self.positions(x, y)
        if not np.all(np.isfinite(positions.ra.deg) & np.isfinite(positions.dec.deg)):
            raise InvalidInput("viewer", "its edges are off the sky", allowed)
        try:
            return Footprint.from_corners(positions)
        except InvalidInput as error:
            raise InvalidInput("viewer", "half of the sky", allowed) from error

    def positions(self, x, y):
        """Return the ICRS positions of pixels of the view."""
        if isinstance(self._coords, GWCS):
            # By default nothing beyond the image is given a position.
            longitude, latitude = self._coords(x, y, with_bounding_box=False)
            return SkyCoord(longitude, latitude, unit="deg", frame="icrs")
        return self._coords.pixel_to_world(x, y).icrs

    def outlines(self, footprints):
        """Return where the corners of footprints lie in the view.

        Parameters
        ----------
        footprints : dict of key to `~jdaviz_mast.sky.Footprint`

        Returns
        -------
        outlines : dict of key to list of array, each of shape (2, n)
            Columns and rows, in pixels, of each polygon, closed. Polygons that are too far off
            for the view's projection are left out.
        """
        outlines = {key: [] for key in footprints}
        keys = [key for key, footprint in footprints.items() for _ in footprint.rings]
        rings = [ring for footprint in footprints.values() for ring in footprint.rings]
        if not rings:
            return outlines
        # All at once: each call of astropy's costs as much as a thousand positions.
        corners = SkyCoord(*np.concatenate(rings).T, representation_type="cartesian")
        corners = SkyCoord(corners.spherical.lon, corners.spherical.lat)
        near = corners.separation(self.center) < _FARTHEST
        x, y = np.full((2, len(corners)), np.nan)
        if np.any(near):
            x[near], y[near] = self._pixels(corners[near])
        ends = np.cumsum([len(ring) for ring in rings])
        pieces = np.split(np.array([x, y]), ends[:-1], axis=1)
        for key, piece in zip(keys, pieces, strict=True):
            if np.all(np.isfinite(piece)):
                outlines[key].append(np.concatenate([piece, piece[:, :1]], axis=1))
        return outlines

    def _pixels(self, positions):
        if isinstance(self._coords, GWCS):
            return self._coords.invert(positions.ra.deg, positions.dec.deg, with_bounding_box=False)
        return self._coords.world_to_pixel(positions)


def sky_views(app):
    """Return the viewers that show a part of the sky, by their name."""
    return {
        name: viewer
        for name, viewer in jdaviz_api.image_viewers(app).items()
        if jdaviz_api.sky_coordinates(viewer) is not None
    }
