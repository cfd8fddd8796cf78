"""A fetch on somebody's own workers: threads, processes, a dask cluster; the same guarantees."""

import multiprocessing
import os
import signal
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import pytest
from bad_days import (
    MB,
    SMALL_PARTS,
    BadDay,
    fits,
    journalled,
    leftovers,
    length,
    overlap,
    patience,
    reprocessed,
    set_constant,
    states,
    until,
)

import jdaviz_mast
from jdaviz_mast.demo import Fault

pytestmark = pytest.mark.slow

QUICK = SMALL_PARTS | {"partial._CHECKPOINT_SECONDS": 0.1}


def quicken():
    """Small parts and short pauses in a worker process."""
    for name, value in QUICK.items():
        set_constant(name, value)


class Threads:
    """Two threads of this process."""

    def __enter__(self):
        self.pool = ThreadPoolExecutor(2)
        return self

    def __exit__(self, *exception):
        self.pool.shutdown(cancel_futures=True)

    def executor(self):
        return self.pool

    def pids(self):
        return []


class Processes(Threads):
    """Two processes, started anew; nothing of this process is in them."""

    def __enter__(self):
        context = multiprocessing.get_context("spawn")
        self.pool = ProcessPoolExecutor(2, mp_context=context, initializer=quicken)
        return self

    def pids(self):
        return [*self.pool._processes]


class Dask:
    """A dask cluster of two worker processes on this machine."""

    def __enter__(self):
        from distributed import Client, LocalCluster

        self.cluster = LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
        )
        self.client = Client(self.cluster)
        self.client.run(quicken)
        return self

    def __exit__(self, *exception):
        self.client.close()
        self.cluster.close()

    def executor(self):
        return self.client.get_executor(pure=False)

    def pids(self):
        return [*self.client.run(os.getpid).values()]


@pytest.fixture(scope="module")
def _dask():
    with Dask() as workers:
        yield workers


@pytest.fixture(params=[Threads, Processes, Dask], ids=lambda kind: kind.__name__.lower())
def workers(request):
    """Each kind of workers in turn."""
    if request.param is Dask:
        yield request.getfixturevalue("_dask")
    else:
        with request.param() as workers:
            yield workers


@pytest.fixture(params=[Processes, Dask], ids=lambda kind: kind.__name__.lower())
def mortals(request):
    """Workers that can be killed: some of their own, since a killed one may break them all."""
    with request.param() as workers:
        yield workers


@pytest.fixture(autouse=True)
def _quick(request, monkeypatch):
    for name, value in QUICK.items():
        monkeypatch.setattr(f"jdaviz_mast.transfer.{name}", value)
    with (
        jdaviz_mast.conf.set_temp("timeout", patience(request)),
        jdaviz_mast.conf.set_temp("retries", 2),
    ):
        yield


@pytest.fixture
def day(archive, tmp_path):
    """Two files of many parts and ten small ones."""
    day = BadDay(archive, tmp_path)
    for number in range(2):
        day.serve(f"large{number}_i2d.fits", fits(2 * MB, number))
    for number in range(10):
        day.serve(f"small{number}_x1d.fits", fits(2880 * (number + 1), number))
    return day


def start(day, workers):
    return day.mast().fetch(day.table, source="http", block=False, executor=workers.executor())


def test_workers_fetch_all_files(day, workers):
    job = start(day, workers)
    assert job.wait(60)
    day.check_all_complete(job)
    assert job.bytes_done == job.bytes_total == sum(row["size"] for row in day.rows)
    assert length(sum((day.ranges(row["dataURI"]) for row in day.rows), [])) == job.bytes_total
    assert [each.id for each in day.mast().jobs] == [job.id]
    assert day.mast().jobs[0].state == "complete"


def test_a_blocking_fetch_returns_what_workers_brought(day, workers):
    job = day.mast().fetch(day.table, source="http", executor=workers.executor())
    assert job.finished
    day.check_all_complete(job)


def test_the_workers_are_the_users_and_stay(day, workers):
    executor = workers.executor()
    for _ in range(2):
        job = day.mast().fetch(day.table, source="http", block=False, executor=executor)
        assert job.wait(60)
    assert executor.submit(pow, 2, 5).result(20) == 32


def test_whole_files_are_not_fetched_again_by_workers(day, workers):
    day.check_all_complete(day.fetch())
    requests = len(day.requests())
    job = start(day, workers)
    assert job.wait(60)
    day.check_all_complete(job)
    assert len(day.requests()) == requests


