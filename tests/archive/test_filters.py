"""Every filter of a search finds what a brute-force look at the archive's rows finds."""

import random

import astropy.units as u
import numpy as np
import pytest
from astropy.time import Time
from astroquery.exceptions import MaxResultsWarning, NoResultsWarning

from jdaviz_mast import conf
from jdaviz_mast import mast as mast_module
from jdaviz_mast.archive import Query
from jdaviz_mast.archive import client as client_module
from jdaviz_mast.archive import search as search_module
from jdaviz_mast.demo.faults import Fault
from jdaviz_mast.errors import InvalidInput

ALL = (0, 1, 2, 3, 4)
NGC_3132 = (151.75725, -40.436406)


def ids(table):
    return [str(obs_id) for obs_id in table["obs_id"]]


@pytest.fixture
def crowd(archive):
    """Put a crowd of random rows of many missions into the archive, some with empty columns."""
    draw = random.Random(4)
    template = archive.observations[0]
    kinds = [
        ("JWST", "CALJWST", "image", (0.0, 3000.0)),
        ("HST", "CALWF3", "image", (0.0, 3000.0)),
        ("TESS", "SPOC", "timeseries", (20.0, 120.0)),
        ("HLSP", "QLP", "timeseries", (200.0, 600.0, 1800.0)),
        ("HLSP", "TESS-SPOC", "timeseries", (200.0, 600.0, 1800.0)),
        ("K2", "K2", "timeseries", (60.0, 1800.0)),
        ("Kepler", "Kepler", "timeseries", (60.0, 1800.0)),
    ]
    for number in range(400):
        mission, author, data_type, exposures = draw.choice(kinds)
        start = draw.choice((draw.uniform(50000, 61000), draw.uniform(58250, 58500)))
        length = draw.choice((0.01, 1, 27, 90))
        shortest = draw.uniform(100, 25000)
        row = template | {
            "obs_id": f"crowd-{number:04}",
            "obsid": str(70_000_000 + number),
            "obs_collection": mission,
            "provenance_name": author,
            "dataproduct_type": data_type,
            "calib_level": 4 if mission == "HLSP" else draw.choice((1, 2, 3, 3)),
            "t_exptime": draw.choice(exposures) if mission != "JWST" else draw.uniform(0, 3000),
            "t_min": start,
            "t_max": start + length,
            "em_min": shortest,
            "em_max": shortest * draw.uniform(1.01, 2),
            "dataRights": draw.choice(("PUBLIC", "PUBLIC", "EXCLUSIVE_ACCESS")),
        }
        for column in ("t_min", "t_max", "em_min", "em_max", "t_exptime", "dataRights"):
            if draw.random() < 0.04:
                row[column] = None
        archive.observations.append(row)
    return archive


def overlaps(row, low_column, high_column, low, high):
    begin, end = row[low_column], row[high_column]
    return begin is not None and end is not None and begin <= high and end >= low


def day(text):
    return Time(text).mjd


