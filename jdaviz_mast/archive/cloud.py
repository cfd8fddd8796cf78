"""Where MAST's public products lie in the cloud: the bucket, and the look-up of its keys."""

import contextlib
import os
import queue
import threading
from urllib.parse import quote

import requests

from jdaviz_mast.archive.session import MAST_SERVER, check_server, open_session
from jdaviz_mast.config import conf
from jdaviz_mast.errors import InvalidInput

__all__ = ["ENDPOINT_VARIABLE", "bucket_address", "look_up"]

#: The environment variable that boto3 reads, too.
ENDPOINT_VARIABLE = "AWS_ENDPOINT_URL_S3"

_BUCKET = "stpubdata"
_REGION = "us-east-1"
_LOOKUP_URL = f"{MAST_SERVER}/api/v0.1/path_lookup/"
#: URIs in one question; more make an address that is too long (`astroquery.mast.utils`).
_BATCH = 50
_THREADS = 4
#: Seconds between two looks at whether the user has cancelled.
_LOOK = 0.2
#: Longest key of S3, in bytes.
_LONGEST_KEY = 1024

#: The archive's folder and the bucket's, where they differ (`astroquery.mast.utils`).
_FOLDERS = (
    ("/mast/galex/", "galex/"),
    ("/ps1/", "panstarrs/ps1/public/"),
    ("/hlsp_local/public/", "mast/"),
)


def bucket_address(server):
    """Return the https address of the public bucket that belongs to an archive.

    Parameters
    ----------
    server : str
        Address of the archive.

    Returns
    -------
    address : str or None
        MAST's bucket; what ``AWS_ENDPOINT_URL_S3`` says goes first. None for another archive,
        which has no bucket.

    Raises
    ------
    InvalidInput
        If ``AWS_ENDPOINT_URL_S3`` is no address.
    """
    endpoint = os.environ.get(ENDPOINT_VARIABLE, "").strip()
    if endpoint:
        try:
            return f"{check_server(endpoint)}/{_BUCKET}"
        except InvalidInput:
            allowed = f"set it to an address such as 'https://s3.{_REGION}.amazonaws.com'"
            raise InvalidInput(ENDPOINT_VARIABLE, endpoint, allowed) from None
    if check_server(server).lower() == MAST_SERVER:
        return f"https://{_BUCKET}.s3.{_REGION}.amazonaws.com"
    return None


def look_up(server, uris, *, check_cancelled=None):
    """Ask the archive where products lie in its public bucket.

    Parameters
    ----------
    server : str
        Address of the archive.
    uris : iterable of str
    check_cancelled : callable, optional
        Called now and then; raises to stop.

    Returns
    -------
    addresses : dict
        For each URI the address of its key, or None if it is not in the cloud.
    """
    addresses = dict.fromkeys(uris)
    bucket = bucket_address(server)
    if bucket is None:
        return addresses
    for batch, answer in _answers(server, list(addresses), check_cancelled or (lambda: None)):
        for uri in batch:
            key = _key(answer.get(uri))
            if key is not None:
                addresses[uri] = f"{bucket}/{quote(key)}"
    return addresses


def _answers(server, uris, check_cancelled):
    """Yield batches of URIs, each with the archive's answer, as they come in."""
    batches = [uris[start : start + _BATCH] for start in range(0, len(uris), _BATCH)]
    answered, stop = queue.SimpleQueue(), threading.Event()
    waiting = iter(batches)
    lock = threading.Lock()

    def work():
        with requests.Session() as session:
            open_session(session, server, timeout=conf.timeout)
            while not stop.is_set():
                with lock:
                    batch = next(waiting, None)
                if batch is None:
                    return
                try:
                    answered.put((batch, _ask(session, batch), None))
                except Exception as error:  # noqa: BLE001 - raised again where it is waited for
                    answered.put((batch, None, error))

    # Daemons, which are not waited for once the user has cancelled: the archive may be silent.
    for _ in range(min(_THREADS, len(batches))):
        threading.Thread(target=work, name="mast-cloud", daemon=True).start()
    try:
        for _ in batches:
            batch, answer, error = _next(answered, check_cancelled)
            if error is not None:
                raise error
            yield batch, answer
    finally:
        stop.set()


def _next(answered, check_cancelled):
    while True:
        check_cancelled()
        with contextlib.suppress(queue.Empty):
            return answered.get(timeout=_LOOK)


def _ask(session, uris):
    response = session.get(_LOOKUP_URL, params={"uri": uris})
    response.raise_for_status()
    answer = response.json()
    if not isinstance(answer, dict):
        raise TypeError("the answer is not a mapping of URIs")
    return answer


def _key(found):
    """Return the bucket's key for what the archive says of one URI, None if there is none.

    A path that is not plainly one inside the bucket counts as none: the file then comes from
    the archive itself.
    """
    if not isinstance(found, dict) or found.get("status_code", 200) != 200:
        return None
    path = found.get("path")
    if not isinstance(path, str) or not path.isprintable():
        return None
    for folder, in_bucket in _FOLDERS:
        if path.startswith(folder):
            path = "/" + in_bucket + path[len(folder) :]
            break
    key = path.removeprefix("/")
    parts = key.split("/")
    if {"", ".", ".."} & set(parts) or "\\" in key or ":" in parts[0]:
        return None
    return key if len(key.encode()) <= _LONGEST_KEY else None
