"""The doors: what a script that was written for the guide sends, and what it gets."""

import re
import time
from pathlib import Path

import pytest

from jdaviz_mast import Mast
from jdaviz_mast.demo.faults import Fault

MOSAIC = "jw02733-o001_t001_nircam_clear-f090w"
HST = "ib5741010"
EXPOSURE = "jw02733001001_02105_00009_nrcb1"
EXCLUSIVE = "jw07777-o001_t001_nircam_clear-f200w"

SEARCHES = {
    "target": {"targetName": "NGC 3132", "radius": 0.1},
    "coordinates": {"ra": 151.755, "dec": -40.437, "radius": 0.1},
    "observation": {"obsId": f"{MOSAIC},{HST}"},
    "program": {"programId": "2733"},
}


@pytest.mark.parametrize("kind", SEARCHES)
def test_a_search_answers_with_the_rows_of_python(door, mast, kind):
    request = SEARCHES[kind]
    answer = door.post(f"search/{kind}", request)
    assert answer.status_code == 200
    found = answer.json()
    arguments = {
        "target": {"target": "NGC 3132"},
        "coordinates": {"coordinates": (151.755, -40.437)},
        "observation": {"observation_id": [MOSAIC, HST]},
        "program": {"program_id": 2733},
    }[kind]
    rows = mast.search(**arguments)
    assert [row["obs_id"] for row in found["results"]] == list(rows["obs_id"])
    assert list(found["results"][0])[: len(rows.colnames)] == rows.colnames
    assert found["search_type"] == kind
    assert found["result_count"] == found["total_count"] == len(rows)
    assert found["query_params"].items() >= request.items()
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT[\d:.]+Z", found["timestamp"])
    assert bool(found["notes"]) == (kind == "target"), "who says where the target is"


def test_a_search_has_the_levels_that_are_asked_for(door):
    for levels, expected in (([3], {3}), ([1, 2, 3], {1, 2, 3}), ([2], {2})):
        request = {"programId": 2733, "calibLevel": levels}
        rows = door.post("search/program", request).json()["results"]
        assert {row["calib_level"] for row in rows} <= expected
        assert 3 in expected or rows
    levels = {row["calib_level"] for row in door.post(
        "search/program", {"programId": "2733"}).json()["results"]}  # fmt: skip
    assert levels == {3}


def test_a_long_answer_comes_in_pages(door, mast, monkeypatch):
    monkeypatch.setattr("jdaviz_mast.conf.page_size", 2)
    pages = [
        door.post("search/program", {"programId": "2733", "page": page}).json()
        for page in (1, 2, 3)
    ]
    all_rows = [row["obs_id"] for page in pages for row in page["results"]]
    assert pages[0]["result_count"] == 2
    assert pages[0]["total_count"] >= len(all_rows) > 2
    assert all_rows == list(mast.search(program_id=2733)["obs_id"])[: len(all_rows)]


def test_what_is_not_there_is_an_empty_answer(door):
    found = door.post("search/observation", {"obsId": "jw09999-o001_t001_miri_f770w"})
    assert (found.status_code, found.json()["results"]) == (200, [])


def test_missing_values_are_null(door, archive):
    archive.observations[0] |= {"filters": None, "t_min": None, "t_exptime": float("nan")}
    obs_id = archive.observations[0]["obs_id"]
    answer = door.post("search/observation", {"obsId": obs_id, "calibLevel": [0, 1, 2, 3, 4]})
    assert "NaN" not in answer.text
    (row,) = answer.json()["results"]
    assert row["filters"] is row["t_min"] is row["t_exptime"] is None


# -- import ----------------------------------------------------------------------------------


