"""One file over HTTP: into a temporary file beside the target, checked, then renamed."""

import os
import tempfile
from pathlib import Path

import requests

from jdaviz_mast.errors import AccessDenied, ArchiveUnreachable, FileProblem

__all__ = ["fetch_file"]

_CHUNK = 1 << 16  # bytes; small, so that a slow transfer can be cancelled soon


def fetch_file(session, url, path, *, size=None, check=None, on_bytes=None, timeout=60.0):
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
        Called with the number of bytes of each piece; may raise to stop.
    timeout : float
        Seconds of silence allowed.

    Raises
    ------
    AccessDenied, FileProblem, ArchiveUnreachable
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=".", suffix=".part", dir=path.parent)
    part = Path(name)
    try:
        with open(handle, "wb") as stream:
            received = _receive(session, url, stream, on_bytes, timeout)
            stream.flush()
            os.fsync(stream.fileno())
        if size is not None and received != size:
            raise FileProblem(
                f"{path.name}: {received} bytes came, the archive lists {size}. It is not kept."
            )
        if check is not None:
            check(part)
        part.chmod(0o644)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _receive(session, url, stream, on_bytes, timeout):
    """Write the body to ``stream`` and return its length in bytes."""
    # The bytes as they are stored: a product that is compressed on the way would have
    # another length than the one that the archive lists.
    headers = {"Accept-Encoding": "identity"}
    received = 0
    try:
        with session.get(url, stream=True, timeout=timeout, headers=headers) as response:
            _check_status(response)
            for piece in response.iter_content(_CHUNK):
                stream.write(piece)
                received += len(piece)
                if on_bytes is not None:
                    on_bytes(len(piece))
            promised = response.headers.get("Content-Length")
            encoded = response.headers.get("Content-Encoding")
            if promised is not None and encoded is None and received != int(promised):
                raise FileProblem(f"The transfer was cut short: {received} of {promised} bytes.")
    except requests.exceptions.ChunkedEncodingError as error:
        raise FileProblem(
            f"The transfer was cut short after {received} bytes. Import it again."
        ) from error
    except requests.Timeout as error:
        raise ArchiveUnreachable(
            f"The archive stopped sending after {received} bytes. Import it again."
        ) from error
    except requests.RequestException as error:
        raise ArchiveUnreachable(
            f"The archive could not be reached ({type(error).__name__}). Import it again."
        ) from error
    return received


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
