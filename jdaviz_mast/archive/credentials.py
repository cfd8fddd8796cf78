"""Who asks: the token's header for the archive's own address, and what a refusal means."""

import datetime
import ipaddress
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import requests

from jdaviz_mast.archive.session import MAST_SERVER, check_server, open_session
from jdaviz_mast.archive.session import explain as explain_error
from jdaviz_mast.archive.token import (
    TOKEN_PAGE,
    TOKEN_VARIABLE,
    Secret,
    as_token,
    find_token,
    look_again,
    variable_is_unusable,
    veiled,
)
from jdaviz_mast.errors import AccessDenied, InvalidInput, MastError
from jdaviz_mast.forks import Lock

__all__ = ["Credentials", "User", "check_token"]

#: Seconds that the archive may take to say whose token it is.
_PATIENCE = 5
#: Seconds until the archive is asked again after it could not say it.
_PAUSE = 60

_MJD_ZERO = datetime.datetime(1858, 11, 17, tzinfo=datetime.UTC)

_HOW_TO_GIVE = (
    f"get a token at {TOKEN_PAGE} and give it in the tray, in the keyring or as the environment "
    f"variable {TOKEN_VARIABLE}"
)
_LIFETIME = "tokens end after 10 days without use, or after 60 days"


@dataclass(frozen=True)
class User:
    """Whom the archive knows by a token.

    Attributes
    ----------
    name : str
        The name that the archive shows, or the account's.
    """

    name: str


class Credentials:
    """The credentials for one archive server; they hold no token, but look it up.

    So they can be pickled for another process, which finds the token in its own environment
    or keyring; one that was set for this session alone stays here.

    Parameters
    ----------
    server : str
        Address of the archive.
    """

    def __init__(self, server):
        self.server = check_server(server)
        self._origin = _origin(self.server)

    def __repr__(self):
        return f"<Credentials for {self.server}>"

    def headers(self, url):
        """Return the headers that identify the user to the server that has this address.

        Parameters
        ----------
        url : str

        Returns
        -------
        headers : dict
            ``{"Authorization": Secret}`` if the address has the scheme, host and port of the
            archive and there is a token, else empty. A token goes out in clear text only to
            this machine itself.
        """
        if not self._is_own(url):
            return {}
        token = find_token()
        return {} if token is None else _bearer(token)

    def explain(self, url, status, sent, about=None):
        """Return a sentence that says why a file was refused and what the user can do.

        Parameters
        ----------
        url : str
            The address that was refused.
        status : int
            HTTP status, 401 or 403.
        sent : bool
            Whether the request carried a token.
        about : mapping, optional
            What is known of the file: MAST's rows ``"observation"`` and ``"product"``.

        Returns
        -------
        sentence : str
        """
        if not _same(self._origin, _origin(url)):
            host = _host(url)
            return (
                f"{host} refuses to give this file (HTTP {status}); it is not the archive "
                "itself, so no token was sent there."
            )
        about = about if isinstance(about, Mapping) else {}
        whose = _whose(about, status)
        token = find_token() if sent else None
        if token is None:
            return f"{whose} {self._how_to_ask()}"
        try:
            # It may have ended since that was asked for last.
            user = _who(self.server, token, holds=_PAUSE if status == 401 else math.inf)
        except MastError:
            return (
                f"{whose} Your token was not accepted for it (HTTP {status}); whether the token "
                "is still valid could not be found out."
            )
        if user is None:
            look_again()
            return (
                f"{whose} Your token (from the {token.origin}) has expired or is not valid: "
                f"{_LIFETIME}. To fetch this file, {_HOW_TO_GIVE}."
            )
        return f"{whose} The archive knows you as {user.name}, who is not among them."

    def _how_to_ask(self):
        if not self._is_own(self.server):
            return "A token is not sent to it, since its address does not begin with https."
        if variable_is_unusable():
            return (
                f"The environment variable {TOKEN_VARIABLE} is set, but cannot be a token "
                f"(printable ASCII characters without spaces): {_HOW_TO_GIVE}."
            )
        return f"If you are one of them, {_HOW_TO_GIVE}."

    def _is_own(self, url):
        origin = _origin(url)
        return _same(self._origin, origin) and (origin[0] == "https" or _is_here(origin[1]))


