"""From items to whole files: connections that share the work, and what follows from an answer.

Each thread takes a claim from the `Schedule`, opens the file that it is of (or finds that it is
there already), asks for the bytes and puts them in their place. The thread that puts the last
byte verifies the file and gives it its name.
"""

import errno
import functools
import hashlib
import shutil
import sys
import threading
import time

from jdaviz_mast.errors import AccessDenied, Cancelled, DiskFull, FileProblem, MastError
from jdaviz_mast.transfer.hosts import MOST_CONNECTIONS, pause_after
from jdaviz_mast.transfer.partial import Partial, make_folder, remove_litter
from jdaviz_mast.transfer.schedule import Schedule
from jdaviz_mast.transfer.wire import Broken, Busy, Gone, NotThere, Unreachable, Wire

__all__ = ["Transfer"]

CHANGED = "It changed on the server while it was fetched; it was fetched anew."
WAITS = "Another import is fetching this file; it is waited for."

#: Seconds that a cancelled transfer waits for its connections before it lets them go.
_CANCEL_PATIENCE = 0.5
#: Seconds between two looks at whether it is to stop.
_LOOK = 0.1
#: Longest time, in seconds, that a server is waited for at its own wish.
_LONGEST_WAIT = 120
#: Tries in a row at a source that another one can stand in for.
_TRIES_BEFORE_ANOTHER = 2
#: Bytes, or share of what was asked for, that make a try count as progress.
_PROGRESS_BYTES, _PROGRESS_SHARE = 1 << 16, 0.5
#: How often a file that keeps changing is begun with several connections: servers that stand in
#: for each other may name one file's version differently.
_RESTARTS_IN_PARTS = 1

_NO_ROOM = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))


