"""What the archive holds, found without any of the code under test."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from jdaviz_mast.demo.sky import footprint_distance

NGC_3132 = (151.75725, -40.436406)


@pytest.fixture
def held(archive):
    """Callable: observation IDs whose row is as wanted, in the archive's order.

    ``where`` is a function of a row, ``near`` is (ra, dec, radius) in degrees.
    """

    def find(where=lambda row: True, *, near=None, levels=(3,)):
        def matches(row):
            if near is not None:
                if row["s_ra"] is None or row["s_dec"] is None:
                    return False
                region = row["s_region"] or f"CIRCLE {row['s_ra']} {row['s_dec']} 0"
                if footprint_distance(*near[:2], region) > near[2] * 3600:
                    return False
            return row["calib_level"] in levels and where(row)

        return [row["obs_id"] for row in archive.observations if matches(row)]

    return find


@pytest.fixture
def answering():
    """Callable: address of a server that answers every request with these bytes."""
    servers = []

    def start(body, content_type="application/json"):
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                self.send_response(200)
                self.send_header("Content-Type", content_type)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_POST = do_GET

            def log_message(self, *args):
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_address[1]}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()
