"""An import as a job: files fetched beside the caller, each with its own state and error."""

import collections
import queue
import threading
import time
import uuid
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from jdaviz_mast.errors import Cancelled, MastError
from jdaviz_mast.transfer.http import TransferSession, fetch_file

__all__ = ["ImportJob", "Item", "TransferFile", "running_jobs"]

#: Seconds over which the rate is averaged.
_RATE_SPAN = 5.0
#: Seconds that a cancelled job waits for its connections before it lets them go.
_CANCEL_PATIENCE = 0.5


@dataclass(frozen=True)
class Item:
    """One file to fetch.

    Attributes
    ----------
    uri : str
        The archive's name for it.
    url : str
        Where it is fetched.
    path : `~pathlib.Path` or None
        Where it goes; None if ``problem`` says why it goes nowhere.
    size : int or None
        Bytes that it must have.
    check : callable or None
        Called with a path; raises if the content is not what the name says.
    about : mapping
        What the caller wants to find again on the file; not looked at here.
    problem : str
        Why it cannot be fetched, known beforehand; empty if it can.
    """

    uri: str
    url: str
    path: Path | None
    size: int | None = None
    check: Callable | None = None
    about: Mapping = field(default_factory=dict)
    problem: str = ""


class TransferFile:
    """One file of a job, as it stands now.

    Attributes
    ----------
    path : `~pathlib.Path`
    uri : str
    state : str
        ``queued``, ``running``, ``complete``, ``failed`` or ``cancelled``.
    bytes_done, bytes_total : int
        ``bytes_total`` is 0 while it is not known.
    error : str or None
        A sentence that says what went wrong.
    about : mapping
        What was known of the file when the job was made.
    """

    def __init__(self, item):
        self._item = item
        self.path, self.uri, self.about = item.path, item.uri, item.about
        self.state, self.error = "queued", None
        self.bytes_done, self.bytes_total = 0, item.size or 0

    @property
    def name(self):
        """File name, or the archive's name where there is none."""
        return self.path.name if self.path else self.uri

    def __repr__(self):
        return f"<TransferFile {self.name} {self.state}>"


#: Jobs that have not ended; who wants to end the process asks `running_jobs`.
_running = weakref.WeakSet()


def running_jobs():
    """Return the jobs of this process that have not ended."""
    return [job for job in list(_running) if not job.finished]