def test_an_import_tells_its_progress_until_its_files_are_there(door, archive):
    started = door.post("import", {"obsId": HST, "productType": "SCIENCE"})
    assert started.status_code == 200
    started = started.json()
    assert re.fullmatch("[0-9a-f]{12}", started["jobId"])
    assert (started["obsId"], started["message"]) == (HST, "Import started")
    progress = door.ended(started["jobId"])
    assert (progress["stage"], progress["state"], progress["error"]) == (
        "Complete", "complete", None
    )  # fmt: skip
    assert progress["progress"] == progress["downloadProgressPercent"] == 100
    assert progress["downloadedBytes"] == progress["totalBytes"] > 0
    assert progress["isResumable"] is False
    names = [file["filename"] for file in progress["fileProgress"]]
    assert names == [f"{HST}_drz.fits", f"{HST}_drc.fits"]
    assert {file["status"] for file in progress["fileProgress"]} == {"complete"}
    assert progress["result"]["importedDataIds"] == [f"mast:HST/product/{n}" for n in names]
    for name in names:
        path = Path(door.mast.download_dir) / "HST" / HST / name
        assert path.read_bytes() == Path(archive.make(f"mast:HST/product/{name}")).read_bytes()


def test_the_progress_of_a_running_import(door, archive):
    archive.bandwidth = 200_000
    job_id = door.post("import", {"obsId": MOSAIC}).json()["jobId"]
    seen = []
    for _ in range(400):
        seen.append(door.get(f"import-progress/{job_id}").json())
        if seen[-1]["downloadedBytes"]:
            break
        time.sleep(0.05)
    door.mast.job(job_id).cancel()
    assert {progress["stage"] for progress in seen} <= {"Starting", "Downloading"}
    last = seen[-1]
    assert 0 < last["progress"] < 100
    assert last["isComplete"] is False
    assert last["result"] is None
    ended = door.ended(job_id)
    assert (ended["stage"], ended["result"]["status"]) == ("Cancelled", "cancelled")
    assert ended["isResumable"] is True
    assert ended["obsId"] == MOSAIC


def test_levels_and_types_decide_what_is_imported(door):
    def names(**request):
        started = door.post("import", {"obsId": HST} | request).json()
        assert started["obsId"] == HST
        progress = door.ended(started["jobId"])
        assert progress["obsId"] == HST
        return {file["filename"] for file in progress["fileProgress"]}

    combined = names()
    assert combined == {f"{HST}_drz.fits", f"{HST}_drc.fits"}
    assert names(calibLevel=[3]) == combined
    exposures = names(calibLevel=[2])
    assert {name.rpartition("_")[2] for name in exposures} >= {"flc.fits"}
    assert not exposures & combined
    assert names(calibLevel=[2, 3]) == exposures | combined
    assert names(calibLevel=[2, 3], productType="AUXILIARY") == {f"{HST}_asn.fits"}
    assert names(productType="all", calibLevel=[3]) > combined


def test_an_exposure_is_imported_at_its_own_level(door):
    job_id = door.post("import", {"obsId": EXPOSURE}).json()["jobId"]
    assert door.ended(job_id)["fileProgress"]


def test_an_unknown_type_of_product_is_refused_at_once(door):
    answer = door.post("import", {"obsId": HST, "productType": "banana"})
    assert (answer.status_code, answer.json()["field"]) == (422, "productType")


def test_what_an_observation_does_not_have_is_said_at_once(door):
    answer = door.post("import", {"obsId": HST, "productType": "CATALOG", "calibLevel": [1]})
    assert answer.status_code == 404
    assert answer.json()["error"] == f"{HST} has no products of this type at level 1."


def test_an_unknown_observation_is_said_by_the_progress(door):
    job_id = door.post("import", {"obsId": "jw09999-o001_t001_miri_f770w"}).json()["jobId"]
    progress = door.ended(job_id)
    assert progress["stage"] == "Failed"
    assert "no observation" in progress["error"]


def test_the_source_is_the_one_that_was_asked_for(door, asked):
    answer = door.post("import", {"obsId": HST, "downloadSource": "http"})
    door.ended(answer.json()["jobId"])
    assert asked("Download", f"{HST}_drz.fits")
    answer = door.post("import", {"obsId": HST, "downloadSource": "s3"})
    assert answer.status_code == 422  # this archive has no bucket
    assert answer.json()["field"] == "downloadSource"
    assert "no public bucket" in answer.json()["allowed"]