class Transfer:
    """Fetches files; `run` returns when all have ended.

    Parameters
    ----------
    files : list of TransferFile
    credentials : object
        See `jdaviz_mast.transfer.wire.Wire`.
    connections : int
        Connections, at most 8.
    per_host : int, optional
        Connections that a host may get from all transfers of this process; by default as many.
    timeout : float
        Seconds of silence allowed.
    retries : int
        Tries in a row that may bring next to nothing.
    stop_flag : `~pathlib.Path`, optional
        A file that is there once it is to stop.
    on_bytes, on_change : callable, optional
        Called with the number of bytes that came; with a file whose state has changed.
    """

    def __init__(
        self,
        files,
        credentials,
        *,
        connections,
        timeout,
        retries,
        per_host=None,
        stop_flag=None,
        on_bytes=None,
        on_change=None,
    ):
        self._files, self._retries = files, retries
        self._schedule = Schedule(files, per_host or connections, connections)
        self._stopped, self._stop_flag = threading.Event(), stop_flag
        count = max(1, min(connections, MOST_CONNECTIONS))
        self._wires = [Wire(credentials, timeout) for _ in range(count)]
        self._on_bytes = on_bytes or (lambda count: None)
        self._on_change = on_change or (lambda file: None)

    def stop(self):
        """Let `run` return soon; what is whole stays, what has come is kept for another time."""
        self._stopped.set()
        self._schedule.stop()

    def run(self):
        """Fetch; return when all files have ended, or within a second of `stop`."""
        # Daemons, and waited for in small steps: a connection that is silent must hold up
        # neither a user who cancelled nor the end of the process.
        workers = [
            threading.Thread(target=self._work, args=(w,), name="mast-transfer", daemon=True)
            for w in self._wires
        ]
        for worker in workers:
            worker.start()
        try:
            for worker in workers:
                while worker.is_alive() and not self._stopped.is_set():
                    worker.join(_LOOK)
                    if self._is_flagged():
                        self.stop()
            deadline = time.monotonic() + _CANCEL_PATIENCE
            while any(w.is_alive() for w in workers) and time.monotonic() < deadline:
                for wire in self._wires:
                    wire.break_off()
                time.sleep(0.01)
        finally:
            self._schedule.stop()
            self._let_go()

    def _is_flagged(self):
        try:
            return self._stop_flag is not None and self._stop_flag.exists()
        except OSError:  # a network file system's: it is looked for again
            return False

    def _let_go(self):
        """End what has not ended: a thread that comes back later finds its work taken away."""
        schedule = self._schedule
        with schedule.changed:
            left, schedule.open = schedule.open, []
            for task in left:
                task.ended = True
        flushing = []
        for task in left:
            for claim in list(task.claims):
                schedule.give_back(claim)
            if task.partial is not None:
                task.file.bytes_done = task.partial.done.total
                # At the same time, and not for ever: a slow disk must not hold up who cancelled.
                flushing.append(threading.Thread(target=task.partial.release, daemon=True))
                flushing[-1].start()
        deadline = time.monotonic() + _CANCEL_PATIENCE
        for thread in flushing:
            thread.join(max(0, deadline - time.monotonic()))
        schedule.hosts.close()
        for file in self._files:
            if self._stopped.is_set() and not file.ended:
                file.unsay(WAITS)
                file.state = "cancelled"
                self._on_change(file)

    # -- a thread ----------------------------------------------------------------------------

    def _work(self, wire):
        with wire:
            while (claim := self._schedule.take()) is not None:
                try:
                    self._do(wire, claim)
                except Exception:  # noqa: BLE001 - an error of ours must not stop the others
                    self._fail(claim.task, "An unexpected error ended the transfer.")
                    args = (*sys.exc_info(), threading.current_thread())
                    threading.excepthook(threading.ExceptHookArgs(args))
                finally:
                    self._schedule.give_back(claim)

    def _do(self, wire, claim):
        try:
            self._try(wire, claim)
        except OSError as error:
            self._fail(claim.task, self._explain(claim.task, error))

    def _try(self, wire, claim):
        task, came = claim.task, [0]
        try:
            if task.partial is None:
                self._open(task)
            else:
                if claim.start != claim.stop:
                    self._fetch(wire, claim, came)
                self._finish(task)
        except Cancelled:
            return  # its work was taken away
        except (AccessDenied, NotThere) as error:
            self._give_up_source(claim, str(error), _failure(error))
        except Broken as error:
            self._try_again(claim, error, came[0])
        except DiskFull as error:
            self._fail(task, str(error))
        except FileProblem as error:
            with self._schedule.changed:
                if claim.current and task.begun:
                    task.restart()
                    claim.version = task.version
                    if task.resumed:  # the fault may be of the day on which it was begun
                        task.resumed = False
                        return
            if task.partial is None:  # it is the disk's fault, not the source's
                self._fail(task, str(error))
            else:
                self._give_up_source(claim, str(error))

    # -- opening -----------------------------------------------------------------------------

    def _open(self, task):
        """Take a file in hand: it may be there already, and somebody else may have it."""
        file, item = task.file, task.file.item
        if item.problem:
            self._fail(task, item.problem)
            return
        file.state = "running"
        if self._is_whole(task):
            remove_litter(item.path)
            return
        if not task.sources:
            self._fail(task, "It is not whole on the disk, and was not to be fetched.")
            return
        make_folder(item.path)
        partial = Partial(item.path, item.uri)
        if not partial.acquire():
            with self._schedule.changed:
                file.state = "queued"
                self._schedule.wait_for_another(task)
                file.say(WAITS)
            return
        file.unsay(WAITS)
        with self._schedule.changed:
            if task.ended:  # stopped in the meantime
                partial.release()
                return
            task.partial, task.locked = partial, False
        # Again, now that nobody else can finish it.
        if self._is_whole(task):
            return
        self._take_up(task)
        if item.size is not None:
            self._take_room(task, item.size)

    def _take_room(self, task, size):
        """Raise `DiskFull` if a file does not fit beside what is still to come of others."""
        with self._schedule.changed:
            others = [t for t in self._schedule.open if t is not task and t.room is not None]
            promised = sum(max(0, t.room - t.partial.done.total) for t in others)
            task.partial.check_room(size, promised)
            task.room = size

    def _is_whole(self, task):
        """Whether the file stands under its name and is what it should be; settle it then."""
        item, task.existing = task.file.item, None
        if item.path.is_symlink() or not item.path.exists():
            return False
        if item.path.is_dir():
            raise FileProblem(f"{item.path} is a folder, so that no file can be kept there.")
        size = item.path.stat().st_size
        try:
            if item.check is not None:
                item.check(item.path)
        except MastError:
            if size == item.size and task.partial is not None:
                self._tell_aside(task, task.partial.set_aside())
            return False
        if size != item.size:
            task.existing = size  # compared with what the server says
            return False
        self._complete(task, size)
        return True

    def _tell_aside(self, task, aside):
        if aside is not None:
            task.file.say(f"What stood in its place was not this file and is now {aside.name}.")

    def _take_up(self, task):
        """Go on with what an earlier run left, if its source is still one of this file's."""
        partial, names = task.partial, [source.name for source in task.sources]
        if not partial.validator:
            return
        if partial.source not in names:
            partial.drop()
            return
        with self._schedule.changed:
            # The file's own first: it is what the bytes on the disk belong to.
            task.sources.rotate(-names.index(partial.source))
            task.begun = task.resumed = True
            task.file.bytes_done, task.file.bytes_total = partial.done.total, partial.size

    # -- fetching ----------------------------------------------------------------------------

    def _fetch(self, wire, claim, came):
        """Ask for the bytes of a claim, and put them in their place."""
        task = claim.task
        with self._schedule.changed:
            if not claim.current or task.finishing:
                return
            host = self._schedule.hosts[claim.host]
            if host.given_up and host.wait is not None:
                raise Busy(host.reason, host.wait, everyone=True)
            if host.given_up:
                raise Unreachable(host.reason, claim.host)
            source, task.file.source = task.source, task.source.name
            draft = task.partial.draft() if task.begun else None
            validator = task.partial.validator if task.begun else ""
        asked = {} if claim.stop is None else {"start": claim.start, "stop": claim.stop}
        file = task.file
        answer = wire.open(
            source.url,
            name=file.name,
            size=file.item.size,
            validator=validator,
            about=file.about,
            **asked,
        )
        try:
            with self._schedule.changed:
                self._schedule.hosts[claim.host].answered()
                if claim.current and not task.finishing:
                    draft = self._understand(claim, answer, draft)
                    claim.version = task.version
                else:
                    draft = None
            if draft is not None:
                self._keep_bytes(claim, answer, draft, came)
        finally:
            answer.close()

    def _understand(self, claim, answer, draft):
        """Decide what an answer means; return where its bytes go, or None if they go nowhere.

        Called under the lock of the schedule.
        """
        task, partial = claim.task, claim.task.partial
        if claim.stop is None and (answer.ranged or answer.out_of_range):
            raise NotThere("The server answered with a part that nobody had asked for.")
        if not answer.coherent or (answer.out_of_range and not task.begun):
            self._restart(task, ranged=False)
            return None
        if not task.begun:
            return self._begin(claim, answer)
        same = answer.validator == partial.validator and bool(answer.validator)
        same = same and answer.size in (None, partial.size)
        if same and task.source.name == "s3":
            partial.digest = answer.digest
        if answer.ranged and same:
            return draft
        if not answer.ranged and not answer.out_of_range:
            if same:
                # It is the same file, of which this server gives no parts.
                if task.single and next(c for c in task.claims if c.current) is not claim:
                    return None
                task.single, task.ranged = True, False
                claim.start, claim.stop = 0, None
                return draft
            if not answer.validator:
                self._restart(task, ranged=False)
                return self._begin(claim, answer)
        elif answer.ranged and not answer.validator:
            self._restart(task, ranged=False)
            return None
        self._restart(task, changed=True)
        return None

    def _begin(self, claim, answer):
        """Begin the version of the file that an answer is of."""
        task, item = claim.task, claim.task.file.item
        size = answer.size
        if size is not None and size == task.existing:
            self._complete(task, size)
            self._tell_sizes(task, size)
            return None
        if size is not None:
            self._take_room(task, size)
        splittable = answer.ranged and answer.validator and size is not None
        if answer.ranged and not splittable and answer.length != size:
            self._restart(task, ranged=False)
            return None
        digest = answer.digest if task.source.name == "s3" else ""
        draft = task.partial.begin(task.source.name, size, answer.validator, digest)
        task.begun = True
        task.file.bytes_done, task.file.bytes_total = 0, size or item.size or 0
        if size is None or not answer.validator:
            task.single, task.ranged = True, False
        if not answer.ranged:
            claim.start, claim.stop = 0, size
        else:
            claim.stop = min(claim.stop, size)
        self._schedule.changed.notify_all()
        return draft

    def _tell_sizes(self, task, size):
        listed = task.file.item.size
        if listed is not None and listed != size:
            task.file.say(f"The catalogue lists {listed} bytes, the server has {size}.")

    def _keep_bytes(self, claim, answer, draft, came):
        task, offset = claim.task, answer.start
        listed = task.file.item.size
        end = task.partial.size or listed
        for piece in answer.pieces():
            if answer.length is None and end is not None and offset + len(piece) > end:
                raise FileProblem(f"More bytes come than the {end} that the archive lists.")
            gained = None if self._stopped.is_set() else draft.write(piece, offset)
            if gained is None:
                return
            offset += len(piece)
            came[0] += gained
            with self._schedule.changed:
                task.file.bytes_fetched += len(piece)
                if claim.current:
                    task.file.bytes_done = draft.done.total
            self._on_bytes(len(piece))
        if answer.length is None and end is not None and offset < end:
            raise Broken(f"The transfer was cut short after {offset} of {end} bytes.")
        with self._schedule.changed:
            task.tries = 0
            if task.partial.size is None and draft.wanted:
                if listed not in (None, offset):
                    raise FileProblem(f"{offset} bytes came, the archive lists {listed}.")
                task.partial.size = offset

    # -- the end of a file -------------------------------------------------------------------

    def _finish(self, task):
        """Verify the file and give it its name, if all of it is there."""
        with self._schedule.changed:
            partial = task.partial
            whole = task.begun and partial.size is not None and partial.done.covers(partial.size)
            if task.ended or task.finishing or not whole or self._stopped.is_set():
                return
            task.finishing = True
        item, size = task.file.item, partial.size
        try:
            partial.verify(functools.partial(_check_digest, digest=partial.digest), item.check)
            self._tell_aside(task, partial.keep())
        except BaseException:
            with self._schedule.changed:
                task.finishing = False
            raise
        self._tell_sizes(task, size)
        self._complete(task, size)

    def _complete(self, task, size):
        file = task.file
        file.bytes_done = file.bytes_total = size
        self._settle(task, "complete")

    def _fail(self, task, reason, failure=""):
        file = task.file
        if self._stopped.is_set():
            # Its connections were broken off: that is no failure.
            return
        file.error, file.failure = reason, failure
        if task.partial is None:
            file.bytes_done = 0
        self._settle(task, "failed")

    def _settle(self, task, state):
        with self._schedule.changed:
            if task.ended:
                return
            task.file.unsay(WAITS)
            task.file.state, partial = state, task.partial
            self._schedule.end(task)
        if partial is not None:
            if state == "failed":
                task.file.bytes_done = partial.done.total if partial.validator else 0
            partial.release()
        self._on_change(task.file)

    # -- what goes wrong ---------------------------------------------------------------------

    def _restart(self, task, *, changed=False, ranged=True):
        """Begin a file anew: another version of it, or one that cannot come in parts."""
        task.restarts += 1
        if changed:
            task.file.say(CHANGED)
        if task.restarts > self._retries + 2:
            raise NotThere("It keeps changing on the server, so that no whole file was got.")
        if task.restarts > _RESTARTS_IN_PARTS:
            task.single = True
        if not ranged:
            task.single, task.ranged = True, False
        task.restart()

    def _try_again(self, claim, error, came):
        """After a break: wait and try again, or give the source up."""
        task, now = claim.task, time.monotonic()
        with self._schedule.changed:
            if not claim.current:
                return
            host = self._schedule.hosts[claim.host]
            patience = self._retries
            if len(task.sources) > 1:
                patience = min(patience, _TRIES_BEFORE_ANOTHER)
            if isinstance(error, Unreachable) and error.host == claim.host:
                if not host.given_up:
                    host.failed(str(error))
                tries = patience + 1 if host.given_up else host.tries
                if tries > patience:
                    host.give_up()
            else:
                host.answered()
                tries = self._count_try(claim, came, now)
                wait = getattr(error, "wait", None)
                if wait is not None and wait > _LONGEST_WAIT:
                    tries = patience + 1
                    if error.everyone:  # the other files need not ask, too
                        host.reason = str(error)
                        host.give_up(wait)
                elif tries <= patience:
                    self._pause(task, host, error, wait, now)
            if tries <= patience:
                task.file.bytes_done = self._after_break(task)
                return
        self._give_up_source(claim, _told(error, tries))

    def _count_try(self, claim, came, now):
        """Count a try that broke, those of one moment as one; return the tries in a row."""
        task = claim.task
        asked = (claim.stop or task.partial.size or 0) - claim.start
        keeps = bool(task.partial.validator)
        if keeps and (came >= _PROGRESS_BYTES or 0 < asked * _PROGRESS_SHARE - 1 < came):
            task.tries = 0
        if now >= task.ready_at:
            task.tries += 1
        return task.tries

    def _pause(self, task, host, error, wait, now):
        pause = max(pause_after(task.tries), wait or 0)
        task.ready_at = max(task.ready_at, now + pause)
        if isinstance(error, Busy) and error.everyone:
            host.asks_for_patience(pause)

    def _after_break(self, task):
        """Return the bytes that are kept; without a validator nothing is spliced."""
        if task.begun and not task.partial.validator:
            task.restart()
            return 0
        return task.partial.done.total

    def _give_up_source(self, claim, reason, failure=""):
        """Go on with the next source, or report the reason."""
        task = claim.task
        with self._schedule.changed:
            if not claim.current or task.finishing:
                return
            if len(task.sources) > 1:
                source = task.sources.popleft()
                task.tries, task.ready_at, task.restarts = 0, 0.0, 0
                task.single, task.ranged = False, True
                name, other = source.name.upper(), task.source.name.upper()
                task.file.say(f"It came over {other}, because {name} failed: {reason}")
                task.restart()
                return
        self._fail(task, reason, failure)

    def _explain(self, task, error):
        item = task.file.item
        if error.errno in _NO_ROOM and task.partial is not None:
            try:
                missing = (task.partial.size or item.size or 0) - task.partial.done.total
                free = shutil.disk_usage(item.path.parent).free
                return str(DiskFull(item.path.parent, missing, free))
            except OSError:
                pass
        reason = error.strerror or type(error).__name__
        return f"{task.file.name} cannot be kept in {item.path.parent}: {reason}."


def _told(error, tries):
    if isinstance(error, Unreachable):
        return f"{error} Resume the import when the network is back."
    wait = getattr(error, "wait", None)
    if wait is not None and wait > _LONGEST_WAIT:
        return f"{error} It asks to wait for {wait / 60:,.0f} minutes; resume the import then."
    return f"{error} It was tried {tries} times; resume the import later."


def _check_digest(path, digest):
    """Raise `FileProblem` if the MD5 of a file is not the one that its source gives."""
    if not digest:
        return
    with open(path, "rb") as stream:
        found = hashlib.file_digest(stream, functools.partial(hashlib.md5, usedforsecurity=False))
    if found.hexdigest() != digest:
        raise FileProblem("The bytes that came have another checksum (MD5) than the source gives.")


def _failure(error):
    """Return what kind of failure an answer is, see `TransferFile`."""
    if isinstance(error, AccessDenied):
        return "denied"
    return "gone" if isinstance(error, Gone) else ""
