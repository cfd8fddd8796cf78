"""JWST's instrument keywords: data sets found by mission search become MAST's observations."""

import astropy.units as u
import pytest
from astroquery.exceptions import NoResultsWarning

from jdaviz_mast.archive import client, missions, search
from jdaviz_mast.demo.faults import Fault
from jdaviz_mast.errors import ArchiveError, InvalidInput

ALL = (0, 1, 2, 3, 4)
NGC_3132 = (151.75725, -40.436406)


def ids(table):
    return [str(obs_id) for obs_id in table["obs_id"]]


@pytest.fixture
def expected(archive, held):
    """Callable: observations of the data sets whose mission row is as wanted."""

    def find(where, **more):
        names = {row["fileSetName"] for row in archive.mission_rows("jwst") if where(row)}
        return held(
            lambda row: (
                row["obs_collection"] == "JWST"
                and (row["obs_id"] in names or row["obs_id"].rsplit("_", 1)[0] in names)
            ),
            **more,
        )

    return find


KEYWORDS = {
    "an exposure type": ({"exp_type": "NRC_IMAGE"}, lambda row: row["exp_type"] == "NRC_IMAGE"),
    "either of two": (
        {"exp_type": ["MIR_IMAGE", "NRS_IFU"]},
        lambda row: row["exp_type"] in ("MIR_IMAGE", "NRS_IFU"),
    ),
    "either in one text": (
        {"exp_type": "MIR_IMAGE, NRS_IFU"},
        lambda row: row["exp_type"] in ("MIR_IMAGE", "NRS_IFU"),
    ),
    "with a wildcard": ({"exp_type": "NRS*"}, lambda row: row["exp_type"].startswith("NRS")),
    "spelled otherwise": ({"EXP_TYPE": "NRS_IFU"}, lambda row: row["exp_type"] == "NRS_IFU"),
    "not": ({"exp_type": "!NRC_IMAGE"}, lambda row: row["exp_type"] != "NRC_IMAGE"),
    "a time series or none": ({"tsovisit": "F"}, lambda row: row["tsovisit"] == "F"),
    "an observation's number": ({"observtn": 2}, lambda row: row["observtn"] == 2),
    "a category": ({"category": "COM"}, lambda row: row["category"] == "COM"),
    "at least": ({"duration": ">=5000"}, lambda row: row["duration"] >= 5000),
    "between": ({"duration": "200..1000"}, lambda row: 200 <= row["duration"] <= 1000),
    "several": (
        {"category": "COM", "instrume": "MIRI", "observtn": "2"},
        lambda row: row["category"] == "COM" and row["instrume"] == "MIRI"
        and row["observtn"] == 2,
    ),
}  # fmt: skip


@pytest.mark.parametrize("all_levels", [False, True], ids=["level 3", "all levels"])
@pytest.mark.parametrize("name", KEYWORDS)
def test_keywords_find_what_brute_force_finds(mast, expected, name, all_levels):
    keywords, where = KEYWORDS[name]
    observations = expected(where, levels=ALL if all_levels else (3,))
    assert observations

    found = mast.search(keywords=keywords, all_levels=all_levels)

    assert sorted(ids(found)) == sorted(observations)
    assert len(set(found["obsid"])) == len(found)


def test_keywords_go_with_a_target_and_with_filters(mast, expected):
    found = mast.search(
        "NGC 3132", radius=0.05 * u.deg, keywords={"exp_type": "NRC_IMAGE"}, filters="F356W"
    )
    assert ids(found) == [
        name
        for name in expected(lambda row: row["exp_type"] == "NRC_IMAGE", near=(*NGC_3132, 0.05))
        if "f356w" in name
    ]
    assert len(found) == 1


def test_keywords_go_with_a_program(mast, expected, asked):
    found = mast.search(program_id="2736, 2732", keywords={"category": "COM"})
    assert sorted(ids(found)) == sorted(expected(lambda row: row["program"] in (2736, 2732)))
    (request,) = asked("/search/jwst/api/v0.1/search")
    assert '{"program": "2736,2732"}' in request.body


def test_keywords_go_with_an_observation(mast):
    name = "jw02736-o002_t001_miri_f770w"
    assert ids(mast.search(observation_id=name, keywords={"exp_type": "MIR_IMAGE"})) == [name]
    with pytest.warns(NoResultsWarning):
        mast.search(observation_id=name, keywords={"exp_type": "NRC_IMAGE"})


