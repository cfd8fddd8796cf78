"""Ways in which the embedded archive can be told to misbehave."""

from __future__ import annotations

import fnmatch
import threading
from dataclasses import dataclass

__all__ = ["FAULT_KINDS", "ROUTES", "Fault", "FaultBoard"]

#: What each kind of fault does to a matching answer.
FAULT_KINDS = {
    "status": "answers `status` instead, with Retry-After if `retry_after` is given",
    "truncate": "announces the right Content-Length, closes after `fraction` of the body",
    "reset": "sends `fraction` of the body, then resets the connection (RST)",
    "stall": "sends `fraction` of the body, then nothing until the archive stops",
    "chunked": "sends the whole body without a Content-Length",
    "short": "sends `fraction` of the body without a Content-Length and ends cleanly",
    "corrupt": "sends wrong bytes of the right size: another file, or garbage for JSON",
    "html": "sends an HTML page with status 200, instead of a file or of JSON",
    "ignore-range": "answers a Range request with 200 and the whole body",
    "no-accept-ranges": "leaves out Accept-Ranges and ignores Range",
    "no-validators": "leaves out ETag and Last-Modified",
    "no-etag": "leaves out ETag; Last-Modified is there",
    "changed": "serves new bytes (but FITS headers) under a new ETag, as after reprocessing",
    "redirect": "answers 302 to `location`",
    "wrong-size": "lists `size` (default: one byte more than true) in the product rows",
    "gzip": "sends the body with Content-Encoding: gzip",
    "error": "answers an invoke request with the mashup's status ERROR and `message`",
}

#: Parts of the protocol a fault can be tied to; ``"*"`` is all of them.
ROUTES = (
    "invoke", "columns", "resolve", "whoami", "download", "bundle", "lookup", "missions", "s3", "*",
)  # fmt: skip

_INVOKE_ONLY = {"wrong-size", "error"}

# A client asks with HEAD first; these describe the file, so both must agree.
_ABOUT_THE_FILE = {
    "chunked", "no-accept-ranges", "no-validators", "no-etag", "changed", "gzip", "ignore-range",
}  # fmt: skip


@dataclass
class Fault:
    """One way of misbehaving, and when.

    Parameters
    ----------
    kind : str
        One of `FAULT_KINDS`.
    route : str, optional
        One of `ROUTES`; ``"download"`` unless the kind belongs to ``"invoke"``.
    match : str, optional
        Substring or glob of what is asked for: the URI of a file, the service of an
        invoke request, the name to resolve. All requests if not given.
    times : int
        How many requests to spoil; -1 for every one.
    after : int
        How many matching requests to answer well before the first is spoiled.
    status : int
        HTTP status of kind ``"status"``.
    retry_after : int or str, optional
        Value of its Retry-After header, in seconds or as an HTTP date.
    fraction : float
        Part of the body that is sent before it breaks off, 0 to 1.
    location : str, optional
        Target of kind ``"redirect"``.
    size : int, optional
        Size in bytes that kind ``"wrong-size"`` claims.
    message : str
        Message of kind ``"error"``.
    head : bool
        Whether a HEAD request is spoiled too. Faults that describe the file (no
        validators, no ranges, changed, ...) always show in HEAD.
    """

    kind: str
    route: str | None = None
    match: str | None = None
    times: int = -1
    after: int = 0
    status: int = 503
    retry_after: int | str | None = None
    fraction: float = 0.5
    location: str | None = None
    size: int | None = None
    message: str = "The query could not be completed."
    head: bool = False

    def __post_init__(self):
        if self.kind not in FAULT_KINDS:
            raise ValueError(f"unknown fault kind {self.kind!r}; one of {', '.join(FAULT_KINDS)}")
        if self.route is None:
            self.route = "invoke" if self.kind in _INVOKE_ONLY else "download"
        if self.route not in ROUTES:
            raise ValueError(f"unknown route {self.route!r}; one of {', '.join(ROUTES)}")
        if not 0 <= self.fraction <= 1:
            raise ValueError(f"'fraction' must be between 0 and 1, not {self.fraction}")
        if not 100 <= self.status <= 599:
            raise ValueError(f"'status' must be an HTTP status, not {self.status}")
        if self.kind == "redirect" and not self.location:
            raise ValueError("a 'redirect' fault needs 'location'")
        if self.after < 0:
            raise ValueError(f"'after' must not be negative, not {self.after}")

    def concerns(self, route, subject):
        """Whether a request for `subject` on `route` is one this fault may spoil."""
        if self.route not in ("*", route):
            return False
        if self.match is None:
            return True
        return self.match in subject or fnmatch.fnmatchcase(subject, self.match)


class FaultBoard:
    """The faults in force and how often each has been met; safe between threads."""

    def __init__(self):
        self._lock = threading.Lock()
        self._entries = []

    def add(self, fault):
        """Put `fault` in force."""
        if not isinstance(fault, Fault):
            raise TypeError(f"a Fault is needed, not {type(fault).__name__}")
        with self._lock:
            self._entries.append([fault, 0])

    def clear(self):
        """Take every fault out of force."""
        with self._lock:
            self._entries.clear()

    def strike(self, route, subject, *, head=False):
        """Faults that spoil this request, by kind; the request is counted for each."""
        struck = {}
        with self._lock:
            for entry in self._entries:
                fault, met = entry
                if not fault.concerns(route, subject):
                    continue
                if not head or fault.head:
                    entry[1] += 1
                elif fault.kind not in _ABOUT_THE_FILE:
                    continue
                spent = fault.times >= 0 and met >= fault.after + fault.times
                if met >= fault.after and not spent:
                    struck.setdefault(fault.kind, fault)
        return struck

    def claimed_size(self, uri, size):
        """Size in bytes that the catalogue gives for `uri`, true or not."""
        with self._lock:
            for fault, _ in self._entries:
                matches = fault.match is None or fault.concerns(fault.route, uri)
                if fault.kind == "wrong-size" and matches:
                    return size + 1 if fault.size is None else fault.size
        return size
