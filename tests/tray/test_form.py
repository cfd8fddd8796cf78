"""What a person is told about the search fields."""

import astropy.units as u
import pytest

from jdaviz_mast.errors import InvalidInput, TargetNotFound
from jdaviz_mast.tray.form import SearchForm, sentence


def form(by="Target name", subject="NGC 3132", **changes):
    fields = {"radius": 0.1, "unit": "deg", "mission": "Any", "all_levels": False} | changes
    return SearchForm(by=by, subject=subject, **fields)


@pytest.mark.parametrize(
    ("given", "arguments"),
    [
        (form(), {"target": "NGC 3132", "radius": 0.1 * u.deg, "all_levels": False}),
        (
            form("Coordinates", ("1", "2"), radius="6", unit="arcmin"),
            {"coordinates": ("1", "2"), "radius": 6 * u.arcmin, "all_levels": False},
        ),
        (
            form(radius=2 * u.arcsec, mission="HST", all_levels=True),
            {
                "target": "NGC 3132",
                "radius": 2 * u.arcsec,
                "mission": "HST",
                "all_levels": True,
            },
        ),
        (form("Program ID", "2733"), {"program_id": "2733", "all_levels": False}),
        (form("Observation ID", "jw1"), {"observation_id": "jw1", "all_levels": False}),
    ],
)
def test_the_fields_become_arguments_with_units(given, arguments):
    assert given.arguments() == arguments


def test_a_radius_that_is_no_number_is_refused():
    with pytest.raises(InvalidInput, match="radius: 'wide'"):
        form(radius="wide").arguments()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (form(), "NGC 3132 within 0.1 deg, level 3"),
        (form("Coordinates", (1, -2), mission="HST"), "1 -2 within 0.1 deg, HST, level 3"),
        (form("Program ID", 2733, all_levels=True), "program 2733, all levels"),
    ],
)
def test_the_search_in_words(given, words):
    assert given.in_words() == words


def test_what_was_found_in_words():
    assert form().found(1).startswith("1 observation at level 3. ")
    assert form(all_levels=True).found(12345).startswith("12,345 observations. ")
    assert "all calibration levels" in form().found(0)
    assert "larger radius" in form(all_levels=True).found(0)
    assert "Check the ID" in form("Program ID", "9", all_levels=True).found(0)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (InvalidInput("ra", "361", "give degrees"), "RA cannot be “361”: give degrees."),
        (InvalidInput("target", " ", "type a name"), "Target is empty: type a name."),
        (InvalidInput("product_type", "X", "choose"), "product_type: 'X' is not usable; choose."),
        (TargetNotFound("No such thing."), "No such thing."),
        (ZeroDivisionError("oh"), "Something unexpected went wrong: ZeroDivisionError: oh"),
    ],
)
def test_errors_in_words(error, words):
    assert sentence(error) == words
