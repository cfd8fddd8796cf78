"""Hosts: how many connections each of them gets, and how long one that is away is waited for."""

import random
import threading
import time

__all__ = ["MOST_CONNECTIONS", "Hosts", "pause_after"]

#: No server gets more connections at a time than this, whatever is configured.
MOST_CONNECTIONS = 8

_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 30.0

#: Connections in use by host, over all transfers of this process.
_in_use = {}
_in_use_lock = threading.Lock()


def pause_after(tries):
    """Return the seconds to wait after so many tries: doubling, up to a limit, and uneven.

    Uneven, so that those whom one event has thrown out do not all come back at once.
    """
    longest = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2 ** (tries - 1))
    return longest * random.uniform(0.75, 1.25)  # noqa: S311


class Hosts:
    """What one transfer knows of the hosts that it asks; to be used under its lock.

    Parameters
    ----------
    connections : int
        Connections that each host may get.
    """

    def __init__(self, connections):
        self._most = max(1, min(connections, MOST_CONNECTIONS))
        self._known = {}

    def __getitem__(self, name):
        return self._known.setdefault(name, _Host())

    def enter(self, name):
        """Take a connection to a host, if it may have one now; return whether it may."""
        host = self[name]
        if host.resumes_at > time.monotonic() or (host.tries and host.asked):
            return False
        with _in_use_lock:
            if _in_use.get(name, 0) >= self._most:
                return False
            _in_use[name] = _in_use.get(name, 0) + 1
        host.asked += 1
        return True

    def leave(self, name):
        """Give a connection back."""
        self[name].asked -= 1
        with _in_use_lock:
            _in_use[name] -= 1
            if not _in_use[name]:
                del _in_use[name]


class _Host:
    """How a host has been lately.

    Attributes
    ----------
    asked : int
        Requests of this transfer that it is working on. One that was away gets one at a time.
    tries : int
        Connections in a row that could not be made.
    reason : str
        Why, in a sentence.
    resumes_at : float
        Moment, on the monotonic clock, before which it is not asked.
    """

    def __init__(self):
        self.asked, self.tries, self.reason, self.resumes_at = 0, 0, "", 0.0

    def answered(self):
        self.tries = 0

    def failed(self, reason):
        """Count a connection that could not be made, those of one moment as one."""
        now = time.monotonic()
        if now >= self.resumes_at:
            self.tries += 1
            self.resumes_at = now + pause_after(self.tries)
        self.reason = reason

    def asks_for_patience(self, seconds):
        self.resumes_at = max(self.resumes_at, time.monotonic() + seconds)