def test_progress_is_seen_while_workers_fetch(day, workers):
    day.archive.bandwidth = 1_000_000
    job = start(day, workers)
    until(lambda: 0 < job.bytes_done < job.bytes_total, 30, "progress")
    seen = job.bytes_done
    until(lambda: seen < job.bytes_done, 30, "more progress")
    day.archive.bandwidth = None
    assert job.wait(60)
    day.check_all_complete(job)


FAULTS = {
    "truncated": (Fault("truncate", times=2), True),
    "reset": (Fault("reset", times=1), True),
    "stall": (Fault("stall", times=1), True),
    "503": (Fault("status", status=503, retry_after=1, times=1), True),
    "no validators": (Fault("no-validators"), True),
    "changed": (Fault("changed", after=3), True),
    "403": (Fault("status", status=403), False),
    "404": (Fault("status", status=404), False),
    "500": (Fault("status", status=500), False),
    "corrupt": (Fault("corrupt"), False),
}


@pytest.mark.parametrize("name", FAULTS)
def test_workers_have_the_same_bad_days(day, workers, name):
    fault, passes = FAULTS[name]
    bad = day.rows[0]["dataURI"]
    day.archive.fail(Fault(**vars(fault) | {"match": bad}))
    if name == "changed":
        old = day.contents["large0_i2d.fits"][0]
        day.contents["large0_i2d.fits"] = [reprocessed(old)]

    job = start(day, workers)

    assert job.wait(60)
    if passes:
        day.check_all_complete(job)
    else:
        day.check(job, bad=[bad])
        assert job.state == "partial"
        day.archive.clear_faults()
        day.check_all_complete(day.resume(job.id))


def test_a_job_of_workers_is_cancelled_and_resumed_without_them(day, workers):
    large, path = day.rows[0]["dataURI"], day.path("large0_i2d.fits")
    day.archive.bandwidth = 500_000
    job = start(day, workers)
    until(lambda: length(journalled(path)) > MB // 2, 30, "half of a file")
    job.cancel()
    assert job.wait(5)
    assert job.state == "cancelled"
    # A worker in another process hears of it a little later.
    day.archive.bandwidth = None
    until(lambda: not any(name.endswith(".lock") for name in leftovers(day.folder)), 5)
    day.check(job, bad=[row["dataURI"] for row in day.rows])
    whole, finished, before = path.exists(), journalled(path), len(day.requests(large))
    day.check_all_complete(day.resume(job.id))
    asked = day.ranges(large, before)
    assert overlap(asked, finished) == []
    assert not whole or not asked


def test_a_worker_that_is_killed_costs_only_what_was_not_journalled(day, mortals):
    paths = {row["dataURI"]: day.path(row["productFilename"]) for row in day.rows[:2]}
    day.archive.bandwidth = 500_000
    job = start(day, mortals)
    until(lambda: all(length(journalled(path)) > MB // 4 for path in paths.values()), 40)
    victim = mortals.pids()[0]
    os.kill(victim, signal.SIGKILL)
    time.sleep(0.2)
    finished = {uri: journalled(path) for uri, path in paths.items()}
    before = {uri: len(day.requests(uri)) for uri in paths}
    day.archive.bandwidth = None
    assert job.wait(60), states(job)
    day.check(job, bad=[row["dataURI"] for row in day.rows])
    assert all(file.state in ("complete", "failed") for file in job.files)
    again = day.resume(job.id)
    day.check_all_complete(again)
    for uri in paths:
        assert overlap(day.ranges(uri, before[uri]), finished[uri]) == []
    assert [each.id for each in day.mast().jobs] == [job.id]


def test_workers_that_are_gone_are_reported(day):
    class Gone(ThreadPoolExecutor):
        def submit(self, *args, **kwargs):
            raise RuntimeError("cannot schedule new futures after shutdown")

    job = day.mast().fetch(day.table, source="http", block=False, executor=Gone(1))
    assert job.wait(20)
    day.check(job, bad=[row["dataURI"] for row in day.rows])
    assert job.state == "failed"
    day.check_all_complete(day.resume(job.id))


def test_many_small_files_go_through_workers(archive, tmp_path, workers):
    day = BadDay(archive, tmp_path)
    for number in range(300):
        day.serve(f"{number:03}.ecsv", fits(200 + number, number))
    job = start(day, workers)
    assert job.wait(60)
    day.check_all_complete(job)
    assert len(day.requests()) == 300


def test_what_is_no_executor_is_refused(day):
    with pytest.raises(jdaviz_mast.errors.InvalidInput, match="executor"):
        day.mast().fetch(day.table, source="http", executor="dask")
