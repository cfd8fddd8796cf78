"""Bad days of the disk: full, read-only, hostile names, links, and files that are damaged."""

import errno
import json
import os
import random
import resource
import shutil
import stat
import time
from pathlib import Path

import pytest
from bad_days import (
    MB,
    OBSERVATION,
    SMALL_PARTS,
    BadDay,
    fits,
    is_sentence,
    journalled,
    outcome,
    overlap,
    patience,
    until,
    without_root_rights,
)

import jdaviz_mast
from jdaviz_mast.demo import Fault
from jdaviz_mast.errors import MastError
from jdaviz_mast.transfer import partial

pytestmark = pytest.mark.slow

STATE = ".jdaviz-mast"


@pytest.fixture(autouse=True)
def _quick(request, monkeypatch):
    """Short pauses and small parts."""
    for name, value in SMALL_PARTS.items():
        monkeypatch.setattr(f"jdaviz_mast.transfer.{name}", value)
    with (
        jdaviz_mast.conf.set_temp("timeout", patience(request)),
        jdaviz_mast.conf.set_temp("retries", 1),
    ):
        yield


@pytest.fixture
def day(archive, tmp_path):
    """One file of sixteen parts and three small ones."""
    day = BadDay(archive, tmp_path)
    day.serve_four()
    return day


@pytest.fixture
def half(day):
    """A job that was cancelled with about half of the large file on the disk."""
    day.archive.bandwidth = 400_000
    job = day.mast().fetch(day.table, source="http", block=False)
    until(lambda: job.files and job.files[0].bytes_done > 500_000)
    job.cancel()
    assert job.wait(5)
    day.archive.bandwidth = None
    day.check(job, bad=[row["dataURI"] for row in day.rows])
    assert 300_000 < sum(b - a for a, b in journalled(day.path("large_i2d.fits"))) < MB
    return job


def part_of(path):
    return path.with_name(f".{path.name}.part")


def journal_of(path):
    return path.with_name(f".{path.name}.part.journal")


# -- no room --------------------------------------------------------------------------------


def test_a_file_that_cannot_fit_is_not_begun_and_the_need_is_named(day):
    free = shutil.disk_usage(day.folder).free
    row = day.rows[0]
    row["size"] = 4 * free
    job = day.fetch()
    day.check(job, bad=[row["dataURI"]])
    file = job.files[0]
    assert file.state == "failed"
    assert any(unit in file.error for unit in ("TB", "GB", "MB", "TiB", "GiB", "MiB", "bytes"))
    assert len(day.requests(row["dataURI"])) <= 1
    assert not part_of(file.path).exists()


def limit_file_size():
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))


def test_a_file_system_that_takes_no_more_is_reported(day):
    """A true refusal by the kernel: no file of this process may be longer."""
    large = day.rows[0]["dataURI"]
    report = day.start(before=limit_file_size, retries=1).report()
    day.check(report, bad=[large])
    assert report.files[0].state == "failed"
    day.check_all_complete(day.resume(report.id))


@pytest.mark.parametrize("room", [0, 200_000, 600_000])
def test_a_disk_that_fills_up_is_reported_with_the_need(day, monkeypatch, room):
    # A small file system cannot be mounted without rights, so that its answer is given here.
    left = [room]

    def full(function):
        def call(fd, data, *args):
            target = os.readlink(f"/proc/self/fd/{fd}")
            if str(day.folder) not in target or "large_i2d" not in target:
                return function(fd, data, *args)
            size = data if isinstance(data, int) else len(data)
            left[0] -= size
            if left[0] < 0:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return function(fd, data, *args)

        return call

    with monkeypatch.context() as patch:
        for name in ("pwrite", "write"):
            patch.setattr(os, name, full(getattr(os, name)))
        if hasattr(partial, "_write_at"):  # its own name for os.pwrite
            patch.setattr(partial, "_write_at", os.pwrite)
        job = day.fetch()
    assert left[0] < 0, "nothing was refused: the test has lost its way"
    day.check(job, bad=[day.rows[0]["dataURI"]])
    assert job.state == "partial"
    error = job.files[0].error
    assert any(word in error.lower() for word in ("disk", "space", "room")), error
    assert any(unit in error for unit in ("kB", "MB", "GB", "KiB", "MiB", "GiB", "bytes")), error
    day.check_all_complete(day.resume(job.id))


