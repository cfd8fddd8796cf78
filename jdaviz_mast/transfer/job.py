"""An import as a job: planned, fetched and kept on disk beside its caller."""

import collections
import logging
import threading
import time
import weakref

from astropy.time import Time

from jdaviz_mast.errors import Cancelled, FileProblem, MastError
from jdaviz_mast.forks import Lock
from jdaviz_mast.transfer.item import ENDED, TransferFile
from jdaviz_mast.transfer.partial import bytes_on_disk

__all__ = ["ImportJob", "running_jobs"]

log = logging.getLogger(__name__)

WAITS = "Another process is running this job; it is waited for."

#: What the log may say of a job.
_STATES = ("running", "complete", "partial", "cancelled", "failed")
#: Seconds over which the rate is averaged.
_RATE_SPAN = 5.0
#: Seconds between two looks at a job that another process runs.
_LOOK = 0.2

#: Jobs of this process by the folder of their record; who wants to end the process asks
#: `running_jobs`, and a job that is resumed while it runs is the same job.
_living = weakref.WeakValueDictionary()
_living_lock = Lock()


def running_jobs():
    """Return the jobs of this process that have not ended."""
    with _living_lock:
        return [job for job in list(_living.values()) if not job.finished]


class ImportJob:
    """The fetching of some files, which runs beside its caller and is kept on disk.

    Parameters
    ----------
    record : `jdaviz_mast.transfer.records.Record`
    plan : callable
        Called on the job's thread with a callable ``check_cancelled`` and one that takes a
        sentence for `notes`; returns a list of `Item`. This is where the archive is asked.
    transfer : callable
        Called with the files and the keywords ``stop_flag``, ``on_bytes`` and ``on_change``;
        returns what fetches them, see `jdaviz_mast.transfer.engine.Transfer`.
    on_end : callable, optional
        Called with the job, on the job's thread, after it has ended in whatever way. What it
        raises is logged and does not change how the job ended.

    Attributes
    ----------
    id : str
    title : str
        What was asked for, in a few words.
    state : str
        ``queued``, ``running``, ``complete``, ``partial`` (some files failed), ``cancelled``,
        ``failed`` (none is there) or ``interrupted`` (its process has ended before it did).
    files : list of TransferFile
    error : Exception or None
        Why the job could not start, or None.
    notes : list of str
        What a user may want to know of all of it.
    settled : threading.Event
        Set once ``on_end`` is through, too; at once where a job is cancelled before it is known
        which files it is of, as the archive may take long to say that.
    """

    def __init__(self, record, plan, transfer, on_end=None):
        self._record, self._plan, self._make_transfer = record, plan, transfer
        self._on_end, self.settled = on_end, threading.Event()
        self.id, self.title = record.id, record.request["title"]
        self.state, self.error, self.files, self.notes = "queued", None, [], []
        self._transfer, self._numbers = None, {}
        self._stop, self._finished = threading.Event(), threading.Event()
        self._lock = threading.RLock()
        self._received = 0  # bytes that came, those of files that failed later included
        self._marks = collections.deque()  # (time, bytes received by then), for the rate
        self._thread = threading.Thread(target=self._run, name=f"mast-{self.id}", daemon=True)

    def __repr__(self):
        done = sum(f.state == "complete" for f in self.files)
        return f"<ImportJob {self.id} {self.state}: {done} of {len(self.files)} files>"

    @classmethod
    def living(cls, record, *, ended=False):
        """Return the job of this process that has this record, or None.

        Parameters
        ----------
        record : `jdaviz_mast.transfer.records.Record`
        ended : bool
            Whether one that has ended will do, if nobody else has taken it up since.
        """
        with _living_lock:
            job = _living.get(str(record.folder.absolute()))
        if job is None or (job.finished and (not ended or record.is_held)):
            return None
        return job

    @property
    def created(self):
        """When it was asked for, a `~astropy.time.Time` in UTC."""
        return Time(self._record.request["created"][:23], format="isot", scale="utc")

    @property
    def request(self):
        """What was asked for, a dict: ``title``, ``created``, ``server``, ``source`` and so on."""
        return dict(self._record.request)

    def start(self):
        """Begin; return the job itself."""
        with _living_lock:
            _living[str(self._record.folder.absolute())] = self
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
        left = [f for f in self.files if not f.ended]
        if not rate or not all(f.bytes_total for f in left):
            return None
        return max(0, sum(f.bytes_total - f.bytes_done for f in left)) / rate

    @property
    def finished(self):
        """Whether nothing more will happen, unless it is resumed."""
        return self._finished.is_set()

    def wait(self, timeout=None):
        """Wait for the end, at most ``timeout`` seconds; return whether it has come."""
        return self._finished.wait(timeout)

    def cancel(self):
        """Stop soon; what is whole stays, and what has come is kept for `Mast.resume`."""
        if self.finished:
            return
        self._stop.set()
        self._record.ask_to_cancel()
        with self._lock:
            transfer = self._transfer
        if transfer is None:  # the archive may take long to say what there is
            self._end("cancelled")
            self.settled.set()
        else:
            transfer.stop()

    def check_cancelled(self):
        """Raise `Cancelled` once `cancel` was called."""
        if self._stop.is_set() or (self.state == "running" and self._record.cancel_flag.exists()):
            raise Cancelled("The import was cancelled.")

    # -- on its own thread -------------------------------------------------------------------

    def _run(self):
        outcome = "failed"  # an error of ours must not leave a waiting user alone
        try:
            self._wait_for_record()
            with self._lock:
                self.check_cancelled()
                self.state = "running"
                self._record.cancel_flag.unlink(missing_ok=True)
                self._record.note(job="running")
            files = [TransferFile(item) for item in self._plan(self.check_cancelled, self._say)]
            numbers = {id(file): number for number, file in enumerate(files)}
            with self._lock:
                self.check_cancelled()
                self.files, self._numbers = files, numbers
                self._transfer = self._make_transfer(
                    files,
                    stop_flag=self._record.cancel_flag,
                    on_bytes=self._count,
                    on_change=self._note,
                )
            self._transfer.run()
            outcome = self._outcome()
        except Cancelled:
            outcome = "cancelled"
        except MastError as error:
            self.error = error
        except OSError as error:  # of the folder where the job is kept
            reason = error.strerror or type(error).__name__
            self.error = FileProblem(f"The import cannot be kept on the disk: {reason}.")
        finally:
            self._end(outcome)
            self._settle()

    def _wait_for_record(self):
        while True:
            with self._lock:  # else a job that is cancelled now would keep the lock
                self.check_cancelled()
                if self._record.acquire():
                    break
            self._say(WAITS)
            time.sleep(_LOOK)
        self.notes = [note for note in self.notes if note != WAITS]

    def _say(self, sentence):
        if sentence not in self.notes:
            self.notes.append(sentence)

    def _end(self, state):
        """Settle how it ended; whoever comes first says it."""
        with self._lock:
            if self.finished:
                return
            self.state = state
            error = None if self.error is None else str(self.error)
            self._record.note(job=state, error=error, notes=self.notes)
            self._record.release()
            self._finished.set()

    def _settle(self):
        try:
            if self._on_end is not None:
                self._on_end(self)
        except Exception:  # whatever it is, the files are there and the job is what it was
            log.exception("What follows the end of job %s did not work.", self.id)
        finally:
            self.settled.set()

    def _outcome(self):
        for file in self.files:
            if not file.ended:
                file.state, file.error = "failed", "An unexpected error ended the transfer."
        states = {f.state for f in self.files}
        if "cancelled" in states:
            return "cancelled"
        if "failed" not in states:
            return "complete"
        return "partial" if "complete" in states else "failed"

    def _note(self, file):
        names = ("error", "failure", "note", "source")
        kept = {name: getattr(file, name) for name in names}
        kept = {name: value for name, value in kept.items() if value}
        if file.state == "complete":
            kept["size"] = file.bytes_total
        self._record.note(file=self._numbers[id(file)], state=file.state, **kept)

    def _count(self, count):
        now = time.monotonic()
        with self._lock:
            self._received += count
            if self._marks and now - self._marks[-1][0] < 0.05:
                return  # a mark for each piece would be more than the rate needs
            self._marks.append((now, self._received))
            while now - self._marks[0][0] > _RATE_SPAN:
                self._marks.popleft()