def test_an_import_that_broke_is_resumed(door, archive, monkeypatch):
    monkeypatch.setattr("jdaviz_mast.conf.retries", 0)
    archive.fail(Fault("truncate", match="drz.fits"))
    job_id = door.post("import", {"obsId": HST}).json()["jobId"]
    broken = door.ended(job_id)
    assert (broken["stage"], broken["state"]) == ("Failed", "partial")
    assert broken["isResumable"] is True
    assert broken["error"].startswith("1 of 2 files failed: The transfer was cut short")
    assert [file["status"] for file in broken["fileProgress"]] == ["failed", "complete"]
    archive.clear_faults()
    answer = door.post(f"import/resume/{job_id}")
    assert answer.status_code == 200
    assert answer.json()["jobId"] == job_id
    assert door.ended(job_id)["state"] == "complete"


def test_an_import_of_an_earlier_session_is_known(serve, mast):
    job = mast.fetch(HST)
    later = serve(Mast(mast.server, mast.download_dir))
    progress = later.get(f"import-progress/{job.id}").json()
    assert (progress["obsId"], progress["state"]) == (HST, "complete")


def test_files_on_disk_are_imported_without_the_network(door, mast, asked):
    mast.fetch(HST)
    before = len(asked())
    started = door.post(f"import/from-existing/{HST}")
    assert started.status_code == 200
    assert started.json()["message"] == "Found 2 files"
    progress = door.ended(started.json()["jobId"])
    assert (progress["state"], progress["obsId"]) == ("complete", HST)
    assert len(asked()) == before


# -- what goes wrong -------------------------------------------------------------------------

BAD = {
    "search/target": [
        ({}, "targetName", "required"),
        ({"targetName": ""}, "targetName", "at least 1"),
        ({"targetName": "a\u0007"}, "targetName", "printable"),
        ({"targetName": "M101", "radius": 0}, "radius", "greater than 0"),
        ({"targetName": "M101", "radius": "0.1"}, "radius", "number"),
        ({"targetName": "M101", "raduis": 1}, "raduis", "no such field"),
        ({"targetName": "M101", "calibLevel": [7]}, "calibLevel.0", "less than or equal to 4"),
        ({"targetName": "M101", "page": 0}, "page", "greater than or equal to 1"),
    ],
    "search/coordinates": [
        ({"ra": 361, "dec": 0}, "ra", "less than or equal to 360"),
        ({"ra": 1}, "dec", "required"),
        ({"ra": "10h", "dec": 0}, "ra", "number"),
    ],
    "search/observation": [({"obsId": "2733"}, "obsId", "search by program")],
    "search/program": [({"programId": "GO"}, "programId", "give a number")],
    "import": [
        ({"obsId": "../../etc/passwd"}, "obsId", "whole ID"),
        ({"obsId": f"{MOSAIC},{HST}"}, "obsId", "give one"),
        ({"obsId": HST, "downloadSource": "ftp"}, "downloadSource", "'auto', 's3' or 'http'"),
    ],
}


@pytest.mark.parametrize(
    ("path", "request_", "field", "words"),
    [(path, *case) for path, cases in BAD.items() for case in cases],
)
def test_a_bad_field_is_named_with_its_value_and_what_is_allowed(
    door, path, request_, field, words
):
    answer = door.post(path, request_)
    assert answer.status_code == 422
    problem = answer.json()
    assert problem["field"] == field
    assert words in problem["allowed"]
    assert problem["error"].startswith(f"{field}: ")
    given = request_.get(field.partition(".")[0])
    assert problem["value"] == (given[0] if isinstance(given, list) else given)


def test_an_unknown_target_is_not_found(door):
    answer = door.post("search/target", {"targetName": "Nowhere 77"})
    assert answer.status_code == 404
    assert "Nowhere 77" in answer.json()["error"]


@pytest.mark.parametrize("job_id", ["000000000000", "nonsense", "%2e%2e", "x" * 90])
def test_an_unknown_job_is_not_found(door, job_id):
    for answer in (door.get(f"import-progress/{job_id}"), door.post(f"import/resume/{job_id}")):
        assert answer.status_code == 404
        assert answer.json()["error"]


