"""The MAST token: where it comes from, and a type that does not show it."""

import math
import os
import re
import time

from jdaviz_mast.archive.keyring_backend import (
    KeyringFailed,
    ask_keyring,
    current_keyring,
    is_asked_apart,
)
from jdaviz_mast.errors import InvalidInput, MastError
from jdaviz_mast.forks import Lock

__all__ = [
    "TOKEN_PAGE",
    "TOKEN_VARIABLE",
    "Secret",
    "as_token",
    "find_token",
    "forget_token",
    "look_again",
    "set_token",
    "store_token",
    "token_origin",
    "variable_is_unusable",
    "veiled",
]

#: Where MAST makes a token (`astroquery.mast.auth`); the scope is what exclusive data need.
TOKEN_PAGE = (
    "https://auth.mast.stsci.edu/token"
    "?suggested_name=jdaviz-mast&suggested_scope=mast:exclusive_access"
)
#: The environment variable that astroquery reads, too.
TOKEN_VARIABLE = "MAST_API_TOKEN"

_HIDDEN = "•••"
_SHAPE = re.compile(r"[!-~]{1,4096}")
#: Seconds for which a keyring's answer holds: there are many requests, but a token that
#: another program stores is to be found without a restart.
_HOLDS = 5
_HOLDS_APART = 60


class Secret(str):
    """Text that shows itself to nobody but who asks with `reveal`.

    It is a `str`, since it has to be the value of a header; ``print``, ``repr``, formatting,
    logging and tracebacks show dots instead, and it cannot be pickled.

    Attributes
    ----------
    origin : str or None
        Where a token came from: ``'session'``, ``'environment'`` or ``'keyring'``.
    """

    origin = None

    def __new__(cls, text=""):  # noqa: D102
        return super().__new__(cls, text.reveal() if isinstance(text, Secret) else text)

    def reveal(self):
        """Return the text itself."""
        return str.__str__(self)

    def __str__(self):
        return _HIDDEN

    def __repr__(self):
        return f"'{_HIDDEN}'"

    def __format__(self, spec):
        return format(_HIDDEN, spec)

    def __copy__(self):
        return self

    def __deepcopy__(self, memo):
        return self

    def __reduce_ex__(self, protocol):
        raise TypeError("A secret is not written anywhere: it cannot be pickled.")


class _Keyring:
    """What the keyring answered, for a while; one that failed is left in peace."""

    def __init__(self):
        self._lock = Lock()
        self._backend, self._token, self._until = None, None, -math.inf

    def token(self):
        backend = current_keyring()
        with self._lock:
            if backend is not self._backend or time.monotonic() >= self._until:
                self._backend, self._token = backend, None
                try:
                    self._token = _secret(veiled(ask_keyring("get")), "keyring")
                    self._until = time.monotonic() + self._holds()
                except KeyringFailed:
                    self._until = math.inf
            return self._token

    def _holds(self):
        if is_asked_apart(self._backend):
            return _HOLDS_APART
        return 0 if self._token is None else _HOLDS

    def change(self, action, token=None):
        with self._lock:
            self._until = -math.inf
            ask_keyring(action, token)

    def look_again(self):
        with self._lock:
            self._until = -math.inf


_keyring = _Keyring()
_session_token = None


def as_token(given):
    """Return a token that a person gave as a `Secret`, without the space around it.

    Raises
    ------
    InvalidInput
        If it is no printable ASCII text without spaces; the message does not repeat it.
    """
    given = veiled(given)
    token = _secret(given, None)
    if token is None:
        empty = not given.strip()
        allowed = "give it as it was copied: printable ASCII characters without spaces"
        raise InvalidInput("token", None if empty else _HIDDEN, allowed)
    return token


def set_token(token):
    """Use this token from now on, in this process alone.

    Parameters
    ----------
    token : str
        None takes it away, so that the environment and the keyring count again.

    Raises
    ------
    InvalidInput
        If it cannot be a token.
    """
    global _session_token
    if token is not None:
        token = veiled(token)
        token = as_token(token)
        token.origin = "session"
    _session_token = token


def store_token(token):
    """Keep this token in the keyring, where astroquery finds it too, and use it from now on.

    Parameters
    ----------
    token : str

    Raises
    ------
    InvalidInput
        If it cannot be a token.
    MastError
        If no keyring takes it.
    """
    token = veiled(token)
    token = as_token(token)
    reason = None
    try:
        _keyring.change("set", token)
    except KeyringFailed as failure:
        reason = str(failure)
    if reason is None and _keyring.token() != token:
        reason = "it does not give back what it was given"
    if reason is not None:
        raise MastError(
            f"The token cannot be stored in the keyring: {reason}. Give it for this session only, "
            f"or set the environment variable {TOKEN_VARIABLE}."
        )
    # The environment would come first.
    set_token(token if _environment() else None)


def forget_token(*, stored=True):
    """Forget the token of this session and the one in the keyring, which astroquery shares.

    Parameters
    ----------
    stored : bool
        Whether the keyring's entry goes too.

    Returns
    -------
    origin : str or None
        Where a token comes from that is still in force, such as ``'environment'``.

    Raises
    ------
    MastError
        If the keyring keeps it.
    """
    set_token(None)
    reason = None
    try:
        if stored:
            _keyring.change("delete")
    except KeyringFailed as failure:
        reason = str(failure)
    if reason is not None and _keyring.token() is not None:
        raise MastError(f"The token cannot be removed from the keyring: {reason}.")
    return token_origin()


def find_token():
    """Return the token in force, or None.

    That of the session counts first, then ``MAST_API_TOKEN``, then the keyring. Nobody is
    ever asked for it. One that cannot be a token is none.

    Returns
    -------
    token : `Secret` or None
        ``token.origin`` says where it came from.
    """
    if _session_token is not None:
        return _session_token
    if _environment():
        return _secret(_environment(), "environment")
    return _keyring.token()


def token_origin():
    """Return where the token in force comes from.

    Returns
    -------
    origin : str or None
        ``'session'``, ``'environment'``, ``'keyring'``, or None if there is no token.
    """
    token = find_token()
    return None if token is None else token.origin


def variable_is_unusable():
    """Whether ``MAST_API_TOKEN`` is set to something that cannot be a token."""
    return _session_token is None and bool(_environment()) and find_token() is None


def look_again():
    """Ask the keyring afresh, the next time: its token was not good."""
    _keyring.look_again()


def _environment():
    return Secret(os.environ.get(TOKEN_VARIABLE, "").strip())


def veiled(given):
    """Return what was given for a token as a `Secret`, before a traceback can show it."""
    if given is None:
        return Secret()
    return Secret(given) if isinstance(given, str) else Secret("\0")


def _secret(text, origin):
    """Return text as a `Secret`, or None if it has not the shape of a token."""
    token = Secret(text.strip()) if text else Secret()
    if not _SHAPE.fullmatch(token):
        return None
    token.origin = origin
    return token
