"""Whom to thank and what to cite: the words of the missions, and BibTeX that parses."""

import random

import bibtexparser
import pytest

from jdaviz_mast.archive import as_dict
from jdaviz_mast.errors import InvalidInput, ObservationNotFound
from jdaviz_mast.library.citations import citations_of

F187N = "jw02733-o001_t001_nircam_clear-f187n"
TESS = "tess2018206045859-s0001-0000000261136679-0120-s"
HST = "ib5741010"


def entries(citations):
    """The BibTeX as a parser reads it: key to its fields."""
    library = bibtexparser.parse_string(citations.bibtex)
    assert not library.failed_blocks
    keys = [entry.key for entry in library.entries]
    assert len(set(keys)) == len(keys) == citations.bibtex.count("\n@") + 1
    return {e.key: {f.key: f.value for f in e.fields} for e in library.entries}


def test_each_mission_has_its_own_words(mast):
    text = mast.citations([F187N, HST, TESS]).text
    assert "NASA/ESA/CSA James Webb Space Telescope" in text
    assert "NASA contract NAS 5-03127 for JWST. These observations are associated with " \
           "program 2733." in text  # fmt: skip
    assert "NASA/ESA Hubble Space Telescope obtained from" in text
    assert "associated with program 11599." in text
    assert "Funding for US Institutions for the TESS mission" in text
    assert "https://doi.org/10.17909/t9-nmc8-f686" in text
    assert "Facilities: HST (WFC3), JWST (NIRCAM), TESS, MAST." in text
    assert "Lightkurve" in text
    assert "{" not in text


def test_programs_are_listed_by_number_and_once(mast):
    rows = [as_dict(row) for row in mast.search(program_id="2733,2736,1366", all_levels=True)]
    random.Random(5).shuffle(rows)
    assert "associated with programs 1366, 2733, 2736." in citations_of(rows).text


def test_the_entries_parse_and_name_programs_and_software(mast):
    found = entries(mast.citations([F187N, HST, TESS]))
    assert found["jwst.prop.2733"]["title"] == '"{JWST Early Release Observation 7}"' or (
        found["jwst.prop.2733"]["title"].strip('"{}') == "JWST Early Release Observation 7"
    )
    assert {"hst.prop.11599", "Gardner2023", "Ricker2015", "jdaviz", "astropy:2022"} <= set(found)
    assert found["mast:t9-nmc8-f686"]["doi"].strip("{}") == "10.17909/t9-nmc8-f686"


def test_texts_of_the_archive_do_not_break_the_entries(mast):
    nasty = [
        'a "quoted" {title', "}} @misc{evil, title={x}}", "50% of $5 & #3_x ~ ^ \\input{/etc/x}",
        "two\nlines\r\n\n@article{b,", "", "ünïcode – “quotes”", "\x00\x1b[31m",
    ]  # fmt: skip
    row = as_dict(mast.search(observation_id=F187N)[0])
    for title in nasty:
        for column in ("obs_title", "proposal_pi", "proposal_id"):
            found = entries(citations_of([row | {column: title or "x"}]))
            assert "evil" not in found
            assert len(found) == 7


def test_a_team_is_named_with_its_mission_and_doi(mast):
    row = as_dict(mast.search(observation_id=TESS)[0])
    hlsp = row | {"obs_collection": "HLSP", "provenance_name": "QLP", "project": "TESS"}
    found = citations_of([hlsp])
    assert "High Level Science Products QLP" in found.text
    assert "TESS mission" in found.text
    assert found.dois == ["10.17909/t9-r086-e880"]
    assert "Huang2020" in entries(found)
    own = citations_of([hlsp | {"provenance_name": "OTHER", "doi": "10.17909/t9-xxxx"}])
    assert own.dois == ["10.17909/t9-xxxx"]


@pytest.mark.parametrize(
    ("mission", "words"),
    [
        ("Kepler", "Kepler mission"),
        ("K2", "Kepler mission"),
        ("GALEX", "made with the Galaxy Evolution Explorer"),
        ("PS1", "Pan-STARRS1 Surveys"),
        ("HLA", "Hubble Legacy Archive"),
        ("SOMETHING", "Mikulski Archive for Space Telescopes"),
    ],
)
def test_every_collection_is_thanked(mission, words):
    found = citations_of([{"obs_collection": mission, "obs_id": "x", "obsid": "1"}])
    assert words in found.text
    assert found.advice[0].endswith("x")


def test_without_subjects_the_library_is_cited_offline(mast, archive, asked):
    with pytest.raises(InvalidInput, match="library is empty"):
        mast.citations()
    mast.fetch(F187N)
    before = len(asked("invoke"))
    assert mast.citations().text == mast.citations(F187N).text
    assert len(asked("invoke")) == before


def test_what_cannot_be_cited_is_said(mast):
    with pytest.raises(ObservationNotFound):
        mast.citations("no-such-observation")
    for wrong in (7, [], [{}], object()):
        with pytest.raises(InvalidInput):
            mast.citations(wrong)