FILTERS = {
    "wavelength in µm": (
        {"wavelength": (1 * u.um, 2 * u.um)},
        lambda row: overlaps(row, "em_min", "em_max", 1000, 2000),
    ),
    "wavelength as text": (
        {"wavelength": ("5000 AA", "0.7 um")},
        lambda row: overlaps(row, "em_min", "em_max", 500, 700),
    ),
    "one wavelength": (
        {"wavelength": 3.3 * u.um},
        lambda row: overlaps(row, "em_min", "em_max", 3300, 3300),
    ),
    "wavelength from": (
        {"wavelength": (10 * u.um, None)},
        lambda row: overlaps(row, "em_min", "em_max", 10000, np.inf),
    ),
    "wavelength to": (
        {"wavelength": [None, "400 nm"]},
        lambda row: overlaps(row, "em_min", "em_max", 0, 400),
    ),
    "wavelengths as one quantity": (
        {"wavelength": [1, 2] * u.um},
        lambda row: overlaps(row, "em_min", "em_max", 1000, 2000),
    ),
    "frequency": (
        {"wavelength": (149896.229 * u.GHz, 299792.458 * u.GHz)},
        lambda row: overlaps(row, "em_min", "em_max", 1000, 2000),
    ),
    "date range": (
        {"date": ("2010-03-01", "2012-09-30")},
        lambda row: overlaps(row, "t_min", "t_max", day("2010-03-01"), day("2012-10-01")),
    ),
    "a month": (
        {"date": "2018-08"},
        lambda row: overlaps(row, "t_min", "t_max", day("2018-08-01"), day("2018-09-01")),
    ),
    "December": (
        {"date": "2018-12"},
        lambda row: overlaps(row, "t_min", "t_max", day("2018-12-01"), day("2019-01-01")),
    ),
    "a year": (
        {"date": "2022"},
        lambda row: overlaps(row, "t_min", "t_max", day("2022-01-01"), day("2023-01-01")),
    ),
    "times": (
        {"date": (Time(58000.5, format="mjd"), Time(59000.25, format="mjd"))},
        lambda row: overlaps(row, "t_min", "t_max", 58000.5, 59000.25),
    ),
    "a time of another scale": (
        {"date": (Time(58000.5, format="mjd", scale="tdb"), None)},
        lambda row: overlaps(row, "t_min", "t_max", 58000.5 - 69.2 / 86400, np.inf),
    ),
    "until": (
        {"date": (None, "1999")},
        lambda row: overlaps(row, "t_min", "t_max", 0, day("2000-01-01")),
    ),
    "data type": (
        {"data_type": "Timeseries"},
        lambda row: row["dataproduct_type"] == "timeseries",
    ),
    "data types": (
        {"data_type": ["image", "cube"]},
        lambda row: row["dataproduct_type"] in ("image", "cube"),
    ),
    "exclusive": (
        {"rights": "exclusive"},
        lambda row: row["dataRights"] == "EXCLUSIVE_ACCESS",
    ),
    "public": ({"rights": "PUBLIC"}, lambda row: row["dataRights"] == "PUBLIC"),
    "an exposure time": (
        {"exposure_time": 120},
        lambda row: row["t_exptime"] is not None and 119.5 <= row["t_exptime"] <= 120.5,
    ),
    "exposure times": (
        {"exposure_time": (5 * u.min, 1 * u.h)},
        lambda row: row["t_exptime"] is not None and 300 <= row["t_exptime"] <= 3600,
    ),
    "mission and type": (
        {"mission": "kepler,K2", "data_type": "timeseries"},
        lambda row: row["obs_collection"] in ("Kepler", "K2"),
    ),
    "all at once": (
        {
            "mission": "JWST",
            "data_type": "image",
            "rights": "public",
            "wavelength": (0.6 * u.um, 5 * u.um),
            "date": ("2000", None),
            "exposure_time": ("100 s", None),
        },
        lambda row: (
            row["obs_collection"] == "JWST"
            and row["dataproduct_type"] == "image"
            and row["dataRights"] == "PUBLIC"
            and overlaps(row, "em_min", "em_max", 600, 5000)
            and overlaps(row, "t_min", "t_max", day("2000-01-01"), np.inf)
            and (row["t_exptime"] or 0) >= 100
        ),
    ),
}


@pytest.mark.parametrize("all_levels", [False, True], ids=["level 3", "all levels"])
@pytest.mark.parametrize("name", FILTERS)
def test_a_filter_finds_what_brute_force_finds(mast, crowd, held, name, all_levels):
    arguments, where = FILTERS[name]
    expected = held(where, near=(*NGC_3132, 0.1), levels=ALL if all_levels else (3,))
    assert expected, "the table of this test expects something to be found"
    assert len(expected) < len(held(near=(*NGC_3132, 0.1), levels=ALL)), "and something not"

    found = mast.search("NGC 3132", **arguments, all_levels=all_levels)

    assert ids(found) == expected
    assert mast.count("NGC 3132", **arguments, all_levels=all_levels) == len(expected)


def test_random_ranges_find_what_brute_force_finds(mast, crowd, held):
    draw = random.Random(44)
    for _ in range(15):
        low, high = sorted(draw.uniform(90, 30000) for _ in range(2))
        begin, end = sorted(draw.uniform(49900, 61100) for _ in range(2))
        found = mast.search(
            coordinates=NGC_3132,
            wavelength=(low * u.nm, high * u.nm),
            date=(Time(begin, format="mjd"), Time(end, format="mjd")),
            all_levels=True,
        )
        assert ids(found) == held(
            lambda row, r=(low, high), t=(begin, end): (
                overlaps(row, "em_min", "em_max", *r) and overlaps(row, "t_min", "t_max", *t)
            ),
            near=(*NGC_3132, 0.1),
            levels=ALL,
        )


