"""One file over HTTP: into a temporary file beside the target, checked, then renamed."""

import contextlib
import os
import tempfile
from pathlib import Path

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import ReadTimeoutError

from jdaviz_mast.errors import AccessDenied, ArchiveUnreachable, FileProblem

__all__ = ["TransferSession", "fetch_file"]

_CHUNK = 1 << 16  # bytes; a piece is seen once all of it has come

# The bytes as they are stored: a product that is compressed on the way would have another
# length than the one that the archive lists.
_AS_STORED = {"Accept-Encoding": "identity"}


class TransferSession(requests.Session):
    """A session without credentials, whose transfer another thread can break off."""

    def __init__(self):
        super().__init__()
        self._response = None
        # With no auth of its own, requests sends what ~/.netrc holds for the host.
        self.auth = _anonymous
        for address in ("http://localhost", "http://127.0.0.1", "http://[::1]"):
            self.mount(address, _Direct())

    def send(self, request, **kwargs):
        """Send one prepared request, see `requests.Session.send`."""
        self._response = super().send(request, **kwargs)
        return self._response

    def break_off(self):
        """Let whoever reads an answer, however slow, get an error at once."""
        # No answer yet, none any more, or a urllib3 older than 2.3: nothing to break off.
        with contextlib.suppress(AttributeError, RuntimeError, ValueError, OSError):
            self._response.raw.shutdown()


class _Direct(HTTPAdapter):
    """Reaches this machine without the proxy of the network."""

    def send(self, request, **kwargs):
        return super().send(request, **kwargs | {"proxies": {}})


def _anonymous(request):
    return request


def fetch_file(
    session,
    url,
    path,
    *,
    size=None,
    check=None,
    on_bytes=None,
    check_cancelled=None,
    timeout=60.0,
):
    """Download one file; it stands under its name only once it is whole and checked.

    Parameters
    ----------
    session : `requests.Session`
    url : str
    path : path-like
        Where the file goes; its folder is made.
    size : int, optional
        Bytes that the file must have.
    check : callable, optional
        Called with the path of the temporary file; raises if the content is not right.
    on_bytes : callable, optional
        Called with the number of bytes of each piece.
    check_cancelled : callable, optional
        Called before each piece is kept, and before the file gets its name; raises to stop.
    timeout : float
        Seconds of silence allowed.

    Raises
    ------
    AccessDenied, FileProblem, ArchiveUnreachable
    OSError
        If the file cannot be written.
    """
    path, received = Path(path), 0
    check_cancelled = check_cancelled or (lambda: None)
    try:
        with session.get(url, stream=True, timeout=timeout, headers=_AS_STORED) as response:
            _check_status(response)
            with _part_beside(path) as part:
                with open(part, "wb") as stream:
                    for piece in response.iter_content(_CHUNK):
                        check_cancelled()
                        stream.write(piece)
                        received += len(piece)
                        if on_bytes is not None:
                            on_bytes(len(piece))
                    stream.flush()
                    os.fsync(stream.fileno())
                check_cancelled()
                _check_length(response, received)
                if check is not None:
                    check(part)
                if size is not None and received != size:
                    raise FileProblem(
                        f"{path.name}: {received} bytes came, the archive lists {size}. "
                        "It is not kept."
                    )
                part.chmod(0o644)
                part.replace(path)
    except requests.RequestException as error:
        raise _explain(error, received) from error


@contextlib.contextmanager
def _part_beside(path):
    """Make a temporary file in the folder of ``path``; removed unless it was renamed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=".", suffix=".part", dir=path.parent)
    os.close(handle)
    part = Path(name)
    try:
        yield part
    finally:
        part.unlink(missing_ok=True)


def _check_status(response):
    status = response.status_code
    if status in (401, 403):
        raise AccessDenied(
            "This product is under exclusive access: only those whom the program's principal "
            "investigator allows may fetch it before it becomes public."
        )
    if status == 404:
        raise FileProblem("The archive has no file for this product (HTTP 404).")
    if status != 200:
        raise ArchiveUnreachable(
            f"The archive answered with an error (HTTP {status}). Import it again later."
        )


def _check_length(response, received):
    # urllib3 does this itself from version 2 on.
    promised = response.headers.get("Content-Length", "")
    encoded = response.headers.get("Content-Encoding")
    if promised.isdecimal() and encoded is None and received != int(promised):
        raise FileProblem(f"The transfer was cut short: {received} of {promised} bytes.")


def _explain(error, received):
    """Turn an exception of requests into one of `jdaviz_mast.errors`."""
    # A body that stops coming is a ConnectionError to requests, around urllib3's own error.
    silent = any(isinstance(cause, ReadTimeoutError) for cause in error.args)
    if silent or isinstance(error, requests.Timeout):
        return ArchiveUnreachable(
            f"The archive stopped sending after {received} bytes. Import it again."
        )
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return FileProblem(f"The transfer was cut short after {received} bytes. Import it again.")
    return ArchiveUnreachable(
        f"The archive could not be reached ({type(error).__name__}). Import it again."
    )
