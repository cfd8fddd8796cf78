"""What the tests of bad days share: files to fetch, processes to kill, and what may be left.

Nothing in here knows how the engine works, except `journalled`, which reads its journals, and
the names of the constants in `SMALL_PARTS`.
"""

import ctypes
import importlib
import multiprocessing
import os
import random
import re
import socket
import time
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace

from astropy.table import Table

import jdaviz_mast
from jdaviz_mast import Mast
from jdaviz_mast.demo.cloud import key_of
from jdaviz_mast.errors import MastError

#: Bytes of a block of FITS, and about a megabyte in whole blocks.
BLOCK = 2880
MB = 364 * BLOCK

MISSION, OBSERVATION = "JWST", "jw99999-o001_t001_bad-day"
CHANGED = "changed on the server"

#: Constants of the engine, so that small files have many parts, a short life is journalled, and
#: the pauses between two tries are short.
SMALL_PARTS = {
    "hosts._FIRST_PAUSE": 0.1,
    "schedule.SMALLEST_PART": 1 << 16,
    "schedule.LARGEST_PART": 1 << 16,
    "partial._CHECKPOINT_SECONDS": 0.03,
}


def fits(size, seed):
    """Bytes that are FITS and repeat nowhere: a part in a wrong place is seen.

    Fewer bytes than a header has only begin as FITS does.
    """
    cards = ["SIMPLE  =                    T", "BITPIX  =                    8"]
    if size > BLOCK:
        cards += ["NAXIS   =                    1", f"NAXIS1  = {size - BLOCK:20}"]
    else:
        cards += ["NAXIS   =                    0"]
    header = "".join(card.ljust(80) for card in [*cards, "END"]).ljust(BLOCK).encode()
    if size < BLOCK:
        header = header[:80]
    return (header + random.Random(seed).randbytes(max(0, size - len(header))))[:size]


def patience(request):
    """Seconds that the engine is to wait for an answer in a test.

    Few only where an answer does not come. Elsewhere, a machine that stops for two seconds would
    be taken for a server that does, and a request be made twice.
    """
    return 1.0 if "stall" in request.node.name else 20.0


def reprocessed(data):
    """What the embedded archive serves for a file that has changed."""
    kept = 80 if len(data) < BLOCK else BLOCK
    return data[:kept] + bytes(byte ^ 1 for byte in data[kept:])


def is_sentence(text):
    """Whether a person can read this: one line, ended, and nothing of Python in it."""
    python = r"Errno|Traceback|Exception|Error\(|0x[0-9a-f]{6}|<class|urllib3|Max retries"
    return bool(re.fullmatch(r"\S[^\n]+\.", text or "")) and not re.search(python, text)


