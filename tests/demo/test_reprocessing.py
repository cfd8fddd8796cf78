"""The embedded archive calibrates a product anew, and opens what was exclusive."""

import pytest
import requests
from astropy.io import fits

from jdaviz_mast.demo import DemoArchive

F187N = "jw02733-o001_t001_nircam_clear-f187n"
URI = f"mast:JWST/product/{F187N}_i2d.fits"
EXCLUSIVE = "jw07777-o001_t001_nircam_clear-f200w"


@pytest.fixture
def own_archive():
    with DemoArchive() as archive:
        yield archive


def test_a_reprocessed_file_is_another_one_of_the_same_name(own_archive, tmp_path):
    address = f"{own_archive.url}/api/v0.1/Download/file?uri={URI}"
    before, old = requests.head(address).headers, dict(own_archive.product(URI))
    with fits.open(own_archive.make(URI)) as hdus:
        value = hdus["SCI"].data[300, 300]
    own_archive.reprocess(URI)
    answer = requests.get(address)
    after, new = answer.headers, own_archive.product(URI)
    for name in ("ETag", "Last-Modified", "Content-Length"):
        assert before[name] != after[name]
    assert len(answer.content) == int(after["Content-Length"]) == new["size"]
    assert {name for name in new if new[name] != old[name]} == {"size", "prvversion"}
    path = tmp_path / "new.fits"
    path.write_bytes(answer.content)
    with fits.open(path) as hdus:
        hdus.verify("exception")
        assert hdus[0].header["CAL_VER"] == new["prvversion"] == "1.19.0"
        assert hdus["SCI"].data[300, 300] == pytest.approx(1.02 * value)
    assert b"calibration_software_version: 1.19.0" in answer.content
    (data_set,) = [r for r in own_archive.mission_rows("jwst") if r["fileSetName"] == F187N]
    assert data_set["cal_ver"] == "1.19.0"
    # Those who hold the beginning of the old file do not get the end of the new one.
    headers = {"Range": "bytes=100-", "If-Range": before["ETag"]}
    assert requests.get(address, headers=headers).status_code == 200


def test_a_second_time_is_later_still(own_archive):
    own_archive.reprocess(URI)
    first = own_archive.product(URI)["size"]
    own_archive.reprocess(URI, "1.20.0")
    assert own_archive.product(URI)["size"] > first
    assert fits.getheader(own_archive.make(URI))["CAL_VER"] == "1.20.0"


def test_what_is_not_there_is_not_reprocessed(own_archive):
    with pytest.raises(KeyError):
        own_archive.reprocess("mast:JWST/product/none.fits")


def test_released_data_can_be_fetched_by_everybody(own_archive):
    uri = next(p["dataURI"] for p in own_archive.products if p["obs_id"] == EXCLUSIVE)
    address = f"{own_archive.url}/api/v0.1/Download/file?uri={uri}"
    assert requests.head(address).status_code == 401
    own_archive.release(EXCLUSIVE)
    assert requests.head(address).status_code == 200
