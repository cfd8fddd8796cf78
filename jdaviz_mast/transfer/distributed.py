"""Files fetched by the workers of an executor: threads, processes, a cluster.

Each worker fetches one file at a time with one connection and the same engine; what it needs to
know goes to it with the task, and a token does not: a worker looks for its own. Here, the job
is kept: which files are done, how far the others are, and whether it is to stop.
"""

import concurrent.futures
import contextlib
import threading
from collections import deque

from jdaviz_mast.transfer.engine import Transfer
from jdaviz_mast.transfer.hosts import MOST_CONNECTIONS
from jdaviz_mast.transfer.item import TransferFile
from jdaviz_mast.transfer.partial import bytes_on_disk

__all__ = ["Distributed"]

#: Seconds between two looks at how far the workers are.
_LOOK = 0.2
#: Files that workers fetch at a time, for all jobs of this process: each is one connection.
_slots = threading.BoundedSemaphore(MOST_CONNECTIONS)
_KEPT = (
    "state",
    "error",
    "failure",
    "note",
    "source",
    "bytes_done",
    "bytes_total",
    "bytes_fetched",
)


class Distributed:
    """Fetches files on the workers of an executor; used as `Transfer` is.

    Parameters
    ----------
    files : list of TransferFile
    credentials : object
    executor : `concurrent.futures.Executor`
        Its workers see the same folders under the same paths. It is not shut down.
    connections : int
        Files that are fetched at a time, at most 8: each is one connection.
    timeout, retries, stop_flag, on_bytes, on_change
        As in `Transfer`.
    """

    def __init__(
        self,
        files,
        credentials,
        *,
        executor,
        connections,
        timeout,
        retries,
        stop_flag,
        on_bytes=None,
        on_change=None,
    ):
        self._files, self._executor, self._stop_flag = files, executor, stop_flag
        self._most = max(1, min(connections, MOST_CONNECTIONS))
        self._options = {
            "credentials": credentials,
            "per_host": self._most,
            "timeout": timeout,
            "retries": retries,
            "stop_flag": stop_flag,
        }
        self._on_bytes = on_bytes or (lambda count: None)
        self._on_change = on_change or (lambda file: None)
        self._stopped = threading.Event()

    def stop(self):
        """Let `run` return soon; the workers stop when they see the flag of the job."""
        self._stopped.set()

    def run(self):
        """Fetch; return when all files have ended, or soon after `stop`."""
        waiting, working = deque(self._files), {}
        while (waiting or working) and not self._stopped.is_set():
            while waiting and len(working) < self._most and _slots.acquire(blocking=False):
                file = waiting.popleft()
                future = self._submit(file)
                if future is not None:
                    working[future] = file
            if waiting and not working:  # other jobs have all that there are
                self._stopped.wait(_LOOK)
            concurrent.futures.wait(working, timeout=_LOOK, return_when="FIRST_COMPLETED")
            for future in [each for each in working if each.done()]:  # cancelled ones are
                self._take_in(working.pop(future), future)
            for file in working.values():
                self._look_at(file)
            if self._stop_flag.exists():
                self._stopped.set()
        for future in working:
            future.cancel()
        for file in self._files:
            if not file.ended:
                self._look_at(file)
                file.state = "cancelled"
                self._on_change(file)

    def _submit(self, file):
        try:
            future = self._executor.submit(_fetch_one, file.item, self._options)
        except Exception as error:  # noqa: BLE001 - whatever an executor raises
            _slots.release()
            self._lost(file, error)
            return None
        file.state = "running"
        future = _as_future(future)
        future.add_done_callback(lambda done: _slots.release())
        return future

    def _take_in(self, file, future):
        """Take over what a worker says of its file."""
        try:
            said = future.result()
        except Exception as error:  # noqa: BLE001 - whatever an executor raises
            self._lost(file, error)
            return
        if said["state"] == "cancelled" and not self._stopped.is_set():
            self._stopped.set()
        self._on_bytes(max(0, said["bytes_done"] - file.bytes_done))
        for name in _KEPT:
            setattr(file, name, said[name])
        self._on_change(file)

    def _lost(self, file, error):
        file.state = "failed"
        file.error = (
            f"The worker that was to fetch it was lost ({type(error).__name__}); resume the import."
        )
        self._on_change(file)

    def _look_at(self, file):
        """See in the folder how much of a file there is."""
        there = bytes_on_disk(file.path, file.item.size)
        there = file.item.size if there is None else there
        if there > file.bytes_done:
            self._on_bytes(there - file.bytes_done)
            file.bytes_done = there


def _as_future(future):
    """Return a `concurrent.futures.Future` for a future of whichever executor."""
    if isinstance(future, concurrent.futures.Future):
        return future
    ours = concurrent.futures.Future()

    def finish(theirs):
        with contextlib.suppress(concurrent.futures.InvalidStateError):
            if theirs.cancelled():
                ours.cancel()
            elif (error := theirs.exception()) is not None:
                ours.set_exception(error)
            else:
                ours.set_result(theirs.result())

    future.add_done_callback(finish)
    return ours


def _fetch_one(item, options):
    """Fetch one file; runs on a worker. Return what became of it."""
    file = TransferFile(item)
    Transfer([file], connections=1, **options).run()
    return {name: getattr(file, name) for name in _KEPT}