@pytest.mark.parametrize("exposure", [None, 20, 120, 200, 600, 1800])
@pytest.mark.parametrize("author", ["SPOC", "QLP", "TESS-SPOC", "K2", ["SPOC", "QLP"]])
@pytest.mark.filterwarnings("ignore::astroquery.exceptions.NoResultsWarning")
def test_light_curves_by_author_and_exposure_time(mast, crowd, held, author, exposure):
    authors = [author] if isinstance(author, str) else author
    expected = held(
        lambda row: (
            row["provenance_name"] in authors and (exposure is None or row["t_exptime"] == exposure)
        ),
        levels=(3, 4),
    )
    assert ids(mast.search(author=author, exposure_time=exposure)) == expected


COLLECTIONS = {
    "10.17909/t9-nmc8-f686": lambda row: (
        row["obs_collection"] == "TESS"
        and row["provenance_name"] == "SPOC"
        and row["t_exptime"] == 120
    ),
    "https://doi.org/10.17909/T9-R086-E880": lambda row: row["provenance_name"] == "QLP",
    "doi:10.17909/t9-wpz1-8s54": lambda row: row["provenance_name"] == "TESS-SPOC",
    "10.17909/T9WS3R": lambda row: row["obs_collection"] == "K2",
}


@pytest.mark.parametrize("doi", COLLECTIONS)
def test_the_doi_of_a_collection_finds_its_light_curves(mast, crowd, held, doi):
    expected = held(COLLECTIONS[doi], levels=(3, 4))
    assert len(expected) > 5
    assert ids(mast.search(doi=doi)) == expected


def test_a_doi_and_a_target_find_that_targets_part_of_the_collection(mast, crowd, held):
    tess = COLLECTIONS["10.17909/t9-nmc8-f686"]
    found = mast.search("pi Men", doi="10.17909/t9-nmc8-f686")
    assert ids(found) == held(tess, near=(84.291188, -80.46912, 0.1))
    assert len(found) == 1


def test_a_doi_that_no_program_can_look_up_says_where_a_person_can(mast):
    with pytest.raises(InvalidInput, match=r"https://doi\.org/10\.17909/e50n-4y96, choose “Disp"):
        mast.search(doi="10.17909/e50n-4y96")


def test_what_a_doi_and_a_filter_exclude_is_refused(mast):
    with pytest.raises(InvalidInput, match="the collection has the obs_collection TESS"):
        mast.search(doi="10.17909/t9-nmc8-f686", mission="JWST")
    with pytest.raises(InvalidInput, match="another exposure time"):
        mast.search(doi="10.17909/t9-nmc8-f686", exposure_time=20)


@pytest.mark.parametrize(
    ("arguments", "field", "allowed"),
    [
        ({"wavelength": 3}, "wavelength", "with units"),
        ({"wavelength": ("1 um", "2 s")}, "wavelength", "with units"),
        ({"wavelength": ("2 um", "1 um")}, "wavelength", "shorter wavelength first"),
        ({"wavelength": (1 * u.um, 2 * u.um, 3 * u.um)}, "wavelength", "with units"),
        ({"wavelength": (None, None)}, "wavelength", "with units"),
        ({"wavelength": -1 * u.um}, "wavelength", "above 0"),
        ({"wavelength": "wide"}, "wavelength", "with units"),
        ({"wavelength": np.nan * u.um}, "wavelength", "with units"),
        ({"date": "yesterday"}, "date", "2022-06-01"),
        ({"date": ("2022-06-31", None)}, "date", "2022-06-01"),
        ({"date": ("2022", "2021")}, "date", "earlier date first"),
        ({"date": ("", " ")}, "date", "nothing is given; give dates"),
        ({"exposure_time": "long"}, "exposure_time", "seconds"),
        ({"exposure_time": 3 * u.m}, "exposure_time", "seconds"),
        ({"exposure_time": -3}, "exposure_time", "0 or more"),
        ({"exposure_time": (10, 1)}, "exposure_time", "shorter time first"),
        ({"data_type": "picture"}, "data_type", "choose from image, spectrum"),
        ({"rights": "mine"}, "rights", "choose from PUBLIC"),
        ({"author": ["S*", "Q*"]}, "author", "one value with a wildcard"),
        ({"doi": "t9-nmc8"}, "doi", "10.17909"),
        ({"keywords": "exp_type"}, "keywords", "pairs"),
        ({"keywords": {}}, "keywords", "pairs"),
        ({"keywords": {"exp_type": " "}}, "keywords", "pairs"),
        ({"keywords": {"exp_type": "NRC_IMAGE", "Exp_Type": "MIR_IMAGE"}}, "keywords",
         "'exp_type, Exp_Type'.* same keyword twice"),
    ],
    ids=str,
)  # fmt: skip
def test_bad_values_are_refused_by_name_before_anything_is_asked(
    mast, asked, arguments, field, allowed
):
    with pytest.raises(InvalidInput, match=allowed) as caught:
        mast.search("NGC 3132", **arguments)
    assert caught.value.field == field
    assert not asked()
    for python in ("None", "u.um", "('", '("'):  # a form and a terminal say it, too
        assert python not in str(caught.value)