class BadDay:
    """Files that the embedded archive serves, and a folder that they are fetched to.

    Attributes
    ----------
    contents : dict
        File name to the list of bytes that the file may have at the end.
    bucket : moto_server.Bucket or None
        The public bucket, for the tests of S3.
    """

    def __init__(self, archive, folder, name="day", bucket=None):
        self.archive, self.folder, self.bucket = archive, folder / "downloads", bucket
        self.folder.mkdir(parents=True)
        self._key = f"{name}-{random.getrandbits(48):x}"
        self.rows, self.contents = [], {}

    # -- what there is to fetch -------------------------------------------------------------

    def serve(self, name, data, *, size=None, filename=None, obs_id=OBSERVATION, mission=MISSION):
        """Let the archive serve ``data``; returns the URI. ``size`` is the catalogue's."""
        uri = f"mast:{MISSION}/product/{self._key}-{name}"
        if name in self.contents:  # the file has changed: nothing of the former one stays
            self.archive.products[:] = [p for p in self.archive.products if p["dataURI"] != uri]
            self.rows = [r for r in self.rows if r["dataURI"] != uri]
        row = self.archive.add_bytes(uri, data)
        # The bucket's key is made of the file's name, so that this has to be the URI's.
        row["productFilename"] = uri.rsplit("/", 1)[-1]
        listed = {
            "dataURI": uri,
            "productFilename": name if filename is None else filename,
            "size": len(data) if size is None else size,
            "obs_id": obs_id,
            "obs_collection": mission,
        }
        self.rows.append(listed)
        self.contents[name] = [data]
        return uri

    def serve_four(self, size=MB):
        """One file of many parts and three small ones; returns the URI of the large one."""
        uri = self.serve("large_i2d.fits", fits(size, self._key))
        for number in range(3):
            self.serve(f"{number}_x1d.fits", fits(5760 * (number + 1), number))
        return uri

    @property
    def table(self):
        """The products, as `Mast.fetch` takes them."""
        return Table(rows=self.rows)

    def path(self, name):
        """Where a file goes."""
        return self.folder / MISSION / OBSERVATION / name

    def put(self, name, data):
        """Let the bucket hold ``data`` for a file."""
        row = next(r for r in self.rows if r["productFilename"] == name)
        self.bucket.put(key_of(row["dataURI"]), data)

    def put_all(self):
        """Let the bucket hold what the archive serves."""
        for name, data in self.contents.items():
            self.put(name, data[0])

    # -- fetching ---------------------------------------------------------------------------

    def mast(self):
        """A new front door, as after a new start."""
        return Mast(self.archive.url, self.folder)

    def fetch(self, seconds=60, source="http", **options):
        """Fetch in this process and wait for the end; returns the job."""
        job = self.mast().fetch(self.table, source=source, block=False, **options)
        assert job.wait(seconds), f"{job} did not end within {seconds} s: {states(job)}"
        return job

    def resume(self, job_id, seconds=60):
        """Resume with a new front door and wait for the end; returns the job."""
        job = self.mast().resume(job_id, block=False)
        assert job.id == job_id
        assert job.wait(seconds), f"{job} did not end within {seconds} s: {states(job)}"
        return job

    def start(self, *, job_id=None, source="http", server=None, **settings):
        """Fetch, or resume, in a process of its own; returns the `Run`."""
        return Run(server or self.archive.url, self.folder, self.rows, job_id, source, settings)

    # -- what came over the wire ------------------------------------------------------------

    def requests(self, uri=None):
        """Requests for the bytes of one file, or of all, over HTTP or S3, oldest first."""
        key = uri.rsplit("/", 1)[-1] if uri else self._key
        return [
            request
            for request in self.archive.requests
            if request.method == "GET"
            and (
                key in " ".join(request.query.get("uri", ()))
                and "/Download/" in request.path
                or key in request.path
            )
        ]

    def ranges(self, uri, since=0):
        """(start, stop) of the bytes that each request asked for, those from ``since`` on."""
        size = len(self.contents_of(uri)[0])
        return [asked_range(request, size) for request in self.requests(uri)[since:]]

    def contents_of(self, uri):
        """All that the file of this URI may hold."""
        row = next(r for r in self.rows if r["dataURI"] == uri)
        return self.contents.get(row["productFilename"]) or [b""]

    def bucket_requests(self, uri=None):
        """Requests that the bucket got for one file, or for all, oldest first."""
        key = uri.rsplit("/", 1)[-1] if uri else self._key
        return [r for r in self.bucket.requests if r.method == "GET" and key in r.path]

    def bucket_ranges(self, uri, since=0):
        """(start, stop) of the bytes that the bucket was asked for, from ``since`` on."""
        size = len(self.contents_of(uri)[0])
        return [asked_range(request, size) for request in self.bucket_requests(uri)[since:]]

    # -- what is left -----------------------------------------------------------------------

    def visible(self):
        """Every file below the folder that stands under a final name."""
        return [
            path
            for path in self.folder.rglob("*")
            if (path.is_file() or path.is_symlink())
            and not any(part.startswith(".") for part in path.relative_to(self.folder).parts)
            and not re.search(r"\.aside\d+$", path.name)
        ]

    def check(self, job, *, bad=()):
        """Assert what must hold after any day: whole and verified, or reported with a reason.

        Parameters
        ----------
        job : ImportJob, or the report of a `Run`
        bad : iterable of str
            URIs of the files that may have failed; all others have to be complete.
        """
        # Cancelled before it was planned, it has none.
        rows = self.rows if job.files or job.state != "cancelled" else []
        listed = [file.uri for file in job.files]
        assert listed == [row["dataURI"] for row in rows], f"{job.state}, files {listed}"
        for file, row in zip(job.files, rows, strict=True):
            says = f"{row['productFilename'][:40]}: {file.state}, {file.error}, {file.note}"
            if file.state == "complete":
                found = file.path.read_bytes()
                assert found in self.contents[file.path.name], f"WRONG BYTES, {says}"
                assert not file.error, says
                assert file.bytes_done == file.bytes_total == len(found), says
            else:
                assert file.uri in bad, f"should be whole, {says}"
                assert file.state in ("failed", "cancelled"), says
                if file.state == "failed":
                    assert is_sentence(file.error), says
        for path in self.visible():
            assert path.read_bytes() in self.contents[path.name], f"{path} is not whole"
        stated = {file.state for file in job.files}
        if not stated and not rows:
            return
        if stated == {"complete"}:
            assert job.state == "complete"
            for name in self.contents:
                assert self.path(name).is_file(), name
        elif "cancelled" in stated:
            assert job.state == "cancelled"
        else:
            assert job.state == ("partial" if "complete" in stated else "failed")

    def check_all_complete(self, job):
        """`check`, and every file is whole, and no partial file or journal stays."""
        self.check(job)
        assert job.state == "complete", states(job)
        left = leftovers(self.folder)
        assert left == [], f"left over: {left}"