def assert_reported(job):
    """Nothing could be fetched: a call, a job or its files say why."""
    if isinstance(job, MastError):
        assert is_sentence(str(job))
    else:
        assert job.state == "failed"
        sentences = [str(job.error)] if job.error else [file.error for file in job.files]
        assert sentences
        assert all(is_sentence(sentence) for sentence in sentences), sentences


# -- no right to write ----------------------------------------------------------------------


def test_a_read_only_observation_folder_is_reported_and_the_rest_goes_on(day):
    row = day.serve("elsewhere_x1d.fits", fits(5760, 9), obs_id="other", mission="HST")
    other = day.rows[-1]
    folder = day.path("x").parent
    folder.mkdir(parents=True)
    folder.chmod(0o555)
    try:
        report = day.start(before=without_root_rights).report()
    finally:
        folder.chmod(0o755)
    assert report.state == "partial"
    for file in report.files:
        if file.uri == other["dataURI"]:
            assert file.state == "complete"
            assert file.path.read_bytes() == day.contents["elsewhere_x1d.fits"][0]
        else:
            assert file.state == "failed"
            assert is_sentence(file.error)
    assert list(folder.iterdir()) == []
    assert row == other["dataURI"]
    assert day.resume(report.id).state == "complete"


def test_a_read_only_download_folder_is_reported(day):
    day.folder.chmod(0o555)
    try:
        report = outcome(day.start(before=without_root_rights).report)
    finally:
        day.folder.chmod(0o755)
    assert list(day.folder.iterdir()) == []
    assert_reported(report)
    day.check_all_complete(day.fetch())


def test_a_download_folder_that_is_a_file_is_reported(day):
    day.folder.rmdir()
    day.folder.write_text("mine")
    assert_reported(outcome(day.fetch))
    assert day.folder.read_text() == "mine"


# -- names that the archive gives -----------------------------------------------------------

NAMES = {
    "up": "../../../escaped.fits",
    "up once": "..",
    "here": ".",
    "absolute": "/tmp/jdaviz-mast-escaped.fits",
    "absolute, Windows": "C:\\escaped.fits",
    "up, Windows": "..\\..\\escaped.fits",
    "NUL": "a\0b.fits",
    "a device": "CON",
    "a device with a suffix": "nul.fits",
    "300 characters": "a" * 295 + ".fits",
    "300 bytes": "ä" * 148 + ".fits",
    "a line": "a\nb.fits",
    "an escape sequence": "\x1b[2Jb.fits",
    "hidden": ".bashrc",
    "our own state": ".jdaviz-mast",
    "only spaces": "   ",
    "right to left": "a\u202estif.fits",
    "half a surrogate": "a\ud800.fits",
}


def everything(folder):
    """Each path below a folder, with its size and the time of its last change."""
    return {
        p: (p.lstat().st_size, p.lstat().st_mtime_ns) if not p.is_dir() else None
        for p in folder.rglob("*")
    }


