"""A search finds what the archive holds: no row too many, none too few, none changed."""

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.table import Table
from astroquery.exceptions import NoResultsWarning

from jdaviz_mast import conf
from jdaviz_mast.demo.fields import OBSERVATION_FIELDS

ALL_LEVELS = (0, 1, 2, 3, 4)
NGC_3132 = (151.75725, -40.436406)
MOSAIC = "jw02733-o001_t001_nircam_clear-f090w"
EXPOSURE = "jw02733002001_02103_00001_mirimage"


def ids(table):
    return [str(obs_id) for obs_id in table["obs_id"]]


# -- the four searches, and the filters ------------------------------------------------------

BY_COLUMN = {
    "observation ID": (
        {"observation_id": MOSAIC},
        lambda row: row["obs_id"] == MOSAIC,
    ),
    "several observation IDs": (
        {"observation_id": f"{MOSAIC}, ib5741010,jw02736-o002_t001_miri_f770w"},
        lambda row: row["obs_id"] in (MOSAIC, "ib5741010", "jw02736-o002_t001_miri_f770w"),
    ),
    "observation IDs as a list": (
        {"observation_id": [MOSAIC, "ib5741010"]},
        lambda row: row["obs_id"] in (MOSAIC, "ib5741010"),
    ),
    "program ID": (
        {"program_id": 2733},
        lambda row: row["proposal_id"] == "2733",
    ),
    "program ID as text": (
        {"program_id": " 2736 "},
        lambda row: row["proposal_id"] == "2736",
    ),
    "program ID with the zeros of a file name": (
        {"program_id": "01492"},
        lambda row: row["proposal_id"] == "1492",
    ),
    "several program IDs": (
        {"program_id": "02736,11599, 1492"},
        lambda row: row["proposal_id"] in ("2736", "11599", "1492"),
    ),
    "program IDs as numbers": (
        {"program_id": [2736, 11599]},
        lambda row: row["proposal_id"] in ("2736", "11599"),
    ),
    "program and mission": (
        {"program_id": "2733,11599", "mission": "hst"},
        lambda row: row["proposal_id"] == "11599",
    ),
    "instrument alone": (
        {"instrument": "MIRI/IMAGE"},
        lambda row: row["instrument_name"] == "MIRI/IMAGE",
    ),
    "instrument with a wildcard": (
        {"instrument": "NIRSPEC*"},
        lambda row: row["instrument_name"].startswith("NIRSPEC"),
    ),
    "instruments with commas": (
        {"instrument": "NIRSPEC/IFU, WFC3/UVIS"},
        lambda row: row["instrument_name"] in ("NIRSPEC/IFU", "WFC3/UVIS"),
    ),
    "filter alone": (
        {"filters": "F444W"},
        lambda row: "F444W" in (row["filters"] or "").split(";"),
    ),
    "a wildcard and a plain value": (
        {"instrument": "NIRSPEC*,WFC3/UVIS"},
        lambda row: row["instrument_name"].startswith(("NIRSPEC", "WFC3/UVIS")),
    ),
    "a plain value and a wildcard": (
        {"instrument": ["WFC3/UVIS", "NIRSPEC%"]},
        lambda row: row["instrument_name"].startswith(("NIRSPEC", "WFC3/UVIS")),
    ),
    "several filters": (
        {"filters": ["F444W", "F770W"]},
        lambda row: bool({"F444W", "F770W"} & set((row["filters"] or "").split(";"))),
    ),
    "instrument and filter": (
        {"instrument": "NIRCAM/IMAGE", "filters": "F356W"},
        lambda row: row["instrument_name"] == "NIRCAM/IMAGE" and row["filters"] == "F356W",
    ),
    "program and filter": (
        {"program_id": 2733, "filters": "F1130W"},
        lambda row: row["proposal_id"] == "2733" and row["filters"] == "F1130W",
    ),
    "filter and mission": (
        {"filters": "F502N", "mission": ["HST", "JWST"]},
        lambda row: row["filters"] == "F502N",
    ),
}


@pytest.mark.parametrize("all_levels", [False, True], ids=["level 3", "all levels"])
@pytest.mark.parametrize("name", BY_COLUMN)
def test_search_by_column_finds_exactly_the_matching_rows(mast, held, name, all_levels):
    arguments, where = BY_COLUMN[name]
    expected = held(where, levels=ALL_LEVELS if all_levels else (3,))
    assert expected, "the table of this test expects something to be found"

    found = mast.search(**arguments, all_levels=all_levels)

    assert isinstance(found, Table)
    assert ids(found) == expected


