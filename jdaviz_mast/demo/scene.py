"""The sky of the demo: one scene per target, evaluated at true sky positions.

A scene knows nothing of pixels: stars, galaxies and gas have positions in arcseconds east
and north of the scene's centre, so whatever looks at it, in whatever filter and at
whatever angle, sees the same sky.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np

from .nebula import ring_nebula
from .sky import from_plane, separation

__all__ = ["Scene", "scene_center", "scene_for"]

# Where the scenes lie (degrees) and how far around they are used (arcseconds).
_SCENES = {
    "NGC 3132": (151.757250, -40.436406),
    "SMACS J0723": (110.834490, -73.454560),
}
_REACH = 0.2 * 3600


def scene_center(row):
    """Tangent point of the scene an observation looks at, in degrees."""
    here = row["s_ra"], row["s_dec"]
    for center in _SCENES.values():
        if separation(*here, *center) < _REACH:
            return center
    return here


def scene_for(row):
    """Find the `Scene` an observation looks at."""
    return _scene(scene_center(row))


@functools.lru_cache(maxsize=8)
def _scene(center):
    if center == _SCENES["NGC 3132"]:
        return _planetary_nebula(center)
    if center == _SCENES["SMACS J0723"]:
        return _cluster(center)
    return Scene(center, _field_stars(7, 60, 60.0), _galaxies(8, 20, 60.0))


@dataclass(frozen=True, eq=False)
class Scene:
    """Everything on one patch of sky.

    Attributes
    ----------
    center : tuple of float
        Right ascension and declination in degrees.
    stars : ndarray of float, shape (n, 4)
        East, north (arcsec), flux at 1 micron (MJy/sr arcsec2), spectral slope: the flux
        goes with wavelength to this power. The first is the brightest in every filter.
    galaxies : ndarray of float, shape (n, 7)
        East, north, half-light radius (arcsec), axis ratio, angle (radians), flux, slope.
    nebula : callable, optional
        Surface brightness (MJy/sr) from east, north (arcsec) and wavelength (micron).
    """

    center: tuple
    stars: np.ndarray
    galaxies: np.ndarray
    nebula: object = None

    def star_positions(self):
        """Right ascension and declination of the stars in degrees, shape (n, 2)."""
        return np.stack(from_plane(self.stars[:, :2], self.center), axis=-1)

    def star_fluxes(self, wavelength_um):
        """Flux of every star at a wavelength, in MJy/sr arcsec2."""
        return self.stars[:, 2] * wavelength_um ** self.stars[:, 3]

    def render(self, grid, wavelength_um, psf_fwhm=None):
        """Surface brightness on a pixel grid.

        Parameters
        ----------
        grid : `~jdaviz_mast.demo.footprint.Grid`
            Its tangent point has to be the scene's centre.
        wavelength_um : float
            Wavelength in micron.
        psf_fwhm : float, optional
            Width of a star in arcseconds; by default the diffraction of a 6.5 m mirror,
            or 1.8 pixels if that is wider.

        Returns
        -------
        ndarray of float32, shape ``grid.shape``
            In MJy/sr, without background and noise.
        """
        image = np.zeros(grid.shape, np.float32)
        if self.nebula is not None:
            image += self.nebula(*grid.plane(), wavelength_um)
        for galaxy in self.galaxies:
            _add_galaxy(image, grid, galaxy, wavelength_um)
        fwhm = psf_fwhm or max(0.0328 * wavelength_um, 1.8 * grid.scale)
        fluxes = self.star_fluxes(wavelength_um)
        for (x, y), flux in zip(grid.pixels(self.stars[:, :2]), fluxes, strict=True):
            _add_star(image, x, y, flux / grid.scale**2, fwhm / grid.scale)
        return image


def _window(shape, x, y, reach):
    """Slices around a pixel position, clipped to the image, and the offsets in them."""
    x0, x1 = max(0, int(x - reach)), min(shape[1], int(x + reach) + 2)
    y0, y1 = max(0, int(y - reach)), min(shape[0], int(y + reach) + 2)
    if x0 >= x1 or y0 >= y1:
        return None
    dy, dx = np.mgrid[y0:y1, x0:x1].astype(np.float32)
    return (slice(y0, y1), slice(x0, x1)), dx - np.float32(x), dy - np.float32(y)


def _add_star(image, x, y, flux, fwhm):
    """Add a Moffat profile (beta 2.5), and the six spikes of the mirror if it is bright."""
    core = fwhm / 2 / np.sqrt(2**0.4 - 1)
    reach = float(np.clip(fwhm * 2 * max(flux, 1e-3) ** 0.3, 8, 160))
    if (window := _window(image.shape, x, y, reach)) is None:
        return
    where, dx, dy = window
    radius2 = dx**2 + dy**2
    image[where] += flux * 1.5 / (np.pi * core**2) * (1 + radius2 / core**2) ** -2.5
    if flux < 300:
        return
    for angle in np.radians([30, 90, 150]):
        along = dx * np.cos(angle) + dy * np.sin(angle)
        across = dx * np.sin(angle) - dy * np.cos(angle)
        fall = np.exp(-np.abs(along) / (reach / 5) - (across / (0.45 * fwhm)) ** 2)
        image[where] += np.float32(0.0015 * flux / fwhm) * fall


def _add_galaxy(image, grid, galaxy, wavelength_um):
    """Add an inclined exponential disk."""
    east, north, half_light, ratio, angle, flux, slope = galaxy
    x, y = grid.pixels([(east, north)])[0]
    if (window := _window(image.shape, x, y, 7 * half_light / grid.scale + 3)) is None:
        return
    where, dx, dy = window
    de = grid.cd[0, 0] * dx + grid.cd[0, 1] * dy
    dn = grid.cd[1, 0] * dx + grid.cd[1, 1] * dy
    along = de * np.sin(angle) + dn * np.cos(angle)
    across = (de * np.cos(angle) - dn * np.sin(angle)) / ratio
    length = half_light / 1.678
    radius = np.sqrt(along**2 + across**2 + (0.5 * grid.scale) ** 2)
    total = flux * wavelength_um**slope / (2 * np.pi * length**2 * ratio)
    image[where] += np.float32(total) * np.exp(-radius / length)


def _field_stars(seed, count, half_width):
    random = np.random.default_rng(seed)
    place = random.uniform(-half_width, half_width, (count, 2))
    flux = 4 * random.pareto(0.95, count).clip(0, 80) + 0.5
    return np.column_stack([place, flux, random.uniform(-1.9, -1.2, count)])


def _galaxies(seed, count, half_width):
    random = np.random.default_rng(seed)
    return np.column_stack(
        [
            random.uniform(-half_width, half_width, (count, 2)),
            random.uniform(0.25, 1.1, count),
            random.uniform(0.3, 0.95, count),
            random.uniform(0, np.pi, count),
            random.uniform(0.3, 4.0, count),
            random.uniform(-0.2, 0.8, count),
        ]
    )


def _planetary_nebula(center):
    # The A star outshines its companion, the nebula's true central star, 1.7" away;
    # the companion is dusty and catches up towards the mid infrared.
    pair = [(0.0, 0.0, 900.0, -0.5), (-1.15, 1.25, 40.0, -0.1)]
    stars = np.vstack([pair, _field_stars(3132, 260, 130.0)])
    return Scene(center, stars, _galaxies(2733, 16, 120.0), ring_nebula)


def _cluster(center):
    random = np.random.default_rng(723)
    count = 150
    radius = 45 * random.uniform(0.02, 1, count) ** 1.4
    angle = random.uniform(0, 2 * np.pi, count)
    members = np.column_stack(
        [
            1.4 * radius * np.cos(angle),
            radius * np.sin(angle),
            random.uniform(0.2, 1.3, count),
            random.uniform(0.5, 1.0, count),
            random.uniform(0, np.pi, count),
            random.pareto(1.3, count).clip(0.05, 12) + 0.3,
            random.uniform(-0.1, 0.3, count),
        ]
    )
    members[0] = (0.0, 0.0, 4.0, 0.7, 1.2, 90.0, 0.1)  # the brightest cluster galaxy
    # Background galaxies stretched along circles around it: gravitational arcs.
    turn = random.uniform(0, 2 * np.pi, 24)
    away = random.uniform(14, 34, 24)
    arcs = np.column_stack(
        [
            away * np.cos(turn),
            away * np.sin(turn),
            random.uniform(0.8, 1.8, 24),
            np.full(24, 0.12),
            np.pi / 2 - turn + np.pi / 2,
            random.uniform(0.6, 3.0, 24),
            random.uniform(-0.4, 0.2, 24),
        ]
    )
    stars = np.vstack([[(28.0, -22.0, 700.0, -1.0)], _field_stars(7327, 14, 75.0)])
    return Scene(center, stars, np.vstack([members, arcs, _galaxies(2736, 180, 80.0)]))