@pytest.mark.parametrize("where", ["filename", "obs_id", "mission"])
@pytest.mark.parametrize("name", NAMES)
def test_a_hostile_name_is_refused_and_the_rest_goes_on(day, tmp_path, name, where):
    bad = day.serve("hostile.fits", fits(5760, 3), **{where: NAMES[name]})
    outside = {p: v for p, v in everything(tmp_path).items() if day.folder not in p.parents}
    job = day.fetch()
    file = job.files[-1]
    if file.state == "complete":  # a device's name is a name like others here, say
        assert day.folder in file.path.resolve().parents
        assert name in ("a device", "a device with a suffix", "only spaces", "right to left")
    else:
        assert file.state == "failed"
        assert is_sentence(file.error), repr(file.error)
        assert file.error.isprintable()
        assert not day.requests(bad), "what cannot be kept is not asked for"
    assert job.state in ("partial", "complete")
    assert [f.state for f in job.files[:-1]] == ["complete"] * 4
    for path in day.visible():
        assert path.read_bytes() in sum(day.contents.values(), [])
    after = {p: v for p, v in everything(tmp_path).items() if day.folder not in p.parents}
    assert {p.name for p in after} - {p.name for p in outside} == set()
    assert not Path("/tmp/jdaviz-mast-escaped.fits").exists()
    assert json.dumps(str(job))  # a name that cannot be printed is shown in another way


@pytest.mark.parametrize("length", [150, 185, 200])
def test_a_long_name_that_the_disk_can_hold_arrives(day, length):
    name = "a" * (length - 5) + ".fits"
    day.serve(name, fits(200_000, 3))
    job = day.fetch()
    day.check_all_complete(job)


def test_two_products_of_one_name_do_not_mix(day):
    first = day.serve("one", fits(600_000, 1), filename="same.fits")
    second = day.serve("two", fits(600_000, 2), filename="same.fits")
    for name in ("one", "two"):
        del day.contents[name]
    day.contents["same.fits"] = [fits(600_000, 1), fits(600_000, 2)]
    job = day.fetch()
    day.check(job, bad=[first, second])
    for file, own in zip(job.files[-2:], day.contents["same.fits"], strict=True):
        if file.state == "complete":
            assert file.path.read_bytes() == own, "called complete with the other's bytes"


# -- links ----------------------------------------------------------------------------------


@pytest.fixture
def outside(tmp_path):
    """A folder beside the download folder, with somebody's own file."""
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "mine.txt").write_text("mine")
    yield folder
    assert [p.name for p in folder.iterdir()] == ["mine.txt"]
    assert (folder / "mine.txt").read_text() == "mine"


@pytest.mark.parametrize("depth", ["mission", "observation"])
def test_a_folder_that_is_a_link_to_outside_is_not_followed(day, outside, depth):
    link = day.path("x").parent if depth == "observation" else day.path("x").parent.parent
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(outside, target_is_directory=True)
    job = day.fetch()
    assert job.state == "failed"
    assert all(is_sentence(f.error) for f in job.files)


@pytest.mark.parametrize("name", ["large_i2d.fits", "0_x1d.fits"])
@pytest.mark.parametrize("suffix", ["{}", ".{}.part", ".{}.part.journal", ".{}.part.lock"])
def test_a_file_that_is_a_link_to_outside_is_not_written_through(day, outside, name, suffix):
    path = day.path(name)
    path.parent.mkdir(parents=True)
    path.with_name(suffix.format(name)).symlink_to(outside / "mine.txt")
    job = day.fetch()
    bad = [r["dataURI"] for r in day.rows if r["productFilename"] == name]
    for file in job.files:
        if file.uri in bad and file.state == "failed":
            assert is_sentence(file.error)
        else:
            assert file.state == "complete"
            assert file.path.read_bytes() == day.contents[file.name][0]
            assert not file.path.is_symlink()


@pytest.mark.parametrize("suffix", [".{}.part", ".{}.part.journal", ".{}.part.lock"])
def test_a_link_to_outside_that_comes_between_two_runs_is_not_written_through(
    day, half, outside, suffix
):
    path = day.path("large_i2d.fits")
    link = path.with_name(suffix.format(path.name))
    link.unlink(missing_ok=True)
    link.symlink_to(outside / "mine.txt")
    job = day.resume(half.id)
    day.check(job, bad=[day.rows[0]["dataURI"]])