CONES = {
    "target": ({"target": "NGC 3132"}, (*NGC_3132, 0.1)),
    "target, odd spelling": ({"target": "  ngc   3132 "}, (*NGC_3132, 0.1)),
    "target by another name": (
        {"target": "Southern Ring Nebula", "radius": 0.02 * u.deg},
        (*NGC_3132, 0.02),
    ),
    "target and mission": ({"target": "NGC 3132", "mission": "HST"}, (*NGC_3132, 0.1)),
    "SkyCoord": (
        {"coordinates": SkyCoord(*NGC_3132, unit="deg"), "radius": 1 * u.arcsec},
        (*NGC_3132, 1 / 3600),
    ),
    "SkyCoord of another frame": (
        {"coordinates": SkyCoord(*NGC_3132, unit="deg").galactic, "radius": 1 * u.arcmin},
        (*NGC_3132, 1 / 60),
    ),
    "pair of degrees": ({"coordinates": (339.0148, 33.9758)}, (339.0148, 33.9758, 0.1)),
    "text in degrees": ({"coordinates": "339.0148 33.9758"}, (339.0148, 33.9758, 0.1)),
    "text in degrees with a comma": ({"coordinates": "339.0148, +33.9758"},
                                     (339.0148, 33.9758, 0.1)),
    "sexagesimal": (
        {"coordinates": "10h07m01.74s -40d26m11.06s", "radius": "2 arcsec"},
        (*NGC_3132, 2 / 3600),
    ),
    "sexagesimal with colons": (
        {"coordinates": "10:07:01.74 -40:26:11.06", "radius": "2 arcsec"},
        (*NGC_3132, 2 / 3600),
    ),
    "near the pole": ({"coordinates": (84.29, -80.469), "radius": 1 * u.deg}, (84.29, -80.469, 1)),
}  # fmt: skip


@pytest.mark.parametrize("all_levels", [False, True], ids=["level 3", "all levels"])
@pytest.mark.parametrize("name", CONES)
def test_search_by_position_finds_exactly_what_lies_in_the_cone(mast, held, name, all_levels):
    arguments, cone = CONES[name]
    mission = arguments.get("mission")
    expected = held(
        lambda row: mission in (None, row["obs_collection"]),
        near=cone,
        levels=ALL_LEVELS if all_levels else (3,),
    )
    assert expected

    found = mast.search(**arguments, all_levels=all_levels)

    assert ids(found) == expected


@pytest.mark.parametrize(
    ("radius", "degrees"),
    [
        (0.02, 0.02),
        ("0.02", 0.02),
        (0.02 * u.deg, 0.02),
        ("0.02 deg", 0.02),
        (1.2 * u.arcmin, 0.02),
        ("1.2 arcmin", 0.02),
        ("1.2'", 0.02),
        (72 * u.arcsec, 0.02),
        ("72 arcsec", 0.02),
        ('72"', 0.02),
        (72000 * u.mas, 0.02),
        (np.radians(0.02) * u.rad, 0.02),
        (30 * u.deg, 30),
        (1800 * u.arcmin, 30),
    ],
    ids=str,
)
def test_the_radius_that_is_asked_for_is_the_one_that_was_given(mast, asked, radius, degrees):
    mast.search(coordinates=NGC_3132, radius=radius)

    *_, request = asked("invoke", "Filtered.Position")  # a wide one is counted first
    ra, dec, sent = request.body.split("%22position%22%3A%20%22")[1].split("%22")[0].split("%2C%20")
    assert float(sent) == pytest.approx(degrees, rel=1e-9)
    assert (float(ra), float(dec)) == pytest.approx(NGC_3132, rel=1e-9)


def test_a_wider_cone_finds_more(mast):
    counts = [
        len(mast.search(coordinates=(151.70, -40.40), radius=r * u.arcmin, all_levels=True))
        for r in (2.2, 2.6, 3, 6)
    ]
    assert counts == sorted(set(counts))


