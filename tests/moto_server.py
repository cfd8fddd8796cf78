"""The public bucket for tests: moto's S3 server, and in front of it an address that misbehaves.

moto answers Range, ETag, 404, 416 and 403 (for what is not public) as S3 does; it closes each
connection and ignores If-Range, as S3 may. The front keeps connections open, notes what is
asked, and spoils answers on request; what it does not spoil is moto's own answer.
"""

import contextlib
import http.client
import logging
import socket
import struct
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import quote, unquote, urlsplit

from jdaviz_mast.demo.faults import FaultBoard
from jdaviz_mast.demo.handler import LoggedRequest

NAME = "stpubdata"

#: Who asks with any signature at all is the bucket's owner, to moto.
_OWNER = {"Authorization": "AWS owner:signature"}

_BLOCK = 1 << 16
_HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "server", "date"}


class MotoServer:
    """moto's S3 server on a free port of this machine; what it holds lives as long as moto."""

    def __init__(self):
        # Slow to import, and of use to few tests.
        from moto.server import ThreadedMotoServer

        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self._make, self._port, self._server = ThreadedMotoServer, 0, None

    def start(self):
        """Answer, at the same address as before; returns the server."""
        self._server = self._make("127.0.0.1", self._port, verbose=False)
        self._server.start()
        self._port = self._server.get_host_and_port()[1]
        self.ask("PUT", f"/{NAME}")
        return self

    def stop(self):
        """Answer no more."""
        self._server.stop()

    @property
    def url(self):
        """Address of the server, without a slash at the end."""
        return f"http://127.0.0.1:{self._port}"

    def ask(self, method, path, body=None, headers=None):
        """Send one request; returns status, headers (a list of pairs) and body."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        with contextlib.closing(connection):
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, answer.getheaders(), answer.read()


class Bucket:
    """The bucket ``stpubdata`` at an address of its own, which can be stopped and misbehave.

    Parameters
    ----------
    moto : MotoServer

    Attributes
    ----------
    requests : list of LoggedRequest
        What was asked at this address, oldest first. The path is as it was sent.
    before : callable or None
        Called with the `LoggedRequest` before each answer is made: the place to `put` another
        object between two parts, to stop the bucket, or to wait.
    latency : float
        Seconds before each answer.
    bandwidth : float or None
        Bytes per second and connection.
    """

    def __init__(self, moto):
        self.moto, self.requests, self.before = moto, [], None
        self.latency, self.bandwidth = 0.0, None
        self.faults = FaultBoard()
        self._keys, self._port, self._front = set(), 0, None

    # -- what it holds -----------------------------------------------------------------------

    def put(self, key, data, *, public=True):
        """Keep ``data`` under ``key``; what is there is replaced, under a new ETag."""
        headers = _OWNER | ({"x-amz-acl": "public-read"} if public else {})
        status, _, body = self.moto.ask("PUT", self._path(key), data, headers)
        assert status == 200, body
        self._keys.add(key)

    def delete(self, key):
        """Forget a key."""
        status, _, body = self.moto.ask("DELETE", self._path(key), headers=_OWNER)
        assert status == 204, body
        self._keys.discard(key)

    def clear(self):
        """Forget all keys that this bucket was given."""
        for key in list(self._keys):
            self.delete(key)

    def url_of(self, key):
        """Address of a key."""
        return self.url + self._path(key)

    def _path(self, key):
        return f"/{NAME}/{quote(key)}"

    # -- misbehaving -------------------------------------------------------------------------

    def fail(self, fault):
        """Put a `jdaviz_mast.demo.Fault` of the route ``s3`` in force; it matches the key.

        Of its kinds, this knows status, truncate, reset, stall, short, chunked, corrupt,
        redirect, ignore-range, no-accept-ranges and no-validators.
        """
        assert fault.route in ("s3", "*"), "Fault(..., route='s3') is needed"
        assert fault.kind in _KINDS, fault.kind
        self.faults.add(fault)

    def clear_faults(self):
        """Behave well again."""
        self.faults.clear()

    # -- running -----------------------------------------------------------------------------

    def start(self):
        """Answer, at the same address as before; returns the bucket."""
        if self._front is None:
            self._front = _Front(self, self._port)
            self._port = self._front.server_address[1]
            threading.Thread(target=self._front.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def stop(self):
        """Break off every connection and refuse new ones; what it holds is kept."""
        if self._front is not None:
            front, self._front = self._front, None
            front.stop()

    @property
    def url(self):
        """Value for ``AWS_ENDPOINT_URL_S3``, without a slash at the end."""
        return f"http://127.0.0.1:{self._port}"


class _Front(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, bucket, port):
        self.bucket, self.stopping = bucket, threading.Event()
        self._open, self._lock = set(), threading.Lock()
        super().__init__(("127.0.0.1", port), _Handler)

    def process_request(self, request, client_address):
        with self._lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request):
        with self._lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request, client_address):
        """Stay silent: a client that hangs up is no news."""

    def stop(self):
        self.stopping.set()
        self.shutdown()
        self.server_close()
        with self._lock:
            connections = list(self._open)
        for connection in connections:
            with contextlib.suppress(OSError):  # its handler may be closing it
                connection.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *args):
        """Print nothing: the bucket's list of requests is the log."""

    def do_GET(self):
        bucket = self.server.bucket
        parts = urlsplit(self.path)
        key = unquote(parts.path).removeprefix(f"/{NAME}/")
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = LoggedRequest(
            self.command, headers.get("host", ""), parts.path, parts.query, "", headers
        )
        bucket.requests.append(request)
        if bucket.before is not None:
            bucket.before(request)
        faults = bucket.faults.strike("s3", key, head=self.command == "HEAD")
        if self.server.stopping.wait(bucket.latency):
            self.close_connection = True
            return
        self._answer(faults, *self._spoiled(faults, *self._made(faults, headers)))

    do_HEAD = do_GET

    def _made(self, faults, headers):
        """Status, headers and body without the faults of the transfer."""
        if "redirect" in faults:
            return 302, {"Location": faults["redirect"].location}, b""
        if "status" in faults:
            fault = faults["status"]
            retry = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
            return fault.status, {"Content-Type": "application/xml"} | retry, b"<Error/>"
        asked = {name: value for name, value in headers.items() if name not in _HOP_BY_HOP}
        if "ignore-range" in faults or "no-accept-ranges" in faults:
            asked.pop("range", None)
        status, given, body = self.server.bucket.moto.ask(self.command, self.path, None, asked)
        return status, {n: v for n, v in given if n.lower() not in _HOP_BY_HOP}, body

    def _spoiled(self, faults, status, headers, body):
        hidden = set()
        if "no-validators" in faults:
            hidden |= {"etag", "last-modified"}
        if "no-accept-ranges" in faults:
            hidden |= {"accept-ranges"}
        if "corrupt" in faults:
            body = bytes(byte ^ 0xFF for byte in body)
        return status, {n: v for n, v in headers.items() if n.lower() not in hidden}, body

    def _answer(self, faults, status, headers, body):
        length = headers.get("Content-Length", str(len(body)))
        headers = {n: v for n, v in headers.items() if n.lower() != "content-length"}
        chunked = bool({"short", "chunked"} & faults.keys()) and self.command != "HEAD"
        headers |= {"Transfer-Encoding": "chunked"} if chunked else {"Content-Length": length}
        broken = {"truncate", "reset", "stall"} & faults.keys() if self.command != "HEAD" else ()
        if broken:
            self.close_connection = True
        for kind in ("truncate", "reset", "stall", "short"):
            if kind in faults:
                body = body[: int(len(body) * faults[kind].fraction)]
                break
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "HEAD":
            return
        if not self._send(body, chunked):
            self.close_connection = True
        elif "stall" in broken:
            self.server.stopping.wait()
        elif "reset" in broken:
            # SO_LINGER of zero seconds turns the close into an RST.
            linger = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.connection.close()

    def _send(self, body, chunked):
        bandwidth = self.server.bucket.bandwidth
        block = _BLOCK if bandwidth is None else max(1, min(_BLOCK, int(bandwidth / 20)))
        began = time.monotonic()
        for start in range(0, len(body), block):
            piece = body[start : start + block]
            if chunked:
                piece = b"%x\r\n%b\r\n" % (len(piece), piece)
            self.wfile.write(piece)
            if bandwidth:
                due = began + (start + block) / bandwidth
                self.server.stopping.wait(max(0.0, due - time.monotonic()))
            if self.server.stopping.is_set():
                return False
        if chunked:
            self.wfile.write(b"0\r\n\r\n")
        return True


_KINDS = {
    "status", "truncate", "reset", "stall", "short", "chunked", "corrupt", "redirect",
    "ignore-range", "no-accept-ranges", "no-validators",
}  # fmt: skip
