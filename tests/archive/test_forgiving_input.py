"""What an astronomer may well type, and what is made of it."""

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord

from jdaviz_mast.archive import Query
from jdaviz_mast.errors import InvalidInput

NGC_3132 = SkyCoord(151.757, -40.436, unit="deg")


@pytest.mark.parametrize(
    "given",
    [
        {"target": "151.757 -40.436"},
        {"target": " 151.757, -40.436 "},
        {"target": "10:07:01.68 -40:26:09.6"},
        {"target": "10h07m01.68s -40d26m09.6s"},
        {"coordinates": np.array([151.757, -40.436])},
        {"coordinates": [151.757, -40.436]},
        {"coordinates": SkyCoord([151.757], [-40.436], unit="deg")},
        {"coordinates": NGC_3132.galactic},
    ],
)
def test_positions_in_many_forms(given):
    query = Query.create(**given)
    assert query.target is None
    assert query.coordinates.separation(NGC_3132) < 0.01 * u.arcsec


@pytest.mark.parametrize("name", ["3C 273", "47 Tuc", "M 51", "TIC 261136679", "2MASS J0835"])
def test_names_with_numbers_stay_names(name):
    assert Query.create(name).target == name


def test_a_position_that_is_none_is_refused_as_a_target_too():
    with pytest.raises(InvalidInput, match="ra: '361'"):
        Query.create("361 0")


@pytest.mark.parametrize(
    ("given", "wanted"),
    [("NIRCAM", "NIRCAM*"), ("NIRCAM/IMAGE", "NIRCAM/IMAGE"), ("NIR*", "NIR*")],
)
def test_an_instrument_stands_for_its_modes(given, wanted):
    assert Query.create(program_id=1, instrument=given).criteria()["instrument_name"] == [wanted]


def test_a_comma_behind_the_last_one_is_no_value():
    assert Query.create(program_id="2733, 2736,").program_ids == ("2733", "2736")


@pytest.mark.parametrize("value", ["no", 1, None])
def test_all_levels_is_a_truth_value(value):
    with pytest.raises(InvalidInput, match="all_levels"):
        Query.create("M 51", all_levels=value)
