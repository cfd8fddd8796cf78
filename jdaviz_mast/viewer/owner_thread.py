"""The one thread that may touch widgets, and how other threads ask it to.

Loading data or changing widgets from a worker thread is unsafe in jdaviz. So workers do only
network and disk, and hand everything else to the thread that owns the application:

==================  ==================================================================
where it runs       who executes what is handed over
==================  ==================================================================
notebook kernel     the main thread's event loop
standalone          the event loop of the page's websocket; after a reload of the page
                    the panel's heartbeat finds the new one (`OwnerThread.rebind`)
standalone, no page the worker itself, within the page's context and under its lock
script, pytest      whoever waits for the worker (`OwnerThread.drain`)
==================  ==================================================================
"""

import asyncio
import logging
import queue
import sys
import threading
import time

from jdaviz_mast.errors import Cancelled

__all__ = ["OwnerThread"]

log = logging.getLogger(__name__)

#: Seconds to wait for a page that is being reloaded before doing without it.
_PAGE_PATIENCE = 4.0
#: Seconds that glue's delayed callbacks get to run in when there is no page.
_SETTLE = 0.6


class OwnerThread:
    """A queue of calls, executed in order on the thread that owns the application."""

    def __init__(self):
        self._calls = queue.SimpleQueue()
        self._draining = threading.RLock()
        self._stand_in = None  # the thread that does without the page just now
        self.rebind()

    def rebind(self):
        """Take the calling thread, its event loop and its page for the owner."""
        if self._stand_in == threading.get_ident():
            return  # it goes back to its own work, and the page comes back or not
        self._ident = threading.get_ident()
        self._loop = _running_loop()
        self._page = _page_context()

    def post(self, function):
        """Have ``function()`` executed soon; do not wait for it."""
        self._calls.put(function)
        if threading.get_ident() == self._ident:
            self.drain()
        else:
            self._wake()

    def call(self, function):
        """Have ``function()`` executed, from a worker; wait for it and return its result.

        What the function raises is raised here; `Cancelled` if the page was closed for good.
        """
        outcome, done = {}, threading.Event()

        def run():
            try:
                outcome["result"] = function()
            # Passed on as it is to the worker that asked.
            except BaseException as error:  # noqa: BLE001
                outcome["error"] = error
            finally:
                done.set()

        self.post(run)
        since = time.monotonic()
        while not done.wait(0.5):
            # A loop can end between being woken and running; a page can be reloaded.
            self._wake()
            if self._is_gone:
                raise Cancelled("The page was closed.")
            if self._page is not None and time.monotonic() - since > _PAGE_PATIENCE:
                self._drain_without_page()
        if "error" in outcome:
            raise outcome["error"]
        return outcome.get("result")

    def drain(self):
        """Execute what waits, on the calling thread, which must own the application.

        Once the page was closed for good there are no widgets: what waits is dropped.
        """
        with self._draining:
            while True:
                try:
                    function = self._calls.get_nowait()
                except queue.Empty:
                    return
                if self._is_gone:
                    continue
                try:
                    function()
                # One update that fails must not lose those behind it.
                except Exception:  # noqa: BLE001
                    log.exception("An update of the MAST Import tray failed")

    @property
    def _is_gone(self):
        return self._page is not None and self._page.closed_event.is_set()

    def _wake(self):
        loop = self._loop
        if loop is None:
            return
        try:
            loop.call_soon_threadsafe(self.drain)
        except RuntimeError:  # the loop is closed: the page has gone or is being reloaded
            if self._loop is loop:
                self._loop = None

    def _drain_without_page(self):
        page = self._page
        if self._is_gone:
            return

        async def drain():  # glue asks for a running loop when it delays a callback
            self.drain()
            await asyncio.sleep(_SETTLE)

        with page.lock:
            if not page.closed_event.is_set():
                self._stand_in = threading.get_ident()
                try:
                    with page:
                        asyncio.run(drain())
                finally:
                    self._stand_in = None


def _running_loop():
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def _page_context():
    """Return solara's context of the page that the calling thread serves, or None."""
    # Looked up, never imported: importing solara's server changes how widgets are made.
    kernel_context = sys.modules.get("solara.server.kernel_context")
    if kernel_context is None or not kernel_context.has_current_context():
        return None
    return kernel_context.get_current_context()
