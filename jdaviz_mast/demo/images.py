"""JWST images: raw, calibrated and combined."""

from __future__ import annotations

import zlib

import numpy as np

from . import sizes
from .jwst_meta import describe, model_class, put_wcs, save
from .scene import scene_for

__all__ = [
    "WRITERS",
    "background",
    "exposed_fraction",
    "noise_source",
    "noisy_scene",
    "wavelength_um",
]

_DN_PER_MJYSR = 12.0  # count rate in DN/s that 1 MJy/sr gives, about NIRCam's
_DO_NOT_USE = 1


def wavelength_um(row):
    """Middle of the observation's band in micron."""
    return (row["em_min"] + row["em_max"]) / 2000


def background(wavelength):
    """Sky brightness in MJy/sr at a wavelength in micron: zodiacal light and telescope."""
    return 0.25 + 0.1 * wavelength + 60 / (1 + np.exp(-(wavelength - 15) / 1.8))


def noise_source(recipe):
    """Random numbers that depend on the file's name alone."""
    return np.random.default_rng(zlib.crc32(recipe.filename.encode()))


def exposed_fraction(shape, boxes):
    """Count the exposures that cover each pixel, 0 in the border and corners.

    `boxes` are (x0, y0, x1, y1) in fractions of the sides, as in `Recipe`.
    """
    rows, columns = shape
    count = np.zeros(shape, np.float32)
    for x0, y0, x1, y1 in boxes or [(0.01, 0.01, 0.99, 0.99)]:
        count[round(y0 * rows) : round(y1 * rows), round(x0 * columns) : round(x1 * columns)] += 1
    return count


def noisy_scene(recipe, grid, weight):
    """Surface brightness with background and noise, and its standard deviation.

    Returns
    -------
    tuple of ndarray of float32
        Both NaN where `weight`, the number of exposures, is 0.
    """
    wavelength = wavelength_um(recipe.row)
    sky = background(wavelength)
    clean = scene_for(recipe.row).render(grid, wavelength) + np.float32(sky)
    poisson = 0.0015 * clean
    read = 0.0008 + 0.0004 * sky
    with np.errstate(divide="ignore"):
        error = np.sqrt((poisson + np.float32(read)) / weight, dtype=np.float32)
    noise = noise_source(recipe).standard_normal(grid.shape, dtype=np.float32)
    outside = weight == 0
    error[outside] = np.nan
    image = clean + noise * error
    return image, error


def _variances(model, error, image):
    share = np.clip(image / (image + 1), 0.05, 0.95, dtype=np.float32)
    model.var_poisson = error**2 * share
    model.var_rnoise = error**2 * (1 - share)


def _write_i2d(recipe, path):
    grid = sizes.grid_of(recipe)
    weight = exposed_fraction(grid.shape, recipe.boxes)
    image, error = noisy_scene(recipe, grid, weight)
    model = model_class("ImageModel")()
    model.data, model.err = image, error
    model.con = np.minimum(weight, 31).astype(np.int32)[None]
    model.wht = weight * np.float32(recipe.row["t_exptime"] / max(1, len(recipe.boxes)))
    _variances(model, error, image)
    model.var_flat = (image * np.float32(0.002)) ** 2
    describe(model, recipe, bunit="MJy/sr")
    model.meta.cal_step.resample = "COMPLETE"
    put_wcs(model, grid)
    save(model, path)


def _write_segm(recipe, path):
    grid = sizes.grid_of(recipe)
    scene = scene_for(recipe.row)
    labels = np.zeros(grid.shape, np.uint32)
    rows, columns = np.mgrid[: grid.shape[0], : grid.shape[1]]
    flux = scene.star_fluxes(wavelength_um(recipe.row))
    for label, (x, y) in enumerate(grid.pixels(scene.stars[:, :2]), 1):
        radius = 2 + 1.2 * np.log1p(flux[label - 1] / grid.scale**2)
        y0, y1 = max(0, int(y - radius)), max(0, int(y + radius) + 2)
        x0, x1 = max(0, int(x - radius)), max(0, int(x + radius) + 2)
        part = slice(y0, y1), slice(x0, x1)
        near = np.hypot(rows[part] - y, columns[part] - x) < radius
        labels[part][near] = label
    model = model_class("SegmentationMapModel")()
    model.data = labels
    describe(model, recipe)
    put_wcs(model, grid)
    save(model, path)