def outcome(call):
    """What a call returns, or the error that it raises for a person."""
    try:
        return call()
    except MastError as error:
        return error


def leftovers(folder):
    """Hidden files beside the products: partial ones, journals, locks."""
    return sorted(
        path.name for path in folder.rglob(".*.part*") if ".jdaviz-mast" not in path.parts
    )


def states(job):
    """How the files of a job stand, for a message."""
    return [(f.path and f.path.name, f.state, f.error, f.note) for f in job.files][:8]


def said(job, uri):
    """What a job says of a file: its note and its error."""
    file = next(f for f in job.files if f.uri == uri)
    return f"{file.note or ''} {file.error or ''}"


def asked_range(request, size):
    """(start, stop) that a request asks for; the whole file if it has no Range."""
    match = re.fullmatch(r"bytes=(\d+)-(\d*)", request.headers.get("range", ""))
    if match is None:
        return 0, size
    return int(match[1]), min(int(match[2]) + 1 if match[2] else size, size)


def length(ranges):
    """Bytes in some (start, stop), each counted as often as it is there."""
    return sum(stop - start for start, stop in ranges)


def overlap(ranges, others):
    """The pieces that two lists of (start, stop) have in common."""
    return [(max(a, c), min(b, d)) for a, b in ranges for c, d in others if max(a, c) < min(b, d)]


def until(condition, seconds=20, what="this"):
    """Wait for the condition, a callable; return what it returned."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"{what} did not come within {seconds} s"
        time.sleep(0.01)
    return value


def journalled(path):
    """(start, stop) of the bytes of a file that its journal says are on the disk.

    The journal's first line is the version of the file, each other line a range; all of them
    are ``checksum text``.
    """
    journal = path.with_name(f".{path.name}.part.journal")
    lines = journal.read_text().splitlines()[1:] if journal.exists() else []
    numbers = [re.fullmatch(r"[0-9a-f]{8} (\d+) (\d+)", line) for line in lines]
    return merged((int(n[1]), int(n[2])) for n in numbers if n)


def merged(ranges):
    """The same bytes in sorted, separate ranges."""
    result = []
    for start, stop in sorted(ranges):
        if result and start <= result[-1][1]:
            result[-1] = (result[-1][0], max(stop, result[-1][1]))
        else:
            result.append((start, stop))
    return result


def free_port():
    """A port of this machine on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


# -- a process of its own --------------------------------------------------------------------

_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(["jdaviz_mast", "astropy.table"])


