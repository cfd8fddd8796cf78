"""Bad input is refused before anything is asked, in a sentence that says what is allowed."""

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.table import Table

from jdaviz_mast import Mast
from jdaviz_mast.errors import InvalidInput, MastError, TargetNotFound
from jdaviz_mast.products import choose_products

HERE = (151.757, -40.436)
SOME_ID = "jw02733-o001_t001_nircam_clear-f090w"

# name: (arguments, field, the value in the message, what the message says is allowed)
REFUSED = {
    "RA 361": ({"coordinates": (361, 0)}, "ra", "361", "0 to 360"),
    "RA 361 as text": ({"coordinates": "361 0"}, "ra", "361", "0 to 360"),
    "RA 361d": ({"coordinates": "361d 0d"}, "ra", "361d", "0 to 360"),
    "RA 25 hours": ({"coordinates": "25h00m00s -40d00m00s"}, "ra", "25h", "0 to 360"),
    "RA negative": ({"coordinates": (-0.1, 0)}, "ra", "-0.1", "0 to 360"),
    "RA not a number": ({"coordinates": (float("nan"), 0)}, "ra", "nan", "0 to 360"),
    "RA is a word": ({"coordinates": ("north", 0)}, "ra", "north", "degrees"),
    "RA is nothing": ({"coordinates": (None, 0)}, "ra", "nothing is given", "degrees"),
    "RA in metres": ({"coordinates": (10 * u.m, 0)}, "ra", "10. m", "degrees"),
    "Dec -91": ({"coordinates": (10, -91)}, "dec", "-91", "-90 to 90"),
    "Dec -91 as text": ({"coordinates": "10, -91"}, "dec", "-91", "-90 to 90"),
    "Dec -91 sexagesimal": (
        {"coordinates": "10h07m01s -91d26m11s"}, "dec", "-91d26m11s", "-90 to 90",
    ),
    "Dec 91": ({"coordinates": (10, 91)}, "dec", "91", "-90 to 90"),
    "Dec infinite": ({"coordinates": (10, "inf")}, "dec", "inf", "-90 to 90"),
    "a position that is a word": ({"coordinates": "somewhere"}, "coordinates", "somewhere", "RA"),
    "an empty position": ({"coordinates": " "}, "coordinates", "' '", "RA and Dec in degrees"),
    "one number": ({"coordinates": "10"}, "coordinates", "'10'", "RA and Dec in degrees"),
    "a number": ({"coordinates": 10}, "coordinates", "10", "one SkyCoord"),
    "three numbers": ({"coordinates": (1, 2, 3)}, "coordinates", "(1, 2, 3)", "one SkyCoord"),
    "two positions": (
        {"coordinates": SkyCoord([1, 2], [3, 4], unit="deg")}, "coordinates", "SkyCoord", "one",
    ),
    "radius 0": ({"coordinates": HERE, "radius": 0 * u.deg}, "radius", "0.0 deg", "above 0"),
    "radius 0 without a unit": ({"target": "NGC 3132", "radius": 0}, "radius", "0", "above 0"),
    "radius negative": ({"coordinates": HERE, "radius": -1 * u.arcmin}, "radius", "-1", "above 0"),
    "radius absurd": ({"coordinates": HERE, "radius": 31 * u.deg}, "radius", "31", "30 deg"),
    "radius of the whole sky": ({"coordinates": HERE, "radius": 4 * u.rad}, "radius", "4", "30"),
    "radius infinite": ({"coordinates": HERE, "radius": np.inf * u.deg}, "radius", "inf", "30"),
    "radius not a number": ({"coordinates": HERE, "radius": np.nan * u.deg}, "radius", "nan", "0"),
    "unknown unit": ({"coordinates": HERE, "radius": "6 furlong"}, "radius", "furlong", "arcmin"),
    "unit of a length": ({"coordinates": HERE, "radius": 6 * u.pc}, "radius", "6", "arcmin"),
    "unit of a length, text": ({"coordinates": HERE, "radius": "6 pc"}, "radius", "pc", "arcmin"),
    "radius is a word": ({"coordinates": HERE, "radius": "wide"}, "radius", "wide", "arcmin"),
    "radius empty": ({"coordinates": HERE, "radius": ""}, "radius", "''", "arcmin"),
    "radius nothing": ({"coordinates": HERE, "radius": None}, "radius", "nothing", "arcmin"),
    "several radii": ({"coordinates": HERE, "radius": [1, 2] * u.deg}, "radius", "1", "arcmin"),
    "empty target": ({"target": ""}, "target", "''", "the name of an object"),
    "blank target": ({"target": " \t "}, "target", "t", "the name of an object"),
    "target is a number": ({"target": 3132}, "target", "3132", "the name of an object"),
    "target is a novel": ({"target": "n" * 201}, "target", "nnnn", "200"),
    "target with a control character": ({"target": "NGC\x00"}, "target", "NGC", "printable"),
    "empty ID": ({"observation_id": ""}, "observation_id", "''", "empty"),
    "no ID": ({"observation_id": []}, "observation_id", "[]", "empty"),
    "ID among commas": ({"observation_id": f"{SOME_ID},,x"}, "observation_id", SOME_ID, "empty"),
    "ID with *": ({"observation_id": "jw02733*"}, "observation_id", "jw02733*", "wildcards"),
    "ID with %": ({"observation_id": "jw02733%"}, "observation_id", "jw02733%", "wildcards"),
    "ID with ?": ({"observation_id": "jw0273?"}, "observation_id", "jw0273?", "wildcards"),
    "ID with blanks": ({"observation_id": "jw02733 o001"}, "observation_id", "jw02733", "blanks"),
    "ID that is a path": ({"observation_id": "../etc"}, "observation_id", "../etc", "whole ID"),
    "ID that is a file": (
        {"observation_id": f"{SOME_ID}_i2d.fits"}, "observation_id", "i2d.fits", "without the",
    ),
    "ID that is a program": ({"observation_id": "02733"}, "observation_id", "02733", "program"),
    "ID that is a URI": (
        {"observation_id": "mast:JWST/product/x"}, "observation_id", "mast:JWST", "whole ID",
    ),
    "second ID is bad": ({"observation_id": f"{SOME_ID},jw*"}, "observation_id", "jw*", "wild"),
    "program is a word": ({"program_id": "GO"}, "program_id", "GO", "a number such as 2733"),
    "program is empty": ({"program_id": ""}, "program_id", "''", "empty"),
    "program 0": ({"program_id": 0}, "program_id", "0", "a number such as 2733"),
    "program negative": ({"program_id": -2733}, "program_id", "-2733", "a number such as 2733"),
    "program with a fraction": ({"program_id": 27.33}, "program_id", "27.33", "a number"),
    "program too long": ({"program_id": "27332733"}, "program_id", "27332733", "a number"),
    "second program is bad": ({"program_id": "2733, x"}, "program_id", "x", "a number"),
    "unknown mission": (
        {"target": "M101", "mission": "JWTS"}, "mission", "JWTS", "choose from JWST, HST",
    ),
    "empty mission": ({"target": "M101", "mission": ""}, "mission", "''", "empty"),
    "empty instrument": ({"instrument": ""}, "instrument", "''", "empty"),
    "two wildcards": (
        {"instrument": "NIRCAM*,MIRI*"}, "instrument", "MIRI*", "one value with a wildcard",
    ),
    "empty filters": ({"filters": " , "}, "filters", "' , '", "empty"),
    "nothing": ({}, "search", "nothing is given", "target, coordinates, observation_id"),
    "a mission alone": ({"mission": "JWST"}, "search", "nothing is given", "give one of"),
    "two searches": (
        {"target": "M101", "program_id": 2733}, "target and program_id", "two", "give one",
    ),
    "four searches": (
        {"target": "M101", "coordinates": HERE, "observation_id": SOME_ID, "program_id": 2733},
        "target and coordinates and observation_id and program_id", "two", "give one",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_bad_input_is_refused_before_the_archive_is_asked(mast, asked, name):
    arguments, field, value, allowed = REFUSED[name]

    with pytest.raises(InvalidInput) as raised:
        mast.search(**arguments)

    message = str(raised.value)
    assert raised.value.field == field
    assert message.startswith(f"{field}: ")
    assert value in message
    assert allowed in message
    assert message.endswith(".")
    assert "\n" not in message
    assert len(message) < 400
    assert asked() == []


def test_bad_input_is_a_value_error():
    assert issubclass(InvalidInput, ValueError)
    assert issubclass(InvalidInput, MastError)


@pytest.mark.parametrize(
    "server",
    ["", "mast.stsci.edu", "ftp://mast.stsci.edu", "http://", "http:///x", 80, "http://[::1",
     "http://localhost:eighty", "http://localhost:123456"],
)  # fmt: skip
def test_a_server_that_is_no_address_is_refused(server, tmp_path):
    with pytest.raises(InvalidInput, match=r"^server: .*give an address such as 'https://mast"):
        Mast(server, tmp_path)


def test_an_unknown_target_is_said_to_be_unknown(mast, asked):
    with pytest.raises(TargetNotFound, match=r"^No position is known for .*“NGC 99999”.*\.$"):
        mast.search("NGC 99999")
    assert asked("invoke") == []


@pytest.mark.parametrize("product_type", ["SCIENTIFIC", "", ["SCIENCE", "x"], 3])
def test_an_unknown_product_type_is_refused_with_the_choices(mast, asked, product_type):
    observations = mast.search(observation_id=SOME_ID)
    before = len(asked())
    with pytest.raises(InvalidInput, match=r"^product_type: .*SCIENCE, PREVIEW, INFO"):
        mast.products(observations, product_type=product_type)
    assert len(asked()) == before


@pytest.mark.parametrize(
    "observations", [None, 42, [SOME_ID], Table({"obs_id": [SOME_ID]})], ids=type
)
def test_products_of_what_is_no_observation_are_refused(mast, observations):
    with pytest.raises(InvalidInput, match=r"^observations: .*what search\(\) returned"):
        mast.products(observations)


@pytest.mark.parametrize("page", [0, -1, 1.5, "x", True])
def test_a_page_that_is_none_is_refused(mast, asked, page):
    with pytest.raises(InvalidInput, match=r"^page: .*whole number, 1 or more"):
        mast.search("NGC 3132", page=page)
    assert asked() == []


@pytest.mark.parametrize("mission", [None, ("JWST", "HST")])
def test_keywords_are_of_one_mission(mast, mission):
    with pytest.raises(InvalidInput, match=r"^mission: .*'JWST' or 'HST'"):
        mast.keywords(mission)


@pytest.mark.parametrize(
    ("field", "value"),
    [("configuration", "imvizz"), ("configuration", None), ("extensions", "SCI"),
     ("extensions", None), ("extensions", []), ("extensions", [1]), ("max_images", 0),
     ("max_images", "a")],
)  # fmt: skip
def test_a_forecast_says_what_it_cannot_take(mast, field, value):
    products = mast.products(SOME_ID)
    with pytest.raises(InvalidInput, match=f"^{field}: "):
        mast.forecast(products, **{field: value})


@pytest.mark.parametrize(
    ("field", "given"),
    [("coordinates", {"coordinates": SkyCoord(np.nan, np.nan, unit="deg")}),
     ("radius", {"target": "NGC 3132", "radius": 1j}),
     ("keywords", {"keywords": {"duration": 5 * u.s}})],
)  # fmt: skip
def test_what_is_no_place_angle_or_condition_is_refused(mast, asked, field, given):
    with pytest.raises(InvalidInput, match=f"^{field}: "):
        mast.search(**given)
    assert asked() == []


def test_a_ladder_of_a_row_without_a_name_is_refused(mast):
    with pytest.raises(InvalidInput, match="^product: .*obs_id"):
        mast.ladder(Table({"obsid": ["1"]}))


@pytest.mark.parametrize("level", [[[3]], {"a": 1}, "3"])
def test_levels_that_are_none_are_refused(level):
    products = Table({"productFilename": ["a_i2d.fits"]})
    with pytest.raises(InvalidInput, match="^level: "):
        choose_products(products, level=level)


def test_products_that_are_no_table_are_refused():
    with pytest.raises(InvalidInput, match="^products: "):
        choose_products(5)