def test_no_message_tells_a_path_of_the_machine(serve, tmp_path, archive):
    (tmp_path / "secret").mkdir()
    folder = tmp_path / "secret" / "downloads"
    door = serve(Mast(archive.url, folder))
    answers = [
        door.get("import-progress/000000000000"),
        door.post(f"import/from-existing/{HST}"),
        door.post("import/from-existing/..%2f..%2fetc"),
        door.get("nowhere"),
    ]
    folder.write_text("a file where a folder should be")
    answers.append(door.post("import", {"obsId": HST}))
    assert [answer.status_code for answer in answers[:4]] == [404, 404, 404, 404]
    assert answers[-1].status_code == 500
    assert "The download folder cannot be written to" in answers[-1].json()["error"]
    for answer in answers:
        assert "secret" not in answer.text
        assert str(tmp_path) not in answer.text
        assert "Traceback" not in answer.text


def test_an_archive_that_is_away_is_said(serve, tmp_path):
    door = serve(Mast("http://127.0.0.1:9", tmp_path))
    answer = door.post("search/program", {"programId": "2733"})
    assert answer.status_code == 503
    assert answer.json()["error"]


def test_an_error_of_ours_is_no_traceback(door, monkeypatch):
    monkeypatch.setattr(type(door.mast), "search", lambda *_, **__: 1 / 0)
    answer = door.post("search/program", {"programId": "2733"})
    assert answer.status_code == 500
    assert answer.json()["error"].startswith("This is an error of jdaviz-mast")
    assert "ZeroDivision" not in answer.text


@pytest.mark.parametrize("body", ["", "{", "[]", "null", '"x"', "\ufeff{}", "{" * 9000])
def test_what_is_no_json_object_is_refused(door, body):
    answer = door.post(
        "import", data=body.encode(), headers={"Content-Type": "application/json"}
    )  # fmt: skip
    assert answer.status_code == 422
    assert answer.json()["allowed"]


def test_half_a_letter_is_answered(door):
    answer = door.post(
        "search/target", data=b'{"targetName": "\\ud800"}',
        headers={"Content-Type": "application/json"},
    )  # fmt: skip
    assert answer.status_code in (404, 422)
    assert answer.json()["error"]


def test_a_method_that_is_not_there_names_the_one_that_is(door):
    answer = door.get("import")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert answer.json()["error"] == "GET is not usable here; use POST."


# -- refresh ---------------------------------------------------------------------------------


def test_metadata_are_refreshed(door, mast, archive):
    mast.fetch(HST)
    assert door.post(f"refresh-metadata/{HST}").json()["updatedCount"] == 0
    row = next(row for row in archive.observations if row["obs_id"] == HST)
    row["obs_title"] = "Another title"
    answer = door.post(f"refresh-metadata/{HST}")
    assert answer.status_code == 200
    refreshed = answer.json()
    assert (refreshed["obsId"], refreshed["updatedCount"]) == (HST, 1)
    assert "Another title" in refreshed["message"]
    (observation,) = refreshed["observations"]
    assert observation["changes"]["obs_title"]["new"] == "Another title"
    assert mast.library.files()[0].observation["obs_title"] == "Another title"


def test_all_metadata_are_refreshed(door, mast, archive):
    assert door.post("refresh-metadata-all").json()["updatedCount"] == 0
    mast.fetch(HST)
    row = next(row for row in archive.observations if row["obs_id"] == HST)
    row["obs_title"] = "Another title"
    refreshed = door.post("refresh-metadata-all").json()
    assert (refreshed["obsId"], refreshed["updatedCount"]) == ("all", 1)


def test_what_was_never_imported_is_not_refreshed(door):
    answer = door.post(f"refresh-metadata/{HST}")
    assert answer.status_code == 404
    assert "import it first" in answer.json()["error"]
    assert str(door.mast.download_dir) not in answer.text
