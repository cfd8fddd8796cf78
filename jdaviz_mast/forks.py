"""Locks that a forked process gets free, whichever of its parent's threads held them."""

import os
import threading
import weakref

__all__ = ["Lock"]

_locks = weakref.WeakSet()


class Lock:
    """A `threading.Lock`; a worker that is forked from this process does not inherit its holder.

    Nobody in the new process would give it back: the thread that holds it is not there.
    """

    def __init__(self):
        self._lock = threading.Lock()
        _locks.add(self)

    def __enter__(self):
        self._lock.acquire()
        return self

    def __exit__(self, *exception):
        self._lock.release()


def _free():
    for lock in list(_locks):
        lock._lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_free)