class ImportJob:
    """The fetching of some files, which runs beside its caller.

    Parameters
    ----------
    plan : callable
        Called on the job's thread with a callable ``check_cancelled``; returns a list of
        `Item`. This is where the archive is asked for its products.
    connections : int
        Files fetched at the same time.
    timeout : float
        Seconds of silence allowed.

    Attributes
    ----------
    id : str
    state : str
        ``queued``, ``running``, ``complete``, ``partial`` (some files failed), ``cancelled``
        or ``failed`` (none is there).
    files : list of TransferFile
    error : Exception or None
        Why the job could not start, or None.
    """

    def __init__(self, plan, *, connections=4, timeout=60.0):
        self.id = uuid.uuid4().hex[:12]
        self.state, self.error, self.files = "queued", None, []
        self._plan, self._connections, self._timeout = plan, connections, timeout
        self._stop, self._finished = threading.Event(), threading.Event()
        self._lock = threading.Lock()
        self._received = 0  # bytes that came, those of files that failed later included
        self._marks = collections.deque()  # (time, bytes received by then), for the rate
        self._thread = threading.Thread(target=self._run, name=f"mast-{self.id}", daemon=True)

    def __repr__(self):
        done = sum(f.state == "complete" for f in self.files)
        return f"<ImportJob {self.id} {self.state}: {done} of {len(self.files)} files>"

    def start(self):
        """Begin; return the job itself."""
        _running.add(self)
        self._thread.start()
        return self

    @property
    def bytes_done(self):
        """Bytes that are on disk, over all files."""
        return sum(f.bytes_done for f in self.files)

    @property
    def bytes_total(self):
        """Bytes of all files, as far as known."""
        return sum(f.bytes_total for f in self.files)

    @property
    def rate(self):
        """Bytes per second over the last seconds; 0 when it does not run."""
        with self._lock:
            if self.state != "running" or len(self._marks) < 2:
                return 0.0
            start, before = self._marks[0]
            # Up to now, so that it falls when nothing comes any more.
            return (self._received - before) / (time.monotonic() - start)

    @property
    def eta(self):
        """Seconds that are left, or None while that cannot be told."""
        rate = self.rate
        left = [f for f in self.files if f.state in ("queued", "running")]
        if not rate or not all(f.bytes_total for f in left):
            return None
        return max(0, sum(f.bytes_total - f.bytes_done for f in left)) / rate

    @property
    def finished(self):
        """Whether nothing more will happen."""
        return self._finished.is_set()

    def wait(self, timeout=None):
        """Wait for the end, at most ``timeout`` seconds; return whether it has come."""
        return self._finished.wait(timeout)

    def cancel(self):
        """Stop soon; what is whole stays, what is half-written is removed."""
        self._stop.set()
        with self._lock:
            planning = not self.files
        if planning:  # the archive may take long to say what there is
            self._end("cancelled")

    def check_cancelled(self):
        """Raise `Cancelled` once `cancel` was called."""
        if self._stop.is_set():
            raise Cancelled("The import was cancelled.")

    def _run(self):
        outcome = "failed"  # an error of ours must not leave a waiting user alone
        try:
            with self._lock:
                self.check_cancelled()
                self.state = "running"
            files = [TransferFile(item) for item in self._plan(self.check_cancelled)]
            with self._lock:
                self.check_cancelled()
                self.files = files
            self._fetch_all()
            outcome = self._outcome()
        except Cancelled:
            outcome = "cancelled"
        except MastError as error:
            self.error = error
        finally:
            self._end(outcome)

    def _end(self, state):
        """Settle how it ended; whoever comes first says it."""
        with self._lock:
            if not self.finished:
                self.state = state
                self._finished.set()

    def _fetch_all(self):
        waiting = queue.SimpleQueue()
        for file in self.files:
            waiting.put(file)

        def work(session):
            with session:
                while True:
                    try:
                        file = waiting.get_nowait()
                    except queue.Empty:
                        return
                    self._fetch(session, file)

        # Daemons, and waited for in small steps: a connection that is silent must hold up
        # neither a user who cancelled nor the end of the process.
        sessions = [TransferSession() for _ in range(min(self._connections, len(self.files)))]
        workers = [threading.Thread(target=work, args=(s,), daemon=True) for s in sessions]
        for worker in workers:
            worker.start()
        for worker in workers:
            while worker.is_alive() and not self._stop.is_set():
                worker.join(0.1)
        deadline = time.monotonic() + _CANCEL_PATIENCE
        while any(w.is_alive() for w in workers) and time.monotonic() < deadline:
            for session in sessions:
                session.break_off()
            time.sleep(0.01)

    def _outcome(self):
        for file in self.files:
            if file.state in ("queued", "running"):
                file.bytes_done = 0
                if self._stop.is_set():
                    file.state = "cancelled"
                else:
                    file.state, file.error = "failed", "An unexpected error ended the transfer."
        states = {f.state for f in self.files}
        if self._stop.is_set() and "cancelled" in states:
            return "cancelled"
        if "failed" not in states:
            return "complete"
        return "partial" if "complete" in states else "failed"

    def _fetch(self, session, file):
        item = file._item
        try:
            self.check_cancelled()
            if item.problem:
                raise MastError(item.problem)
            file.state = "running"
            if not self._is_there(item):
                fetch_file(
                    session,
                    item.url,
                    item.path,
                    size=item.size,
                    check=item.check,
                    on_bytes=lambda count: self._count(file, count),
                    check_cancelled=self.check_cancelled,
                    timeout=self._timeout,
                )
            size = item.path.stat().st_size
            self._settle(file, "complete", size, size)
        except MastError as error:
            self._give_up(file, str(error))
        except OSError as error:
            reason = error.strerror or type(error).__name__
            self._give_up(file, f"{file.name} cannot be kept in {item.path.parent}: {reason}.")

    def _give_up(self, file, error):
        # Once the job is cancelled, its connections are broken off: that is no failure.
        cancelled = self._stop.is_set()
        file.error = None if cancelled else error
        self._settle(file, "cancelled" if cancelled else "failed", 0, file.bytes_total)

    def _settle(self, file, state, bytes_done, bytes_total):
        if not self.finished:  # else a cancelled job has let this connection go
            file.state, file.bytes_done, file.bytes_total = state, bytes_done, bytes_total

    def _is_there(self, item):
        """Whether the file stands under its name, whole as far as can be told."""
        if item.size is None or not item.path.is_file() or item.path.stat().st_size != item.size:
            return False
        try:
            if item.check is not None:
                item.check(item.path)
        except MastError:
            return False
        return True

    def _count(self, file, count):
        file.bytes_done += count
        now = time.monotonic()
        with self._lock:
            self._received += count
            self._marks.append((now, self._received))
            while now - self._marks[0][0] > _RATE_SPAN:
                self._marks.popleft()
