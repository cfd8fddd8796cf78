"""The list of imports: what it says, how much of it goes to the page, and its buttons."""

import json
import time

import jdaviz
import pytest
from comm.base_comm import BaseComm
from trays import F090W, F187N, layers, many_products, tray_of, wait_for

from jdaviz_mast import Mast
from jdaviz_mast.demo import Fault
from jdaviz_mast.errors import InvalidInput, ObservationNotFound
from jdaviz_mast.tray.folder import can_show_folders, show_folder
from jdaviz_mast.tray.job_rows import FILES_PER_PAGE, JOBS_PER_PAGE


@pytest.fixture
def imviz():
    return jdaviz.Imviz()


@pytest.fixture
def tray(imviz):
    return tray_of(imviz)


@pytest.fixture
def jobs(tray):
    """The widget."""
    return tray._obj.job_list


class Page(BaseComm):
    """A page at the other end: keeps the moment and the bytes of each message."""

    def __init__(self):
        self.messages = []
        super().__init__(target_name="jupyter.widget")
        self.messages.clear()

    def publish_msg(self, msg_type, data=None, **kwargs):
        self.messages.append((time.monotonic(), len(json.dumps(data, default=str))))


@pytest.fixture
def sent(jobs):
    """Messages to the page with the state of the list: (moment, bytes)."""
    jobs.comm = page = Page()
    page.messages.clear()
    return page.messages


def settle(tray, jobs, state, job_id=None):
    """Wait until the first job, or the one with an ID, is in a state on the page."""

    def there():
        rows = [row for row in jobs.rows if job_id in (None, row["id"])]
        return rows and rows[0]["state"] == state

    wait_for(there, tray)


def look_on(tray, seconds):
    """Keep the panel open for a while."""
    until = time.monotonic() + seconds
    wait_for(lambda: time.monotonic() > until, tray)


def test_an_import_is_listed_with_all_that_a_person_wants_to_know(tray, jobs, archive):
    assert (jobs.total, jobs.rows) == (0, [])
    tray.import_observation(F090W)
    settle(tray, jobs, "complete")
    (row,) = jobs.rows
    assert row["title"] == F090W
    assert row["words"] == "complete"
    assert row["files"] == "3 of 3 files"
    assert row["percent"] == 100
    assert row["buttons"] == ["remove"]
    assert row["bytes"].endswith("MB")

    jobs.vue_toggle(row["id"])
    wait_for(lambda: jobs.files, tray)
    assert [f["state"] for f in jobs.files] == ["complete"] * 3
    assert {f["source"] for f in jobs.files} == {"HTTP"}
    assert jobs.detail["folder"].endswith(f"/JWST/{F090W}")
    assert "2 images, 1 catalog loaded." in jobs.detail["notes"]
    jobs.vue_toggle(row["id"])
    assert (jobs.open_job, jobs.files) == ("", [])


def test_a_running_import_shows_its_rate_and_can_be_cancelled_and_resumed(
    imviz, tray, jobs, archive
):
    archive.bandwidth = 300_000
    tray.search_by, tray.observation_id = "Observation ID", F090W
    tray.search()
    tray._obj.observations.vue_import_row(0)
    wait_for(lambda: jobs.rows and "/s" in jobs.rows[0]["speed"], tray)
    (row,) = jobs.rows
    assert row["words"] == "downloading"
    assert row["buttons"] == ["cancel"]
    assert " of " in row["bytes"]
    jobs.vue_cancel(row["id"])
    settle(tray, jobs, "cancelled")
    assert "cancelled" in tray._obj.import_message
    assert jobs.rows[0]["buttons"] == ["resume", "remove"]
    assert layers(imviz) == {}

    archive.bandwidth = None
    jobs.vue_resume(row["id"])
    settle(tray, jobs, "complete")
    wait_for(lambda: not tray._obj.importing, tray)
    assert len(layers(imviz)) == 2
    assert len(tray.jobs) == 1