def _write_calibrated(recipe, path):
    """Files ``cal`` and ``crf``: one exposure, flux calibrated."""
    grid = sizes.grid_of(recipe)
    image, error = noisy_scene(recipe, grid, np.ones(grid.shape, np.float32))
    model = model_class("ImageModel")()
    dq, border = _flags(recipe, grid.shape)
    image[border] = np.nan
    model.data, model.err, model.dq = image, error, dq
    model.area = np.ones(grid.shape, np.float32)
    _variances(model, error, image)
    model.var_flat = (image * np.float32(0.002)) ** 2
    describe(model, recipe, bunit="MJy/sr")
    put_wcs(model, grid)
    save(model, path)


def _flags(recipe, shape):
    """Flag an exposure's hot pixels and the reference pixels at the border."""
    random = noise_source(recipe)
    dq = np.zeros(shape, np.uint32)
    spots = random.integers(0, shape[0], 60), random.integers(0, shape[1], 60)
    dq[spots] = _DO_NOT_USE
    border = np.ones(shape, bool)
    border[2:-2, 2:-2] = False
    dq[border] = _DO_NOT_USE
    return dq, border


def _rate(recipe):
    """Count rate of an exposure and its error, in DN/s."""
    shape = sizes.shape_of(recipe)
    if recipe.row["dataproduct_type"] != "image":
        # Late: spectra builds on this module.
        from .spectra import detector_counts

        clean = detector_counts(recipe, shape)
        error = np.sqrt(0.01 + 0.01 * clean, dtype=np.float32)
        return clean + error * noise_source(recipe).standard_normal(shape, np.float32), error
    image, error = noisy_scene(recipe, sizes.grid_of(recipe), np.ones(shape, np.float32))
    return image * np.float32(_DN_PER_MJYSR), error * np.float32(_DN_PER_MJYSR)


def _pointing(model, recipe):
    """Write the FITS WCS; the pipeline adds the GWCS later than these files."""
    if recipe.row["dataproduct_type"] == "image":
        put_wcs(model, sizes.grid_of(recipe), gwcs=False)


def _write_rate(recipe, path):
    model = model_class("ImageModel")()
    model.data, model.err = _rate(recipe)
    model.dq, _ = _flags(recipe, model.data.shape)
    _variances(model, model.err, model.data)
    describe(model, recipe, bunit="DN/s")
    _pointing(model, recipe)
    save(model, path)


def _write_integrations(recipe, path):
    """Files ``rateints`` and ``calints``: an exposure's integrations one by one."""
    image, error = _rate(recipe)
    shape = 2, *image.shape
    random = noise_source(recipe)
    wobble = random.standard_normal(shape, dtype=np.float32)
    model = model_class("CubeModel")()
    model.data = image + wobble * error
    model.err = np.broadcast_to(error * np.float32(2**0.5), shape).copy()
    flags, _ = _flags(recipe, image.shape)
    model.dq = np.broadcast_to(flags, shape).copy()
    _variances(model, model.err, model.data)
    describe(model, recipe, bunit="DN/s" if recipe.kind == "rateints" else "MJy")
    model.meta.exposure.nints = 2
    _pointing(model, recipe)
    save(model, path)


def _write_uncal(recipe, path):
    shape = sizes.shape_of(recipe)
    random = noise_source(recipe)
    rate, _ = _rate(recipe)
    group_time = recipe.row["t_exptime"] / 5
    groups = np.arange(1, 6, dtype=np.float32)[None, :, None, None] * np.float32(group_time)
    ramp = 12000 + rate * groups + 8 * random.standard_normal((1, 5, *shape), dtype=np.float32)
    model = model_class("Level1bModel")()
    model.data = np.clip(ramp, 0, 65535).astype(np.uint16)
    describe(model, recipe, bunit="DN")
    model.meta.exposure.group_time = group_time
    save(model, path)


def _write_trapsfilled(recipe, path):
    model = model_class("TrapsFilledModel")()
    random = noise_source(recipe)
    model.data = random.gamma(1.5, 2.0, (3, *sizes.shape_of(recipe))).astype(np.float32)
    describe(model, recipe)
    save(model, path)


#: Kind of file to the function that writes it: (recipe, path) -> None.
WRITERS = {
    "i2d": _write_i2d,
    "segm": _write_segm,
    "cal": _write_calibrated,
    "crf": _write_calibrated,
    "rate": _write_rate,
    "rateints": _write_integrations,
    "calints": _write_integrations,
    "uncal": _write_uncal,
    "trapsfilled": _write_trapsfilled,
}
