"""A server that answers as a test tells it to, byte for byte, also as no good server would."""

import contextlib
import socket
import threading
from types import SimpleNamespace


class OddServer:
    """Answers HTTP requests on this machine; a context manager.

    Parameters
    ----------
    answer : callable
        Called on a thread of the connection with a request (``path``, ``headers`` with names in
        lower case, ``number``, ``range``: start and stop or None, ``send``); it sends what is to
        be sent, bytes. The connection is closed if it returns ``False``.

    Attributes
    ----------
    url : str
    requests : list
    connections : int
        Those that were made so far.
    open, most_open : int
        Requests that are being answered, and the most that were at a time.
    """

    def __init__(self, answer, tls=None):
        self._answer, self._tls, self._lock = answer, tls, threading.Lock()
        self.requests, self.connections, self.open, self.most_open = [], 0, 0, 0
        self._sockets, self._listening = set(), socket.create_server(("127.0.0.1", 0))
        scheme = "http" if tls is None else "https"
        self.url = f"{scheme}://127.0.0.1:{self._listening.getsockname()[1]}"
        self._thread = threading.Thread(target=self._listen, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *exception):
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        with self._lock:
            sockets = list(self._sockets)
        for one in sockets:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def _listen(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listening.accept()
                with self._lock:
                    self._sockets.add(connection)
                    self.connections += 1
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        with contextlib.suppress(OSError, ValueError), connection:
            if self._tls is not None:
                connection = self._tls.wrap_socket(connection, server_side=True)
            stream = connection.makefile("rb")
            while (line := stream.readline()).strip():
                request = self._read(line, stream, connection)
                with self._lock:
                    request.number = len(self.requests)
                    self.requests.append(request)
                    self.open += 1
                    self.most_open = max(self.most_open, self.open)
                try:
                    if self._answer(request) is False:
                        break
                finally:
                    with self._lock:
                        self.open -= 1

    def _read(self, line, stream, connection):
        path, headers = line.decode().split()[1], {}
        while header := stream.readline().decode("latin-1").strip():
            name, _, value = header.partition(":")
            headers[name.lower()] = value.strip()
        asked = headers.get("range", "").removeprefix("bytes=")
        start, _, last = asked.partition("-")
        parts = (int(start), int(last) + 1) if asked else None
        return SimpleNamespace(
            path=path, headers=headers, range=parts, send=connection.sendall, number=0
        )


def head(status, **headers):
    """Return status line and headers; underscores in names stand for hyphens."""
    lines = [f"HTTP/1.1 {status} Fine"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def part(request, data, **headers):
    """Return a good answer to a request for a part of ``data``, or for all of it."""
    if request.range is None:
        return head(200, Content_Length=len(data), **headers) + data
    start, stop = request.range
    piece = data[start:stop]
    where = f"bytes {start}-{start + len(piece) - 1}/{len(data)}"
    return head(206, Content_Length=len(piece), Content_Range=where, **headers) + piece