class Run:
    """A process that fetches or resumes, can be killed at any moment, and reports."""

    def __init__(self, server, folder, rows, job_id=None, source="http", settings=None):
        self._ours, theirs = _processes.Pipe()
        arguments = (theirs, server, str(folder), rows, job_id, source, settings or {})
        self.process = _processes.Process(target=_fetch, args=arguments)
        self.process.start()
        theirs.close()
        self.job_id, self.bytes_done, self.result = job_id, 0, None
        self.memory_grown = 0.0  # MB, of the most memory that it had over that at the start

    def listen(self, seconds=0.0):
        """Take in what the process has said so far; returns whether there was anything."""
        heard = False
        try:
            while self._ours.poll(0 if heard else seconds):
                what, value = self._ours.recv()
                setattr(self, what, value)
                heard = True
        except (EOFError, OSError):
            pass
        return heard

    def until_bytes(self, count, seconds=30):
        """Wait until it has that many bytes, or has ended."""
        deadline = time.monotonic() + seconds
        while self.bytes_done < count and self.result is None and self.process.is_alive():
            assert time.monotonic() < deadline, f"only {self.bytes_done} of {count} bytes came"
            self.listen(0.05)

    def kill(self):
        """Send SIGKILL and wait until it is dead; returns the job's ID, if it had one."""
        self.process.kill()
        self.process.join(10)
        self.listen()
        return self.job_id

    def report(self, seconds=60):
        """Wait for the end; returns what the job was like."""
        deadline = time.monotonic() + seconds
        while self.result is None:
            alive = self.process.is_alive()
            self.listen(0.1)
            assert alive or self.result is not None, f"died: {self.process.exitcode}"
            assert time.monotonic() < deadline, f"no end within {seconds} s"
        self.process.join(10)
        if isinstance(self.result, Exception):
            raise self.result
        return self.result


def report_of(job):
    """What can be said of a job, in plain values that go from process to process."""
    names = ("path", "uri", "name", "state", "bytes_done", "bytes_total", "bytes_fetched",
             "source", "error", "note")  # fmt: skip
    files = [SimpleNamespace(**{name: getattr(f, name) for name in names}) for f in job.files]
    return SimpleNamespace(
        id=job.id,
        state=job.state,
        files=files,
        error=None if job.error is None else str(job.error),
        notes=[str(note) for note in job.notes],
        bytes_done=job.bytes_done,
        bytes_total=job.bytes_total,
    )


def _fetch(pipe, server, folder, rows, job_id, source, settings):
    """Run in the process: fetch or resume, and tell how it goes."""
    cancel_after = settings.pop("cancel_after", None)  # seconds
    try:
        with ExitStack() as stack:
            for name, value in settings.items():
                if hasattr(jdaviz_mast.conf, name):
                    stack.enter_context(jdaviz_mast.conf.set_temp(name, value))
                elif name == "before":
                    value()
                elif name == "environ":
                    os.environ.update(value)
                else:
                    set_constant(name, value)
            mast, memory = Mast(server, folder), peak_memory()
            if job_id is None:
                job = mast.fetch(Table(rows=rows), source=source, block=False)
            else:
                job = mast.resume(job_id, block=False)
            pipe.send(("job_id", job.id))
            moment = time.monotonic() + (cancel_after or 0)
            while not job.wait(0.02):
                pipe.send(("bytes_done", job.bytes_done))
                if cancel_after is not None and time.monotonic() > moment:
                    job.cancel()
            pipe.send(("memory_grown", peak_memory() - memory))
            pipe.send(("result", report_of(job)))
    except MastError as error:
        pipe.send(("result", MastError(str(error))))  # not every subclass can be pickled
    except Exception as error:  # noqa: BLE001 - it is raised again in the test
        pipe.send(("result", RuntimeError(f"{type(error).__name__}: {error}")))


def peak_memory():
    """The most memory that this process had, in MB; 0 where that is not told."""
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return 0.0
    return int(re.search(r"VmHWM:\s*(\d+) kB", status)[1]) / 1000


def set_constant(name, value):
    """Set a constant of the engine, such as one of `SMALL_PARTS`, for good in this process."""
    module, name = name.split(".")
    module = importlib.import_module(f"jdaviz_mast.transfer.{module}")
    assert hasattr(module, name), f"the engine has no {name} any more"
    setattr(module, name, value)


def without_root_rights():
    """Let the modes of files count for root too: drop its right to override them."""
    if os.geteuid():
        return
    # capset(2), version 3: 64 bits of rights in two words; CAP_DAC_OVERRIDE is bit 1,
    # CAP_DAC_READ_SEARCH bit 2, CAP_FOWNER bit 3.
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    rights = (ctypes.c_uint32 * 6)()
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.capget(header, rights) == 0
    rights[0] &= ~0b1110
    assert libc.capset(header, rights) == 0