# -- several targets, and who answered -------------------------------------------------------


@pytest.mark.parametrize(
    "targets",
    [
        ["NGC 3132", "NGC 7319"],
        "NGC 3132, NGC 7319",
        "NGC 3132;NGC 7319",
        "NGC 3132\nNGC 7319\n",
        "NGC 3132; 339.0148, +33.9758",
        ["NGC 3132", "339.0148 33.9758", "ngc 3132"],
    ],
    ids=repr,
)
def test_several_targets_find_what_each_finds_once(mast, held, targets):
    found = mast.search(targets)
    expected = held(near=(*NGC_3132, 0.1)) + held(near=(339.0148, 33.9758, 0.1))
    assert ids(found) == expected


def test_a_target_that_fails_is_named_and_does_not_stop_the_others(mast, held):
    found = mast.search("NGC 3132, Nowhere, NGC 7319")
    assert ids(found) == held(near=(*NGC_3132, 0.1)) + held(near=(339.0148, 33.9758, 0.1))
    about = found.meta["mast_search"]
    assert list(about["failed"]) == ["Nowhere"]
    assert any(note.startswith("Nowhere failed: No position") for note in about["notes"])
    assert [place["target"] for place in about["places"]] == ["NGC 3132", "NGC 7319"]


def test_if_all_targets_fail_the_search_does(mast):
    with pytest.raises(LookupError, match="Nowhere"):
        mast.search("Nowhere; Neverland")


def test_overlapping_cones_list_an_observation_once(mast, held):
    found = mast.search(["NGC 3132", "151.76 -40.44"])
    assert sorted(ids(found)) == sorted(
        set(held(near=(*NGC_3132, 0.1))) | set(held(near=(151.76, -40.44, 0.1)))
    )


@pytest.mark.parametrize(
    ("name", "resolver", "known_as"),
    [("ngc 3132", "SIMBAD", "NGC  3132"), ("SMACS 0723", "NED", "SMACS J0723.3-7327"),
     ("TIC 261136679", "TIC", "TIC 261136679")],
)  # fmt: skip
def test_it_is_said_who_resolved_the_target_and_where_it_is(
    mast, archive, name, resolver, known_as
):
    (place,) = mast.search(name, all_levels=True).meta["mast_search"]["places"]
    (target,) = [t for t in archive.targets if resolver in t["canonical"]
                 and t["canonical"][resolver] == known_as]  # fmt: skip
    assert place == {
        "target": name, "resolver": resolver, "known_as": known_as,
        "ra_deg": pytest.approx(target["ra"]), "dec_deg": pytest.approx(target["dec"]),
    }  # fmt: skip


def test_a_searched_position_is_said_too(mast):
    (place,) = mast.search(coordinates=NGC_3132).meta["mast_search"]["places"]
    assert (place["resolver"], place["ra_deg"]) == ("", pytest.approx(NGC_3132[0]))


# -- the TESS Input Catalog ------------------------------------------------------------------


