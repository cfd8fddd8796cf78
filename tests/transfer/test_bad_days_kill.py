"""Kills, cancels and two at once: what was journalled is never fetched a second time."""

import os
import random
import signal
import subprocess
import sys
import textwrap
import threading
import time

import pytest
from bad_days import (
    MB,
    SMALL_PARTS,
    BadDay,
    fits,
    free_port,
    journalled,
    length,
    outcome,
    overlap,
    until,
)

import jdaviz_mast
from jdaviz_mast.demo import DemoArchive, Fault

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    """Little patience and small parts."""
    for name, value in SMALL_PARTS.items():
        monkeypatch.setattr(f"jdaviz_mast.transfer.{name}", value)
    with jdaviz_mast.conf.set_temp("timeout", 5.0):
        yield


@pytest.fixture
def day(archive, tmp_path):
    day = BadDay(archive, tmp_path)
    day.serve_four(3 * MB)
    return day


def state_of(day, job_id):
    """State of a job as a new process sees it; None if it is not listed."""
    return {job.id: job.state for job in day.mast().jobs}.get(job_id)


# -- kill -9 --------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [1, 2])
def test_twenty_kills_at_random_moments_lose_nothing_that_was_journalled(day, seed):
    chance = random.Random(seed)
    large, path = day.rows[0]["dataURI"], day.path("large_i2d.fits")
    day.archive.bandwidth = 600_000
    job_id, kills = None, 0
    # More than twenty where a busy machine brings next to nothing between two of them.
    while kills < 20 or (kills < 200 and length(journalled(path)) <= MB // 2 and not path.exists()):
        finished, before = journalled(path), len(day.requests(large))
        whole = path.exists()
        run = day.start(job_id=job_id, **SMALL_PARTS)
        # Most moments lie in the transfer, however long a process takes to begin it here.
        late = time.monotonic() + 20 * (kills % 4 != 0)
        while not whole and len(day.requests(large)) == before and time.monotonic() < late:
            time.sleep(0.005)
        time.sleep(chance.uniform(0, 0.35))
        job_id = run.kill() or job_id
        kills += 1
        asked = day.ranges(large, before)
        assert overlap(asked, finished) == [], "what the journal had was asked for again"
        assert not whole or not asked, "what is whole was asked for again"
        for visible in day.visible():
            assert visible.read_bytes() in day.contents[visible.name]
        if job_id is not None:
            assert state_of(day, job_id) in ("interrupted", "complete")
    finished, before = journalled(path), len(day.requests(large))
    assert path.exists() or length(finished) > MB // 2, "twenty runs have brought next to nothing"
    day.archive.bandwidth = None
    report = day.start(job_id=job_id, **SMALL_PARTS).report()
    day.check_all_complete(report)
    assert overlap(day.ranges(large, before), finished) == []


@pytest.mark.parametrize("seed", range(10))
def test_a_kill_at_a_random_moment_leaves_a_job_that_resumes(day, seed):
    chance = random.Random(100 + seed)
    large, path = day.rows[0]["dataURI"], day.path("large_i2d.fits")
    day.archive.bandwidth = chance.choice([500_000, 2_000_000, None])
    run = day.start(**SMALL_PARTS)
    if day.archive.bandwidth:
        run.until_bytes(chance.randrange(3 * MB))
    else:
        time.sleep(chance.uniform(0, 0.4))
    job_id = run.kill()
    day.archive.bandwidth = None
    whole, finished, before = path.exists(), journalled(path), len(day.requests(large))
    if job_id is None:
        jobs = day.mast().jobs
        assert len(jobs) <= 1
        report = day.fetch()
    else:
        assert state_of(day, job_id) in ("interrupted", "complete")
        report = day.start(job_id=job_id, **SMALL_PARTS).report()
        assert report.id == job_id
    day.check_all_complete(report)
    asked = day.ranges(large, before)
    assert overlap(asked, finished) == []
    assert length(asked) == 0 if whole else length(asked) <= 3 * MB - length(finished)
    assert sum(file.bytes_fetched for file in report.files) <= length(asked) + 40_000


def test_a_kill_costs_no_more_than_a_few_seconds(archive, tmp_path):
    """With the engine's own constants, on a slow network."""
    day = BadDay(archive, tmp_path)
    large = day.serve("large_i2d.fits", fits(30 * MB, 1))
    archive.bandwidth, seconds = 500_000, 9
    run = day.start(connections=2)
    time.sleep(seconds)
    run.listen()
    came = run.bytes_done
    job_id = run.kill()
    assert came > 3_000_000, "it did not run at the pace that this test expects"
    finished = journalled(day.path("large_i2d.fits"))
    assert length(finished) > came - 2 * 500_000 * 5, "more than five seconds' worth is lost"
    archive.bandwidth = None
    before = len(day.requests(large))
    day.check_all_complete(day.start(job_id=job_id).report())
    assert overlap(day.ranges(large, before), finished) == []


def test_an_interrupted_job_is_listed_with_what_it_was(day):
    day.archive.bandwidth = 600_000
    run = day.start(**SMALL_PARTS)
    run.until_bytes(MB)
    (running,) = day.mast().jobs
    assert running.state in ("running", "queued")
    job_id = run.kill()
    (job,) = day.mast().jobs
    assert (job.id, job.state) == (job_id, "interrupted")
    assert [file.uri for file in job.files] == [row["dataURI"] for row in day.rows]
    assert job.bytes_total == sum(row["size"] for row in day.rows)
    assert 0 < job.bytes_done < job.bytes_total
    assert job.title
    assert not [file for file in job.files if file.state == "running"]


def test_a_process_that_ends_without_waiting_leaves_a_job_that_resumes(day):
    script = f"""
        from astropy.table import Table
        from jdaviz_mast import Mast
        job = Mast({day.archive.url!r}, {str(day.folder)!r}).fetch(
            Table(rows={day.rows!r}), source="http", block=False)
        while not job.bytes_done > 300_000: pass
        print(job.id)
    """
    day.archive.bandwidth = 600_000
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    day.archive.bandwidth = None
    job_id = done.stdout.strip()
    assert state_of(day, job_id) in ("interrupted", "cancelled")
    day.check_all_complete(day.resume(job_id))


@pytest.mark.parametrize("what", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_that_ends_the_process_leaves_a_job_that_resumes(day, what):
    day.archive.bandwidth = 600_000
    run = day.start(**SMALL_PARTS)
    run.until_bytes(MB)
    os.kill(run.process.pid, what)
    run.process.join(5)
    run.listen()
    assert not run.process.is_alive()
    day.archive.bandwidth = None
    day.check_all_complete(day.resume(run.job_id))


def test_a_process_that_sleeps_as_a_laptop_does_goes_on(day):
    day.archive.bandwidth = 600_000
    run = day.start(timeout=2.0, **SMALL_PARTS)
    run.until_bytes(MB)
    os.kill(run.process.pid, signal.SIGSTOP)
    time.sleep(1)
    state = state_of(day, run.job_id)
    day.archive.fail(Fault("reset", times=4))  # the connections are gone when it wakes up
    time.sleep(3)
    os.kill(run.process.pid, signal.SIGCONT)
    day.archive.bandwidth = None
    day.check_all_complete(run.report())
    assert state == "running", "it is not dead, it sleeps"


def test_the_server_and_the_process_are_both_killed(tmp_path):
    archive = DemoArchive(port=free_port(), bandwidth=600_000)
    with archive:
        day = BadDay(archive, tmp_path)
        large = day.serve_four(3 * MB)
        run = day.start(**SMALL_PARTS)
        run.until_bytes(MB)
    job_id = run.kill()
    finished = journalled(day.path("large_i2d.fits"))
    archive.bandwidth = None
    with archive:
        day.check_all_complete(day.resume(job_id))
        assert overlap(day.ranges(large), finished) == []


# -- cancel ---------------------------------------------------------------------------------


@pytest.mark.parametrize("connections", [1, 4, 8])
def test_a_cancelled_job_resumes_with_what_is_missing(day, connections):
    large, path = day.rows[0]["dataURI"], day.path("large_i2d.fits")
    day.archive.bandwidth = 2_000_000 / connections
    with jdaviz_mast.conf.set_temp("connections", connections):
        job = day.mast().fetch(day.table, source="http", block=False)
        until(lambda: job.files and job.files[0].bytes_done > 1.5 * MB)
        began = time.monotonic()
        job.cancel()
        assert job.wait(5)
        assert time.monotonic() - began < 1.5
        day.check(job, bad=[row["dataURI"] for row in day.rows])
        finished, before = journalled(path), len(day.requests(large))
        assert length(finished) >= 1.4 * MB, "what had come was not kept"
        day.archive.bandwidth = None
        again = day.resume(job.id)
    day.check_all_complete(again)
    asked = day.ranges(large, before)
    assert overlap(asked, finished) == []
    assert length(asked) == 3 * MB - length(finished)


def test_cancelling_and_resuming_many_times_ends_with_the_same_bytes(day):
    chance = random.Random(5)
    large = day.rows[0]["dataURI"]
    day.archive.bandwidth = 800_000
    job = day.mast().fetch(day.table, source="http", block=False)
    for _ in range(10):
        time.sleep(chance.uniform(0, 0.3))
        job.cancel()
        assert job.wait(5)
        assert job.state in ("cancelled", "complete")
        job = day.mast().resume(job.id, block=False)
    day.archive.bandwidth = None
    assert job.wait(20)
    day.check_all_complete(job)
    asked = sum(stop - start for start, stop in day.ranges(large))
    # Each cancel may lose the parts that were asked for and had not come.
    assert asked < 3 * MB + 10 * 4 * (1 << 16) * 2


def test_resuming_a_job_that_runs_does_not_start_it_twice(day):
    day.archive.bandwidth = 800_000
    mast = day.mast()
    job = mast.fetch(day.table, source="http", block=False)
    until(lambda: job.bytes_done > 300_000)
    again = mast.resume(job.id, block=False)
    other = day.mast().resume(job.id, block=False)
    day.archive.bandwidth = None
    for each in (job, again, other):
        assert each.wait(20)
        assert each.id == job.id
    day.check_all_complete(again)
    assert length(day.ranges(day.rows[0]["dataURI"])) < 3.6 * MB


# -- two at once ----------------------------------------------------------------------------


def test_two_processes_do_not_harm_each_other(day):
    day.archive.bandwidth = 800_000
    runs = [day.start(**SMALL_PARTS) for _ in range(2)]
    time.sleep(0.5)
    day.archive.bandwidth = None
    reports = [run.report() for run in runs]
    for report in reports:
        day.check_all_complete(report)
    assert reports[0].id != reports[1].id
    assert length(day.ranges(day.rows[0]["dataURI"])) < 3.6 * MB, "fetched by both"


def test_two_processes_that_begin_at_random_moments_do_not_harm_each_other(day):
    chance = random.Random(8)
    runs = []
    for _ in range(6):
        runs.append(day.start(**SMALL_PARTS))
        time.sleep(chance.uniform(0, 0.1))
    for run in runs:
        day.check_all_complete(run.report())


def test_one_of_two_processes_is_killed_and_the_other_takes_over(day):
    day.archive.bandwidth = 800_000
    first = day.start(**SMALL_PARTS)
    first.until_bytes(MB // 2)
    second = day.start(**SMALL_PARTS)
    time.sleep(0.5)
    job_id = first.kill()
    finished = journalled(day.path("large_i2d.fits"))
    before = len(day.requests(day.rows[0]["dataURI"]))
    day.archive.bandwidth = None
    day.check_all_complete(second.report())
    assert overlap(day.ranges(day.rows[0]["dataURI"], before), finished) == []
    assert state_of(day, job_id) == "interrupted"
    requests = len(day.requests())
    day.check_all_complete(day.resume(job_id))
    assert len(day.requests()) == requests


def test_two_processes_resume_one_job(day):
    day.archive.bandwidth = 600_000
    run = day.start(**SMALL_PARTS)
    run.until_bytes(MB)
    job_id = run.kill()
    runs = [day.start(job_id=job_id, **SMALL_PARTS) for _ in range(2)]
    time.sleep(0.3)
    day.archive.bandwidth = None
    for each in runs:
        day.check_all_complete(each.report())
    assert state_of(day, job_id) == "complete"


def test_two_jobs_in_one_process_do_not_harm_each_other(day):
    day.archive.bandwidth = 800_000
    mast = day.mast()
    jobs = [mast.fetch(day.table, source="http", block=False) for _ in range(3)]
    time.sleep(0.5)
    day.archive.bandwidth = None
    for job in jobs:
        assert job.wait(30)
        day.check_all_complete(job)
    assert length(day.ranges(day.rows[0]["dataURI"])) < 3.6 * MB


def test_one_process_waits_for_a_file_of_another_and_can_be_cancelled(day):
    day.archive.bandwidth = 200_000
    run = day.start(**SMALL_PARTS)
    run.until_bytes(MB // 4)
    job = day.mast().fetch(day.table, source="http", block=False)
    time.sleep(0.7)
    began = time.monotonic()
    job.cancel()
    assert job.wait(5)
    assert time.monotonic() - began < 1.5
    assert job.state == "cancelled"
    day.archive.bandwidth = None
    day.check_all_complete(run.report())


def test_jobs_are_listed_while_another_process_writes_them(day):
    day.archive.bandwidth = 2_000_000
    problems, over = [], threading.Event()

    def look():
        while not over.is_set():
            try:
                for job in day.mast().jobs:
                    assert len(job.files) in (0, 4)
                    assert job.state in ("queued", "running", "complete")
            except Exception as error:  # noqa: BLE001 - it is looked at below
                problems.append(repr(error))
                return

    reader = threading.Thread(target=look)
    reader.start()
    try:
        for _ in range(3):
            day.check_all_complete(day.start(**SMALL_PARTS).report())
    finally:
        over.set()
        reader.join()
    assert problems == []


def test_a_job_that_is_removed_is_gone_and_its_files_stay(day):
    job = day.fetch()
    day.mast().remove(job.id)
    assert state_of(day, job.id) is None
    assert {path.name for path in day.visible()} == set(day.contents)


def test_a_job_that_runs_elsewhere_is_not_removed_under_its_feet(day):
    day.archive.bandwidth = 600_000
    run = day.start(**SMALL_PARTS)
    run.until_bytes(MB // 2)
    outcome(lambda: day.mast().remove(run.job_id))
    day.archive.bandwidth = None
    day.check_all_complete(run.report())
