"""A large JWST image for benchmarks."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from .catalog import Recipe
from .fields import load_data
from .footprint import grid_for
from .jwst_meta import describe, model_class, put_wcs, save
from .scene import scene_center

__all__ = ["write_i2d"]

_TILE = 512


def write_i2d(path, shape=(8192, 8192), seed=0):
    """Write an i2d file with all extensions of a real one, of any size, fast.

    The pixels are noise that repeats every 512 pixels, with a star in each tile: nothing
    to look at, but as hard to read, ship and resample as the real thing.

    Parameters
    ----------
    path : str or Path
        Where to write; the name should end with ``_i2d.fits``.
    shape : tuple of int
        Rows and columns. ``(8192, 8192)`` makes 1.9 GB and takes as much memory.
    seed : int
        Seed of the noise.

    Returns
    -------
    Path
        `path`.

    Raises
    ------
    ImportError
        If stdatamodels is not installed.
    """
    path = Path(path)
    row = next(r for r in load_data("program_2733.json") if r["filters"] == "F090W")
    recipe = Recipe("i2d", path.name, row)
    grid = grid_for(row["s_region"], scene_center(row), max(shape))
    # The grid's sides follow the footprint; take the size asked for about the same centre.
    shift = (np.array(shape[::-1]) - grid.shape[::-1]) / 2
    grid = type(grid)(tuple(shape), grid.center, grid.crpix + shift, grid.cd)
    tile = np.random.default_rng(seed).standard_normal((_TILE, _TILE)).astype(">f4") * 0.05
    tile += 0.3
    tile[_TILE // 2 - 2 : _TILE // 2 + 3, _TILE // 2 - 2 : _TILE // 2 + 3] += 20
    repeats = -(-shape[0] // _TILE), -(-shape[1] // _TILE)
    image = np.tile(tile, repeats)[: shape[0], : shape[1]]
    model = model_class("ImageModel")()
    model.data = image
    model.err = np.full(shape, 0.05, ">f4")
    model.con = np.ones((1, *shape), ">i4")
    model.wht = np.ones(shape, ">f4")
    model.var_poisson = np.full(shape, 0.0015, ">f4")
    model.var_rnoise = np.full(shape, 0.001, ">f4")
    model.var_flat = np.zeros(shape, ">f4")
    describe(model, recipe, bunit="MJy/sr")
    put_wcs(model, grid)
    save(model, path)
    return path
