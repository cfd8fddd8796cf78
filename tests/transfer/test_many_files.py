"""A job of 5,000 files: bounded memory, quick to list, and resumed from where it was."""

import os
import random
import time

import pytest
from bad_days import BadDay, journalled, outcome

from jdaviz_mast.demo import DemoArchive
from jdaviz_mast.errors import MastError

pytestmark = pytest.mark.slow

COUNT, FEW = 5000, 500
CONNECTIONS = 4


@pytest.fixture(scope="module")
def large_archive():
    with DemoArchive() as archive:
        archive.products.clear()
        yield archive


@pytest.fixture
def serve(large_archive, tmp_path):
    """Callable: a day with that many tiny files."""

    def make(count, name="day"):
        day = BadDay(large_archive, tmp_path / name)
        large_archive.products.clear()
        chance = random.Random(count)
        for number in range(count):
            data = chance.randbytes(chance.randrange(400))
            day.serve(f"{number:05}.ecsv", data, obs_id=f"jw99999-o{number % 100:03}")
        return day

    return make


def assert_all_there(day):
    """Every file of the day is whole, and nothing else is there."""
    found = {path.name: path.read_bytes() for path in day.visible()}
    assert found == {name: data[0] for name, data in day.contents.items()}


def peak_memory(day):
    """Megabytes by which a process grows while it fetches these files."""
    run = day.start(before=start_counting)
    report = run.report(120)
    assert report.state == "complete"
    assert_all_there(day)
    return run.memory_grown


def start_counting():
    """Let the kernel begin anew with the most memory that this process had."""
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")


@pytest.mark.skipif(not os.path.exists("/proc/self/clear_refs"), reason="needs Linux")
def test_memory_hardly_grows_with_the_number_of_files(serve):
    few = peak_memory(serve(FEW, "few"))
    many = peak_memory(serve(COUNT, "many"))
    print(f"{FEW} files: {few:.1f} MB, {COUNT} files: {many:.1f} MB")
    # What is kept of a file while the job stands: its row, its item, its state.
    assert many - few < (COUNT - FEW) * 6e-3, "more than 6 kB a file"


def test_a_job_of_5000_files_is_killed_cancelled_and_resumed(serve):
    day = serve(COUNT)
    total = sum(row["size"] for row in day.rows)

    run = day.start()
    run.until_bytes(total // 3, 60)
    job_id = run.kill()
    whole = {path.name for path in day.visible()}
    assert COUNT // 5 < len(whole) < COUNT * 4 // 5
    before = len(day.requests())

    began = time.monotonic()
    (listed,) = day.mast().jobs
    took = time.monotonic() - began
    print(f"listed in {took:.2f} s")
    assert took < 2
    assert (listed.id, listed.state, len(listed.files)) == (job_id, "interrupted", COUNT)

    job = day.mast().resume(job_id, block=False)
    while job.bytes_done < total * 2 // 3:
        assert not job.wait(0.01), "it ended before it could be cancelled"
    began = time.monotonic()
    job.cancel()
    assert job.wait(5)
    assert time.monotonic() - began < 1.5
    assert job.state == "cancelled"
    asked = day.requests()[before:]
    assert not whole & {name_of(request) for request in asked}

    time.sleep(0.3)  # what was on its way to the archive is counted as well
    whole, before = {path.name for path in day.visible()}, len(day.requests())
    named_only = fetched_but_not_named(day)
    stated = {file.path.name for file in job.files if file.state == "complete"}
    assert stated == whole
    report = day.start(job_id=job_id).report(120)
    assert report.state == "complete"
    assert [file.uri for file in report.files] == [row["dataURI"] for row in day.rows]
    assert_all_there(day)
    asked = [name_of(request) for request in day.requests()[before:]]
    assert not whole & set(asked)
    # A file whose last byte was journalled when Cancel came needs its name alone.
    assert len(asked) == len(set(asked)) == COUNT - len(whole) - len(named_only)
    assert len(day.requests()) <= COUNT + 3 * CONNECTIONS, "one request a file"

    requests = len(day.requests())
    again = day.fetch()
    assert (again.state, again.bytes_done) == ("complete", total)
    assert len(day.requests()) == requests


def fetched_but_not_named(day):
    """Names of files whose journal holds every byte."""
    ending = ".part.journal"
    paths = [
        path.with_name(path.name.removeprefix(".").removesuffix(ending))
        for path in day.folder.rglob(f".*{ending}")
    ]
    return {
        path.name for path in paths if journalled(path) == [(0, len(day.contents[path.name][0]))]
    }


def name_of(request):
    return request.query["uri"][0].split("-", 2)[-1]


def test_many_jobs_are_listed_quickly(serve):
    day = serve(20, "jobs")
    mast = day.mast()
    ids = [mast.fetch(day.table, source="http").id for _ in range(100)]
    began = time.monotonic()
    listed = day.mast().jobs
    took = time.monotonic() - began
    print(f"100 jobs in {took:.2f} s")
    assert [job.id for job in listed] == ids, "oldest first"
    assert took < 2
    assert not isinstance(outcome(lambda: day.mast().resume(ids[0])), MastError)
