"""One request on the wire: who may be asked, what came back, and how it can be broken off.

What a connection carries is judged here and nowhere else: redirects, credentials, validators,
ranges. `Wire.open` returns an answer whose bytes are those of the file; everything else is an
error of this module, which says whether another try may help.
"""

import contextlib
import datetime
import email.utils
import http.client
import re
import socket
import threading
import weakref
from http.cookiejar import DefaultCookiePolicy
from urllib.parse import urljoin, urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError, NameResolutionError, ReadTimeoutError

from jdaviz_mast.errors import AccessDenied, FileProblem, MastError

__all__ = ["Answer", "Broken", "Busy", "NotThere", "Unreachable", "Wire", "host_of"]

#: Seconds that a connection may take to be made.
_CONNECT = 10
#: Bytes of one piece: large enough that Python's share of the work is small.
_PIECE = 1 << 18
_REDIRECTS = (301, 302, 303, 307, 308)
_MOST_REDIRECTS = 5
#: Answers after which the same question may get another one (RFC 9110, section 15).
_PASSING = (408, 425, 429)
#: The file as it is stored: compressed on the way it would have another length.
_AS_STORED = {"Accept-Encoding": "identity"}

# Eighteen digits are enough for any file, and a number of thousands of them is none to Python.
_NUMBER = re.compile(r"[0-9]{1,18}")
_RANGE = re.compile(r"bytes ([0-9]{1,18})-([0-9]{1,18})/([0-9]{1,18}|\*)")

_FAILURES = (requests.RequestException, HTTPError, http.client.HTTPException, OSError, ValueError)


class Broken(MastError):
    """The transfer broke; another try may help."""


class Busy(Broken):
    """The server asks for patience, or has an error of its own.

    Attributes
    ----------
    wait : float or None
        Seconds that the server asks for.
    everyone : bool
        Whether it speaks to all that is asked of it, not of this file alone.
    """

    def __init__(self, message, wait=None, *, everyone=False):
        super().__init__(message)
        self.wait, self.everyone = wait, everyone


class Unreachable(Broken):
    """No connection to a host.

    Attributes
    ----------
    host : str
    """

    def __init__(self, message, host):
        super().__init__(message)
        self.host = host


class NotThere(FileProblem):
    """The server has no such file, or none that can be kept: another try does not help."""


class Gone(NotThere):
    """The server has no such file."""


class Answer:
    """A good answer: some bytes of a file, and the version that they belong to.

    Attributes
    ----------
    ranged : bool
        Whether only the asked range comes (206), not the whole file.
    out_of_range : bool
        The server says that the file has no such bytes (416).
    start : int
        Offset in the file of the first byte that comes.
    length : int or None
        Bytes that come; None if the server does not say it.
    size : int or None
        Bytes of the whole file; None if the server does not say it.
    validator : str
        Strong ETag, or date, of the file's version; empty if there is none.
    coherent : bool
        Whether these are the bytes that were asked for, as they are stored.
    digest : str
        MD5 of the file in hexadecimal, if this came from S3 and it offers one, else empty.
    """

    def __init__(self, response, asked, listed=None, name=""):
        self._response = response
        headers = response.headers
        self.out_of_range = response.status_code == 416
        self.ranged = response.status_code == 206
        self._encoded = headers.get("Content-Encoding", "identity").lower() != "identity"
        if listed is None:
            is_stored_so = name.lower().endswith((".gz", ".tgz"))
        else:
            is_stored_so = listed == _announced(headers)
        if is_stored_so:
            self._encoded = False  # and called so by a server that takes it for encoded
        self.validator = "" if self._encoded else _validator(headers)
        self.digest = _digest(headers)
        length = headers.get("Content-Length", "")
        if length and not _NUMBER.fullmatch(length):
            raise Broken("The server says of a file that it is of no possible length.")
        known = length and not self._encoded
        self.start, self.length, self.coherent = 0, int(length) if known else None, True
        self.size = self.length
        if self.ranged:
            self._read_range(headers.get("Content-Range", ""), asked)

    def _read_range(self, text, asked):
        match = _RANGE.fullmatch(text.strip())
        start, stop = asked
        self.coherent = (
            match is not None
            and start is not None
            and not self._encoded
            and self.length in (None, int(match[2]) + 1 - start)
            and int(match[1]) == start <= int(match[2]) < stop
        )
        if self.coherent:
            self.start, self.length = start, int(match[2]) + 1 - start
            self.size = None if match[3] == "*" else int(match[3])

    def pieces(self):
        """Yield the bytes as they come; `Broken` if they are fewer than was said."""
        raw, came = self._response.raw, 0
        try:
            while self.length is None or came < self.length:
                piece = raw.read1(_PIECE, decode_content=self._encoded)
                if not piece:
                    break
                if self.length is not None and len(piece) > self.length - came:
                    raise ValueError("more bytes than were announced")
                came += len(piece)
                yield piece
        except _FAILURES as error:
            failed = _broken_body(error, came)
        else:
            failed = None
        # Outside of the handler: an error of urllib3 would bring the request's header along.
        if failed is not None:
            raise failed
        if self.length is not None and came < self.length:
            raise Broken(f"The transfer was cut short after {came:,} of {self.length:,} bytes.")

    def close(self):
        """Give the connection back, or close it if not all that comes was read."""
        raw = self._response.raw
        if raw.length_remaining == 0:
            # Nothing is left; but only who reads the end can use the connection again.
            with contextlib.suppress(*_FAILURES):
                raw.drain_conn()
        else:
            self._response.close()


