"""The keyring, asked in a way that never asks anything back on a terminal."""

import builtins
import contextlib
import getpass
import json
import os
import subprocess
import sys
import threading

import keyring
from keyring.backends.chainer import ChainerBackend

from jdaviz_mast.forks import Lock

__all__ = ["KeyringFailed", "ask_keyring", "current_keyring", "is_asked_apart"]

#: The entry that `astroquery.mast.auth` reads and writes.
_ENTRY = ("astroquery:mast.stsci.edu.token", "masttoken")
#: Seconds that a keyring in a process of its own may take.
_PATIENCE = 30

# Without a terminal, whoever asks for a password there gets an error. What the keyring prints
# must not be taken for the answer.
_CHILD = """
import json, os, sys
out = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)
secret = sys.stdin.read()
action, expected, *entry = sys.argv[1:]
try:
    import keyring
    backend = keyring.get_keyring()
    name = f"{type(backend).__module__}.{type(backend).__qualname__}"
except Exception:
    name = None
answer = {"name": name}
try:
    if name == expected:
        arguments = [*entry, secret] if action == "set" else entry
        answer["value"] = getattr(backend, f"{action}_password")(*arguments)
except BaseException as error:
    answer["failed"] = type(error).__name__
json.dump(answer, out)
out.close()
"""

#: What a person is told, by the name of the error that the keyring raised.
_REASONS = {
    "NoKeyringError": "this machine has none",
    "KeyringLocked": "it is locked",
    "TimeoutExpired": "it does not answer",
    "AskedBack": "it wants a password typed on a terminal",
    "EOFError": "it wants a password typed on a terminal",
}


_asking = Lock()
#: The last keyring that turned out to exist in this process alone.
_placed_here = None


class KeyringFailed(Exception):
    """The keyring is missing, locked or broken; the message says it in a few plain words."""


class AskedBack(Exception):
    """The keyring asked for something on the terminal."""


class _OtherKeyring(Exception):
    """A process of its own does not get the keyring that this one has."""


class _Failed(Exception):
    """A keyring failed in a process of its own; the message names the type of its error."""


def current_keyring():
    """Return the keyring that is configured, an object of keyring's, or None if it is broken."""
    try:
        return keyring.get_keyring()
    except Exception:  # noqa: BLE001 - a keyring is a plug-in and may raise anything
        return None


def is_asked_apart(backend):
    """Whether this keyring is asked in a process of its own, which takes a while."""
    return backend is not None and backend is not _placed_here and not _is_the_systems(backend)


def ask_keyring(action, secret=None):
    """Read, write or delete MAST's entry of the keyring.

    The operating systems' own keyrings are asked here. Any other might ask for a password
    on the terminal that the viewer was started from: it is asked in a process without a
    terminal. A keyring that a program has put in place in this process exists only here.

    Parameters
    ----------
    action : str
        ``'get'``, ``'set'`` or ``'delete'``.
    secret : `jdaviz_mast.archive.token.Secret`, optional
        What ``'set'`` writes.

    Returns
    -------
    value : str or None
        What ``'get'`` finds.

    Raises
    ------
    KeyringFailed
        Without the keyring's own error in its context, whose frames may hold the secret.
    """
    try:
        with _asking:
            return _ask(action, secret)
    except _Failed as error:
        failed = str(error)
    except Exception as error:  # noqa: BLE001 - a keyring is a plug-in and may raise anything
        failed = type(error).__name__
    if action == "delete" and failed in ("PasswordDeleteError", "NoKeyringError"):
        return None  # there was nothing to delete
    raise KeyringFailed(_REASONS.get(failed, f"it failed with {failed}"))


def _ask(action, secret):
    global _placed_here
    backend = keyring.get_keyring()
    if is_asked_apart(backend):
        try:
            return _ask_without_terminal(action, backend, secret)
        except _OtherKeyring:
            _placed_here = backend
    arguments = [*_ENTRY, secret.reveal()] if action == "set" else _ENTRY
    quiet = contextlib.nullcontext() if _is_the_systems(backend) else _nothing_asked_back()
    with quiet:
        return getattr(backend, f"{action}_password")(*arguments)


def _is_the_systems(backend):
    if isinstance(backend, ChainerBackend):
        return all(_is_the_systems(one) for one in backend.backends)
    return type(backend).__module__.startswith("keyring.backends.")


def _ask_without_terminal(action, backend, secret):
    name = f"{type(backend).__module__}.{type(backend).__qualname__}"
    if getattr(sys, "frozen", False) or not sys.executable:
        raise _OtherKeyring  # there is no Python to start
    done = subprocess.run(
        [sys.executable, "-P", "-c", _CHILD, action, name, *_ENTRY],
        input="" if secret is None else secret.reveal(),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={key: value for key, value in os.environ.items() if key != "GPG_TTY"},
        timeout=_PATIENCE,
        check=False,
        start_new_session=True,
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
    )
    answer = json.loads(done.stdout)
    if answer["name"] != name:
        raise _OtherKeyring
    if "failed" in answer:
        raise _Failed(answer["failed"])
    return answer["value"]


@contextlib.contextmanager
def _nothing_asked_back():
    """Refuse what this thread asks for on the terminal; other threads notice nothing."""
    me = threading.get_ident()
    kept = builtins.input, getpass.getpass

    def refusing(ask):
        def wrapped(*args, **kwargs):
            if threading.get_ident() == me:
                raise AskedBack
            return ask(*args, **kwargs)

        return wrapped

    builtins.input, getpass.getpass = map(refusing, kept)
    try:
        yield
    finally:
        builtins.input, getpass.getpass = kept