@pytest.mark.parametrize("name", ["TIC 261136679", "tic261136679", "pi Men", "HD 39091"])
def test_the_catalog_tells_of_the_star(mast, archive, held, name):
    found = mast.search(name)
    assert ids(found) == held(near=(84.291188, -80.46912, 0.1))
    (row,) = [row for row in archive._tic if row["ID"] == "261136679"]
    assert found.meta["mast_search"]["star"] == {
        "TIC": "261136679", "Tmag_mag": row["Tmag"], "Teff_K": row["Teff"],
        "rad_Rsun": row["rad"], "mass_Msun": row["mass"], "d_pc": row["d"],
    }  # fmt: skip
    assert found.meta["mast_search"]["notes"][1] == (
        "TIC 261136679: Tmag 5.11, Teff 6037 K, radius 1.1 R☉, mass 1.02 M☉, 18.27 pc away."
    )


def test_of_a_nebula_without_light_curves_the_catalog_is_not_asked(mast, asked):
    assert mast.search("NGC 3132").meta["mast_search"]["star"] is None
    assert not asked("Catalogs")


def test_a_catalog_that_does_not_answer_does_not_take_the_observations_away(mast, archive):
    archive.fail(Fault("status", route="invoke", match="Catalogs", status=500))
    found = mast.search("pi Men")
    assert len(found) == 1
    assert "TESS Input Catalog did not answer" in found.meta["mast_search"]["notes"][1]


# -- counts and pages ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "counts"),
    [({"instrument": "NIRCAM"}, 1), ({"coordinates": NGC_3132, "radius": 2 * u.deg}, 1),
     ({"target": "NGC 3132"}, 0), ({"program_id": 2733}, 0)],
    ids=str,
)  # fmt: skip
def test_a_heavy_search_is_counted_first(mast, asked, arguments, counts):
    found = mast.search(**arguments)
    assert len(asked("COUNT_BIG")) == counts
    assert found.meta["mast_search"]["total"] == len(found)


@pytest.mark.filterwarnings("ignore::astroquery.exceptions.NoResultsWarning")
def test_pages_together_are_the_whole(mast, crowd):
    whole = mast.search("NGC 3132", all_levels=True)
    with conf.set_temp("page_size", 150):
        pages = [mast.search("NGC 3132", all_levels=True, page=n) for n in range(1, 6)]
    assert [len(page) for page in pages[:2]] == [150, 150]
    assert [name for page in pages for name in ids(page)] == ids(whole)
    assert {page.meta["mast_search"]["total"] for page in pages if len(page)} == {len(whole)}


def test_a_page_costs_one_question(mast, crowd, asked):
    with conf.set_temp("page_size", 150):
        mast.search(coordinates=NGC_3132, all_levels=True, page=2)
    assert len(asked("invoke")) == 1


def test_beyond_masts_limit_the_user_is_told(mast, crowd, monkeypatch):
    for module in (search_module, client_module, mast_module):
        monkeypatch.setattr(module, "ROWS_AT_MOST", 100)
    with conf.set_temp("page_size", 30), pytest.warns(MaxResultsWarning, match="answers 100 at"):
        found = mast.search("NGC 3132", all_levels=True)
    assert len(found) == 100
    assert found.meta["mast_search"]["total"] == mast.count("NGC 3132", all_levels=True)


def test_nothing_at_all_is_not_searched_for_twice(mast, asked):
    with pytest.warns(NoResultsWarning):
        found = mast.search(instrument="NOCAM")
    assert len(found) == 0
    assert found.meta["mast_search"]["total"] == 0


def test_what_a_team_contributed_has_its_products_without_all_levels(mast, archive):
    row = archive.observations[0] | {
        "obs_id": "hlsp_qlp_1", "obsid": "71000000", "obs_collection": "HLSP", "calib_level": 4,
        "provenance_name": "QLP",
    }  # fmt: skip
    archive.observations.append(row)
    archive.add_bytes(
        "mast:HLSP/qlp/hlsp_qlp_1_llc.fits", b"x", calib_level=4, obsID=row["obsid"],
        parent_obsid=row["obsid"], productFilename="hlsp_qlp_1_llc.fits",
    )  # fmt: skip
    products = mast.products(mast.search(author="QLP"))
    assert list(products["productFilename"]) == ["hlsp_qlp_1_llc.fits"]


def test_who_names_hlsp_wants_what_was_contributed():
    assert Query.create("M 1", mission="HLSP").levels == (3, 4)
    assert Query.create("M 1", mission="JWST,HLSP").levels == (3, 4)
    assert Query.create("M 1", mission="JWST").levels == (3,)
