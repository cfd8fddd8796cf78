"""The viewers that are open in pages, and which of them shows what was imported over HTTP."""

import contextlib
import logging
import threading

from jdaviz_mast.errors import Cancelled

__all__ = ["Pages"]

log = logging.getLogger(__name__)


class Pages:
    """Hands imports to the viewer that was used last; those without one wait for the next."""

    def __init__(self):
        self._lock = threading.Lock()
        self._trays = {}  # by the page's ID: its tray and how to ask whether somebody is there
        self._waiting = []

    def __len__(self):
        return len(self._trays)

    def opened(self, page, tray, is_connected=lambda: True):
        """Take note of a viewer, on any thread.

        Parameters
        ----------
        page : str
            ID of the page.
        tray : `jdaviz_mast.tray.plugin.MastImport`
        is_connected : callable
            Returns whether the page is there, and not only its viewer.
        """
        with self._lock:
            self._trays[page] = tray, is_connected
            waiting, self._waiting = self._waiting, []
        for job in waiting:
            self.show(job)

    def used(self, page):
        """Take note that a person did something on a page."""
        with self._lock:
            if page in self._trays:
                self._trays[page] = self._trays.pop(page)

    def closed(self, page):
        """Forget a page that does not come back."""
        with self._lock:
            self._trays.pop(page, None)

    def show(self, job):
        """Have what a job fetches shown as layers; does not wait for it.

        Parameters
        ----------
        job : `~jdaviz_mast.ImportJob`
            It may still run.
        """
        threading.Thread(
            target=self._hand_over, args=(job,), name="mast-hand-over", daemon=True
        ).start()

    def each(self, function):
        """Call ``function(tray)`` of each viewer on the thread that owns it; return what came."""
        with self._lock:
            trays = [tray for tray, _ in self._trays.values()]
        results = []
        for tray in trays:
            with contextlib.suppress(Cancelled):  # it was closed meanwhile
                results.append(tray.from_other_thread(lambda tray=tray: function(tray)))
        return results

    def _hand_over(self, job):
        refused = set()
        while True:
            with self._lock:
                page = self._choose(refused)
                if page is None:
                    self._waiting.append(job)
                    return
                tray, _ = self._trays[page]
            try:
                tray.from_other_thread(lambda tray=tray: tray.follow(job))
                return
            except Cancelled:  # the page has gone
                refused.add(page)
            # A viewer that is broken must not lose the import for the others.
            except Exception:  # noqa: BLE001
                log.exception("A viewer could not take an import")
                refused.add(page)

    def _choose(self, refused):
        """Return the page that was used last, of those where somebody is, or any; or None."""
        pages = [page for page in reversed(self._trays) if page not in refused]
        there = (page for page in pages if self._trays[page][1]())
        return next(there, next(iter(pages), None))