def test_silence_of_the_archive_is_said_in_words(tray, jobs, archive):
    archive.fail(Fault("stall", fraction=0.3))
    tray._obj._start_import(F090W)
    wait_for(lambda: jobs.rows and jobs.rows[0]["words"].startswith("no data for 5 s"), tray)
    assert jobs.rows[0]["speed"] == ""
    tray.cancel()


def test_what_failed_is_tried_again(imviz, tray, jobs, archive, asked):
    archive.fail(Fault("status", match="clear-f090w_segm", status=404))
    job = tray.import_observation(F090W)
    settle(tray, jobs, "partial")
    assert jobs.rows[0]["words"] == "some files failed"
    assert jobs.rows[0]["files"] == "2 of 3 files, 1 failed"
    assert jobs.rows[0]["buttons"] == ["retry", "remove"]
    jobs.vue_toggle(job.id)
    wait_for(lambda: jobs.files, tray)
    assert [f["state"] for f in jobs.files] == ["failed", "complete", "complete"]
    assert "HTTP 404" in jobs.files[0]["error"]

    archive.clear_faults()
    before = len(asked("Download/file"))
    jobs.vue_resume(job.id)
    settle(tray, jobs, "complete")
    wait_for(lambda: not tray._obj.importing, tray)
    fetched = asked("Download/file")[before:]
    assert fetched
    assert [str(r.query) for r in fetched if "clear-f090w_segm" not in str(r.query)] == []
    assert set(layers(imviz)) == {"NGC-3132 F090W L3", "NGC-3132 F090W L3 segm"}
    assert (
        "1 image loaded, 1 image, 1 catalog are already in the viewer" in tray._obj.import_message
    )


def test_what_failed_is_tried_again_while_layers_are_still_being_opened(imviz, tray, jobs, archive):
    archive.fail(Fault("status", match="clear-f090w_segm", status=404))
    tray._obj._start_import(F090W)
    opening = tray._obj._imports.newest
    with tray._obj._imports.turn:  # its layers have to wait
        settle(tray, jobs, "partial")
        assert opening.has_files
        archive.clear_faults()
        jobs.vue_resume(jobs.rows[0]["id"])
        settle(tray, jobs, "complete")
        assert layers(imviz) == {}
    wait_for(lambda: not tray._obj.importing, tray)
    assert set(layers(imviz)) == {"NGC-3132 F090W L3", "NGC-3132 F090W L3 segm"}


def test_an_import_is_removed_and_its_files_stay(tray, jobs, archive, tmp_path):
    job = tray.import_observation(F090W)
    other = tray.import_observation(F187N)
    wait_for(lambda: jobs.total == 2, tray)
    assert [row["id"] for row in jobs.rows] == [other.id, job.id]  # newest first
    jobs.vue_remove(job.id)
    wait_for(lambda: jobs.total == 1, tray)
    assert all(file.path.exists() for file in job.files)
    tray.remove(other.id)
    wait_for(lambda: jobs.total == 0, tray)
    assert tray.jobs == []


def test_python_resumes_takes_up_what_is_there_and_names_what_it_does_not_know(
    imviz, tray, archive, asked
):
    archive.fail(Fault("status", match="clear-f090w_i2d", status=404))
    job = tray.import_observation(F090W)
    assert set(layers(imviz)) == {"NGC-3132 F090W L3 segm"}
    archive.clear_faults()
    again = tray.resume(job.id)
    assert (again.id, again.state) == (job.id, "complete")
    assert set(layers(imviz)) == {"NGC-3132 F090W L3", "NGC-3132 F090W L3 segm"}
    for method in (tray.cancel, tray.resume, tray.remove):
        with pytest.raises(InvalidInput, match="job_id: 'ffffffffffff'"):
            method("ffffffffffff")
    assert tray.cancel() is None

    asked_before = len(asked())
    other = jdaviz.Imviz()
    found = tray_of(other).import_existing(F090W)
    assert found.state == "complete"
    assert set(layers(other)) == set(layers(imviz))
    assert len(asked()) == asked_before  # without the network
    with pytest.raises(ObservationNotFound, match="jw99999"):
        tray_of(other).import_existing("jw99999-o001")


