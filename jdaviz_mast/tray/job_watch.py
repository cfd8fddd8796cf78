"""Looks at the jobs beside the page: reading them from disk may take a while."""

import copy
import logging
import os
import threading
import time
from pathlib import Path

from jdaviz_mast.errors import MastError
from jdaviz_mast.transfer import STATE_FOLDER, KeptJob
from jdaviz_mast.tray.job_rows import JOBS_PER_PAGE, detail_of, file_rows, job_row

__all__ = ["JobWatch"]

log = logging.getLogger(__name__)

#: Seconds between two looks: the page gets at most so many updates.
_TICK = 0.25
#: Seconds for which it goes on looking after it was last asked to.
_ATTENTION = 2.0
#: Seconds between two looks at jobs that another process runs.
_ELSEWHERE = 3.0


class JobWatch:
    """Tells what the page is to show of the jobs, whenever that changes.

    Its thread lives only while somebody looks, or while a job of this process runs.

    Parameters
    ----------
    mast : `jdaviz_mast.Mast`
    owner : `jdaviz_mast.viewer.owner_thread.OwnerThread`
    outcome_of : callable
        Called with a job ID; returns what `detail_of` wants to know.
    show : callable
        Called on the owner's thread with a dict: ``rows``, ``total``, ``page``, ``open_job``,
        ``detail``, ``files``, ``files_page``, ``files_total`` and ``error``.
    greet : callable
        Called once on the owner's thread with the jobs that were interrupted before, as pairs
        of ID and title, newest first.
    """

    def __init__(self, mast, owner, *, outcome_of, show, greet):
        self._mast, self._owner = mast, owner
        self._outcome_of, self._show, self._greet = outcome_of, show, greet
        self._page, self._open, self._files_page = 1, "", 1
        self._lock, self._wake = threading.Lock(), threading.Event()
        self._thread, self._until = None, 0.0
        self._stale, self._greeted = True, False
        self._jobs, self._marks, self._read_at = [], None, 0.0
        self._cache, self._moves = {}, {}
        self._shown = self._pending = None

    def attend(self):
        """Go on looking for a while; from any thread, as often as one likes."""
        with self._lock:
            self._until = time.monotonic() + _ATTENTION
            if self._thread is None:
                # A plain thread: solara carries its page's context over to it.
                self._thread = threading.Thread(target=self._run, name="mast-jobs", daemon=True)
                self._thread.start()

    def look(self, *, page=None, open_job=None, files_page=None, reread=False):
        """Look at once, at another page or another job if they are given."""
        self._page = self._page if page is None else page
        if open_job is not None:
            self._open, self._files_page = open_job, 1
        self._files_page = self._files_page if files_page is None else files_page
        self._stale = self._stale or reread
        self.attend()
        self._wake.set()

    def _run(self):
        while True:
            began = time.monotonic()
            try:
                snapshot = self._snapshot()
            except (MastError, OSError, ValueError) as error:
                snapshot = {"error": f"The imports cannot be read: {error}"}
            # One look that fails must not be the last.
            except Exception:
                log.exception("The list of imports failed")
                snapshot = {"error": "The imports cannot be read."}
            if snapshot != self._shown:
                self._shown = snapshot
                self._hand_over(snapshot)
            with self._lock:
                alive = any(not job.finished and not _is_elsewhere(job) for job in self._jobs)
                if time.monotonic() > self._until and not alive and not self._stale:
                    self._thread = None
                    return
            self._wake.wait(_TICK)
            self._wake.clear()
            time.sleep(max(0.0, began + _TICK - time.monotonic()))

    def _hand_over(self, snapshot):
        """Have it shown; of several that wait, the last one counts."""
        with self._lock:
            waits, self._pending = self._pending is not None, snapshot
        if not waits:
            self._owner.post(self._show_pending)

    def _show_pending(self):
        with self._lock:
            snapshot, self._pending = self._pending, None
        if snapshot is not None:
            self._show(snapshot)

    # -- reading -----------------------------------------------------------------------------

    def _snapshot(self):
        self._read()
        pages = max(1, -(-len(self._jobs) // JOBS_PER_PAGE))
        page = max(1, min(self._page, pages))
        shown = self._jobs[(page - 1) * JOBS_PER_PAGE : page * JOBS_PER_PAGE]
        snapshot = {
            "rows": [self._row(job) for job in shown],
            "total": len(self._jobs),
            "page": page,
            "error": "",
        }
        opened = next((job for job in shown if job.id == self._open), None)
        return snapshot | self._unfolded(opened)

    def _unfolded(self, job):
        if job is None:
            return {"open_job": "", "detail": {}, "files": [], "files_page": 1, "files_total": 0}
        outcome, wanted = self._outcome_of(job.id), self._files_page
        key = "files", job.id, wanted, outcome
        known = self._cache.get("files")
        if known and known[0] == key and known[1] is job:
            return known[2]
        looked_at = copy.copy(job)  # what it reads is not kept
        files, page, count = file_rows(looked_at, wanted)
        unfolded = {
            "open_job": job.id, "detail": detail_of(looked_at, outcome),
            "files": files, "files_page": page, "files_total": count,
        }  # fmt: skip
        if job.finished:
            self._cache["files"] = key, job, unfolded
        return unfolded

    def _row(self, job):
        known = self._cache.get(job.id)
        if known and known[0] is job:
            return known[1]
        # What a kept job reads of its files is not kept here: there may be many.
        looked_at = copy.copy(job)
        # Asked before: what ends in between is looked at once more.
        finished = job.finished
        row = job_row(looked_at, self._silent(job))
        if finished:
            self._cache[job.id] = job, row
        return row

    def _silent(self, job):
        """Return the seconds since the job got its last byte."""
        if job.state != "running" or _is_elsewhere(job):
            self._moves.pop(job.id, None)
            return 0.0
        now, done = time.monotonic(), job.bytes_done
        known = self._moves.get(job.id)
        if known is None or known[0] != done:
            self._moves[job.id] = known = done, now
        return now - known[1]

    def _read(self):
        """Read the jobs from disk, if something there has changed."""
        now = time.monotonic()
        running = {job.id for job in self._jobs if not job.finished and not _is_elsewhere(job)}
        marks = self._look_at_folder(running)
        elsewhere = any(not job.finished and _is_elsewhere(job) for job in self._jobs)
        if not (self._stale or marks != self._marks or
                (elsewhere and now - self._read_at > _ELSEWHERE)):  # fmt: skip
            return
        self._stale = False
        before = {job.id: job for job in self._jobs}
        same = {} if self._marks is None else self._marks[1]
        jobs = []
        for job in reversed(self._mast.jobs):
            old = before.get(job.id)
            unchanged = old is not None and old.finished and job.finished
            if unchanged and same.get(job.id) == marks[1].get(job.id):
                job = old  # and what is known of its files
            jobs.append(job)
        self._jobs, self._marks, self._read_at = jobs, marks, now
        self._cache = {
            key: value for key, value in self._cache.items()
            if key == "files" or key in {job.id for job in jobs}
        }  # fmt: skip
        if not self._greeted:
            self._greeted = True
            left = [(job.id, job.title) for job in jobs if job.state == "interrupted"]
            if left:
                self._owner.post(lambda: self._greet(left))

    def _look_at_folder(self, running):
        """Return what tells whether jobs have changed on disk; those that run here do so."""
        folder = Path(self._mast.download_dir) / STATE_FOLDER / "jobs"
        marks = {}
        try:
            names = os.listdir(folder)
        except OSError:
            names = []
        for name in names:
            try:
                about = os.stat(folder / name / "log.jsonl")
                marks[name] = None if name in running else (about.st_mtime_ns, about.st_size)
            except OSError:
                marks[name] = 0
        return str(folder), marks


def _is_elsewhere(job):
    """Whether another process runs it."""
    return isinstance(job, KeptJob)
