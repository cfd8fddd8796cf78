"""The HTTP side of the embedded archive: one method per address MAST answers at."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qs, unquote, urlsplit

from . import cloud, missions, portal
from .delivery import Content, plan, send
from .resolver import resolve

__all__ = ["Handler", "LoggedRequest"]

#: Bytes of a piece that the AWS command line puts large objects into S3 in, its default.
_PIECE = 8 << 20


@dataclass(frozen=True)
class LoggedRequest:
    """One request as it came in; header names are lower case."""

    method: str
    host: str
    path: str
    query: dict = field(repr=False)
    body: str = field(repr=False)
    headers: dict = field(repr=False)


class _Refused(Exception):
    """An answer other than 200, given as status and message."""

    def __init__(self, status, message):
        super().__init__(message)
        self.status, self.message = status, message


class Handler(BaseHTTPRequestHandler):
    """Answers one connection's requests from ``server.archive``."""

    protocol_version = "HTTP/1.1"
    server_version = "MAST"
    disable_nagle_algorithm = True

    # (pattern, route for faults, method name)
    _ROUTES = [
        (re.compile(pattern), route, name)
        for pattern, route, name in (
            (r"/portal/Mashup/Mashup\.asmx/columnsconfig", "columns", "_columns"),
            (r"/api/v0/invoke", "invoke", "_invoke"),
            (r"/Santa-war/query", "resolve", "_resolve"),
            (r"/whoami", "whoami", "_whoami"),
            (r"/api/v0\.1/Download/file/?", "download", "_download"),
            (r"/api/v0\.1/Download/bundle(?:\.sh)?", "bundle", "_bundle"),
            (r"/api/v0\.1/path_lookup/?", "lookup", "_path_lookup"),
            (r"/search/util/api/v0\.1/column_list", "missions", "_column_list"),
            (r"/search/(?P<mission>\w+)/api/v0\.1/search", "missions", "_mission_search"),
            (
                r"/search/(?P<mission>\w+)/api/v0\.1/(?:post_)?list_products",
                "missions",
                "_mission_products",
            ),
            (r"/search/(?P<mission>\w+)/api/v0\.1/retrieve_product", "download", "_retrieve"),
            (r"/stpubdata(?:/(?P<key>.*))?", "s3", "_cloud"),
        )
    ]

    def log_message(self, *args):
        """Print nothing; `LoggedRequest` is the log."""

    def handle_one_request(self):
        """Serve one request, and let a client that has gone be gone."""
        try:
            super().handle_one_request()
        except (ConnectionError, TimeoutError):
            self.close_connection = True
        except ValueError:
            # The socket was closed for an RST: http.server flushes it once more.
            if self.connection.fileno() != -1:
                raise
            self.close_connection = True

    def do_GET(self):  # noqa: N802 - named by http.server
        """Answer GET."""
        self._serve(b"")

    do_HEAD = do_GET  # noqa: N815 - named by http.server

    def do_POST(self):  # noqa: N802 - named by http.server
        """Answer POST."""
        length = self.headers.get("Content-Length", "0")
        self._serve(self.rfile.read(int(length) if length.isdecimal() else 0))

    def _serve(self, body):
        archive, server = self.server.archive, self.server
        # A client that comes through http_proxy puts the whole URL into the request line.
        address = urlsplit(self.path)
        self.query = parse_qs(address.query, keep_blank_values=True)
        self.body = body.decode("utf-8", "replace")
        headers = {name.lower(): value for name, value in self.headers.items()}
        host = address.netloc or self.headers.get("Host", "")
        server.log.append(
            LoggedRequest(self.command, host, address.path, self.query, self.body, headers)
        )
        if server.stopping.wait(archive.latency):
            self.close_connection = True
            return
        status, route, subject = 200, "*", address.path
        try:
            route, name, parts = self._find(address.path)
            subject = self._subject(route, parts)
            content = getattr(self, name)(**parts)
        except _Refused as refusal:
            status, content = refusal.status, _json({"msg": refusal.message})
        except (ImportError, OSError, ValueError) as error:
            # A file could not be made: a library is missing, or there is no room for it.
            status, content = 500, _json({"msg": str(error)})
        faults = archive.faults.strike(route, subject, head=self.command == "HEAD")
        if "error" in faults:
            content = _json(_portal_error(faults["error"].message))
        self._deliver(plan(content, status, self.headers, faults))

    def _find(self, path):
        for pattern, route, name in self._ROUTES:
            if match := pattern.fullmatch(path):
                return route, name, match.groupdict()
        raise _Refused(404, f"nothing is served at {path}")

    def _parameters(self, name):
        """Values of a form field or query parameter that has to be there."""
        values = parse_qs(self.body).get(name) or self.query.get(name)
        if not values:
            raise _Refused(400, f"parameter {name!r} is missing")
        return values

    def _json_body(self, text):
        try:
            return json.loads(text)
        except json.JSONDecodeError as error:
            raise _Refused(400, f"not JSON: {error}") from error

    def _deliver(self, planned):
        self.send_response(planned.status)
        for name, value in planned.headers.items():
            self.send_header(name, value)
        if planned.ending:
            self.close_connection = True
        self.end_headers()
        if self.command == "HEAD":
            planned.count, planned.stop_after, planned.chunked = 0, None, False
        archive = self.server.archive
        reusable = send(
            planned, self, pace=lambda: archive.bandwidth, stopping=self.server.stopping
        )
        if not reusable:
            self.close_connection = True

    def _subject(self, route, parts):
        """Name what a fault's `match` is compared with."""
        if route == "invoke":
            return str(self._request().get("service", ""))
        if route == "resolve":
            return " ".join(self.query.get("name", []))
        if route == "s3":
            return self.server.archive.uri_of_key(unquote(parts["key"] or "")) or ""
        named = self.query.get("uri") or self.query.get("product_name")
        return " ".join(named) if named else urlsplit(self.path).path

    # -- the portal ----------------------------------------------------------

    def _request(self):
        return self._json_body(self._parameters("request")[0])

    def _columns(self):
        return _json(portal.columns_config(self._parameters("colConfigId")[0]))

    def _invoke(self):
        request = self._request()
        if self.server.still_executing(self.body or self.path):
            return _json({"status": "EXECUTING", "msg": "", "data": {}})
        if request.get("service") == "Mast.Name.Lookup":
            named = [str((request.get("params") or {}).get("input", ""))]
            return _json(resolve(named, self.server.archive.targets, resolve_all=True))
        try:
            return _json(self.server.archive.invoke(request))
        except portal.PortalError as error:
            return _json(_portal_error(str(error)))

    def _resolve(self):
        who = self.query.get("resolver", [None])[0]
        everyone = self.query.get("resolveAll", ["false"])[0].lower() == "true"
        targets = self.server.archive.targets
        names = self.query.get("name", [])
        return _json(resolve(names, targets, resolver=who, resolve_all=everyone))

    # -- who asks ------------------------------------------------------------

    def _user(self):
        cookie = re.search(r"(?:^|;\s*)mast_token=([^;]*)", self.headers.get("Cookie", ""))
        bearer = re.fullmatch(
            r"(?:Bearer|token)\s+(\S+)", self.headers.get("Authorization", ""), re.IGNORECASE
        )
        token = bearer or cookie
        return self.server.archive.tokens.get(token.group(1).strip('"')) if token else None

    def _whoami(self):
        name = self._user()
        known = {"eppn": "", "ezid": "anonymous", "anon": True, "scopes": [], "session": None}
        if name:
            ezid = re.sub(r"\W+", "", name).lower()
            known |= {"eppn": f"{ezid}@stsci.edu", "ezid": ezid, "anon": False}
            known |= {"scopes": ["mast:exclusive_access"], "attrib": {"display_name": name}}
        return _json(known | {"token": None})

    # -- files ---------------------------------------------------------------

    def _download(self):
        return self._file(self._parameters("uri")[0])

    def _retrieve(self, mission):
        name = self._parameters("product_name")[0].rsplit("/", 1)[-1]
        return self._file(f"mast:{mission.upper()}/product/{name}")

    def _cloud(self, key):
        archive = self.server.archive
        if not key:
            prefix = self.query.get("prefix", [""])[0]
            keys = [name for name in archive.bucket_keys() if name.startswith(prefix)]
            return Content(cloud.listing(keys, prefix), type="application/xml")
        uri = archive.uri_of_key(unquote(key))
        if uri is None:
            raise _Refused(404, "NoSuchKey")
        size = archive.product(uri)["size"] or 0
        return replace(self._file(uri), pieces=1 + size // _PIECE)

    def _file(self, uri):
        archive = self.server.archive
        row = archive.product(uri)
        if row is None or not archive.has_file(uri):
            raise _Refused(404, f"{uri} does not exist")
        if row["dataRights"] != "PUBLIC":
            self._check_rights(row)
        tag = f"{uri} {row['size']}"
        source = archive.stored(uri)
        if source is None and self.command == "HEAD":
            # Asking how large a file is must not make it.
            source = _Unmade(archive, uri, row["size"])
        elif source is None:
            source = archive.make(uri)
        kind = "application/fits" if uri.endswith(".fits") else "application/octet-stream"
        return Content(
            source, kind, row["productFilename"], tag, ranged=True, revision=archive.revision(uri)
        )

    def _check_rights(self, row):
        user, allowed = self._user(), self.server.archive.rights.get(row["proposal_id"])
        if user is None:
            raise _Refused(401, f"{row['dataURI']} is under exclusive access")
        if allowed is not None and user not in allowed:
            raise _Refused(403, f"{user} may not fetch {row['dataURI']}")

    def _bundle(self):
        return Content(
            cloud.bundle(self._parameters("uri"), self.headers.get("Host", "")), "text/plain"
        )

    def _path_lookup(self):
        known = self.server.archive.product
        found = {}
        for uri in self._parameters("uri"):
            held = known(uri) is not None
            path = f"/{cloud.key_of(uri)}" if held else None
            found[uri] = {"status_code": 200 if held else 404, "path": path}
        return _json(found)

    # -- mission search ------------------------------------------------------

    def _column_list(self):
        return self._mission_answer(missions.column_list, self._parameters("mission")[0].lower())

    def _mission_search(self, mission):
        rows = self.server.archive.mission_rows(mission)
        return self._mission_answer(missions.search, mission, rows, self._json_body(self.body))

    def _mission_products(self, mission):
        named = self._json_body(self.body) if self.body else self.query
        archive = self.server.archive
        return self._mission_answer(
            missions.list_products,
            mission,
            named.get("dataset_ids") or [],
            archive.products,
            {row["obsid"]: row["instrument_name"] for row in archive.observations},
        )

    def _mission_answer(self, function, *arguments):
        try:
            return _json(function(*arguments))
        except missions.MissionError as error:
            raise _Refused(400, str(error)) from error


class _Unmade:
    """Stand-in for a file whose size alone is asked for; made if it is opened after all."""

    def __init__(self, archive, uri, size):
        self._archive, self._uri, self._size = archive, uri, size

    def __fspath__(self):
        return str(self._archive.make(self._uri))

    def stat(self):
        return self

    @property
    def st_size(self):
        return self._size


def _json(answer):
    return Content(json.dumps(answer).encode())


def _portal_error(message):
    return {"status": "ERROR", "msg": message, "data": [], "fields": []}