@pytest.mark.parametrize("suffix", ["{}", ".{}.part", ".{}.part.journal", ".{}.part.lock"])
def test_a_folder_in_the_place_of_a_file_is_reported(day, suffix):
    name = "large_i2d.fits"
    taken = day.path(name).with_name(suffix.format(name))
    taken.mkdir(parents=True)
    (taken / "mine.txt").write_text("mine")
    job = day.fetch()
    file = job.files[0]
    assert [f.state for f in job.files[1:]] == ["complete"] * 3
    if file.state == "complete":
        assert file.path.read_bytes() == day.contents[name][0]
    else:
        assert is_sentence(file.error)
    assert [p.read_text() for p in day.folder.rglob("mine.txt")] == ["mine"]


# -- what is there already ------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrong",
    [lambda data: bytes(len(data)), lambda data: data[:-1], lambda data: data + b"x",
     lambda data: b"", lambda data: b"<html>".ljust(len(data))],
    ids=["right size, zeros", "a byte short", "a byte long", "empty", "right size, a web page"],
)  # fmt: skip
@pytest.mark.parametrize("name", ["large_i2d.fits", "0_x1d.fits"])
def test_what_does_not_verify_is_set_aside_and_fetched_anew(day, wrong, name):
    path = day.path(name)
    path.parent.mkdir(parents=True)
    mine = wrong(day.contents[name][0])
    path.write_bytes(mine)
    job = day.fetch()
    day.check_all_complete(job)
    kept = [p for p in path.parent.iterdir() if p.name not in day.contents]
    assert [p.read_bytes() for p in kept] == [mine], "it may be somebody's own"


def test_corrupt_fits_of_the_right_size_never_gets_its_name(day):
    large = day.rows[0]["dataURI"]
    day.archive.fail(Fault("corrupt", match=large))
    job = day.fetch()
    day.check(job, bad=[large])
    assert job.files[0].state == "failed"
    assert not day.path("large_i2d.fits").exists()
    day.archive.clear_faults()
    day.check_all_complete(day.resume(job.id))


def test_what_is_whole_is_never_fetched_again(day):
    job = day.fetch()
    day.check_all_complete(job)
    before = len(day.requests())
    for again in (day.fetch(), day.resume(job.id)):
        day.check_all_complete(again)
        assert [file.bytes_fetched for file in again.files] == [0, 0, 0, 0]
    assert len(day.requests()) == before


def test_what_is_whole_is_not_even_touched(day):
    day.check_all_complete(day.fetch())
    before = {path: path.stat().st_mtime_ns for path in day.visible()}
    day.check_all_complete(day.fetch())
    assert {path: path.stat().st_mtime_ns for path in day.visible()} == before


def test_a_file_that_is_missing_is_fetched_alone(day):
    job = day.fetch()
    day.path("1_x1d.fits").unlink()
    before = len(day.requests())
    day.check_all_complete(day.resume(job.id))
    assert len(day.requests()) == before + 1


def test_files_are_as_open_to_others_as_the_users_own(day):
    mine = day.folder.parent / "mine"
    mine.write_text("")
    day.check_all_complete(day.fetch())
    expected = stat.S_IMODE(mine.stat().st_mode)
    mine.unlink()
    assert {stat.S_IMODE(path.stat().st_mode) for path in day.visible()} == {expected}


# -- journals -------------------------------------------------------------------------------


def flip(data, seed=0):
    """The same bytes with some bits changed."""
    chance, changed = random.Random(seed), bytearray(data)
    for _ in range(5):
        changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


