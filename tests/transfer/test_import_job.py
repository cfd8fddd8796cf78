"""A job: many files beside the caller, each with its own state, none that is not whole."""

import threading
import time
from functools import partial

import pytest

from jdaviz_mast.demo.faults import Fault
from jdaviz_mast.errors import ArchiveError, Cancelled, FileProblem
from jdaviz_mast.products import check_contents
from jdaviz_mast.transfer import (
    ImportJob,
    Item,
    Record,
    Source,
    Transfer,
    is_set_aside,
    running_jobs,
)

BLOCKS = 40  # 115 kB a file


@pytest.fixture
def items(served, fits, tmp_path):
    """Callable: that many files to fetch, and their bytes by name."""

    def make(count=6, blocks=BLOCKS):
        listed, contents = [], {}
        for number in range(count):
            name = f"{number}_i2d.fits"
            data = contents[name] = fits(blocks, seed=number)
            uri, url = served(name, data)
            path = tmp_path / "files" / name
            listed.append(
                Item(
                    uri,
                    (Source("http", url),),
                    path,
                    size=len(data),
                    check=partial(check_contents, name=name),
                )
            )
        return listed, contents

    return make


class Nobody:
    """Credentials of nobody."""

    def headers(self, url):
        return {}

    def explain(self, url, status, sent, about):
        return f"Refused (HTTP {status})."


@pytest.fixture
def new_job(tmp_path):
    """Callable: a job that is not started, with this plan or these items."""

    def make(items, *, connections=4, timeout=10.0):
        plan = items if callable(items) else lambda check_cancelled: items
        options = {"connections": connections, "timeout": timeout, "retries": 0}
        return ImportJob(
            Record.create(tmp_path / "state", {"title": "a test"}, None),
            lambda check_cancelled, say: plan(check_cancelled),
            partial(Transfer, credentials=Nobody(), **options),
        )

    return make


@pytest.fixture
def start(new_job):
    """Callable: a started job for these items; whatever still runs at the end is cancelled."""
    jobs = []

    def run(items, **options):
        jobs.append(new_job(items, **options))
        return jobs[-1].start()

    yield run
    for job in jobs:
        job.cancel()
        assert job.wait(5)


