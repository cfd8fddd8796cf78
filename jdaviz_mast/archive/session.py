"""The wire under astroquery: where requests go, how long they may take, how they are stopped."""

import time
from urllib.parse import urlsplit, urlunsplit

import requests
from astroquery.exceptions import RemoteServiceError
from requests.adapters import HTTPAdapter
from requests.utils import get_environ_proxies
from urllib3.exceptions import ReadTimeoutError

from jdaviz_mast.errors import ArchiveError, ArchiveTimeout, ArchiveUnreachable, InvalidInput

__all__ = ["MAST_HOSTS", "MAST_SERVER", "ServerAdapter", "check_server", "open_session"]

MAST_SERVER = "https://mast.stsci.edu"

#: The hosts that astroquery.mast speaks to; its code fixes them at import.
MAST_HOSTS = (
    MAST_SERVER,
    "http://mastresolver.stsci.edu",
    "https://mastresolver.stsci.edu",
    "https://catalogs.mast.stsci.edu",
)

#: Longest pause, in seconds, before a request that is still being worked on is repeated.
_LONGEST_PAUSE = 2.0
#: Seconds between two looks, in such a pause, at whether the user has cancelled.
_LOOK = 0.2


def check_server(server):
    """Return ``server`` without a trailing slash, or raise `InvalidInput`."""
    allowed = "give an address such as 'https://mast.stsci.edu'"
    try:
        parts = urlsplit(server if isinstance(server, str) else "")
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError as error:  # a port that is no number, half an IPv6 address
        raise InvalidInput("server", server, allowed) from error
    if not usable:
        raise InvalidInput("server", server, allowed)
    return server.rstrip("/")


class ServerAdapter(HTTPAdapter):
    """Sends requests for MAST's hosts to another server that speaks its protocol.

    astroquery goes on building MAST's canonical addresses and sees them in the answers, so
    none of its attributes is changed and other users of astroquery in the same process are
    not affected. Every request gets a time limit, which astroquery does not set.

    Parameters
    ----------
    server : str
        Address that stands in for MAST, or MAST's own.
    timeout : float
        Seconds of silence allowed.
    """

    def __init__(self, server, timeout):
        self._server = None if server == MAST_SERVER else urlsplit(server)
        self._timeout = timeout
        super().__init__()

    def send(self, request, **kwargs):
        """Send one prepared request, see `requests.adapters.HTTPAdapter.send`."""
        kwargs["timeout"] = kwargs.get("timeout") or self._timeout
        if self._server is None:
            return super().send(request, **kwargs)
        canonical = request.url
        parts = urlsplit(canonical)
        path = self._server.path.rstrip("/") + parts.path
        request.url = urlunsplit((self._server.scheme, self._server.netloc, path, parts.query, ""))
        # requests has chosen the proxies for MAST's host; this machine is reached without.
        here = self._server.hostname in ("localhost", "127.0.0.1", "::1")
        kwargs["proxies"] = {} if here else get_environ_proxies(request.url)
        try:
            response = super().send(request, **kwargs)
        finally:
            request.url = canonical
        response.url = canonical
        return response


def open_session(session, server, *, timeout, check_cancelled=None):
    """Prepare a `requests.Session` for the archive at ``server``.

    Parameters
    ----------
    session : `requests.Session`
        Changed in place.
    server : str
        Address of the archive.
    timeout : float
        Seconds of silence allowed for one request.
    check_cancelled : callable, optional
        Called after each answer; raises to stop a search that is repeated or paged.

    Returns
    -------
    session : `requests.Session`
    """
    adapter = ServerAdapter(server, timeout)
    for host in MAST_HOSTS:
        session.mount(host, adapter)
    # With no auth of its own, requests sends what ~/.netrc holds for the host.
    session.auth = _anonymous
    session.hooks["response"].append(_Patience(timeout, check_cancelled))
    return session


def _anonymous(request):
    return request


class _Patience:
    """Response hook: a pause before astroquery repeats a request that is still executing.

    astroquery repeats at once and for ten minutes; the archive is better asked less often,
    and the user is better told after ``timeout`` seconds.
    """

    def __init__(self, timeout, check_cancelled):
        self._timeout, self._check = timeout, check_cancelled or (lambda: None)
        self._pause, self._since = 0.1, None

    def __call__(self, response, *_args, **_kwargs):
        self._check()
        if not response.url.endswith("/invoke") or b'"EXECUTING"' not in response.content[:200]:
            self._pause, self._since = 0.1, None
            return
        now = time.monotonic()
        self._since = now if self._since is None else self._since
        if now - self._since > self._timeout:
            raise ArchiveTimeout(
                f"The archive has been working on this search for {self._timeout:g} s without "
                "an answer. Try a smaller radius or a filter, or try again later."
            )
        end = now + self._pause
        while (left := end - time.monotonic()) > 0:
            time.sleep(min(left, _LOOK))
            self._check()
        self._pause = min(2 * self._pause, _LONGEST_PAUSE)


def explain(error, server):
    """Turn an exception of requests or of an answer's parsing into one of `jdaviz_mast.errors`.

    Parameters
    ----------
    error : Exception
    server : str

    Returns
    -------
    error : MastError
    """
    host = urlsplit(server).netloc
    # A body that stops coming is a ConnectionError to requests, around urllib3's own error.
    silent = any(isinstance(cause, ReadTimeoutError) for cause in error.args)
    if silent or isinstance(error, (requests.Timeout, TimeoutError)):
        return ArchiveTimeout(f"The archive at {host} did not answer in time. Try again later.")
    if isinstance(error, requests.HTTPError) and error.response is not None:
        status = error.response.status_code
        return ArchiveError(
            f"The archive at {host} answered with an error (HTTP {status}). Try again later."
        )
    if isinstance(error, requests.exceptions.JSONDecodeError):
        return ArchiveError(
            f"The archive at {host} sent something that is not an answer (no JSON). "
            "A login page of the network, or maintenance, does this."
        )
    if isinstance(error, requests.RequestException):
        return ArchiveUnreachable(
            f"The archive at {host} cannot be reached. Check the network connection."
        )
    if isinstance(error, RemoteServiceError):
        reason = " ".join(str(error).split()).rstrip(".")
        return ArchiveError(f"The archive at {host} could not do this: {reason}.")
    return ArchiveError(
        f"The archive at {host} sent an answer that makes no sense. Try again later."
    )
