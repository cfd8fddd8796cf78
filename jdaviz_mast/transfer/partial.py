"""The file under construction: its bytes, the journal of them, and the lock on both.

Beside ``name`` lie, while it is fetched, ``.name.part`` with the bytes in their places,
``.name.part.journal`` with the ranges that are known to be on disk, and ``.name.part.lock``.
The journal belongs to one version of the file: its first line holds the size and the validator
(ETag or Last-Modified) that the server gave, every further line one range. A line is written
only after the bytes that it speaks of were flushed to the disk, and each carries a checksum,
so that a kill, a full disk or an accident costs at most what the journal does not know.
"""

import contextlib
import errno
import json
import os
import re
import shutil
import threading
import time
import zlib
from pathlib import Path

from filelock import FileLock, Timeout

from jdaviz_mast.errors import Cancelled, DiskFull, FileProblem
from jdaviz_mast.forks import Lock
from jdaviz_mast.transfer.ranges import Ranges

__all__ = [
    "Partial",
    "bytes_on_disk",
    "is_set_aside",
    "make_folder",
    "remove_litter",
    "remove_partial",
    "set_aside",
]

#: Version of the journal's format; one of another version is not believed.
_FORMAT = 1
#: Bytes, and seconds, after which what has come is flushed to the disk and journalled.
_CHECKPOINT_BYTES = 64 << 20
_CHECKPOINT_SECONDS = 2.0

# What is being given back in this process, by its path: on a slow disk that takes its time.
_releasing, _releasing_lock = {}, Lock()

_OPEN = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)


class Partial:
    """A file that is being fetched, at ``path``'s side; safe between threads.

    Parameters
    ----------
    path : `~pathlib.Path`
        Where the whole file will stand.
    uri : str
        The archive's name for it; a journal of another file is not believed.

    Attributes
    ----------
    source, size, validator, digest : str, int or None, str, str
        Of the version that the bytes belong to; see `begin`.
    done : Ranges
        Bytes that are in their places.
    """

    def __init__(self, path, uri):
        self.path, self.uri = path, uri
        self._part = path.with_name(f".{path.name}.part")
        self._journal_path = path.with_name(f".{path.name}.part.journal")
        self._lock_path = path.with_name(f".{path.name}.part.lock")
        self._lock = FileLock(self._lock_path, timeout=0, thread_local=False)
        self._draft, self._ending, self._unwanted = None, threading.Lock(), False
        self._mine = None  # what the lock was when it was taken
        self._forget()

    def acquire(self):
        """Take the lock; return False if another process, or another job, has it.

        What an earlier process left is taken up: `done` and the version that it belongs to.
        """
        try:
            self._lock.acquire()
        except Timeout:
            return False
        except OSError:
            # A link or a folder in the place of the lock, or nowhere to put one.
            if self._lock_path.is_symlink():
                self._lock_path.unlink()
                return self.acquire()
            raise
        try:
            self._mine = self._lock_path.stat()
            self._read_journal()
        except BaseException:
            self._unlock()
            raise
        return True

    def begin(self, source, size, validator, digest=""):
        """Start over for one version of the file; nothing of an earlier one stays.

        Parameters
        ----------
        source : str
            Name of the source that it comes from.
        size : int or None
            Bytes.
        validator, digest : str
            What tells it from other versions, and its MD5; empty where the source gives none.

        Returns
        -------
        draft : _Draft
            Takes the bytes; one of an earlier version may still be written to, and is lost.
        """
        self.drop()
        self.source, self.size, self.validator, self.digest = source, size, validator, digest
        return self.draft()

    def draft(self):
        """Return what takes the bytes of the present version."""
        with self._held():
            if self._draft is None:
                self._draft = _Draft(
                    self._part, self._journal_path, self._header(), self.done, self._check_mine
                )
            return self._draft

    def verify(self, *tests):
        """Raise unless all of the file is on the disk and passes ``tests``.

        Parameters
        ----------
        *tests : callable or None
            Called with the path of the partial file; raise if the content is wrong.
        """
        draft, self._draft = self.draft(), None
        draft.close(flush=True, journal=draft.journalled)
        size = self._part.stat().st_size
        if size != self.size or not self.done.covers(size):
            raise FileProblem(f"{self.path.name}: {size} bytes came of {self.size}.")
        for test in filter(None, tests):
            test(self._part)
        with self._held():
            pass  # all this was of our file, and not of somebody's who came after us

    def keep(self):
        """Give the file its name, after `verify`.

        Returns
        -------
        aside : `~pathlib.Path` or None
            What stood under that name, see `set_aside`.
        """
        with self._held():
            aside = set_aside(self.path) if os.path.lexists(self.path) else None
            self._part.replace(self.path)
            self._journal_path.unlink(missing_ok=True)
        return aside

    def set_aside(self):
        """Rename what stands under the file's name; return its new path."""
        with self._held():
            return set_aside(self.path)

    def drop(self):
        """Remove what has come so far."""
        self._close_draft()
        with self._held():
            for path in (self._journal_path, self._part):
                path.unlink(missing_ok=True)
        self._forget()

    def _forget(self):
        self.source, self.size, self.validator, self.digest = "", None, "", ""
        self.done = Ranges()

    def release(self):
        """Journal what has come and give the lock back; what is not journalled does not stay."""
        with _releasing_lock:
            if not self._lock.is_locked:
                return
            _releasing[self.path] = self
        with contextlib.suppress(OSError):  # a full disk: then the journal ends earlier
            self._close_draft(keep=bool(self.validator))
        with self._ending:
            if self._lock.is_locked:
                with contextlib.suppress(OSError):
                    if self._is_mine() and not _journalled(self._journal_path):
                        self._part.unlink(missing_ok=True)
                        self._journal_path.unlink(missing_ok=True)
                self._unlock()
        with _releasing_lock:
            if _releasing.get(self.path) is self:
                del _releasing[self.path]
            unwanted, self._unwanted = self._unwanted, False
        if unwanted:
            remove_partial(self.path)

    @contextlib.contextmanager
    def _held(self):
        """Change the disk only while the lock is held: it may have been given back meanwhile."""
        with self._ending:
            if not self._lock.is_locked:
                raise Cancelled("The transfer was stopped.")
            self._check_mine()
            yield

    def _check_mine(self):
        if not self._is_mine():
            raise OSError(errno.ESTALE, "its folder was emptied while it was fetched")

    def _is_mine(self):
        """Whether the lock that is held is the one that others see: its folder may be a new one."""
        try:
            now = self._lock_path.stat()
            return self._mine is not None and os.path.samestat(self._mine, now)
        except OSError:
            return False

    def _unlock(self):
        # While it is still locked: whoever waits for it notices that it is another file.
        with contextlib.suppress(OSError):
            if self._is_mine():
                self._lock_path.unlink(missing_ok=True)
        self._lock.release()

    def check_room(self, size, promised=0):
        """Raise `DiskFull` if the rest of ``size`` bytes does not fit on the disk.

        ``promised`` are bytes of what is free that others will fill.
        """
        missing = size - self.done.total
        free = max(0, shutil.disk_usage(self.path.parent).free - promised)
        if missing > free:
            raise DiskFull(self.path.parent, missing, free)

    def _close_draft(self, *, keep=False):
        if self._draft is not None:
            self._draft.close(flush=keep, journal=keep)
            self._draft = None

    def _header(self):
        return {"format": _FORMAT, "uri": self.uri, "source": self.source, "size": self.size,
                "validator": self.validator, "digest": self.digest}  # fmt: skip

    def _read_journal(self):
        try:
            header, done = _read_journal(self._journal_path)
            present = self._part.stat().st_size
        except (OSError, ValueError):
            header, done, present = {}, Ranges(), 0
        believed = (
            header.get("format") == _FORMAT
            and header.get("uri") == self.uri
            and header.get("validator")
            and isinstance(header.get("source"), str)
            and isinstance(header.get("size"), int)
            and isinstance(header.get("digest", ""), str)
            and not self._part.is_symlink()
            and all(a >= 0 and b <= min(present, header["size"]) for a, b in done)
        )
        if not believed:
            self._journal_path.unlink(missing_ok=True)
            self._part.unlink(missing_ok=True)
            return
        if present > header["size"]:
            os.truncate(self._part, header["size"])
        self.source, self.size = header["source"], header["size"]
        self.validator, self.digest = header["validator"], header.get("digest", "")
        self.done = done


