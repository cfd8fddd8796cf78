"""Hosts: how many connections each of them gets, and how long one that is away is waited for."""

import os
import random
import threading
import time

__all__ = ["MOST_CONNECTIONS", "Hosts", "pause_after"]

#: No server gets more connections at a time than this, whatever is configured.
MOST_CONNECTIONS = 8

_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 30.0

#: Seconds for which whoever had to wait for a connection is counted as waiting.
_WAITS = 0.3

#: For each host who uses it, over all transfers of this process: a list of connections in use,
#: and the moment of the last that was refused.
_users = {}
_users_lock = threading.Lock()


def _forget_users():
    """In a process that was forked, none of the connections is its own."""
    global _users_lock
    _users_lock = threading.Lock()
    _users.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_users)


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
        host, now = self[name], time.monotonic()
        if host.resumes_at > now or (host.tries and host.asked):
            return False
        with _users_lock:
            users = _users.setdefault(name, {})
            mine = users.setdefault(self, [0, -_WAITS])
            if self._is_too_much(mine, users, now):
                mine[1] = now
                return False
            mine[0] += 1
        host.asked += 1
        return True

    def _is_too_much(self, mine, users, now):
        """Whether all connections are in use, or more than its share while another waits."""
        if sum(used for used, _ in users.values()) >= self._most:
            return True
        wanting = [u for u in users.values() if u[0] or now - u[1] < _WAITS]
        share = max(1, self._most // max(1, len(wanting)))
        waits = any(u[0] < share and now - u[1] < _WAITS for u in users.values() if u is not mine)
        return waits and mine[0] >= share

    def leave(self, name):
        """Give a connection back."""
        self[name].asked -= 1
        with _users_lock:
            mine = _users.get(name, {}).get(self)
            if mine is not None:
                mine[0] -= 1

    def close(self):
        """Be counted no more."""
        with _users_lock:
            for name in list(_users):
                _users[name].pop(self, None)
                if not _users[name]:
                    del _users[name]


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
    given_up : bool
        Whether it was away, or asks for patience, for so long that it is not asked any more.
    wait : float or None
        Seconds that it asked for, if that is why.
    """

    def __init__(self):
        self.asked, self.tries, self.reason, self.resumes_at = 0, 0, "", 0.0
        self.given_up, self.wait = False, None

    def answered(self):
        """Note that it is there."""
        self.tries, self.given_up = 0, False

    def give_up(self, wait=None):
        """Ask it no more: what waits for it need not wait."""
        self.given_up, self.resumes_at, self.wait = True, 0.0, wait

    def failed(self, reason):
        """Count a connection that could not be made, those of one moment as one."""
        now = time.monotonic()
        if now >= self.resumes_at:
            self.tries += 1
            self.resumes_at = now + pause_after(self.tries)
        self.reason = reason

    def asks_for_patience(self, seconds):
        """Leave it alone for so long."""
        self.resumes_at = max(self.resumes_at, time.monotonic() + seconds)
