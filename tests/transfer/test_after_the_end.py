"""What follows the end of a job: it is told on the job's thread, and never harms the job."""

import threading

import pytest

from jdaviz_mast.errors import ArchiveError
from jdaviz_mast.transfer import ImportJob, Record


@pytest.fixture
def record(tmp_path):
    return Record.create(tmp_path, {"title": "t", "query": {"a": 1}}, None)


class NoTransfer:
    """Fetches nothing."""

    def __init__(self, files, **_):
        pass

    def run(self):
        pass


def fails(check_cancelled, say):
    raise ArchiveError("The archive said no.")


@pytest.mark.parametrize(("plan", "state"), [(lambda *_: [], "complete"), (fails, "failed")])
def test_it_is_told_however_a_job_ended_after_its_waiters_are(record, plan, state):
    seen, go_on = [], threading.Event()

    def on_end(job):
        go_on.wait(10)
        seen.append((job.state, job.finished, job.settled.is_set(), threading.current_thread()))

    job = ImportJob(record, plan, NoTransfer, on_end).start()
    assert job.wait(10)
    assert not job.settled.is_set()
    go_on.set()
    assert job.settled.wait(10)
    ((said, finished, settled, thread),) = seen
    assert (said, finished, settled) == (state, True, False)
    assert thread.name == f"mast-{job.id}"
    assert job.request["query"] == {"a": 1}


def test_what_goes_wrong_there_is_logged_and_changes_nothing(record, caplog):
    def on_end(job):
        raise RuntimeError("a bug of ours")

    job = ImportJob(record, lambda *_: [], NoTransfer, on_end).start()
    assert job.settled.wait(10)
    assert (job.state, job.error) == ("complete", None)
    assert "a bug of ours" in caplog.text


def test_who_cancels_while_the_archive_is_silent_does_not_wait_for_it(record):
    silent, told = threading.Event(), threading.Event()

    def plan(check_cancelled, say):
        silent.wait(30)
        return []

    job = ImportJob(record, plan, NoTransfer, lambda job: told.set()).start()
    job.cancel()
    assert job.wait(1)
    assert job.settled.wait(1)
    silent.set()
    assert told.wait(10)


def test_an_association_that_is_read_in_passing_leaves_no_library(archive, tmp_path, monkeypatch):
    from jdaviz_mast import Mast

    kept = []
    monkeypatch.setattr("jdaviz_mast.mast.keep_job", lambda *about: kept.append(about))
    mast = Mast(archive.url, tmp_path)
    assert len(mast.ladder("jw02733-o001_t001_nircam_clear-f090w"))
    assert kept == []
    mast.fetch("ib5741010")
    assert len(kept) == 1