class _Draft:
    """The bytes of one version, and the journal of them."""

    def __init__(self, part, journal, header, done, check_mine):
        self._check_mine = check_mine
        self._fd = os.open(part, _OPEN, 0o666)
        self._journal_path, self._header, self._journal = journal, header, None
        self.done = done
        self._pending, self._unsynced, self._synced_at = Ranges(), 0, time.monotonic()
        self._lock, self._syncing = threading.Lock(), threading.Lock()
        self._users, self._closed, self._torn = 0, False, False

    def write(self, data, offset):
        """Put bytes in their place; return how many of them are new, None if none is wanted."""
        gained = 0
        with self._in_use() as wanted:
            if not wanted:
                return None
            view = memoryview(data)
            while view:
                written = _write_at(self._fd, view, offset)
                with self._lock:
                    before = self.done.total
                    self.done.add(offset, offset + written)
                    gained += self.done.total - before
                    self._pending.add(offset, offset + written)
                    self._unsynced += written
                view, offset = view[written:], offset + written
        late = time.monotonic() - self._synced_at > _CHECKPOINT_SECONDS
        if self._unsynced >= _CHECKPOINT_BYTES or late:
            self._checkpoint()
        return gained

    def close(self, *, flush, journal):
        """Take no more bytes; what has come is flushed and journalled first, if so wanted."""
        if not flush:
            with self._in_use():
                self._closed = True
            return
        with self._syncing, self._in_use() as wanted:
            if not wanted:
                return
            with self._lock:
                self._closed, pending = True, self._pending
            _flush(self._fd)
            if journal and len(pending):
                self._note(pending)

    @property
    def journalled(self):
        """Whether there is a journal of it; small files are whole before one is needed."""
        return self._journal is not None

    @property
    def wanted(self):
        """Whether it takes bytes still."""
        return not self._closed

    @contextlib.contextmanager
    def _in_use(self):
        """Keep the descriptor open: its number could be given to another file."""
        with self._lock:
            wanted = not self._closed
            self._users += wanted
        try:
            yield wanted
        finally:
            with self._lock:
                self._users -= wanted
                last = wanted and self._closed and not self._users
                if last:
                    for fd in filter(None, (self._fd, self._journal)):
                        os.close(fd)

    def _checkpoint(self):
        """Flush to the disk, then say so in the journal; only where there is a validator."""
        if not self._header["validator"] or not self._syncing.acquire(blocking=False):
            return
        try:
            with self._in_use() as wanted:
                if not wanted:
                    return
                with self._lock:
                    pending, self._pending, self._unsynced = self._pending, Ranges(), 0
                _flush(self._fd)
                with self._lock:
                    # Closed meanwhile, the journal is another version's, or nobody's.
                    if not self._closed:
                        self._note(pending)
            self._synced_at = time.monotonic()
        finally:
            self._syncing.release()

    def _note(self, ranges):
        lines = []
        if self._journal is None:
            self._check_mine()
            self._journal = os.open(self._journal_path, _OPEN | os.O_APPEND, 0o666)
            if size := os.fstat(self._journal).st_size:
                os.lseek(self._journal, size - 1, os.SEEK_SET)
                self._torn = os.read(self._journal, 1) != b"\n"
            else:
                lines.append(_signed(json.dumps(self._header)))
        lines += [_signed(f"{start} {stop}") for start, stop in ranges]
        data = ("\n" * self._torn + "".join(lines)).encode()
        self._torn = True  # of a line that the disk took half of, the next one is kept apart
        self._torn = os.write(self._journal, data) < len(data)


