"""Kill -9 in the middle of library writes, and several processes that write at once."""

import multiprocessing
import os
import random
import signal
import sqlite3
import time
from contextlib import closing

import pytest
from astropy.table import Table

from jdaviz_mast import Mast
from jdaviz_mast.library import Library
from jdaviz_mast.library.disk import scan, sha256_of
from jdaviz_mast.library.trails import Trail

pytestmark = pytest.mark.slow

_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(["jdaviz_mast.library", "jdaviz_mast.mast"])

OBSERVATION = "jw00001-o001_t001_niriss"


def uri_of(name):
    return f"mast:JWST/product/{name}"


def trail_of(name):
    return Trail(uri_of(name), "http", "http://archive", "0123456789ab", {"target": "M 31"},
                 {"dataURI": uri_of(name)}, {"obs_id": OBSERVATION, "t": "x" * 500})  # fmt: skip


def work(pipe, folder, seed):
    """Do what imports do to a library, over and over; tell which files have entered."""
    chance, library, mine = random.Random(seed), Library(folder), []
    place = folder / "JWST" / OBSERVATION
    while True:
        names = [f"{seed}_{chance.getrandbits(40):x}_i2d.fits" for _ in range(chance.randint(1, 4))]
        for name in names:
            (place / f".{name}.part").write_bytes(random.randbytes(chance.randint(1, 20_000)))
            (place / f".{name}.part").rename(place / name)
        library.enter({f"JWST/{OBSERVATION}/{name}": trail_of(name) for name in names})
        pipe.send(("entered", names))
        mine += names
        library.add_checksums([place / name for name in names])
        library.update(uri_of(chance.choice(mine)), observation={"obs_title": str(chance.random())})
        if len(mine) > 20:
            pipe.send(("removing", [mine[0]]))
            library.remove(uri_of(mine.pop(0)))
        if chance.random() < 0.2:
            library.synchronize()


class Worker:
    """A process that writes, until it is killed."""

    def __init__(self, folder, seed):
        self._ours, theirs = _processes.Pipe()
        self.process = _processes.Process(target=work, args=(theirs, folder, seed))
        self.process.start()
        theirs.close()
        self._ours.poll(30)  # it is at work

    def kill(self):
        """Send SIGKILL; return what it told: names that have entered, and that it may remove."""
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.join(10)
        assert self.process.exitcode == -signal.SIGKILL
        told = {"entered": set(), "removing": set()}
        try:
            while self._ours.poll():
                what, names = self._ours.recv()
                told[what].update(names)
        except EOFError:
            pass
        return told["entered"], told["removing"]


def check(folder, entered, removing):
    """The library opens, agrees with the disk, and has lost nothing that had entered."""
    path = folder / ".jdaviz-mast" / "library.sqlite"
    library = Library(folder)
    kept = {file.name: file for file in library.files()}
    # Before anything is made good: what had entered is there, with its origin.
    for name in entered - removing:
        assert kept[name].job_id == "0123456789ab"
        assert kept[name].query == {"target": "M 31"}
    library.synchronize()
    files = library.files()
    on_disk = scan(folder, ["JWST"])
    assert {f.path.relative_to(folder).as_posix(): f.size for f in files} == {
        path: size for path, (size, _) in on_disk.items()
    }
    for file in random.sample(files, min(20, len(files))):
        assert file.sha256 in (None, sha256_of(file.path))
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert not list(path.parent.glob("*damaged*"))


@pytest.mark.parametrize(("at_once", "kills"), [(1, 40), (2, 20), (4, 10)])
def test_a_hundred_kills_in_the_middle_of_writes_lose_nothing(tmp_path, at_once, kills):
    """40 of one alone, 40 of two and 40 of four at once: 120 in all."""
    chance = random.Random(at_once)
    (tmp_path / "JWST" / OBSERVATION).mkdir(parents=True)
    entered, removing, in_the_middle = set(), set(), 0
    journal = tmp_path / ".jdaviz-mast" / "library.sqlite-journal"
    for number in range(kills):
        workers = [Worker(tmp_path, f"{number}-{n}") for n in range(at_once)]
        time.sleep(chance.uniform(0, 0.3))
        for worker in workers:
            has_entered, may_be_gone = worker.kill()
            entered |= has_entered
            removing |= may_be_gone
        in_the_middle += journal.exists()
        check(tmp_path, entered, removing)
    assert in_the_middle > 0, "no kill came in the middle of a transaction"
    assert len(entered) > kills