@pytest.mark.parametrize("ra", [0, 360])
def test_both_ends_of_right_ascension_are_the_same_place(mast, archive, ra):
    archive.observations[0] |= {
        "s_ra": 0.0, "s_dec": 0.0, "s_region": "CIRCLE ICRS 0.0 0.0 0.001"
    }  # fmt: skip
    found = mast.search(coordinates=(ra, 0), radius=1 * u.arcsec)
    assert ids(found) == [archive.observations[0]["obs_id"]]


# -- what the table is like ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "first"),
    [({"program_id": 2733}, []), ({"target": "NGC 3132"}, [])],
    ids=["by column", "by position"],
)
def test_the_columns_are_those_of_mast_in_its_order(mast, arguments, first):
    columns = mast.search(**arguments).colnames
    assert columns[: len(OBSERVATION_FIELDS)] == list(OBSERVATION_FIELDS)
    assert set(columns[len(OBSERVATION_FIELDS) :]) <= {"objID1", "distance"}


def test_the_values_are_those_of_the_archive(mast, archive):
    rows = {row["obs_id"]: row for row in archive.observations}
    for found in mast.search(program_id=2733, all_levels=True):
        row = rows[found["obs_id"]]
        for name, value in row.items():
            if value is None:
                missing = found[name]
                assert np.ma.is_masked(missing) or np.isnan(missing), name
            else:
                assert str(found[name]) == str(value), name


def test_each_column_has_its_type(mast):
    found = mast.search(program_id=2733)
    kinds = {"string": "U", "float": "f", "int": "i", "boolean": "b"}
    for name, kind in OBSERVATION_FIELDS.items():
        assert found[name].dtype.kind == kinds[kind], name


@pytest.mark.parametrize(
    "column",
    ["instrument_name", "filters", "t_min", "t_max", "t_obs_release", "target_name", "s_region"],
)
def test_a_missing_value_is_missing_in_that_row_alone(mast, archive, column):
    archive.observations[3][column] = None

    found = mast.search(program_id=2733)

    missing = found[column].mask | (
        np.isnan(found[column].filled(np.nan)) if found[column].dtype.kind == "f" else False
    )
    rows = [row for row in archive.observations
            if row["proposal_id"] == "2733" and row["calib_level"] == 3]  # fmt: skip
    assert ids(found) == [row["obs_id"] for row in rows]
    assert list(missing) == [row[column] is None for row in rows]
    assert missing.any()


def test_an_observation_without_a_position_does_not_break_a_cone(mast, archive, held):
    archive.observations[3] |= {"s_ra": None, "s_dec": None, "s_region": None}
    assert ids(mast.search("NGC 3132")) == held(near=(*NGC_3132, 0.1))


def test_planned_observations_are_not_offered_at_any_level(mast, archive):
    planned = [row["obs_id"] for row in archive.observations if row["calib_level"] == -1]
    assert planned
    assert not set(planned) & set(ids(mast.search("NGC 3132", all_levels=True)))


def test_a_long_answer_is_read_page_by_page(mast, held, asked):
    with conf.set_temp("page_size", 3):
        found = mast.search(program_id=2733)
    assert ids(found) == held(lambda row: row["proposal_id"] == "2733")
    assert len(asked("invoke")) == 4


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"target": "M101"}, "“M101” within 0.1 deg"),
        ({"coordinates": (10, 20), "radius": 3 * u.arcmin}, "10.00000 +20.00000 within 3 arcmin"),
        ({"observation_id": "jw99999-o001_t001_nircam_f090w"}, "jw99999-o001_t001_nircam_f090w"),
        ({"program_id": 9999}, "program 9999"),
        ({"filters": "F999Z"}, "F999Z"),
        ({"observation_id": EXPOSURE}, f"at calibration level 3 for observation {EXPOSURE}"),
    ],
    ids=["target", "coordinates", "observation", "program", "filter", "level"],
)
def test_no_rows_are_an_empty_table_with_the_columns_and_a_warning(mast, arguments, named):
    with pytest.warns(NoResultsWarning) as warned:
        found = mast.search(**arguments)
    assert isinstance(found, Table)
    assert len(found) == 0
    assert found.colnames[: len(OBSERVATION_FIELDS)] == list(OBSERVATION_FIELDS)
    (warning,) = warned
    assert named in str(warning.message)
    assert warning.filename == __file__, "the warning points to the user's own line"
