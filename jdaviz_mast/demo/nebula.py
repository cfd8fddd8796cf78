"""A ring nebula after NGC 3132: shells, cavity, filaments and halo at each wavelength."""

from __future__ import annotations

import functools

import numpy as np

__all__ = ["ring_nebula"]

_SHELL = 29.0, 21.0, 162.0  # semi-axes in arcsec, position angle in degrees
_TEXTURE_WIDTH = 256.0  # arcsec that the texture spans before it repeats
_TEXTURE_PIXELS = 1024


def ring_nebula(east, north, wavelength_um):
    """Surface brightness in MJy/sr.

    Parameters
    ----------
    east, north : ndarray of float32
        Offsets from the central star in arcseconds.
    wavelength_um : float
        Short wavelengths show the ionized cavity, 2.1, 4.7 and 4.05 micron and the mid
        infrared the molecular hydrogen and dust of the shells and the halo.
    """
    radius, angle = _elliptical(east, north, *_SHELL)
    tilted, _ = _elliptical(east, north, 27.0, 19.5, 128.0)
    cloud = _sample(_texture(1, 1.6), east, north)
    fine = _sample(_texture(2, 1.05), east, north)
    rays = _rays(angle)
    gas, shell, halo, dust = _weights(wavelength_um)
    warp = radius * (1 + 0.05 * cloud)
    # The hot cavity: bright, nearly flat, cut off at the shell.
    image = gas * 9 * np.exp(-((warp / 0.9) ** 6)) * (1 + 0.35 * cloud)
    # Two shells seen at different angles make the nebula's double rim.
    for rim, width, weight in ((warp, 0.075, 20.0), (tilted * (1 + 0.06 * cloud), 0.06, 12.0)):
        knots = np.clip(1 + 0.55 * cloud + 0.5 * fine, 0.05, None)
        image += (shell + 0.5 * gas) * weight * np.exp(-(((rim - 1) / width) ** 2)) * knots
    # Molecular halo: filaments and radial rays, fading outwards, with broken arcs.
    outside = 1 / (1 + np.exp(-(warp - 1.02) / 0.03))
    fade = np.exp(-(warp - 1).clip(0) / 0.42)
    image += halo * 9 * outside * fade * np.clip(0.7 + 0.5 * rays + 0.7 * fine, 0.02, None)
    for arc, phase in ((1.38, 0.4), (1.72, 2.6), (2.15, 4.4)):
        partial = 0.5 + 0.5 * np.cos(angle - phase)
        profile = np.exp(-(((warp - arc) / 0.06) ** 2))
        image += halo * 3.2 * profile * partial * np.clip(0.6 + 0.8 * fine, 0, None) / arc
    # Warm dust fills the whole, smooth as the wide beams of the mid infrared show it.
    image += dust * 14 * np.exp(-((warp / 1.05) ** 3)) * (1 + 0.2 * cloud)
    return np.maximum(image, 0).astype(np.float32)


def _weights(wavelength_um):
    """Share of ionized gas, shell, molecular halo and warm dust."""
    lines = {2.12: 1.0, 4.05: 0.35, 4.69: 1.0, 7.7: 1.0, 11.3: 1.3, 12.8: 1.5, 18.0: 1.6}
    molecular = sum(
        weight * np.exp(-(((wavelength_um - line) / (0.06 * line)) ** 2))
        for line, weight in lines.items()
    )
    gas = 1.2 / (1 + (wavelength_um / 3.2) ** 2)
    shell = 0.55 + 0.5 * molecular
    halo = 0.12 + 0.8 * molecular
    dust = 0.9 / (1 + np.exp(-(wavelength_um - 11.0) / 1.5))
    return gas, shell, halo, dust


def _elliptical(east, north, major, minor, angle):
    turn = np.radians(angle)
    along = east * np.sin(turn) + north * np.cos(turn)
    across = east * np.cos(turn) - north * np.sin(turn)
    return np.hypot(along / major, across / minor), np.arctan2(across, along)


def _rays(angle):
    """Light that leaks through gaps of the shell: a fixed function of the direction."""
    random = np.random.default_rng(11)
    total = np.zeros_like(angle)
    for waves in range(5, 40, 2):
        total += np.cos(waves * angle + random.uniform(0, 2 * np.pi)) * random.uniform(0.2, 1)
    return total / 4


@functools.cache
def _texture(seed, slope):
    """Fractal noise of unit variance, periodic; power falls with frequency to `slope`."""
    random = np.random.default_rng(seed)
    size = _TEXTURE_PIXELS
    frequency = np.hypot(np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size)[None, :]) * size
    amplitude = np.where(frequency < 4, 0, 1 / np.maximum(frequency, 4) ** slope)
    phases = np.exp(2j * np.pi * random.random(frequency.shape))
    field = np.fft.irfft2(amplitude * phases, (size, size))
    return (field / field.std()).astype(np.float32)


def _sample(texture, east, north):
    """Bilinear values of a texture that is fixed to the sky."""
    per_arcsec = _TEXTURE_PIXELS / _TEXTURE_WIDTH
    x, y = east * per_arcsec, north * per_arcsec
    column, row = np.floor(x).astype(int), np.floor(y).astype(int)
    u, v = (x - column).astype(np.float32), (y - row).astype(np.float32)
    column, row = column % _TEXTURE_PIXELS, row % _TEXTURE_PIXELS
    right, up = (column + 1) % _TEXTURE_PIXELS, (row + 1) % _TEXTURE_PIXELS
    lower = texture[row, column] * (1 - u) + texture[row, right] * u
    upper = texture[up, column] * (1 - u) + texture[up, right] * u
    return lower * (1 - v) + upper * v
