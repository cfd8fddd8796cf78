"""Work beside the interface: network and disk on a thread, results on the owner's thread."""

import contextlib
import threading

from jdaviz_mast.errors import Cancelled

__all__ = ["Worker"]


class Worker:
    """One piece of work that the user waits for, sees the progress of, and can cancel.

    Parameters
    ----------
    owner : `jdaviz_mast.viewer.owner_thread.OwnerThread`
    work : callable
        Called with the worker on a thread of its own; must not touch widgets.
    on_done : callable
        Called with the result, on the owner's thread.
    on_error : callable
        Called with the exception, on the owner's thread.

    After `cancel` neither is called: a connection that is silent may hold up the thread, but
    not the user. `on_error` is called once with `Cancelled`, at once.
    """

    def __init__(self, owner, work, *, on_done, on_error):
        self._owner, self._work = owner, work
        self._on_done, self._on_error = on_done, on_error
        self._cancelled, self._settled = threading.Event(), threading.Event()
        self._result = self._error = None
        self._followers = []
        # A plain thread: solara carries its page's context over to it, not to pools.
        self._thread = threading.Thread(target=self._run, name="mast-tray", daemon=True)

    def start(self):
        """Begin, from the thread that owns the application; return the worker itself."""
        self._owner.rebind()
        self._thread.start()
        return self

    @property
    def cancelled(self):
        """Whether the user has stopped it."""
        return self._cancelled.is_set()

    def check_cancelled(self):
        """Raise `Cancelled` if the user has stopped it; called by the work now and then."""
        if self.cancelled:
            raise Cancelled("Cancelled.")

    def then(self, function):
        """Have ``function(result)`` called on the owner's thread, after success alone."""
        self._followers.append(function)

    def cancel(self):
        """Stop it, from the owner's thread."""
        if not self._cancelled.is_set() and not self._settled.is_set():
            self._cancelled.set()
            self._settle(None, Cancelled("Cancelled."))

    def show(self, function):
        """Have an update of the interface executed, from the work; do not wait for it."""
        self._owner.post(lambda: None if self._settled.is_set() else function())

    def call(self, function):
        """Have something done on the owner's thread, from the work; return its result."""
        self.check_cancelled()
        return self._owner.call(function)

    def wait(self):
        """Wait on the owner's thread, executing what the work hands over; return the result."""
        while not self._settled.is_set():
            self._owner.drain()
            self._settled.wait(0.02)
        self._owner.drain()
        if self._error is not None:
            raise self._error
        return self._result

    def _run(self):
        result = error = None
        try:
            result = self._work(self)
        # Passed on to whoever waits, and worded for the user there.
        except Exception as caught:  # noqa: BLE001
            error = caught
        # If the page has gone for good there is nobody left to tell.
        with contextlib.suppress(Cancelled):
            self._owner.call(lambda: self._settle(result, error))

    def _settle(self, result, error):
        if self._settled.is_set():
            return
        try:
            if error is None:
                self._on_done(result)
        # An answer that cannot be shown must not leave the user without a word.
        except Exception as caught:  # noqa: BLE001
            error = caught
        self._result, self._error = result, error
        try:
            if error is not None:
                self._on_error(error)
        finally:
            self._settled.set()
        if error is None:
            for function in self._followers:
                function(result)