if hasattr(os, "pwrite"):
    _write_at = os.pwrite
else:  # Windows
    _seeking = threading.Lock()

    def _write_at(fd, data, offset):
        with _seeking:
            os.lseek(fd, offset, os.SEEK_SET)
            return os.write(fd, data)


def _flush(fd):
    getattr(os, "fdatasync", os.fsync)(fd)


def _signed(text):
    return f"{zlib.crc32(text.encode()):08x} {text}\n"


def _read_journal(path):
    """Return the header and the ranges; ValueError if the header is not readable."""
    with open(path, "rb", opener=_open_plain) as stream:
        lines = stream.read().decode("utf-8", "replace").split("\n")
    header = json.loads(_unsigned(lines[0]))
    if not isinstance(header, dict):
        raise ValueError("no header")
    done = Ranges()
    for line in lines[1:]:
        # A line that is torn or damaged only costs its bytes.
        with contextlib.suppress(ValueError):
            start, stop = map(int, _unsigned(line).split())
            done.add(start, stop)
    return header, done


def _open_plain(path, flags):
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0))


def _unsigned(line):
    checksum, _, text = line.partition(" ")
    if not text or f"{zlib.crc32(text.encode()):08x}" != checksum:
        raise ValueError("a damaged line")
    return text


def set_aside(path):
    """Rename a file that is not what it should be; return its new path.

    It is not removed: it may be somebody's own.
    """
    for number in range(1, 10_000):
        aside = path.with_name(f"{path.name}.aside{number}")
        if not os.path.lexists(aside):
            path.rename(aside)
            return aside
    raise FileProblem(f"{path.name} is not the archive's file, and cannot be set aside.")


def make_folder(path):
    """Make the folder that ``path`` is in."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)


def bytes_on_disk(path, size):
    """Return the bytes that are there of a file that is not whole; None if it is whole.

    Parameters
    ----------
    path : `~pathlib.Path` or None
    size : int or None
        Bytes of the whole file.
    """
    if path is None:
        return 0
    try:
        if size is not None and path.stat().st_size == size:
            return None
    except OSError:
        pass
    part = path.with_name(f".{path.name}.part")
    return _journalled(part.with_name(f"{part.name}.journal")) if part.exists() else 0


def _journalled(journal):
    """Return the bytes that are journalled."""
    try:
        return _read_journal(journal)[1].total
    except (OSError, ValueError):
        return 0


def is_set_aside(path):
    """Whether this is what `set_aside` made of a file."""
    return re.fullmatch(r".+\.aside\d+", path.name) is not None


def remove_litter(path):
    """Remove what a kill has left beside a file just after it got its name."""
    beside = [path.with_name(f".{path.name}.part{end}") for end in ("", ".journal", ".lock")]
    if any(one.exists() for one in beside):
        partial = Partial(path, "")
        with contextlib.suppress(OSError):
            if partial.acquire():
                partial.drop()
                partial.release()


def remove_partial(path):
    """Remove what has come of a file, unless somebody is fetching it.

    Of one that is being given back still, it is removed when that is done.
    """
    if path is None or not path.with_name(f".{path.name}.part").exists():
        return
    with _releasing_lock:
        if path in _releasing:
            _releasing[path]._unwanted = True
            return
    partial = Partial(path, "")
    with contextlib.suppress(OSError):
        if partial.acquire():
            partial.drop()
            partial.release()
