"""Who fetches what next: parts of large files and small files in one order.

A `Task` is a file on its way. It knows which of its bytes are claimed by a connection, from
which source it comes and when it may be tried again; what to make of an answer is the
engine's business.
"""

import threading
import time
from collections import deque
from dataclasses import dataclass

from jdaviz_mast.transfer.hosts import Hosts
from jdaviz_mast.transfer.ranges import Ranges
from jdaviz_mast.transfer.wire import host_of

__all__ = ["Claim", "Schedule", "Task"]

#: Bytes of a part: what is left to fetch is divided so that all connections end together.
SMALLEST_PART = 1 << 20
LARGEST_PART = 32 << 20
#: Files that may be begun and not ended at a time, those that wait for another try included, but
#: not those that another import is fetching.
_MOST_OPEN = 64
#: Seconds between two looks at a file that another import is fetching, and at two such files.
_LOCK_PAUSE, _LOCK_LOOK = 0.5, 0.01
#: Seconds after which whoever waits looks again by himself: other jobs use the same hosts.
_LOOK = 0.1


@dataclass(eq=False)
class Claim:
    """Some bytes of a file that one connection fetches; all that follow if ``stop`` is None.

    Without any bytes it is about what comes before or after: the file is to be verified.
    """

    task: "Task"
    version: int
    host: str
    start: int
    stop: int | None
    held: bool = True

    @property
    def current(self):
        """Whether the file was not begun anew in the meantime."""
        return self.version == self.task.version and not self.task.ended


class Task:
    """One file on its way; its attributes belong to the lock of the `Schedule`.

    Attributes
    ----------
    file : TransferFile
    partial : Partial or None
        The file under construction, once this task has it.
    sources : deque of Source
        Those that have not failed, the present one first.
    version : int
        Counts how often it was begun anew: what belongs to an earlier one is out of date.
    begun : bool
        Whether the version of the file is known, and so what may be asked for.
    resumed : bool
        Whether some of it is of an earlier run.
    single : bool
        Whether only one connection may fetch it at a time.
    ranged : bool
        Whether the server may be asked for a part.
    tries, restarts : int
        Tries in a row that brought next to nothing; how often its source had another version.
    ready_at : float
        Moment, on the monotonic clock, before which it is not tried again.
    room : int or None
        Bytes that it takes of the disk, once it is known that they fit.
    locked : bool
        Whether another import is fetching it, so that it is none of the files in hand.
    """

    def __init__(self, file):
        self.file, self.partial, self.claims = file, None, []
        self.sources = deque(file.item.sources)
        self.begun = self.single = self.resumed = self.finishing = self.ended = False
        self.locked = False
        self.ranged, self.tries, self.restarts, self.ready_at = True, 0, 0, 0.0
        self.room, self.existing, self.version = None, None, 0

    @property
    def source(self):
        """Where it comes from at present."""
        return self.sources[0]

    def claim(self, host, connections, elsewhere=0):
        """Return the next `Claim`, or None if all is claimed already.

        Parameters
        ----------
        host : str
        connections : int
            Connections that fetch at the same time.
        elsewhere : int
            Bytes of files that are not begun: while there are some, parts need not shrink.
        """
        gap = self._gap(connections, elsewhere)
        if gap is None or self.ended or self.finishing:
            return None
        claim = Claim(self, self.version, host, *gap)
        self.claims.append(claim)
        return claim

    def _gap(self, connections, elsewhere):
        claims = [claim for claim in self.claims if claim.version == self.version]
        if claims and (self.single or not self.begun):
            return None
        if self.partial is None:  # first of all it has to be opened
            return 0, None
        if not self.begun:
            return self._first(connections, elsewhere)
        size = self.partial.size
        if size is not None and self.partial.done.covers(size):
            # What is left is to verify it, once nobody is at it any more.
            return None if claims else (size, size)
        if not self.ranged:
            return 0, None
        if any(claim.stop is None for claim in claims):
            return None
        taken = Ranges((claim.start, claim.stop) for claim in claims)
        gap = self.partial.done.first_gap(size, taken)
        if gap is None or self.single:
            return gap
        start, stop = gap
        left = size - self.partial.done.total - taken.total
        part = part_size(left + elsewhere, connections)
        # What would remain is too little to be worth a request.
        return start, stop if stop - start < part + SMALLEST_PART // 2 else start + part

    def _first(self, connections, elsewhere):
        """Return what to ask for first: all of a small file, a part of any other."""
        size = self.file.item.size
        if not self.ranged or self.single or (size is not None and size <= 2 * SMALLEST_PART):
            return 0, None
        if size is None:
            return 0, 4 * SMALLEST_PART
        part = part_size(size + elsewhere, connections)
        return 0, part if part + SMALLEST_PART // 2 < size else size

    def restart(self):
        """Forget the version of the file that was begun."""
        self.version += 1
        self.begun, self.file.bytes_done = False, 0
        self.partial.drop()