def test_a_new_library_that_is_killed_while_it_is_filled_is_filled_again(tmp_path):
    place = tmp_path / "JWST" / OBSERVATION
    place.mkdir(parents=True)
    for n in range(300):
        (place / f"{n}_i2d.fits").write_bytes(b"%d" % n)
    chance = random.Random(5)
    for _ in range(20):
        process = _processes.Process(target=fill, args=(tmp_path,))
        process.start()
        time.sleep(chance.uniform(0, 0.15))
        process.kill()
        process.join(10)
        assert len(Library(tmp_path).files()) == 300
        for path in (tmp_path / ".jdaviz-mast").iterdir():
            path.unlink()


def fill(folder):
    Library(folder).files()


def enter_many(folder, seed, count):
    library, place = Library(folder), folder / "JWST" / OBSERVATION
    for n in range(count):
        name = f"{seed}_{n}.json"
        (place / name).write_bytes(b"{}")
        library.enter({f"JWST/{OBSERVATION}/{name}": trail_of(name)})
        library.add_checksums([place / name])


@pytest.mark.parametrize("harm", [None, b"", b"no database" * 1000])
def test_six_processes_begin_and_write_at_once(tmp_path, harm):
    """Where the library is new, where it is empty, and where it is damaged."""
    (tmp_path / "JWST" / OBSERVATION).mkdir(parents=True)
    path = tmp_path / ".jdaviz-mast" / "library.sqlite"
    if harm is not None:
        path.parent.mkdir()
        path.write_bytes(harm)
    processes = [
        _processes.Process(target=enter_many, args=(tmp_path, seed, 15)) for seed in range(6)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)
    assert [process.exitcode for process in processes] == [0] * 6
    files = Library(tmp_path).files()
    assert len(files) == 90
    # Only who was set aside together with a damaged file may have to be read again.
    assert all(f.sha256 == sha256_of(f.path) for f in files if f.sha256)
    aside = list(path.parent.glob("*damaged*"))
    assert len(aside) == bool(harm)
    if not harm:
        assert all(f.sha256 and f.job_id for f in files)


def fetch_all(url, folder, rows, began):
    job = Mast(url, folder).fetch(Table(rows=rows), source="http", block=False)
    began.set()
    job.settled.wait()


def test_of_a_fetch_that_is_killed_no_whole_file_is_lost(archive, tmp_path):
    """At any moment: while files come, between the job's end and the library, while it is read."""
    rows = []
    for n in range(60):
        name, key = f"killed{n}_i2d.json", random.getrandbits(40)
        uri = f"mast:JWST/product/{key:x}/{name}"
        archive.add_bytes(uri, b'{"n": "%d"}' % key)
        rows.append({"dataURI": uri, "productFilename": name, "obs_id": OBSERVATION,
                     "obs_collection": "JWST", "size": len(b'{"n": "%d"}' % key)})  # fmt: skip
    chance, found = random.Random(8), []
    for number in range(12):
        folder = tmp_path / str(number)
        began = _processes.Event()
        process = _processes.Process(target=fetch_all, args=(archive.url, folder, rows, began))
        process.start()
        assert began.wait(30)
        time.sleep(chance.uniform(0, 0.5))
        process.kill()
        process.join(10)
        (job,) = Mast(archive.url, folder).jobs
        on_disk = {path.name for path in (folder / "JWST" / OBSERVATION).glob("[!.]*")}
        kept = {file.name: file for file in Mast(archive.url, folder).library.files()}
        assert kept.keys() == on_disk
        assert {file.job_id for file in kept.values()} <= {job.id}
        assert all(file.product["dataURI"] == file.uri for file in kept.values())
        found.append(len(kept))
        if number % 4 == 0:
            Mast(archive.url, folder).resume(job.id)
            kept = Mast(archive.url, folder).library.files()
            assert len(kept) == 60
            assert all(file.sha256 == sha256_of(file.path) for file in kept)
    assert any(found), "no kill came after the first file"
