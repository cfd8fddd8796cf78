"""Sizes of the files, in bytes, known before any is made.

A FITS file is its data, a matter of arithmetic, and its headers and tables, whose length
depends on the versions of the libraries that write them. So each kind reserves a fixed
room for the latter; whatever a file leaves of it is filled when the file is made
(`jdaviz_mast.demo.padding`).
"""

from __future__ import annotations

import functools
import math

from .footprint import grid_for
from .scene import scene_center

__all__ = ["FIXED", "SPECTRUM_SHAPE", "CUBE_SHAPE", "grid_of", "size_of"]

BLOCK = 2880

#: Sizes of the files that are not FITS, and of the small FITS tables.
FIXED = {
    "cat": 160_000,
    "asn": 20_000,
    "pool": 24_000,
    "jpg": 240_000,
    "thumb": 24_000,
    "hst-jpg": 240_000,
    "hst-asn": 5 * BLOCK,
    "x1d": 180 * BLOCK,
    "x1dints": 560 * BLOCK,
    "whtlt": 12_000,
    "hst-x1d": 60 * BLOCK,
    "hst-x1dsum": 60 * BLOCK,
    "lc": 100 * BLOCK,
    "tp": 900 * BLOCK,
    "gs-id": 27 * BLOCK,
    "gs-acq1": 27 * BLOCK,
    "gs-fg": 27 * BLOCK,
}

#: Pixels along the longer side of an image. True ones have several thousands.
_SIDES = {2: 320, 3: 880}
_MIRI_SIDE = 640
_HST_SIDE = 720

#: Planes, rows and columns of a cube; rows and columns of a rectified 2D spectrum.
CUBE_SHAPE = 240, 40, 42
SPECTRUM_SHAPE = 30, 900

#: Bytes per pixel of the planes a file holds: 4 for float32, int32 and uint32.
_PLANES = {
    "i2d": [4] * 7,
    "segm": [4],
    "cal": [4] * 7,
    "crf": [4] * 7,
    "rate": [4] * 5,
    "rateints": [8] * 5,  # two integrations
    "calints": [8] * 5,
    "uncal": [2 * 5],  # five groups of 16 bits
    "trapsfilled": [4 * 3],
    "s3d": [4] * 4,
    "s2d": [4] * 7,
    "drz": [4] * 3,
    "drc": [4] * 3,
    "flt": [4, 4, 2] * 2,
    "flc": [4, 4, 2] * 2,
    "raw": [2, 2],
}
# For headers, ASDF and tables; a raw HST file has no table to fill up, so little.
_RESERVED_BLOCKS = {"raw": 5}
_MOSTLY = 40


def size_of(recipe):
    """Size in bytes of the file that `recipe` makes."""
    if recipe.kind in FIXED:
        return FIXED[recipe.kind]
    shape = shape_of(recipe)
    blocks = sum(math.ceil(math.prod(shape) * width / BLOCK) for width in _PLANES[recipe.kind])
    return (blocks + _RESERVED_BLOCKS.get(recipe.kind, _MOSTLY)) * BLOCK


def shape_of(recipe):
    """Shape of one plane (of the whole cube for s3d) of `recipe`'s file."""
    if recipe.kind == "s3d":
        return CUBE_SHAPE
    if recipe.kind == "s2d":
        return SPECTRUM_SHAPE
    if recipe.row["dataproduct_type"] != "image":
        return 256, 256
    if recipe.kind in ("flt", "flc", "raw"):
        rows, columns = grid_of(recipe).shape
        return rows // 2, columns
    return grid_of(recipe).shape


def grid_of(recipe):
    """Pixel grid of `recipe`'s image; its outer edge is the observation's footprint."""
    row = recipe.row
    if row["dataproduct_type"] == "cube":
        side = CUBE_SHAPE[2]
    elif row["obs_collection"] == "HST":
        side = _HST_SIDE
    elif recipe.level == 3 and row["instrument_name"].startswith("MIRI"):
        side = _MIRI_SIDE
    else:
        side = _SIDES[3 if recipe.level == 3 else 2]
    return _grid(row["s_region"], scene_center(row), side)


@functools.lru_cache(maxsize=1024)
def _grid(s_region, center, side):
    return grid_for(s_region, center, side)
