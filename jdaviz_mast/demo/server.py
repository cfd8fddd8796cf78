"""The threaded HTTP server of the embedded archive, which starts and stops at once."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections import deque
from http.server import ThreadingHTTPServer

from .handler import Handler

__all__ = ["ArchiveServer"]

_LOG_LENGTH = 20_000


class ArchiveServer(ThreadingHTTPServer):
    """Threaded server on 127.0.0.1 that answers from `archive`; stops at once."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, archive, port):
        self.archive = archive
        self.stopping = threading.Event()
        self.log = deque(maxlen=_LOG_LENGTH)
        self._polls = {}
        self._open = set()
        self._lock = threading.Lock()
        super().__init__(("127.0.0.1", port), Handler)

    def start(self):
        """Answer requests from a thread of its own."""
        serve = threading.Thread(
            target=self.serve_forever, args=(0.05,), name="demo-archive", daemon=True
        )
        serve.start()

    def stop(self):
        """Break off every open connection and free the port."""
        self.stopping.set()
        self.shutdown()
        self.server_close()
        with self._lock:
            connections = list(self._open)
        for connection in connections:
            # A handler may be closing it at this moment.
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def process_request(self, request, client_address):
        """Note the connection, then handle it in a thread."""
        with self._lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request):
        """Forget the connection and close it."""
        with self._lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request, client_address):
        """Stay silent: a client that hangs up is no news here, and nothing is printed."""

    def still_executing(self, body):
        """Whether the invoke request `body` has to be asked once more."""
        wanted = self.archive.executing
        with self._lock:
            asked = self._polls.get(body, 0)
            if wanted < 0 or asked < wanted:
                self._polls[body] = asked + 1
                return True
            self._polls.pop(body, None)
        return False
