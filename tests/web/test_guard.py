"""Who may come in: this machine and its own page, no foreign page, and beyond it only the key."""

import json
import socket
import threading
import time

import pytest
import requests
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from jdaviz_mast.web import is_this_machine, new_key
from jdaviz_mast.web.guard import MOST_AT_ONCE, MOST_BYTES

SEARCH = {"programId": "2733"}


def ask(door, headers, path="search/program", **kwargs):
    return door.post(path, SEARCH, headers=headers, **kwargs)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]", "LOCALHOST", "localhost."])
def test_this_machine_is_called_by_its_names(door, host):
    assert ask(door, {"Host": f"{host}:{door.port}"}).status_code == 200
    assert ask(door, {"Host": f"{host}:9000"}).status_code == 200, "behind ssh -L 9000:…"


@pytest.mark.parametrize(
    "host",
    ["evil.example", "localhost.evil.example", "192.168.1.5", "127.0.0.1.evil.example", "",
     "localhost@evil.example", "evil.example#localhost", "2130706433", "localhost, evil.example"],
)  # fmt: skip
def test_a_foreign_name_that_points_here_is_refused(door, host, asked):
    for path in ("search/program", "../../"):
        answer = ask(door, {"Host": host}, path=path)
        assert answer.status_code == 421 or (host == "" and answer.status_code == 400)
    assert not asked("Mashup"), "nothing was done"


def test_two_hosts_are_refused(door):
    with socket.create_connection(("127.0.0.1", door.port)) as connection:
        connection.sendall(
            b"GET /api/mast/openapi.json HTTP/1.1\r\nHost: localhost\r\nHost: evil\r\n\r\n"
        )
        assert int(connection.recv(100).split()[1]) in (400, 421)


@pytest.mark.parametrize(
    "origin",
    ["http://evil.example", "null", "http://localhost", "http://localhost:1", "file://",
     "http://127.0.0.1:{port}", "http://localhost:{port}.evil.example", "",
     "http://evil@localhost:{port}", "ftp://localhost:{port}", "chrome-extension://abc"],
)  # fmt: skip
def test_a_page_of_another_origin_is_refused(door, origin, asked):
    answer = ask(door, {"Origin": origin.format(port=door.port)})
    assert answer.status_code == 403
    assert not asked("invoke")
    assert not [name for name in answer.headers if name.lower().startswith("access-control")]


def test_its_own_page_may_ask(door):
    answer = ask(door, {"Origin": door.origin, "Sec-Fetch-Site": "same-origin"})
    assert answer.status_code == 200
    assert not [name for name in answer.headers if name.lower().startswith("access-control")]


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_request_that_the_browser_calls_foreign_is_refused(door, site):
    for path in ("openapi.json", "import-progress/000000000000"):
        assert door.get(path, headers={"Sec-Fetch-Site": site}).status_code == 403
    page = requests.get(door.origin, headers={"Sec-Fetch-Site": site}, timeout=9)
    assert page.status_code == 200, "a link to the page is fine"


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "", "json"]
)
def test_what_a_form_can_send_is_refused(door, kind):
    body = json.dumps(SEARCH)
    answer = door.post("search/program", data=body, headers={"Content-Type": kind})
    assert answer.status_code == 415
    empty = door.post("refresh-metadata-all", data=b"", headers={"Content-Type": kind})
    assert (empty.status_code == 415) == bool(kind)


def test_a_preflight_is_not_answered_with_leave(door):
    answer = requests.options(
        door.url("import"), timeout=9,
        headers={"Origin": "http://evil.example", "Access-Control-Request-Method": "POST"},
    )  # fmt: skip
    assert answer.status_code == 403
    assert "access-control-allow-origin" not in answer.headers


def test_nobody_frames_the_page_or_guesses_types(door):
    for answer in (requests.get(door.origin, timeout=9), door.get("openapi.json")):
        assert "frame-ancestors 'self'" in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("headers", "lets_in"),
    [({}, True), ({"Origin": "http://localhost:{port}"}, True), ({"Host": "evil.example"}, False),
     ({"Origin": "http://evil.example"}, False), ({"Origin": "null"}, False)],
)  # fmt: skip
def test_the_websocket_of_the_page_is_guarded_too(door, headers, lets_in):
    headers = {name: value.format(port=door.port) for name, value in headers.items()}
    headers.setdefault("Host", f"localhost:{door.port}")
    assert websocket_opens(door, headers) == lets_in


def websocket_opens(door, headers):
    """Whether the server accepts a websocket; asked by hand, to send any Host."""
    lines = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13",
             "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="} | headers  # fmt: skip
    text = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    with socket.create_connection(("127.0.0.1", door.port), timeout=20) as connection:
        connection.sendall(f"GET /jupyter/api/kernels/x/y HTTP/1.1\r\n{text}\r\n".encode())
        return b" 101 " in connection.recv(200)


# -- limits ----------------------------------------------------------------------------------


