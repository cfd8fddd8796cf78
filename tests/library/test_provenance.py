"""From a file, product or observation back to its raw exposures, and as the W3C's PROV."""

import json

import prov
import pytest
from prov.model import ProvActivity, ProvAgent, ProvEntity

from jdaviz_mast.demo import Fault
from jdaviz_mast.errors import FileProblem, InvalidInput, ObservationNotFound

F187N = "jw02733-o001_t001_nircam_clear-f187n"
HST = "ib5741010"
TESS = "tess2018206045859-s0001-0000000261136679-0120-s"
URI = f"mast:JWST/product/{F187N}_i2d.fits"


def kinds(found):
    return [origin.kind for origin in found.root.walk()]


def of_kind(found, kind):
    return [origin for origin in found.root.walk() if origin.kind == kind]


@pytest.fixture
def fetched(mast):
    mast.fetch(F187N)
    return mast


def test_a_file_leads_to_its_raw_exposures(fetched):
    found = fetched.provenance(URI)
    assert kinds(found)[:5] == ["file", "product", "observation", "program", "exposures"]
    (file,), (program,) = of_kind(found, "file"), of_kind(found, "program")
    kept = fetched.library.file(URI)
    assert file.name == str(kept.path)
    assert file.facts["sha256"] == kept.sha256
    assert program.name == "JWST 2733"
    assert program.facts["principal investigator"] == "Pontoppidan, Klaus M."
    own, *exposures = of_kind(found, "product")
    assert own.name == URI
    calibrated = [e.name for e in exposures if e.name.endswith("_cal.fits")]
    raw = [e.name for e in exposures if e.name.endswith("_uncal.fits")]
    assert len(calibrated) == len(raw) == 32
    assert [name.replace("_cal", "") for name in calibrated] == [
        name.replace("_uncal", "") for name in raw
    ]
    assert found.notes == []


def test_a_file_that_was_changed_on_disk_is_not_passed_off_as_fetched(fetched):
    path = fetched.library.file(URI).path
    path.write_bytes(path.read_bytes()[:-2] + b"??")
    (file,) = of_kind(fetched.provenance(URI), "file")
    assert file.facts["changed on disk since it was fetched"] == "yes"


def test_all_names_of_one_thing_lead_the_same_way(fetched):
    by_uri = fetched.provenance(URI)
    path = fetched.library.file(URI).path
    for same in (path, str(path)):
        assert str(fetched.provenance(same)) == str(by_uri)
    products = fetched.products(F187N)
    row = products[products["dataURI"] == URI]
    assert str(fetched.provenance(row)) == str(fetched.provenance(row[0])) == str(by_uri)


def test_an_observation_that_is_not_held(mast):
    found = mast.provenance(HST)
    assert kinds(found)[:2] == ["observation", "program"]
    names = {product.name for product in of_kind(found, "product")}
    assert sum(name.endswith("_raw.fits") for name in names) == 2
    assert mast.provenance(mast.search(observation_id=HST)).as_dict() == found.as_dict()


def test_an_exposure_leads_to_its_raw_data(mast):
    exposures = mast.ladder(F187N)
    found = mast.provenance(exposures[0])
    names = [p.name.rsplit("_")[-1] for p in of_kind(found, "product")]
    assert names == ["cal.fits", "uncal.fits"]
    raw = exposures[-1]
    assert kinds(mast.provenance(raw)) == ["product", "observation", "program"]


def test_a_light_curve_has_a_doi(mast):
    found = mast.provenance(TESS)
    (doi,) = of_kind(found, "data")
    assert doi.name == "10.17909/t9-nmc8-f686"


def test_without_the_archive_what_is_known_is_told(fetched, archive):
    archive.fail(Fault("error", match="Mast.Caom.Products", message="out of order"))
    found = fetched.provenance(URI)
    assert kinds(found) == ["file", "product", "observation", "program"]
    (note,) = found.notes
    assert note.startswith("What it was made of is not known: ")
    assert fetched.provenance(URI, exposures=False).notes == []


def test_the_text_is_a_tree(fetched):
    lines = str(fetched.provenance(URI, exposures=False)).splitlines()
    assert lines[0].startswith("File: ")
    assert lines[1].startswith("└─ Product: mast:JWST/product/")
    assert lines[2].startswith("   └─ Observation: ")
    assert lines[3].startswith("      └─ Program: JWST 2733 (principal investigator ")


@pytest.mark.parametrize("what", [URI, HST, TESS])
def test_prov_reads_what_is_written(fetched, tmp_path, what):
    found = fetched.provenance(what)
    path = found.write(tmp_path / "origin.json")
    assert json.loads(path.read_text())["prefix"]["jdm"] == "urn:jdaviz-mast:"
    document = prov.read(str(path), format="json")
    assert document == found.to_prov()
    entities = {str(e.label) for e in document.get_records(ProvEntity)}
    things = {o.name for o in found.root.walk() if o.name != "raw data"}
    assert things <= entities
    agents = {str(a.label) for a in document.get_records(ProvAgent)}
    assert {"Mikulski Archive for Space Telescopes"} <= agents or what != URI
    assert list(document.get_records(ProvActivity))


def test_a_product_is_derived_from_each_of_its_exposures(fetched):
    document = fetched.provenance(URI).to_prov()
    lines = document.get_provn().splitlines()
    # A file name in PROV is an address that leads to it.
    (own,) = [e for e in document.get_records(ProvEntity) if str(e.label) == URI]
    assert own.identifier.uri.endswith(f"/Download/file?uri={URI}")
    derived = [line for line in lines if line.strip().startswith("wasDerivedFrom")]
    assert sum("_i2d.fits" in line and "_cal.fits" in line for line in derived) == 32
    assert sum("_cal.fits," in line and "_uncal.fits" in line for line in derived) == 32
    assert sum("specializationOf" in line for line in lines) == 1


def test_texts_of_the_archive_survive_in_prov(fetched, archive, tmp_path):
    for row in archive.observations:
        if row["obs_id"] == F187N:
            row["obs_title"] = 'a "title" <b>&amp; \\ } %% ü\n:x'
            row["proposal_pi"] = 'O\'Neil: "X" / ?#'
    fetched.refresh_metadata()
    found = fetched.provenance(URI, exposures=False)
    path = found.write(tmp_path / "odd.json")
    assert prov.read(str(path), format="json") == found.to_prov()


def test_what_leads_nowhere_is_said(fetched, tmp_path):
    for wrong in (7, None, "", {}, [], tmp_path / "no.fits", "mast:JWST/product/none.fits",
                  {"a": 1}, fetched.search(program_id="2733")):  # fmt: skip
        with pytest.raises(InvalidInput):
            fetched.provenance(wrong)
    with pytest.raises(ObservationNotFound):
        fetched.provenance("no-such-observation")
    with pytest.raises(FileProblem):
        fetched.provenance(URI, exposures=False).write(tmp_path)