def check_token(server, token=None):
    """Ask the archive whose token this is.

    Parameters
    ----------
    server : str
        Address of the archive.
    token : str, optional
        By default the one in force, see `jdaviz_mast.archive.find_token`.

    Returns
    -------
    user : User

    Raises
    ------
    InvalidInput
        If it cannot be a token.
    AccessDenied
        If there is no token, or the archive does not accept it.
    ArchiveUnreachable, ArchiveTimeout, ArchiveError
    """
    token = find_token() if token is None else veiled(token)
    credentials = Credentials(server)
    if token is None and variable_is_unusable():
        allowed = "set it to a token, printable ASCII characters without spaces, or take it away"
        raise InvalidInput(TOKEN_VARIABLE, "•••", allowed)
    if token is None:
        raise AccessDenied(f"There is no token: {_HOW_TO_GIVE}.")
    token = as_token(token)
    if not credentials._is_own(credentials.server):
        raise AccessDenied(
            f"The token is not sent to {credentials.server}: its address does not begin with https."
        )
    user = _who(credentials.server, token, holds=0)
    if user is None:
        raise AccessDenied(
            f"The archive does not accept this token: it has expired or is not valid; {_LIFETIME}. "
            f"Get another at {TOKEN_PAGE}."
        )
    return user


def _bearer(token):
    return {"Authorization": Secret("Bearer " + token.reveal())}


# -- addresses -----------------------------------------------------------------------------------


def _origin(url):
    """Return scheme, host and port of an address, or None if any of it is doubtful.

    Doubtful is what two readers of an address may understand in two ways: user information,
    backslashes, control characters, hosts that are not plain ASCII.
    """
    if not isinstance(url, str) or "\\" in url or not url.isascii() or not url.isprintable():
        return None
    try:
        parts = urlsplit(url)
        port = parts.port or {"https": 443, "http": 80}.get(parts.scheme)
    except ValueError:  # a port that is no number, half an IPv6 address
        return None
    if port is None or not parts.hostname or "@" in parts.netloc or " " in parts.netloc:
        return None
    return parts.scheme, parts.hostname, port


def _same(one, other):
    return one is not None and one == other


def _is_here(host):
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _host(url):
    origin = _origin(url)
    return "Another server" if origin is None else origin[1]


# -- the archive's answer ------------------------------------------------------------------------

#: What the archive said of a token, by server and token: the user, None if it is nobody's, or
#: an error; and when.
_known = {}
_known_lock = Lock()


def _who(server, token, *, holds=math.inf):
    """Return the `User` of a token, None if it is nobody's; asked once for each token.

    What was said longer ago than ``holds`` seconds is asked again; after a while, an error is.
    """
    with _known_lock:
        answer, since = _known.get((server, token), (None, -math.inf))
        if isinstance(answer, MastError):
            holds = min(holds, _PAUSE)
        if time.monotonic() - since >= holds:
            answer = _ask(server, token)
            _known[server, token] = answer, time.monotonic()
    if isinstance(answer, MastError):
        raise answer.with_traceback(None)
    return answer


def _ask(server, token):
    """Ask ``/whoami``; return a `User`, None, or the error, whose frames would hold headers."""
    try:
        with requests.Session() as session:
            open_session(session, server, timeout=_PATIENCE)
            # A redirect would lead to a page for signing in.
            response = session.get(
                f"{MAST_SERVER}/whoami", headers=_bearer(token), allow_redirects=False
            )
            if response.status_code in (401, 403):
                return None
            response.raise_for_status()
            said = response.json()
        if not isinstance(said["anon"], bool):
            raise TypeError("anon is neither true nor false")
        return None if said["anon"] else User(_name(said))
    except requests.RequestException as error:
        failed = error
    except (ValueError, KeyError, TypeError, AttributeError):
        failed = ValueError()
    return explain_error(failed, server)


def _name(said):
    """Return the name in an answer of ``/whoami``, in one line of sensible length."""
    attributes = said.get("attrib")
    shown = attributes.get("display_name") if isinstance(attributes, Mapping) else None
    name = " ".join(str(shown or said.get("eppn") or said.get("ezid") or "").split())[:80]
    return name if name.isprintable() and name else "somebody without a name"


# -- what is known of a file ---------------------------------------------------------------------


def _whose(about, status):
    """Return the sentence that says for whom a file is."""
    observation, product = (
        row if isinstance(row, Mapping) else {}
        for row in (about.get("observation"), about.get("product"))
    )
    rights = product.get("dataRights") or observation.get("dataRights")
    if rights == "PUBLIC":
        return (
            "The archive lists this file as public, but refuses it as if it were under exclusive "
            f"access (HTTP {status})."
        )
    released = _date(observation.get("t_obs_release"))
    until = f" until {released}" if released else ""
    leader = observation.get("proposal_pi")
    named = f", {leader.strip()}," if isinstance(leader, str) and leader.strip() else ""
    return (
        f"This file is under exclusive access{until}: the program's principal investigator{named} "
        "and those whom they allow may fetch it."
    )


def _date(mjd):
    """Return a date of release in days of MJD as text, empty unless it is still to come."""
    if not isinstance(mjd, (int, float)) or not 0 <= mjd < 100_000:
        return ""
    day = _MJD_ZERO + datetime.timedelta(days=mjd)
    return f"{day:%Y-%m-%d}" if day > datetime.datetime.now(datetime.UTC) else ""