def until(condition, seconds=5):
    """Wait for the condition, a callable."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "this did not come"
        time.sleep(0.01)


def assert_on_disk(folder, contents):
    """These files are in the folder, byte for byte, and no other under a final name."""
    files = [
        path
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith(".") and not is_set_aside(path)
    ]
    assert {path.name: path.read_bytes() for path in files} == contents


# -- all is well -----------------------------------------------------------------------------


@pytest.mark.parametrize("connections", [1, 4, 8])
def test_a_job_fetches_all_files(start, items, tmp_path, connections):
    listed, contents = items()
    job = start(listed, connections=connections)
    assert job.wait(10)
    assert job.state == "complete"
    assert job.error is None
    assert job.finished
    assert_on_disk(tmp_path / "files", contents)
    assert [(f.uri, f.path) for f in job.files] == [(i.uri, i.path) for i in listed]
    for file in job.files:
        assert (file.state, file.error) == ("complete", None)
        assert file.bytes_done == file.bytes_total == file.path.stat().st_size
    assert job.bytes_done == job.bytes_total == sum(map(len, contents.values()))
    assert "complete: 6 of 6 files" in repr(job)


def test_no_files_are_a_complete_job(start):
    job = start([])
    assert job.wait(5)
    assert (job.state, job.files, job.bytes_total, job.eta) == ("complete", [], 0, None)


def test_no_more_connections_are_open_than_allowed(start, items, archive):
    listed, _ = items()
    archive.bandwidth = 400_000
    job = start(listed, connections=2)
    most = 0
    while not job.wait(0.01):
        most = max(most, sum(file.state == "running" for file in job.files))
    assert most == 2


def test_several_connections_are_faster_than_one(start, items, archive):
    listed, _ = items(4)
    archive.latency = 0.2
    began = time.monotonic()
    assert start(listed, connections=4).wait(10)
    assert time.monotonic() - began < 0.7


def test_what_is_known_of_a_file_is_kept_on_it(start, items):
    listed, _ = items(1)
    about = {"product": {"obs_id": "x"}}
    given = Item(listed[0].uri, listed[0].sources, listed[0].path, about=about)
    job = start([given])
    job.wait(5)
    assert job.files[0].about == about


# -- what is there already -------------------------------------------------------------------


def test_a_whole_file_is_not_fetched_again(start, items, asked, tmp_path):
    listed, contents = items()
    start(listed).wait(10)
    before = len(asked())
    again = start(listed)
    assert again.wait(5)
    assert again.state == "complete"
    assert len(asked()) == before
    assert again.bytes_done == again.bytes_total == sum(map(len, contents.values()))


def test_only_what_is_missing_is_fetched(start, items, asked, tmp_path):
    listed, contents = items()
    start(listed).wait(10)
    listed[2].path.unlink()
    before = len(asked())
    start(listed).wait(5)
    assert [request.query["uri"] for request in asked()[before:]] == [[listed[2].uri]]
    assert_on_disk(tmp_path / "files", contents)


@pytest.mark.parametrize(
    "wrong",
    [lambda data: data[:-2880], lambda data: b"<html>".ljust(len(data)), lambda data: b"",
     lambda data: bytes(len(data)), lambda data: data + bytes(2880)],
    ids=["too short", "a web page", "empty", "zeros", "too long"],
)  # fmt: skip
def test_a_wrong_file_is_fetched_anew(start, items, tmp_path, wrong):
    listed, contents = items(2)
    path = listed[0].path
    path.parent.mkdir()
    path.write_bytes(wrong(contents[path.name]))
    job = start(listed)
    assert job.wait(5)
    assert job.state == "complete"
    assert_on_disk(tmp_path / "files", contents)


def test_a_file_of_unknown_size_is_fetched_anew(start, items, asked):
    listed, contents = items(1)
    item = Item(listed[0].uri, listed[0].sources, listed[0].path, check=listed[0].check)
    for count in (1, 2):
        job = start([item])
        job.wait(5)
        assert len(asked(item.uri)) == count
    assert job.files[0].bytes_total == job.files[0].bytes_done == len(contents["0_i2d.fits"])


# -- one file goes wrong ---------------------------------------------------------------------

FAULTS = {
    "401": Fault("status", status=401),
    "403": Fault("status", status=403),
    "404": Fault("status", status=404),
    "500": Fault("status", status=500),
    "cut short": Fault("truncate"),
    "reset": Fault("reset"),
    "short": Fault("short"),
    "a web page": Fault("html"),
    "wrong bytes": Fault("corrupt"),
    "silent": Fault("stall"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_one_bad_file_does_not_stop_the_others(start, items, archive, tmp_path, name):
    listed, contents = items()
    bad = listed[1]
    FAULTS[name].match = bad.uri
    archive.fail(FAULTS[name])

    job = start(listed, connections=2, timeout=0.4)

    assert job.wait(10)
    assert job.state == "partial"
    del contents[bad.path.name]
    assert_on_disk(tmp_path / "files", contents)
    for file in job.files:
        if file.uri == bad.uri:
            assert file.state == "failed"
            assert file.error.endswith(".")
            assert file.bytes_done < file.bytes_total, "what has come is kept"
        else:
            assert (file.state, file.error) == ("complete", None)


def test_a_size_that_the_archive_lists_wrongly_is_said(start, items, tmp_path):
    listed, contents = items(2)
    item = listed[0]
    listed[0] = Item(item.uri, item.sources, item.path, size=item.size + 1, check=item.check)
    job = start(listed)
    assert job.wait(5)
    assert job.state == "complete", "the server itself says how long it is"
    assert f"lists {item.size + 1} bytes, the server has {item.size}" in job.files[0].note
    assert job.files[1].note == ""
    assert_on_disk(tmp_path / "files", contents)


def test_a_job_whose_files_all_fail_has_failed(start, items, archive, tmp_path):
    archive.fail(Fault("status", status=500))
    job = start(items()[0])
    assert job.wait(10)
    assert job.state == "failed"
    assert job.error is None
    assert {file.state for file in job.files} == {"failed"}
    assert_on_disk(tmp_path / "files", {})


def test_after_a_bad_day_the_rest_is_fetched(start, items, archive, tmp_path, asked):
    listed, contents = items()
    archive.fail(Fault("truncate", after=3))
    assert start(listed, connections=1).wait(10)
    archive.clear_faults()
    before = len(asked())
    job = start(listed)
    assert job.wait(5)
    assert job.state == "complete"
    assert len(asked()) - before == 3
    assert_on_disk(tmp_path / "files", contents)


def test_a_file_with_a_known_problem_is_not_asked_for(start, items, asked, tmp_path):
    listed, contents = items(2)
    bad = Item("mast:TEST/../x", (), None, problem="Not a safe name.")
    job = start([bad, *listed])
    assert job.wait(5)
    assert job.state == "partial"
    assert (job.files[0].state, job.files[0].error) == ("failed", "Not a safe name.")
    assert job.files[0].name == "mast:TEST/../x"
    assert_on_disk(tmp_path / "files", contents)


def test_a_folder_that_cannot_be_written_is_an_error_of_the_file(start, items, tmp_path):
    listed, contents = items(3)
    (tmp_path / "taken").write_text("a file where the folder should be")
    item = listed[0]
    path = tmp_path / "taken" / "obs" / item.path.name
    listed[0] = Item(item.uri, item.sources, path, size=item.size, check=item.check)

    job = start(listed)

    assert job.wait(5)
    assert job.state == "partial"
    assert job.files[0].error.startswith(f"0_i2d.fits cannot be kept in {path.parent}: ")
    assert job.files[0].error.endswith(".")
    assert "Errno" not in job.files[0].error
    del contents[item.path.name]
    assert_on_disk(tmp_path / "files", contents)


@pytest.fixture
def reported(monkeypatch):
    """Types of the exceptions that threads ended with; pytest would call them a mistake."""
    types = []
    monkeypatch.setattr(threading, "excepthook", lambda args: types.append(args.exc_type))
    return types


def test_an_error_of_our_own_is_never_a_complete_file(start, items, reported):
    def broken(path):
        raise ZeroDivisionError

    listed, _ = items(4)
    for number in (0, 1):
        item = listed[number]
        listed[number] = Item(item.uri, item.sources, item.path, size=item.size, check=broken)

    job = start(listed, connections=1)

    assert job.wait(5)
    assert job.state in ("failed", "partial")
    assert job.files[0].state == "failed"
    assert "unexpected" in job.files[0].error
    assert all(file.state in ("complete", "failed") for file in job.files)
    assert all(file.error for file in job.files if file.state == "failed")
    assert reported == [ZeroDivisionError] * 2, "whoever mends it can find it"


# -- the plan goes wrong ---------------------------------------------------------------------


def test_a_plan_that_fails_is_the_error_of_the_job(start):
    def plan(check_cancelled):
        raise ArchiveError("The archive is closed.")

    job = start(plan)
    assert job.wait(5)
    assert (job.state, str(job.error), job.files) == ("failed", "The archive is closed.", [])


def test_a_plan_that_breaks_ends_the_job(start, reported):
    job = start(lambda check_cancelled: 1 / 0)
    assert job.wait(5)
    assert job.state == "failed"
    until(lambda: reported == [ZeroDivisionError])


def test_a_file_problem_in_the_plan_ends_the_job_only(start):
    def plan(check_cancelled):
        raise FileProblem("x")

    job = start(plan)
    assert job.wait(5)
    assert isinstance(job.error, FileProblem)


# -- cancelling ------------------------------------------------------------------------------


def assert_cancelled_soon(job, seconds=1.0):
    began = time.monotonic()
    job.cancel()
    assert job.wait(5)
    assert time.monotonic() - began < seconds
    assert job.state == "cancelled"


def test_a_slow_job_is_cancelled_within_a_second(start, items, archive, tmp_path):
    listed, contents = items()
    archive.bandwidth = 60_000
    job = start(listed, connections=2)
    until(lambda: job.bytes_done > 0)

    assert_cancelled_soon(job)

    assert {file.state for file in job.files} <= {"cancelled", "complete"}
    whole = {f.path.name: contents[f.path.name] for f in job.files if f.state == "complete"}
    assert_on_disk(tmp_path / "files", whole)
    assert job.bytes_done >= sum(map(len, whole.values())), "what has come is kept"
    assert job.rate == 0
    assert job.eta is None


@pytest.mark.parametrize("fraction", [None, 0.0, 0.5], ids=["headers", "first byte", "middle"])
def test_a_job_whose_archive_is_silent_is_cancelled_within_a_second(
    start, items, archive, tmp_path, asked, fraction
):
    listed, contents = items(4)
    bad = [item.uri for item in listed[:2]]
    for uri in bad:
        if fraction is not None:
            archive.fail(Fault("stall", match=uri, fraction=fraction))
    if fraction is None:
        archive.latency = 30
    job = start(listed, connections=2, timeout=30)
    until(lambda: len(asked("Download")) >= 2)

    assert_cancelled_soon(job)

    assert_on_disk(tmp_path / "files", {})
    assert {file.state for file in job.files} == {"cancelled"}


def test_nothing_is_fetched_after_cancelling(start, items, archive, tmp_path, asked):
    listed, _ = items(12)
    archive.bandwidth = 400_000
    job = start(listed, connections=2)
    until(lambda: job.bytes_done > 0)
    assert_cancelled_soon(job)
    files, requests = sorted(tmp_path.rglob("*")), len(asked())
    time.sleep(0.4)
    assert sorted(tmp_path.rglob("*")) == files
    assert len(asked()) == requests < 12


def test_what_was_whole_before_cancelling_stays(start, items, archive, tmp_path):
    listed, contents = items(3)
    archive.fail(Fault("stall", match=listed[2].uri))
    job = start(listed, connections=1, timeout=30)
    until(lambda: [file.state for file in job.files] == ["complete", "complete", "running"])
    assert_cancelled_soon(job)
    assert [file.state for file in job.files] == ["complete", "complete", "cancelled"]
    del contents[listed[2].path.name]
    assert_on_disk(tmp_path / "files", contents)


def test_a_job_is_cancelled_while_the_archive_is_asked_for_its_products(start):
    asked = threading.Event()

    def plan(check_cancelled):
        while True:
            asked.set()
            check_cancelled()
            time.sleep(0.01)

    job = start(plan)
    asked.wait(5)
    assert_cancelled_soon(job)
    assert job.files == []
    assert job.error is None


def test_a_job_is_cancelled_while_the_archive_is_silent_about_its_products(start, items):
    answered, asked = threading.Event(), threading.Event()
    listed, _ = items(2)

    def plan(check_cancelled):
        asked.set()
        answered.wait(5)
        return listed

    job = start(plan)
    asked.wait(5)
    assert_cancelled_soon(job)
    answered.set()
    time.sleep(0.1)
    assert (job.state, job.files) == ("cancelled", []), "a late answer does not revive it"
    assert not listed[0].path.exists()


def test_a_job_that_is_cancelled_before_it_starts_does_nothing(new_job, items, asked):
    listed, _ = items(1)
    job = new_job(listed)
    job.cancel()
    job.start()
    assert job.wait(5)
    assert job.state == "cancelled"
    assert asked() == []


def test_cancelling_what_has_ended_changes_nothing(start, items, tmp_path):
    listed, contents = items(2)
    job = start(listed)
    job.wait(5)
    job.cancel()
    assert job.state == "complete"
    assert {file.state for file in job.files} == {"complete"}
    assert_on_disk(tmp_path / "files", contents)


def test_who_asks_whether_it_is_cancelled_is_told(new_job, start):
    job = start([])
    job.check_cancelled()
    job.wait(5)
    unstarted = new_job([])
    unstarted.cancel()
    with pytest.raises(Cancelled):
        unstarted.check_cancelled()


# -- how it is going -------------------------------------------------------------------------


def test_a_job_tells_how_it_is_going(start, items, archive):
    listed, contents = items(3, blocks=300)
    archive.bandwidth = 1_200_000
    job = start(listed, connections=3)
    total = sum(map(len, contents.values()))
    done = []
    while not job.wait(0.02):
        if not job.files or job.finished:
            continue
        done.append(job.bytes_done)
        assert job.bytes_total == total
        assert isinstance(job.rate, float)
        assert job.rate >= 0
        assert job.eta is None or 0 <= job.eta < 60
    assert done == sorted(done)
    assert len(set(done)) > 10, "progress is seen in many small steps"
    assert job.rate == 0
    assert job.eta is None


def test_rate_and_eta_are_about_right(start, items, archive):
    listed, contents = items(2, blocks=60)
    archive.bandwidth = 150_000
    job = start(listed, connections=2)
    until(lambda: job.bytes_done > 0.5 * job.bytes_total > 0)
    assert 150_000 < job.rate < 450_000
    assert 0.1 < job.eta < 2


def test_the_rate_falls_when_nothing_comes(start, items, archive):
    listed, _ = items(1, blocks=200)
    archive.fail(Fault("stall", match=listed[0].uri, fraction=0.9))
    job = start(listed, timeout=30)
    until(lambda: job.bytes_done >= 0.5 * job.bytes_total > 0)
    at_first = job.rate
    time.sleep(0.3)
    assert job.rate < at_first / 2 or at_first == 0


def test_a_file_that_fails_does_not_spoil_rate_and_eta(start, items, archive):
    listed, _ = items(2, blocks=200)
    archive.bandwidth = 1_000_000
    archive.fail(Fault("truncate", match=listed[0].uri, fraction=0.9))
    job = start(listed, connections=1)
    until(lambda: job.files and job.files[1].bytes_done > 0.3 * job.files[1].bytes_total)
    assert job.files[0].state == "failed"
    assert job.rate > 300_000, "its bytes came, too"
    assert job.eta < 1.5, "it is not waited for"


def test_the_end_cannot_be_told_while_a_size_is_unknown(start, items, archive):
    listed, _ = items(1, blocks=200)
    archive.bandwidth = 400_000
    item = Item(listed[0].uri, listed[0].sources, listed[0].path)
    archive.fail(Fault("chunked", match=item.uri))
    archive.fail(Fault("ignore-range", match=item.uri))
    job = start([item])
    until(lambda: job.rate > 0)
    assert job.eta is None
    assert job.bytes_total == 0


def test_waiting_has_a_limit(start, items, archive):
    archive.bandwidth = 20_000
    job = start(items(1)[0])
    began = time.monotonic()
    assert job.wait(0.1) is False
    assert job.wait(timeout=0) is False
    assert time.monotonic() - began < 0.5
    assert job.state == "running"
    assert not job.finished


def test_jobs_that_run_are_known_and_those_that_ended_are_not(start, items, archive):
    archive.bandwidth = 20_000
    job = start(items(1)[0])
    assert job in running_jobs()
    job.cancel()
    job.wait(5)
    assert job not in running_jobs()


def test_each_job_has_an_id_of_its_own(new_job):
    assert len({new_job([]).id for _ in range(50)}) == 50