def test_a_large_body_is_refused_before_it_is_read(door):
    body = json.dumps({"programId": "2733", "more": "x" * MOST_BYTES})
    headers = {"Content-Type": "application/json"}
    assert door.post("search/program", data=body, headers=headers).status_code == 413
    pieces = (b"x" * 1000 for _ in range(MOST_BYTES // 1000 + 2))  # without Content-Length
    assert door.post("search/program", data=pieces, headers=headers).status_code == 413


def test_more_requests_than_some_at_once_have_to_wait(door, archive):
    archive.latency = 1.5
    codes = []

    def one():
        codes.append(door.post("search/program", SEARCH).status_code)

    threads = [threading.Thread(target=one) for _ in range(MOST_AT_ONCE + 4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(set(codes)) == [200, 429]
    assert codes.count(200) >= MOST_AT_ONCE
    archive.latency = 0
    assert door.post("search/program", SEARCH).status_code == 200, "they are counted down again"


def test_clients_that_leave_are_counted_down(door, archive):
    for _ in range(3 * MOST_AT_ONCE):
        with socket.create_connection(("127.0.0.1", door.port)) as connection:
            connection.sendall(
                b"POST /api/mast/import HTTP/1.1\r\nHost: localhost\r\n"
                b"Content-Type: application/json\r\nContent-Length: 500\r\n\r\n{"
            )
    for _ in range(100):  # until it has noticed that the last has left
        answer = door.post("search/program", SEARCH)
        if answer.status_code != 429:
            break
        time.sleep(0.1)
    assert answer.status_code == 200


# -- the key ---------------------------------------------------------------------------------


@pytest.fixture
def key():
    return new_key()


def test_beyond_this_machine_a_key_is_needed(serve, key, asked):
    door = serve(host="0.0.0.0", key=key)
    for headers in ({}, {"Authorization": key}, {"Authorization": "Bearer x"},
                    {"Authorization": f"Basic {key}"}, {"Authorization": f"Bearer {key}x"},
                    {"Cookie": f"jdaviz-mast-{door.port}=x"}, {"Cookie": '=;"; a'}):  # fmt: skip
        answer = ask(door, headers)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer"
        assert requests.get(door.origin, headers=headers, timeout=9).status_code == 401
        assert not websocket_opens(door, headers | {"Host": "localhost"})
    assert not asked("Mashup")
    assert ask(door, {"Authorization": f"Bearer {key}"}).status_code == 200


def test_the_address_with_the_key_opens_the_page(serve, key):
    door = serve(host="0.0.0.0", key=key)
    session = requests.Session()
    answer = session.get(f"{door.origin}/?a=1&key={key}", timeout=9)
    assert (answer.status_code, answer.text) == (200, "the page")
    assert answer.url == f"{door.origin}/?a=1", "the key does not stay in the address"
    (redirect,) = answer.history
    cookie = redirect.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert session.post(door.url("search/program"), json=SEARCH, timeout=30).status_code == 200
    header = "; ".join(f"{c.name}={c.value}" for c in session.cookies)
    assert websocket_opens(door, {"Host": "localhost", "Cookie": header})
    # The cookie alone does not let a foreign page in.
    foreign = session.post(
        door.url("search/program"), json=SEARCH, timeout=9, headers={"Origin": "http://evil.example"}
    )  # fmt: skip
    assert foreign.status_code == 403


@pytest.mark.parametrize("path", ["//evil.example/", "/%0d%0aSet-Cookie:%20a=b", "/\\evil.example"])
def test_the_key_leads_to_no_other_host(serve, key, path):
    door = serve(host="0.0.0.0", key=key)
    with socket.create_connection(("127.0.0.1", door.port)) as connection:
        connection.sendall(f"GET {path}?key={key} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        head = connection.recv(4000).decode().lower()
    if " 303 " in head.splitlines()[0]:
        (place,) = [line[10:] for line in head.splitlines() if line.startswith("location: ")]
        assert place.startswith("/")
        assert not place.startswith(("//", "/\\"))
        assert head.count("set-cookie") <= 2
        assert "\nset-cookie: a=b" not in head


def test_each_launch_has_another_key():
    keys = {new_key() for _ in range(100)}
    assert len(keys) == 100
    assert min(map(len, keys)) >= 40


def test_further_names_are_told(serve, key):
    door = serve(host="0.0.0.0", key=key, names=["Lab.example"])
    headers = {"Authorization": f"Bearer {key}"}
    for host, status in (("lab.example", 200), (socket.gethostname(), 200), ("10.1.2.3", 200),
                         ("evil.example", 421)):  # fmt: skip
        assert ask(door, headers | {"Host": host}).status_code == status


def test_a_proxy_that_was_named_may_pass_another_host_on(serve):
    door = serve(names=["hub.example"])
    for origin, status in (("https://hub.example", 200), ("https://hub.example:8000", 200),
                           ("https://evil.example", 403), ("file://hub.example", 403),
                           ("https://hub.example.evil.example", 403)):  # fmt: skip
        assert ask(door, {"Origin": origin}).status_code == status


def test_which_addresses_are_this_machine_alone():
    for host in ("localhost", "127.0.0.1", "127.8.8.8", "::1", "[::1]", "LocalHost"):
        assert is_this_machine(host)
    for host in ("0.0.0.0", "::", "10.0.0.1", "example.org", "localhost.example.org", ""):
        assert not is_this_machine(host)


def test_a_websocket_client_is_told_that_it_may_not(serve, key):
    door = serve(host="0.0.0.0", key=key)
    with pytest.raises(InvalidStatus, match="403"), connect(f"ws://localhost:{door.port}/x"):
        pass
    address = f"ws://localhost:{door.port}/x"
    with connect(address, additional_headers={"Authorization": f"Bearer {key}"}) as socket_:
        assert socket_.recv() == "hello"