class KeptJob(ImportJob):
    """A job that runs elsewhere or has ended: what its record says of it.

    Parameters
    ----------
    record : `jdaviz_mast.transfer.records.Record`
    items : callable
        Called with nothing; returns the list of `Item` of the job, or None before it is planned.
    """

    def __init__(self, record, items):
        super().__init__(record, None, None)
        self._items, self._files, self._said = items, None, {}
        self._read_log()

    @property
    def files(self):
        """The files of the job; they are looked for when this is first asked for."""
        if self._files is None:
            try:
                items = self._items() or ()
            except MastError as error:
                items, self.error = (), error
            self._files = [self._file(number, item) for number, item in enumerate(items)]
        return self._files

    @files.setter
    def files(self, files):
        self._files = None

    def wait(self, timeout=None):
        """Wait until no process runs it, at most ``timeout`` seconds; return whether that is so."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while not self.finished:
            if deadline is not None and time.monotonic() >= deadline:
                return False
            time.sleep(_LOOK)
            self._read_log()
        return True

    def cancel(self):
        """Ask the process that runs it to stop; `wait` tells when it has."""
        if not self.finished:
            self._record.ask_to_cancel()

    def _read_log(self):
        held = self._record.is_held
        state, self._said = "queued", {}
        for line in self._record.log():
            if line.get("job") in _STATES:
                state, notes = line["job"], line.get("notes")
                self.notes = [str(note) for note in notes] if isinstance(notes, list) else []
                self.error = MastError(str(line["error"])) if line.get("error") else None
                if state == "running":  # resumed: what had failed is to be fetched again
                    self._said = {n: f for n, f in self._said.items() if f["state"] == "complete"}
            elif isinstance(line.get("file"), int) and line.get("state") in ENDED:
                self._said[line["file"]] = line
        if not held:
            self.state = "interrupted" if state in ("queued", "running") else state
            self._finished.set()
            self.settled.set()
        else:
            self.state = "running" if state == "running" else "queued"
        self._files = None

    def _file(self, number, item):
        file, said = TransferFile(item), self._said.get(number, {})
        file.state = said.get("state", "queued")
        for name in ("error", "failure", "note", "source"):
            if isinstance(said.get(name), str):
                setattr(file, name, said[name])
        there = bytes_on_disk(item.path, item.size)
        if there is None and (file.state != "failed" or item.is_good()):
            # Whole as far as its size tells, or fetched since by somebody else.
            file.state, file.error = "complete", None
            file.bytes_done = file.bytes_total = item.size
        elif file.state == "complete":
            size = said.get("size")
            file.bytes_done = file.bytes_total = size if isinstance(size, int) else 0
        else:
            file.bytes_done = there or 0
        return file
