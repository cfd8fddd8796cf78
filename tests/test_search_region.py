"""Observations that truly overlap a part of the sky."""

import astropy.units as u
import pytest
from astropy.coordinates import SkyCoord

from jdaviz_mast.errors import InvalidInput
from jdaviz_mast.sky import Footprint, footprints_of

NEBULA = "POLYGON 151.74 -40.45 151.77 -40.45 151.77 -40.42 151.74 -40.42"


def test_only_what_overlaps_is_returned_and_the_best_comes_first(mast, archive):
    found = mast.search_region(NEBULA)

    field = Footprint.from_s_region(NEBULA)
    overlaps = found.meta["overlap"]
    assert len(found) > 10
    assert sorted(overlaps, key=lambda part: -round(part, 2)) == pytest.approx(overlaps, abs=0.01)
    assert field.covered_by(footprints_of(found["s_region"])) == pytest.approx(overlaps)
    expected = {
        row["obs_id"]
        for row in archive.observations
        if row["calib_level"] == 3
        and row["s_region"]
        and field.covered_by(footprints_of([row["s_region"]]))[0] > 1e-6
    }
    assert set(found["obs_id"]) == expected
    assert found.colnames == mast.search("NGC 3132").colnames


def test_a_corner_of_the_cone_is_not_the_field(mast):
    """In the cone around the field, and beside it."""
    narrow = "POLYGON 151.60 -40.4401 151.90 -40.4401 151.90 -40.4400 151.60 -40.4400"
    near = mast.search(coordinates=(151.75, -40.44), radius=0.115)
    found = mast.search_region(narrow)

    assert 0 < len(found) <= len(near)
    assert max(found.meta["overlap"]) < 0.5


def test_corners_and_filters(mast):
    corners = Footprint.from_s_region(NEBULA).vertices[0]

    found = mast.search_region(corners, mission="JWST", filters="F090W")

    assert set(found["filters"]) == {"F090W"}
    assert len(mast.search_region(corners, all_levels=True)) > len(mast.search_region(corners))


def test_without_a_footprint_it_is_counted_and_left_out(mast, archive):
    row = next(row for row in archive.observations if row["obs_id"].endswith("f090w"))
    row["s_region"] = None

    found = mast.search_region(NEBULA)

    assert row["obs_id"] not in found["obs_id"]


def test_what_is_too_wide_is_said(mast):
    with pytest.raises(InvalidInput, match="region.*zoom in"):
        mast.search_region("CIRCLE 10 10 40")


@pytest.mark.parametrize(
    ("region", "more", "field"),
    [
        (SkyCoord([1, 2] * u.deg, [1, 2] * u.deg), {}, "region"),
        ("BOX 1 2 3 4", {}, "region"),
        (None, {}, "region"),
        (NEBULA, {"page": 1}, "page"),
        (NEBULA, {"target": "NGC 3132"}, "target"),
        (NEBULA, {"coordinates": "1 2"}, "coordinates"),
        (NEBULA, {"radius": 0.1}, "radius"),
        (NEBULA, {"program_id": 2733}, "program_id"),
        (NEBULA, {"mission": "NOAA"}, "mission"),
    ],
)
def test_what_is_wrong_is_named_as_it_was_given(mast, asked, region, more, field):
    with pytest.raises(InvalidInput, match=f"^{field}: ") as caught:
        mast.search_region(region, **more)

    assert caught.value.field == field
    assert not asked()