def test_exposures_in_segments_are_found_though_their_data_set_does_not_name_them(mast, archive):
    template = next(row for row in archive.observations if row["calib_level"] == 2)
    for segment in (1, 2):
        archive.observations.append(template | {
            "obs_id": f"jw09999001001_04101_00001-seg00{segment}_nrs1", "proposal_id": "9999",
            "obsid": str(79_000_000 + segment), "instrument_name": "NIRSPEC/BOTS",
            "dataproduct_type": "timeseries",
        })  # fmt: skip
    rows = archive.mission_rows
    archive.mission_rows = lambda mission: [
        row | {"fileSetName": row["fileSetName"].split("-seg")[0]} for row in rows(mission)
    ]
    try:
        found = mast.search(keywords={"tsovisit": "T"}, all_levels=True)
    finally:
        del archive.mission_rows
    ours = [name for name in ids(found) if name.startswith("jw09999")]
    assert ours == [f"jw09999001001_04101_00001-seg00{segment}_nrs1" for segment in (1, 2)]


def test_many_data_sets_are_asked_for_in_portions(mast, expected, asked, monkeypatch):
    monkeypatch.setattr(search, "_BATCH", 7)
    found = mast.search(keywords={"exp_type": "NRC_IMAGE"})
    assert sorted(ids(found)) == sorted(expected(lambda row: row["exp_type"] == "NRC_IMAGE"))
    assert len(asked("Mast.Caom.Filtered")) == 2 + (len(found) > 14)


def test_too_many_data_sets_are_refused_with_their_number(mast, archive, monkeypatch):
    monkeypatch.setattr(missions, "DATASETS_AT_MOST", 20)
    there = sum(row["exp_type"] == "NRC_IMAGE" for row in archive.mission_rows("jwst"))
    with pytest.raises(InvalidInput, match=f"{there} data sets have them, and 20 is the most"):
        mast.search(keywords={"exp_type": "NRC_IMAGE"})


def test_no_data_set_is_an_empty_table_with_the_columns(mast):
    with pytest.warns(NoResultsWarning, match="exp_type NRC_CORON"):
        found = mast.search(keywords={"exp_type": "NRC_CORON"})
    assert len(found) == 0
    assert "obs_id" in found.colnames


def test_an_unknown_keyword_is_refused_with_the_one_most_alike(mast):
    with pytest.raises(InvalidInput, match="did you mean 'exp_type'"):
        mast.search(keywords={"exptype": "NRC_IMAGE"})


def test_a_value_of_the_wrong_type_is_refused(mast):
    with pytest.raises(InvalidInput, match="observtn=two"):
        mast.search(keywords={"observtn": "two"})


def test_the_list_of_keywords_tells_what_they_mean(mast, asked):
    keywords = mast.keywords("jwst")
    assert keywords.colnames == ["name", "type", "description"]
    described = {row["name"]: row["description"] for row in keywords}
    assert {"exp_type", "tsovisit", "observtn", "category", "program"} <= set(described)
    assert "time-series" in described["tsovisit"]
    assert "ang_sep" not in described
    mast.keywords()
    assert len(asked("column_list")) <= 1, "it does not change within a session"
    assert "sci_instrume" in list(mast.keywords("HST")["name"])
    with pytest.raises(InvalidInput, match="mission"):
        mast.keywords("GALEX")


@pytest.mark.parametrize("kind", ["html", "status"])
def test_a_mission_search_that_fails_is_an_error_of_the_archive(mast, archive, kind):
    client._keywords.clear()
    archive.fail(Fault(kind, route="missions", status=503))
    with pytest.raises(ArchiveError):
        mast.search(keywords={"exp_type": "NRC_IMAGE"})


# -- data sets -------------------------------------------------------------------------------


def test_a_data_set_is_all_detectors_of_an_exposure(mast, held):
    name = "jw02733001001_02101_00001"
    found = mast.search(dataset_id=name)
    assert ids(found) == held(lambda row: row["obs_id"].startswith(name), levels=ALL)
    assert len(found) == 5


def test_data_sets_of_several_missions(mast):
    found = mast.search(dataset_id="IB5741010; jw02736-o002_t001_miri_f770w, ib5741a1q")
    assert sorted(ids(found)) == ["ib5741010", "ib5741a1q", "jw02736-o002_t001_miri_f770w"]
