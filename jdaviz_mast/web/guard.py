"""Who may use the application over HTTP: this machine, its own pages, and holders of the key.

A browser lets any page send requests to this machine. What protects against those:

- the *Host* must be a name of this machine, so that a foreign name that was made to point here
  (DNS rebinding) is refused;
- the *Origin*, where a browser names one, must be the application's own; there are no CORS headers;
- a POST to the doors has a body of JSON or none, which no form of a page can send, and browsers
  that say ``Sec-Fetch-Site`` must not say that it is another site's;
- beyond this machine, every request needs the key of the launch, as ``Authorization: Bearer`` or
  as the cookie that the address with ``?key=`` sets.

The page and its websocket are guarded like the doors: who could open the websocket could do
all that the page can.
"""

import hmac
import ipaddress
import json
import re
import secrets
import socket
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qsl, quote, urlencode

__all__ = ["Guard", "is_this_machine", "new_key"]

#: Bytes that the body of a request to the doors may have.
MOST_BYTES = 65_536
#: Requests to the doors that are worked on at once.
MOST_AT_ONCE = 8

_KEY = "key"
_PORTS = {"http": ":80", "https": ":443"}
_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"content-security-policy", b"frame-ancestors 'self'"),
    (b"referrer-policy", b"same-origin"),
)


def new_key():
    """Return a key for one launch."""
    return secrets.token_urlsafe(32)


def is_this_machine(host):
    """Return whether only this machine reaches what is served on an address."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


class _Refusal(Exception):  # noqa: N818
    def __init__(self, status, error, headers=()):
        self.status, self.error, self.headers = status, error, list(headers)


class Guard:
    """Lets requests through to the doors and the page, or refuses them.

    Parameters
    ----------
    doors, page : ASGI applications
        What answers under ``prefix``, and what answers the rest.
    host : str
        Address that is served on.
    prefix : str
        Path of the doors.
    key : str, optional
        That every request must bring; None for none.
    names : sequence of str
        Further names of this machine, or of a proxy before it.
    """

    def __init__(self, doors, page, *, host="localhost", prefix="/api/mast", key=None, names=()):
        self._doors, self._page, self._prefix, self._key = doors, page, prefix, key
        self._beyond = not is_this_machine(host)
        self._given = {name.lower() for name in names}
        self._names = {"localhost", host.lower().strip("[]"), *self._given}
        if self._beyond:
            self._names |= {socket.gethostname().lower(), socket.getfqdn().lower()}
        self._at_once = 0

    async def __call__(self, scope, receive, send):
        """Answer one request, as ASGI has it."""
        if scope["type"] not in ("http", "websocket"):
            await self._page(scope, receive, send)  # its start and its end
            return
        headers = _Headers(scope)
        is_door = self._is_door(scope["path"])
        try:
            self._check_place(headers)
            self._check_key(scope, headers)
            if is_door and scope["type"] == "http":
                sending = _with_headers(send, (b"cache-control", b"no-store"))
                await self._through_door(scope, headers, receive, sending)
                return
        except _Refusal as refusal:
            await _refuse(refusal, scope, receive, send, as_json=is_door)
            return
        await self._page(scope, receive, _with_headers(send))

    def _is_door(self, path):
        return path == self._prefix or path.startswith(f"{self._prefix}/")

    # -- from where --------------------------------------------------------------------------

    def _check_place(self, headers):
        host = headers.only("host")
        name = _name(host)
        if name is None or not self._is_ours(name):
            raise _Refusal(
                421,
                f"Host: {_shown(host)} is not a name of this application; use the address that it "
                "printed, or start it with --allow-host NAME.",
            )
        origin = headers.only("origin")
        if origin is not None and not self._may_ask(origin, host):
            raise _Refusal(403, f"Origin: {_shown(origin)} may not use this application.")

    def _may_ask(self, origin, host):
        scheme, _, place = origin.partition("://")
        # A proxy whose name was given may pass another Host on.
        return _same_place(origin, host) or (
            scheme.lower() in _PORTS and _name(place) in self._given
        )

    def _is_ours(self, name):
        if name in self._names:
            return True
        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            return False
        return self._beyond or address.is_loopback  # nobody can make a number point elsewhere

    # -- who ---------------------------------------------------------------------------------

    def _check_key(self, scope, headers):
        if self._key is None:
            return
        query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        given = [value for name, value in query if name == _KEY]
        if given and scope["type"] == "http" and scope["method"] == "GET" and self._fits(given[0]):
            rest = urlencode([(name, value) for name, value in query if name != _KEY])
            path = "/" + quote(scope["path"].lstrip("/"))  # “//” would be another host
            cookie = f"{self._cookie(scope)}={self._key}; HttpOnly; SameSite=Lax; Path=/"
            raise _Refusal(
                303, None,
                [(b"location", f"{path}{'?' * bool(rest)}{rest}".encode()),
                 (b"set-cookie", cookie.encode())],
            )  # fmt: skip
        scheme, _, bearer = (headers.only("authorization") or "").partition(" ")
        if scheme.lower() == "bearer" and self._fits(bearer.strip()):
            return
        try:
            cookies = SimpleCookie(headers.only("cookie") or "")
        except CookieError:
            cookies = {}
        morsel = cookies.get(self._cookie(scope))
        if morsel is None or not self._fits(morsel.value):
            raise _Refusal(
                401,
                "This needs the key that was printed at the start: open the address that was "
                "printed with it, or send it as the header Authorization: Bearer KEY.",
                [(b"www-authenticate", b"Bearer")],
            )

    def _cookie(self, scope):
        """Return the cookie's name; the cookies of a host are those of all its ports."""
        return f"jdaviz-mast-{(scope.get('server') or ('', ''))[1]}"

    def _fits(self, given):
        return hmac.compare_digest(given.encode("utf-8", "replace"), self._key.encode())

    # -- through the doors -------------------------------------------------------------------

    async def _through_door(self, scope, headers, receive, send):
        if headers.only("sec-fetch-site") in ("cross-site", "same-site"):
            raise _Refusal(403, "A page of another site may not use this application.")
        if self._at_once >= MOST_AT_ONCE:
            raise _Refusal(
                429,
                f"{MOST_AT_ONCE} requests are being worked on; ask again in a second.",
                [(b"retry-after", b"1")],
            )
        self._at_once += 1
        try:
            body = await _body(headers, receive)
            kind = (headers.only("content-type") or "").partition(";")[0].strip().lower()
            if scope["method"] == "POST" and (body or kind) and kind != "application/json":
                raise _Refusal(
                    415,
                    f"Content-Type: {_shown(kind)} is not usable; send JSON with the header "
                    "Content-Type: application/json.",
                )
            await self._doors(scope, _once(body, receive), send)
        finally:
            self._at_once -= 1