def test_cancel_from_python_returns_the_job_once_it_has_stopped(tray, archive):
    archive.bandwidth = 100_000
    tray._obj._start_import(F090W)
    wait_for(lambda: tray.jobs and tray.jobs[-1].files, tray)
    job = tray.cancel(tray.jobs[-1].id)
    assert job.state == "cancelled"
    assert job.finished


def test_a_job_of_5000_files_costs_the_page_a_page(tray, jobs, archive, sent):
    products = many_products(archive, 5000)
    archive.fail(Fault("status", match="tiny_04999", status=404))
    archive.latency = 0.002
    job = tray._obj._start_import(products)
    wait_for(lambda: jobs.rows and jobs.rows[0]["state"] == "running", tray, 60)
    jobs.vue_toggle(jobs.rows[0]["id"])
    wait_for(lambda: jobs.files, tray)
    since = time.monotonic()
    jobs.vue_turn_files(100)
    wait_for(lambda: jobs.files_page == 100, tray)
    assert time.monotonic() - since < 2
    assert jobs.files_total == 5000
    assert len(jobs.files) == FILES_PER_PAGE
    jobs.vue_turn_files(1)
    wait_for(lambda: jobs.rows[0]["state"] == "partial", tray, 180)
    job.wait()
    wait_for(lambda: jobs.files and jobs.files[0]["state"] == "failed", tray)
    assert jobs.rows[0]["files"] == "4,999 of 5,000 files, 1 failed"
    assert max(size for _, size in sent) < 20_000
    # At most four a second; two clicks and the unfolding come on top.
    moments = [moment for moment, _ in sent]
    assert len(moments) <= 4 * (moments[-1] - moments[0]) + 10

    look_on(tray, 1)
    count = len(sent)
    look_on(tray, 1.5)
    assert len(sent) == count  # nothing changes, nothing is sent


def test_a_hundred_jobs_come_in_pages(tray, jobs, archive, sent):
    mast, products = Mast(), many_products(archive, 100)
    for n in range(100):
        mast.fetch(products[n : n + 1])
    wait_for(lambda: jobs.total == 100, tray)
    newest = [job.id for job in reversed(mast.jobs)]
    assert [row["id"] for row in jobs.rows] == newest[:JOBS_PER_PAGE]
    jobs.vue_turn_page(10)
    wait_for(lambda: jobs.page == 10, tray)
    assert [row["id"] for row in jobs.rows] == newest[-JOBS_PER_PAGE:]
    jobs.vue_turn_page(1000)
    jobs.vue_turn_page("1")
    wait_for(lambda: jobs.page == 10, tray)
    assert max(size for _, size in sent) < 10_000


def test_nobody_looks_and_nothing_runs_no_thread_stays(tray, jobs, archive):
    tray.import_observation(F090W)
    settle(tray, jobs, "complete")
    deadline = time.monotonic() + 10
    while jobs.watch._thread is not None:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_imports_of_another_process_are_listed_and_followed(tray, jobs, archive):
    look_on(tray, 0.5)
    mast = Mast()  # as another process would
    job = mast.fetch(F090W)
    settle(tray, jobs, "complete", job.id)


def test_a_folder_is_shown_by_the_opener_of_the_platform(tmp_path, monkeypatch):
    opener = tmp_path / "bin" / "xdg-open"
    opener.parent.mkdir()
    opener.write_text(f'#!/bin/sh\necho "$1" > {tmp_path}/opened\n')
    opener.chmod(0o755)
    monkeypatch.setenv("PATH", str(opener.parent), prepend=":")
    monkeypatch.delenv("SSH_CONNECTION", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.delenv("DISPLAY", raising=False)
    assert not can_show_folders()
    monkeypatch.setenv("DISPLAY", ":0")
    assert can_show_folders()
    show_folder(str(tmp_path))
    deadline = time.monotonic() + 10
    while not (tmp_path / "opened").exists() or not (tmp_path / "opened").read_text():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert (tmp_path / "opened").read_text().strip() == str(tmp_path)
    with pytest.raises(OSError, match="not there"):
        show_folder(str(tmp_path / "gone"))
    monkeypatch.setenv("SSH_CONNECTION", "there")
    assert not can_show_folders()
