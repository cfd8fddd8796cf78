"""Jobs on disk: what was asked for, which files that means, and what became of each.

A job is a folder ``<download_dir>/.jdaviz-mast/jobs/<id>``: ``request.json`` from its first
moment, with ``given.json.gz`` beside it; ``files.json.gz`` once it is known which files are
wanted; ``log.jsonl``, to which a line is added whenever the state of a file or of the job
changes; and ``lock``, held by the process that runs it. A job whose lock nobody holds, and
whose log does not end with its end, was interrupted.
"""

import contextlib
import datetime
import gzip
import json
import os
import re
import shutil
import threading
import time
import uuid
from pathlib import Path

from filelock import FileLock, Timeout

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

from jdaviz_mast.errors import FileProblem, InvalidInput
from jdaviz_mast.whole import write_whole

__all__ = ["STATE_FOLDER", "Record", "all_records", "find_record", "remove_old"]

#: Folder in the download folder that holds what is known of jobs.
STATE_FOLDER = ".jdaviz-mast"

_DAMAGED = (
    "The record of this import is damaged, so that it cannot be resumed. What it fetched is in the "
    "download folder; import the observations again."
)

_FORMAT = 1
_ID = re.compile(r"[0-9a-f]{12}")
#: A file that is there while a job is to stop, whoever runs it.
_CANCEL = "cancel"


class Record:
    """What is kept of one job.

    Parameters
    ----------
    folder : `~pathlib.Path`
        The job's own folder.
    request : dict
        What was asked for, as JSON: ``title``, ``created`` (ISO 8601, UTC) and what the caller
        needs to find the files again.
    """

    def __init__(self, folder, request):
        self.folder, self.request, self.id = folder, request, folder.name
        self._lock = FileLock(folder / "lock", timeout=0, thread_local=False)
        self._log, self._torn, self._writing = None, False, threading.Lock()

    def __repr__(self):
        return f"<Record {self.id}>"

    @classmethod
    def create(cls, download_dir, request, given):
        """Keep a new job, and hold its lock.

        Raises
        ------
        FileProblem
            If the download folder cannot be written to.
        """
        folder = _jobs_folder(download_dir) / uuid.uuid4().hex[:12]
        now = datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")
        record = cls(folder, {"format": _FORMAT, "created": now, **request})
        try:
            folder.mkdir(parents=True)
            record.acquire()
            _write(folder / "given.json.gz", given)
            _write(folder / "request.json", record.request)
        except OSError as error:
            shutil.rmtree(folder, ignore_errors=True)
            raise FileProblem(
                f"The download folder {download_dir} cannot be written to: "
                f"{error.strerror or type(error).__name__}."
            ) from None
        return record

    @classmethod
    def load(cls, folder):
        """Return the job in a folder; ValueError if it cannot be read."""
        request = _read(folder / "request.json")
        if not isinstance(request, dict) or request.get("format") != _FORMAT:
            raise ValueError("of another version")
        if not all(isinstance(request.get(name), str) for name in ("title", "created")):
            raise ValueError("without a title")
        datetime.datetime.fromisoformat(request["created"])
        return cls(folder, request)

    # -- the lock ----------------------------------------------------------------------------

    def acquire(self):
        """Take the lock; return False if another process, or another job, holds it."""
        try:
            if not self._lock.is_locked:  # it would count how often it was taken
                self._lock.acquire()
        except Timeout:
            return False
        return True

    @property
    def is_held(self):
        """Whether somebody runs it, here or elsewhere."""
        return self._lock.is_locked or _is_locked(self.folder / "lock")

    def release(self):
        """Give the lock back."""
        with self._writing:
            if self._log is not None:
                os.close(self._log)
                self._log = None
        with contextlib.suppress(OSError):
            self._lock.release()

    # -- what was asked for, and what it means -----------------------------------------------

    def given(self):
        """Return what the job was given, JSON; `FileProblem` if that is damaged."""
        try:
            return _read(self.folder / "given.json.gz")
        except ValueError:
            raise FileProblem(_DAMAGED) from None

    def keep_files(self, abouts):
        """Keep which files the job is of, a list of JSON; what it was given is not needed now."""
        _write(self.folder / "files.json.gz", _packed(abouts))
        (self.folder / "given.json.gz").unlink(missing_ok=True)

    def files(self):
        """Return the list that `keep_files` got, or None if it was not planned yet.

        Raises
        ------
        FileProblem
            If it is damaged.
        """
        try:
            return _unpacked(_read(self.folder / "files.json.gz"))
        except FileNotFoundError:
            return None
        except ValueError:
            raise FileProblem(_DAMAGED) from None

    # -- the log -----------------------------------------------------------------------------

    def note(self, **what):
        """Add a line to the log; a disk that takes none costs no more than the line."""
        line = (json.dumps(what) + "\n").encode()
        with self._writing, contextlib.suppress(OSError):
            path = self.folder / "log.jsonl"
            if self._log is None:
                flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0)
                self._log = os.open(path, flags, 0o666)
                self._torn = _is_torn(path)
            data = b"\n" * self._torn + line
            self._torn = True  # of a line that the disk took half of, the next one is kept apart
            self._torn = os.write(self._log, data) < len(data)

    def log(self):
        """Yield the lines of the log that can be read, oldest first."""
        try:
            text = (self.folder / "log.jsonl").read_bytes()
        except OSError:
            return
        for line in text.split(b"\n"):
            with contextlib.suppress(ValueError, RecursionError):
                if isinstance(what := json.loads(line), dict):
                    yield what

    # -- from outside ------------------------------------------------------------------------

    def ask_to_cancel(self):
        """Ask whoever runs it to stop."""
        with contextlib.suppress(OSError):
            (self.folder / _CANCEL).touch()

    @property
    def cancel_flag(self):
        """Path of a file that is there while the job is to stop."""
        return self.folder / _CANCEL

    def is_old(self, days):
        """Whether it was complete more than so many days ago."""
        *_, last = ({}, *self.log())
        age = time.time() - (self.folder / "log.jsonl").stat().st_mtime
        return last.get("job") == "complete" and age > days * 86400

    def remove(self):
        """Remove what is kept of it; its files stay."""
        shutil.rmtree(self.folder, ignore_errors=True)