class Wire:
    """The connections of one thread; another thread may break them off.

    Parameters
    ----------
    credentials : object
        Its ``headers(url)`` identify the user to the server that has this address, and its
        ``explain(url, status, sent, about)`` says why a file was refused.
    timeout : float
        Seconds of silence allowed.
    """

    def __init__(self, credentials, timeout):
        self._credentials, self._timeout = credentials, timeout
        self._session, self._connections = _Session(), _Connections()
        self._response = None
        # With no auth of its own, requests sends what ~/.netrc holds for the host.
        self._session.auth = _anonymous
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        for prefix in ("http://", "https://"):
            self._session.mount(prefix, _Adapter(self._connections))
        for here in ("http://localhost", "http://127.0.0.1", "http://[::1]"):
            self._session.mount(here, _Direct(self._connections))

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self._session.close()

    def break_off(self):
        """Let whoever waits for an answer, or reads one, get an error at once."""
        for connection in self._connections.all():
            # Not connected yet, or not any more.
            with contextlib.suppress(OSError, AttributeError, ValueError):
                connection.sock.shutdown(socket.SHUT_RDWR)
        with contextlib.suppress(OSError, AttributeError, ValueError, RuntimeError):
            self._response.raw.shutdown()

    def open(self, url, *, name, size=None, start=None, stop=None, validator="", about=None):
        """Ask for a file, or for the bytes ``[start, stop)`` of it.

        Parameters
        ----------
        url : str
        name : str
            What to call the file in a sentence.
        size : int, optional
            Bytes of the file as it is stored, as far as that is known.
        start, stop : int, optional
        validator : str
            Version that the bytes must belong to; another one is answered with all of it.
        about : mapping, optional
            Handed to ``credentials.explain``.

        Returns
        -------
        answer : Answer

        Raises
        ------
        Broken, Busy, Unreachable
            If another try may help.
        AccessDenied, NotThere
            If it does not.
        """
        headers = dict(_AS_STORED)
        if start is not None:
            headers["Range"] = f"bytes={start}-{stop - 1}"
            if validator:
                headers["If-Range"] = validator
        response, url, sent = self._follow(url, headers)
        try:
            self._judge(response, url, sent, name, about)
            return Answer(response, (start, stop), size, name)
        except BaseException:
            response.close()
            raise

    def _follow(self, url, headers):
        """Send a request, and again where it is sent on to; return also where that was."""
        for _ in range(_MOST_REDIRECTS + 1):
            own = self._credentials.headers(url)
            response = self._send(url, headers | own)
            location = response.headers.get("Location")
            if response.status_code not in _REDIRECTS or location is None:
                return response, url, bool(own)
            response.close()
            url = _redirected(url, location)
        raise NotThere(f"The server redirects in a circle, or more than {_MOST_REDIRECTS} times.")

    def _send(self, url, headers):
        try:
            self._response = self._session.get(
                url,
                headers=headers,
                stream=True,
                allow_redirects=False,
                timeout=(min(_CONNECT, self._timeout), self._timeout),
            )
            return self._response
        except _FAILURES as error:
            failed = _no_answer(error, url)
        # Outside of the handler: an error of requests holds the request, and so its header.
        raise failed

    def _judge(self, response, url, sent, name, about):
        status, headers = response.status_code, response.headers
        if status in (200, 206, 416):
            page = headers.get("Content-Type", "").lower().startswith("text/html")
            if page and status == 200 and not name.lower().endswith((".html", ".htm")):
                raise NotThere(
                    "A web page came instead of the file. A login page of the network, or "
                    "maintenance at the archive, does this."
                )
            return
        if status in (401, 403):
            raise AccessDenied(self._credentials.explain(url, status, sent, about))
        if status in (404, 410):
            raise Gone(f"{host_of(url)} does not have this file (HTTP {status}).")
        if status >= 500 or status in _PASSING:
            text = f"{host_of(url)} answered with an error (HTTP {status})."
            raise Busy(text, _retry_after(headers), everyone=status == 429)
        raise NotThere(f"{host_of(url)} refused to give this file (HTTP {status}).")