def part_size(left, connections):
    """Return the bytes of a part, where ``left`` bytes are left for all connections."""
    return max(SMALLEST_PART, min(LARGEST_PART, left // (2 * connections)))


class Schedule:
    """Hands out claims to the threads that fetch.

    Parameters
    ----------
    files : iterable of TransferFile
    connections : int
        Connections per host.
    share : int
        Connections that fetch at the same time here, between which a file is divided.

    Attributes
    ----------
    changed : `threading.Condition`
        Its lock guards all tasks and hosts.
    """

    def __init__(self, files, connections, share=None):
        self.changed = threading.Condition()
        self.hosts = Hosts(connections)
        self._connections = share or connections
        self._waiting = {}  # files by host, so that one that is away holds up no other
        self._bytes_waiting = 0  # of them, as far as it is known
        for file in files:
            self._waiting.setdefault(_host(file.item.sources), deque()).append(file)
            self._bytes_waiting += file.item.size or 0
        self.open = []
        self._stopped = False

    def stop(self):
        """Hand out nothing more."""
        with self.changed:
            self._stopped = True
            self.changed.notify_all()

    def take(self):
        """Wait for the next `Claim`; return None when there will be none any more."""
        with self.changed:
            while not self._stopped and (self._waiting or self.open):
                claim = self._next()
                if claim is not None:
                    return claim
                self.changed.wait(_LOOK)
            self.changed.notify_all()
            return None

    def give_back(self, claim):
        """End a claim: its connection is free, and what it did not fetch may be claimed."""
        with self.changed:
            if claim.held:
                claim.held = False
                self.hosts.leave(claim.host)
            if claim in claim.task.claims:
                claim.task.claims.remove(claim)
            self.changed.notify_all()

    def wait_for_another(self, task):
        """Put a task off that another import is fetching; to be called under the lock."""
        task.locked = True
        others = sum(other.locked for other in self.open)
        task.ready_at = time.monotonic() + max(_LOCK_PAUSE, _LOCK_LOOK * others)

    def end(self, task):
        """Take a task off the list of those that are open."""
        with self.changed:
            task.ended = True
            if task in self.open:
                self.open.remove(task)
            self.changed.notify_all()

    def _next(self):
        now = time.monotonic()
        has_room = sum(not task.locked for task in self.open) < _MOST_OPEN
        for task in self.open:
            is_due = task.ready_at <= now and (has_room or not task.locked)
            if is_due and (claim := self._claim(task)) is not None:
                return claim
        for host in list(self._waiting) if has_room else ():
            task = Task(self._waiting[host][0])
            claim = self._claim(task)
            if claim is not None:
                self._bytes_waiting -= self._waiting[host].popleft().item.size or 0
                if not self._waiting[host]:
                    del self._waiting[host]
                self.open.append(task)
                return claim
        return None

    def _claim(self, task):
        host = _host(task.sources)
        if not self.hosts.enter(host):
            return None
        claim = None
        try:
            claim = task.claim(host, self._connections, self._bytes_waiting)
        finally:
            if claim is None:
                self.hosts.leave(host)
        return claim


def _host(sources):
    """Return the host of the first source; a file that is not fetched at all has none."""
    return host_of(sources[0].url) if sources else ""