def all_records(download_dir):
    """Return the jobs of a download folder that can be read, oldest first."""
    records = []
    try:
        folders = [f for f in _jobs_folder(download_dir).iterdir() if _ID.fullmatch(f.name)]
    except OSError:
        return []
    for folder in folders:
        with contextlib.suppress(OSError, ValueError, EOFError):
            records.append(Record.load(folder))
    return sorted(records, key=lambda record: record.request["created"])


def remove_old(download_dir, days=30):
    """Remove what is kept of jobs that were complete so long ago; their files stay."""
    for record in all_records(download_dir):
        with contextlib.suppress(OSError):
            if record.is_old(days) and record.acquire():
                if record.is_old(days):  # still, and nobody can resume it now
                    record.remove()
                record.release()


def find_record(download_dir, job_id):
    """Return the job with an ID.

    Raises
    ------
    InvalidInput
        If there is none, or it cannot be read.
    """
    if isinstance(job_id, str) and _ID.fullmatch(job_id):
        folder = _jobs_folder(download_dir) / job_id
        with contextlib.suppress(FileNotFoundError):
            try:
                return Record.load(folder)
            except (OSError, ValueError, EOFError) as error:
                if not isinstance(error, FileNotFoundError):
                    allowed = "its record is damaged; what it fetched is in the download folder"
                    raise InvalidInput("job_id", job_id, allowed) from None
                raise
    raise InvalidInput("job_id", job_id, f"choose one of the jobs in {download_dir}")


def _jobs_folder(download_dir):
    return Path(download_dir) / STATE_FOLDER / "jobs"


def _write(path, value):
    """Write JSON so that a reader sees all of it or none."""
    data = json.dumps(value).encode()
    if path.suffix == ".gz":
        data = gzip.compress(data, compresslevel=3, mtime=0)
    write_whole(path, data)


def _read(path):
    data = path.read_bytes()
    if path.suffix == ".gz":
        try:
            data = gzip.decompress(data)
        except Exception as error:  # noqa: BLE001 - zlib's errors are no ValueErrors
            raise ValueError("damaged") from error
    try:
        return json.loads(data)
    except RecursionError as error:
        raise ValueError("damaged") from error


def _packed(abouts):
    """Write each value once that several files have in common."""
    shared, numbers, files = [], {}, []
    for about in abouts:
        for value in about.values():
            if id(value) not in numbers:
                numbers[id(value)] = len(shared)
                shared.append(value)
        files.append({name: numbers[id(value)] for name, value in about.items()})
    return {"shared": shared, "files": files}


def _unpacked(kept):
    try:
        shared = kept["shared"]
        return [{name: shared[number] for name, number in f.items()} for f in kept["files"]]
    except (TypeError, KeyError, IndexError, AttributeError):
        raise ValueError("damaged") from None


def _is_torn(path):
    """Whether a file ends in the middle of a line."""
    with open(path, "rb") as stream:
        if not stream.seek(0, os.SEEK_END):
            return False
        stream.seek(-1, os.SEEK_END)
        return stream.read(1) != b"\n"


def _is_locked(path):
    """Whether somebody holds the lock on a file; who only looks must not seem to hold it."""
    if fcntl is None:
        probe = FileLock(path, timeout=0, thread_local=False)
        try:
            probe.acquire()
        except OSError:  # Timeout is one
            return path.exists()
        probe.release()
        return False
    try:
        fd = os.open(path, os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(fd)
    return False