class _Headers:
    def __init__(self, scope):
        self._all = [(name.lower(), value.decode("latin-1")) for name, value in scope["headers"]]

    def only(self, name):
        """Return the value of a header, None if it is not there; of several all, with commas."""
        values = [value for key, value in self._all if key == name.encode()]
        return ",".join(values) if values else None


def _name(host):
    """Return the name in a Host header, without its port; None if it is none."""
    found = re.fullmatch(r"(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9_.-]+)(:\d{1,5})?", host or "")
    return found[1].strip("[]").rstrip(".").lower() if found else None


def _same_place(origin, host):
    """Return whether an Origin is that of the page at a host; ports are part of both."""
    scheme, separator, place = origin.lower().partition("://")
    if not separator or scheme not in _PORTS:
        return False
    return place.removesuffix(_PORTS[scheme]) == host.lower().removesuffix(_PORTS[scheme])


def _shown(value):
    return repr((value or "")[:80])


async def _body(headers, receive):
    too_much = _Refusal(413, f"The body is too large; {MOST_BYTES:,} bytes are allowed.")
    length = headers.only("content-length")
    if length is not None and length.isdigit() and int(length) > MOST_BYTES:
        raise too_much
    body = b""
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise _Refusal(400, "The request was cut short.")
        body += message.get("body", b"")
        if len(body) > MOST_BYTES:
            raise too_much
        if not message.get("more_body"):
            return body


def _once(body, receive):
    waiting = [{"type": "http.request", "body": body, "more_body": False}]

    async def once():
        return waiting.pop() if waiting else await receive()

    return once


def _with_headers(send, *further):
    async def sending(message):
        if message["type"] == "http.response.start":
            there = {name.lower() for name, _ in message.get("headers", ())}
            more = [pair for pair in (*_HEADERS, *further) if pair[0] not in there]
            message = message | {"headers": [*message.get("headers", ()), *more]}
        await send(message)

    return sending


async def _refuse(refusal, scope, receive, send, *, as_json):
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1008})
        return
    text = refusal.error or ""
    body = (json.dumps({"error": text}) if as_json else f"{text}\n").encode()
    headers = [
        (b"content-type", b"application/json" if as_json else b"text/plain; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),  # what the client still sends is not read
        *refusal.headers,
    ]
    send = _with_headers(send, (b"cache-control", b"no-store"))
    await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
