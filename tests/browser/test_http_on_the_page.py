"""Imports over HTTP beside the open page, and what a page of another site may do: nothing."""

import http.server
import json
import re
import subprocess
import threading
from types import SimpleNamespace

import pytest
from tray_page import PATIENCE, Jobs, Tray, pixels

MOSAIC = "jw02733-o001_t001_nircam_clear-f090w"
HST = "ib5741010"


def curl(tray, path, *arguments):
    """Return what curl prints for a call to the application of a page."""
    port = re.search(r":(\d+)/", tray.application.url)[1]
    command = ["curl", "-sS", *arguments, f"http://localhost:{port}/api/mast/{path}"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    return json.loads(result.stdout)


def post(tray, path, message):
    return curl(tray, path, "-X", "POST", "-H", "Content-Type: application/json",
                "-d", json.dumps(message))  # fmt: skip


def test_an_import_with_curl_shows_in_the_open_page(open_tray):
    tray = open_tray("imviz")
    started = post(tray, "import", {"obsId": MOSAIC, "productType": "SCIENCE"})
    Jobs(tray).wait_for(MOSAIC, "complete")
    assert "2 images" in tray.message_of("import")
    progress = curl(tray, f"import-progress/{started['jobId']}")
    assert progress["isComplete"] is True
    tray.page.locator("canvas").first.wait_for()
    assert pixels(tray.page.locator(".bqplot").first).std() > 5


def test_of_two_pages_that_shows_it_where_somebody_was_last(open_tray, chromium):
    first = open_tray("imviz")
    page = chromium.new_page(viewport={"width": 1400, "height": 1000})
    try:
        second = Tray(page, first.application.url)
        first.page.get_by_label("Target", exact=True).click()
        first.page.wait_for_timeout(1000)
        post(first, "import", {"obsId": HST})
        assert "2 images loaded" in first.message_of("import")
        assert second.page.locator("#mast-import-message").count() == 0
        page.wait_for_timeout(1500)  # a click a second is told
        second.page.get_by_label("Target", exact=True).click()
        page.wait_for_timeout(1000)
        post(first, "import", {"obsId": HST})
        assert "2 images loaded" in second.message_of("import")
    finally:
        page.close()


def test_what_was_imported_before_a_page_opened_shows_in_it(start, chromium, archive, tmp_path):
    application = start("--server", archive.url, "--download-dir", str(tmp_path / "mast"),
                        "--layout", "imviz")  # fmt: skip

    post(SimpleNamespace(application=application), "import", {"obsId": HST})
    page = chromium.new_page(viewport={"width": 1400, "height": 1000})
    try:
        assert "2 images loaded" in Tray(page, application.url).message_of("import")
    finally:
        page.close()


ATTACK = """
async () => {
  const base = BASE, answers = {};
  const ask = async (name, path, options) => {
    try {
      const answer = await fetch(base + path, options);
      answers[name] = answer.type === 'opaque' ? 'opaque' : answer.status;
    } catch (error) { answers[name] = 'refused'; }
  };
  const message = JSON.stringify({obsId: 'ib5741010'});
  const json = {'Content-Type': 'application/json'};
  await ask('read', '/api/mast/openapi.json', {});
  await ask('json', '/api/mast/import', {method: 'POST', headers: json, body: message});
  await ask('text', '/api/mast/import', {method: 'POST', mode: 'no-cors', body: message});
  await ask('empty', '/api/mast/refresh-metadata-all', {method: 'POST', mode: 'no-cors'});
  answers.socket = await new Promise(resolve => {
    const socket = new WebSocket(base.replace('http', 'ws')
      + '/jupyter/api/kernels/12345678-1234-1234-1234-123456789abc/channels?session_id=x');
    socket.onopen = () => resolve('open');
    socket.onerror = () => resolve('refused');
  });
  answers.script = await new Promise(resolve => {
    const script = document.createElement('script');
    script.src = base + '/api/mast/openapi.json';
    script.onload = () => resolve('loaded');
    script.onerror = () => resolve('refused');
    document.body.append(script);
  });
  return answers;
}
"""


@pytest.fixture
def foreign():
    """A web page on another port of this machine, and how often it was asked."""

    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            body = f"<body>{self.server.body}</body>".encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
    server.body = ""
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()


def test_a_page_of_another_origin_is_refused(open_tray, chromium, foreign, asked):
    tray = open_tray("imviz")
    base = re.match(r"http://localhost:\d+", tray.application.url)[0]
    page = chromium.new_page()
    try:
        page.goto(f"http://127.0.0.1:{foreign.server_port}/")
        answers = page.evaluate(ATTACK.replace("BASE", json.dumps(base)))
        assert answers == {
            "read": "refused", "json": "refused", "text": answers["text"],
            "empty": answers["empty"], "socket": "refused", "script": "refused",
        }  # fmt: skip
        assert {answers["text"], answers["empty"]} <= {"opaque", "refused"}, "unreadable"
        # A form, which is a navigation and may send anything but JSON.
        foreign.body = (
            f"<form action='{base}/api/mast/import' method='post' enctype='text/plain'>"
            '<input name=\'{"obsId": "ib5741010", "x": "\' value=\'"}\'></form>'
        )
        page.goto(f"http://127.0.0.1:{foreign.server_port}/")
        with page.expect_navigation(timeout=PATIENCE):
            page.evaluate("document.querySelector('form').submit()")
        assert "may not use this application" in page.content()
        # A frame of the application, over which another page could lay its own buttons.
        foreign.body = f"<iframe src='{base}/'></iframe>"
        page.goto(f"http://127.0.0.1:{foreign.server_port}/")
        page.wait_for_timeout(2000)
        assert page.frames[1].locator("#mast-search").count() == 0
        assert "jdaviz" not in page.frames[1].content()
    finally:
        page.close()
    # None of it was done.
    assert not asked("ib5741010")
    assert Jobs(tray).all.count() == 0
    tray.page.evaluate("fetch('/api/mast/openapi.json').then(a => a.json())")  # its own page may