# -- connections -----------------------------------------------------------------------------


class _Session(requests.Session):
    """Leaves redirects alone: requests reads their bodies to the end, even where it follows none.

    That end may never come.
    """

    def get_redirect_target(self, response):
        return None


class _Connections:
    """The connections that are there; one thread makes them, another looks at them."""

    def __init__(self):
        self._known, self._lock = weakref.WeakSet(), threading.Lock()

    def add(self, connection):
        with self._lock:
            self._known.add(connection)

    def all(self):
        with self._lock:
            return list(self._known)


class _Adapter(HTTPAdapter):
    """Keeps track of the sockets that it opens, so that they can be shut down."""

    def __init__(self, connections):
        self._known = connections
        super().__init__(pool_connections=4, pool_maxsize=2)

    def init_poolmanager(self, *args, **kwargs):
        super().init_poolmanager(*args, **kwargs)
        self._track(self.poolmanager)

    def proxy_manager_for(self, *args, **kwargs):
        manager = super().proxy_manager_for(*args, **kwargs)
        self._track(manager)
        return manager

    def _track(self, manager):
        known = self._known

        class Plain(HTTPConnection):
            def connect(self):
                known.add(self)
                super().connect()

        class Secure(HTTPSConnection):
            def connect(self):
                known.add(self)
                super().connect()

        class PlainPool(HTTPConnectionPool):
            ConnectionCls = Plain

        class SecurePool(HTTPSConnectionPool):
            ConnectionCls = Secure

        manager.pool_classes_by_scheme = {"http": PlainPool, "https": SecurePool}


class _Direct(_Adapter):
    """Reaches this machine without the proxy of the network."""

    def send(self, request, **kwargs):
        return super().send(request, **kwargs | {"proxies": {}})


def _anonymous(request):
    return request


# -- addresses -------------------------------------------------------------------------------