JOURNALS = {
    "empty": lambda data: b"",
    "half": lambda data: data[: len(data) // 2],
    "a line torn": lambda data: data[:-3],
    "zeros": lambda data: bytes(len(data)),
    "zeros at the end": lambda data: data[:-40] + bytes(40),
    "noise": lambda data: random.Random(1).randbytes(len(data)),
    "noise added": lambda data: data + random.Random(1).randbytes(500),
    "bits flipped": flip,
    "bits flipped elsewhere": lambda data: flip(data, 7),
    "of another version": lambda data: b'{"format": 99, "done": [[0, 1048576]]}\n',
    "of another program": lambda data: b"SQLite format 3\0" + bytes(4000),
    "JSON of another shape": lambda data: b'[1, 2, {"a": null}]\n',
    "twice": lambda data: data + data,
    "without its first line": lambda data: data.split(b"\n", 1)[1],
    "lines in another order": lambda data: b"\n".join(reversed(data.split(b"\n"))),
    "very long": lambda data: data + b"00000000 1 2\n" * 200_000,
}


@pytest.mark.parametrize("name", JOURNALS)
def test_a_damaged_journal_costs_bytes_and_no_more(day, half, name):
    journal = journal_of(day.path("large_i2d.fits"))
    journal.write_bytes(JOURNALS[name](journal.read_bytes()))
    day.check_all_complete(day.resume(half.id))


PARTS = {
    "missing": lambda part: part.unlink(),
    "empty": lambda part: part.write_bytes(b""),
    "cut": lambda part: os.truncate(part, 100_000),
    "longer": lambda part: os.truncate(part, 5 << 20),
}


@pytest.mark.parametrize("name", PARTS)
def test_a_partial_file_that_is_not_what_the_journal_says_is_noticed(day, half, name):
    PARTS[name](part_of(day.path("large_i2d.fits")))
    day.check_all_complete(day.resume(half.id))


def test_a_journal_of_another_file_is_not_believed(day, half):
    """Somebody renames folders: the journal lies beside another product of the same size."""
    path = day.path("large_i2d.fits")
    day.rows[0]["productFilename"] = "renamed_i2d.fits"
    other = day.serve("other", fits(MB, "other"), filename="large_i2d.fits")
    data = day.contents.pop("other")
    day.contents["renamed_i2d.fits"] = day.contents["large_i2d.fits"]
    day.contents["large_i2d.fits"] = data
    assert part_of(path).exists()
    job = day.fetch()
    day.check_all_complete(job)
    assert job.files[-1].uri == other


def test_only_what_the_journal_lacks_is_fetched(day, half):
    large = day.rows[0]["dataURI"]
    finished, before = journalled(day.path("large_i2d.fits")), len(day.requests(large))
    day.check_all_complete(day.resume(half.id))
    assert overlap(day.ranges(large, before), finished) == []


# -- records of jobs ------------------------------------------------------------------------


def records(day, job_id):
    folder = day.folder / STATE / "jobs" / job_id
    return [path for path in folder.rglob("*") if path.is_file()]


RECORDS = {name: JOURNALS[name] for name in (
    "empty", "half", "zeros", "noise", "of another version", "of another program",
    "JSON of another shape", "bits flipped")}  # fmt: skip


@pytest.mark.parametrize("name", RECORDS)
def test_a_damaged_record_of_a_job_harms_no_other_job(day, half, name):
    whole = day.fetch()
    damaged = records(day, half.id)
    assert damaged
    for path in damaged:
        data = path.read_bytes()
        path.write_bytes(RECORDS[name](data) if data else b"")

    mast = day.mast()
    listed = {job.id: job.state for job in mast.jobs}

    assert listed[whole.id] == "complete"
    if half.id in listed:
        job = outcome(lambda: mast.resume(half.id))
        if isinstance(job, MastError):
            assert is_sentence(str(job))
        else:
            whole = [file for file in job.files if file.state == "complete"]
            assert all(file.path.read_bytes() in day.contents[file.name] for file in whole)
    day.check_all_complete(day.fetch())


def test_a_job_that_nobody_knows_is_an_error_that_says_so(day):
    for wrong in ("nobody", "../..", "", "a/b", "\0"):
        with pytest.raises(MastError) as caught:
            day.mast().resume(wrong)
        assert is_sentence(str(caught.value))


# -- the clock ------------------------------------------------------------------------------


@pytest.mark.parametrize("shift", [-10 * 86400, 10 * 86400], ids=["back", "forward"])
def test_a_clock_that_is_set_between_two_runs_changes_nothing(day, half, monkeypatch, shift):
    large = day.rows[0]["dataURI"]
    finished, before = journalled(day.path("large_i2d.fits")), len(day.requests(large))
    now = time.time
    monkeypatch.setattr(time, "time", lambda: now() + shift)
    assert half.id in [job.id for job in day.mast().jobs]
    day.check_all_complete(day.resume(half.id))
    assert overlap(day.ranges(large, before), finished) == []


def test_files_from_the_future_are_taken_up(day, half):
    large = day.rows[0]["dataURI"]
    finished, before = journalled(day.path("large_i2d.fits")), len(day.requests(large))
    future = time.time() + 10 * 86400
    for path in day.folder.rglob("*"):
        os.utime(path, (future, future))
    day.check_all_complete(day.resume(half.id))
    assert overlap(day.ranges(large, before), finished) == []


def test_a_clock_that_is_set_back_on_the_way_changes_nothing(day, monkeypatch):
    day.archive.fail(
        Fault("status", status=503, retry_after=1, times=1, match=day.rows[0]["dataURI"])
    )
    day.archive.bandwidth = 400_000
    job = day.mast().fetch(day.table, source="http", block=False)
    until(lambda: job.files and job.files[0].bytes_done > 200_000)
    now = time.time
    monkeypatch.setattr(time, "time", lambda: now() - 86400)
    until(lambda: job.files[0].bytes_done > 600_000)
    assert job.rate >= 0
    assert job.eta is None or job.eta >= 0
    monkeypatch.setattr(time, "time", lambda: now() + 86400)
    day.archive.bandwidth = None
    assert job.wait(20)
    day.check_all_complete(job)


# -- without the network --------------------------------------------------------------------


def test_files_that_are_whole_are_taken_up_without_the_network(day):
    before = day.fetch()
    day.check_all_complete(before)
    requests = len(day.archive.requests)
    job = day.mast().import_existing(OBSERVATION)
    assert job.wait(10)
    assert job.state == "complete"
    assert {f.path.name: f.path.read_bytes() for f in job.files} == {
        name: data[0] for name, data in day.contents.items()
    }
    assert len(day.archive.requests) == requests


def test_a_half_file_is_not_taken_up_as_a_whole_one(day, half):
    requests = len(day.archive.requests)
    job = outcome(lambda: day.mast().import_existing(OBSERVATION))
    if isinstance(job, MastError):  # none of the small ones was whole either
        assert is_sentence(str(job))
        return
    large = [f for f in job.files if f.name == "large_i2d.fits"]
    assert all(f.state != "complete" for f in large)
    for file in job.files:
        if file.state == "complete":
            assert file.path.read_bytes() in day.contents[file.name]
    assert len(day.archive.requests) == requests


def test_an_observation_of_which_nothing_is_there_is_said_so(day):
    for unknown in ("nobody", "../..", "a/b"):
        job = outcome(lambda unknown=unknown: day.mast().import_existing(unknown))
        if isinstance(job, MastError):
            assert is_sentence(str(job))
        else:
            assert job.wait(5)
            assert job.state != "complete"


def test_a_kill_just_after_a_file_got_its_name_leaves_no_litter(day, half):
    kept = journal_of(day.path("large_i2d.fits")).read_bytes()
    job = day.resume(half.id)
    path = day.path("large_i2d.fits")
    journal_of(path).write_bytes(kept)
    path.with_name(f".{path.name}.part.lock").touch()
    asked = len(day.requests())
    day.check_all_complete(day.resume(job.id))
    assert len(day.requests()) == asked
