"""What covers a field, in which order; and how a picture lies on the sky."""

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table
from astropy.wcs import WCS

from jdaviz_mast.errors import InvalidInput
from jdaviz_mast.sky import Footprint, picture_wcs, rank_by_overlap

FIELD = Footprint.from_s_region("POLYGON 10 0 11 0 11 1 10 1")


def _box(left, right):
    return f"POLYGON {left} 0 {right} 0 {right} 1 {left} 1"


def test_overlap_comes_first_and_depth_among_equals():
    table = Table(
        {
            "obs_id": ["half", "all, short", "apart", "all, long", "none", "edge", "all"],
            "s_region": [_box(10, 10.5), _box(9, 12), _box(30, 31), _box(10, 11), "", _box(11, 12),
                         _box(9.999, 11.2)],
            "t_exptime": np.ma.masked_invalid([900.0, 10.0, 1.0, 500.0, 1.0, 1.0, np.nan]),
        },
        masked=True,
    )  # fmt: skip

    found = rank_by_overlap(table, FIELD)

    assert found["obs_id"].tolist() == ["all, long", "all, short", "all", "half"]
    assert found.meta["overlap"] == pytest.approx([1, 1, 1, 0.5], abs=1e-3)
    assert found.meta["without_footprint"] == 1
    assert found.colnames == table.colnames


def test_no_rows_and_no_column():
    assert len(rank_by_overlap(Table({"obs_id": ["a"]}), FIELD)) == 0
    assert len(rank_by_overlap(Table(), FIELD)) == 0


@pytest.mark.parametrize(
    "name",
    [
        "jw01288015001_04101_00001_mirimage_i2d.fits",
        "jw01288016001_34101_00002_mirimage_i2d.fits",
    ],
)
def test_the_wcs_from_the_corners_is_that_of_the_true_file(shared, name):
    """True MIRI images: nowhere is a pixel of the preview more than 1.5 pixels off."""
    header = fits.getheader(shared / "real" / name, "SCI")
    shape = header["NAXIS2"], header["NAXIS1"]
    wcs = picture_wcs(Footprint.from_s_region(header["S_REGION"]), shape)

    rows, columns = np.mgrid[: shape[0] : 16, : shape[1] : 16]
    true = WCS(header).pixel_to_world(columns, rows)
    x, y = wcs.world_to_pixel(true)

    assert np.hypot(x - columns, y - rows).max() < 1.5


def test_a_wcs_of_half_the_pixels_is_the_same_sky():
    footprint = Footprint.from_s_region("POLYGON 10 0 10 0.2 9.9 0.2 9.9 0")
    whole, half = picture_wcs(footprint, (200, 100)), picture_wcs(footprint, (100, 50))

    corner = np.array(whole.pixel_to_world_values(-0.5, -0.5))
    assert corner == pytest.approx(np.array(half.pixel_to_world_values(-0.5, -0.5)))
    opposite = np.array(whole.pixel_to_world_values(99.5, 199.5))
    assert opposite == pytest.approx([9.9, 0.2], abs=1e-5)
    assert np.linalg.det(whole.wcs.cd) < 0  # east is left


def test_a_picture_of_other_proportions_is_not_placed():
    with pytest.raises(InvalidInput, match="times as wide as high"):
        picture_wcs(FIELD, (100, 50))


def test_a_footprint_without_four_corners_says_nothing_of_a_picture():
    with pytest.raises(InvalidInput, match="four corners"):
        picture_wcs(Footprint.from_s_region("CIRCLE 1 2 3"), (10, 10))