def host_of(url):
    """Return host and port of an address, as they are shown to a person."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or "The server"
        return host if parts.port is None else f"{host}:{parts.port}"
    except ValueError:
        return "The server"


def _redirected(url, location):
    """Return the address that a redirect leads to, if it may be followed."""
    try:
        target = urljoin(url, location)
        scheme, host = urlsplit(target).scheme, urlsplit(target).hostname
    except ValueError:
        scheme, host = "", None
    if scheme not in ("http", "https") or not host:
        raise NotThere(f"{host_of(url)} redirects to what is no address on the web.")
    if scheme == "http" and urlsplit(url).scheme == "https":
        raise NotThere(f"{host_of(url)} redirects to an address without encryption.")
    return target


# -- what headers say ------------------------------------------------------------------------


def _announced(headers):
    """Return the bytes that an answer says the whole file has on the wire, or None."""
    match = _RANGE.fullmatch(headers.get("Content-Range", "").strip())
    text = match[3] if match else headers.get("Content-Length", "")
    return int(text) if _NUMBER.fullmatch(text) else None


def _validator(headers):
    """Return what identifies the version of a file: RFC 9110, section 13.1.5."""
    etag = headers.get("ETag", "").strip()
    if etag and not etag.startswith("W/"):
        return etag
    changed, now = _moment(headers, "Last-Modified"), _moment(headers, "Date")
    # A file that changed within this second may change again without another date.
    if changed is not None and now is not None and (now - changed).total_seconds() >= 1:
        return headers["Last-Modified"]
    return ""


def _digest(headers):
    """Return the MD5 that S3 gives as ETag for what was put in one piece and not encrypted.

    An object that was put in several pieces has another kind of ETag, which ends with their
    number (Amazon S3 API reference, "Object").
    """
    encryption = headers.get("x-amz-server-side-encryption", "AES256")
    match = re.fullmatch(r'"([0-9a-f]{32})"', headers.get("ETag", ""))
    return match[1] if match and encryption == "AES256" else ""


def _retry_after(headers):
    """Return the seconds that ``Retry-After`` asks for, or None."""
    text = headers.get("Retry-After", "").strip()
    if text.isdecimal():
        return float(text[:9])
    until, now = _moment(headers, "Retry-After"), _moment(headers, "Date")
    return None if until is None or now is None else max(0.0, (until - now).total_seconds())


def _moment(headers, name):
    try:
        moment = email.utils.parsedate_to_datetime(headers.get(name, ""))
        return moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)
    except (TypeError, ValueError, OverflowError):
        return None


# -- errors ----------------------------------------------------------------------------------


def _no_answer(error, url):
    """Return the error for a request that got no answer; nothing of the request is in it."""
    host = host_of(url)
    causes = list(_causes(error))
    if isinstance(error, (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema)):
        return NotThere("The address of this file is none on the web.")
    if any(isinstance(cause, (NameResolutionError, socket.gaierror)) for cause in causes):
        return Unreachable(f"The name {host} is not known to the network.", host)
    if isinstance(error, requests.exceptions.SSLError):
        return Unreachable(f"The certificate of {host} cannot be trusted.", host)
    if isinstance(error, requests.exceptions.ReadTimeout):
        return Broken(f"{host} did not answer in time.")
    if isinstance(error, (requests.exceptions.ConnectTimeout, requests.exceptions.ProxyError)):
        return Unreachable(f"{host} cannot be reached.", host)
    if any(isinstance(cause, ConnectionRefusedError) for cause in causes) or any(
        type(cause).__name__ == "NewConnectionError" for cause in causes
    ):
        return Unreachable(f"{host} cannot be reached.", host)
    return Broken(f"The connection to {host} broke.")


def _causes(error):
    """Yield an error and what it was made of."""
    seen, waiting = set(), [error]
    while waiting:
        error = waiting.pop()
        if not isinstance(error, BaseException) or id(error) in seen:
            continue
        seen.add(id(error))
        yield error
        waiting += [*error.args, error.__cause__, error.__context__,
                    getattr(error, "reason", None)]  # fmt: skip


def _broken_body(error, came):
    if isinstance(error, (ReadTimeoutError, TimeoutError)):
        return Broken(f"The server stopped sending after {came:,} bytes.")
    if any(isinstance(cause, http.client.IncompleteRead) for cause in _causes(error)):
        return Broken(f"The transfer was cut short after {came:,} bytes.")
    return Broken(f"The connection broke after {came:,} bytes.")
