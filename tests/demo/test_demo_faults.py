"""Each fault does to the wire what it says."""

import gzip
import http.client
import json
import socket
import threading
import time
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest
from demo_material import SMALL

from jdaviz_mast.demo import DemoArchive, Fault
from jdaviz_mast.demo.faults import FAULT_KINDS

URI = "mast:JWST/product/jw99999-o001_t001_nircam_clear-f090w_i2d.fits"
DATA = bytes(range(256)) * 4096  # 1 MiB


@pytest.fixture
def broken(archive):
    """An archive that serves `DATA` as `URI`, to be broken."""
    archive.add_bytes(URI, DATA)
    return archive


def path_of(uri):
    return f"/api/v0.1/Download/file?uri={quote(uri)}"


def ask(archive, method="GET", path=None, headers=None, body=None):
    """One request on a connection of its own: the response with ``body`` read."""
    connection = http.client.HTTPConnection(urlsplit(archive.url).netloc, timeout=10)
    connection.request(method, path or path_of(URI), body=body, headers=headers or {})
    response = connection.getresponse()
    response.connection = connection
    return response


def invoke(archive, service="Mast.Caom.Products", **params):
    request = json.dumps({"service": service, "params": params, "pagesize": 50000, "page": 1})
    form = f"request={quote(request)}"
    return ask(archive, "POST", "/api/v0/invoke", body=form)


def test_without_faults_all_is_well(broken):
    response = ask(broken)
    assert response.status == 200
    assert response.read() == DATA
    assert response.headers["Accept-Ranges"] == "bytes"
    assert response.headers["ETag"].startswith('"')


def test_status_comes_with_retry_after_and_as_often_as_asked(broken):
    broken.fail(Fault("status", status=429, retry_after=7, times=2))
    answers = [ask(broken) for _ in range(3)]
    assert [a.status for a in answers] == [429, 429, 200]
    assert [a.headers["Retry-After"] for a in answers] == ["7", "7", None]
    assert answers[2].read() == DATA


def test_fault_waits_for_its_turn_and_head_does_not_count(broken):
    broken.fail(Fault("status", status=500, after=1, times=1))
    assert ask(broken, "HEAD").status == 200
    assert [ask(broken).status for _ in range(3)] == [200, 500, 200]
    broken.fail(Fault("status", status=403, head=True))
    assert ask(broken, "HEAD").status == 403


def test_truncate_promises_more_than_it_sends(broken):
    broken.fail(Fault("truncate", fraction=0.25))
    response = ask(broken)
    assert response.headers["Content-Length"] == str(len(DATA))
    with pytest.raises(http.client.IncompleteRead) as caught:
        response.read()
    assert caught.value.partial == DATA[: len(DATA) // 4]


def test_truncate_cuts_the_part_that_was_asked_for(broken):
    broken.fail(Fault("truncate"))
    response = ask(broken, headers={"Range": "bytes=1000-1999"})
    assert response.status == 206
    with pytest.raises(http.client.IncompleteRead) as caught:
        response.read()
    assert caught.value.partial == DATA[1000:1500]


def test_reset_resets_the_connection(broken):
    broken.fail(Fault("reset", fraction=0.1))
    response = ask(broken)
    with pytest.raises(ConnectionResetError):
        response.read()


def test_stall_sends_no_more_and_ends_when_the_archive_stops():
    with DemoArchive() as archive:
        archive.add_bytes(URI, DATA)
        archive.fail(Fault("stall", fraction=0.5))
        response = ask(archive)
        assert len(response.read(len(DATA) // 2)) == len(DATA) // 2
        response.fp.raw._sock.settimeout(0.3)
        with pytest.raises(TimeoutError):
            response.read(1)
        began = time.monotonic()
        archive.stop()
        assert time.monotonic() - began < 2


def test_chunked_sends_all_without_a_length(broken):
    broken.fail(Fault("chunked"))
    assert ask(broken, "HEAD").headers["Content-Length"] is None
    response = ask(broken)
    assert response.headers["Content-Length"] is None
    assert response.headers["Transfer-Encoding"] == "chunked"
    assert response.read() == DATA


def test_short_ends_cleanly_with_half_a_body(broken):
    broken.fail(Fault("short"))
    response = ask(broken)
    assert response.headers["Content-Length"] is None
    assert response.read() == DATA[: len(DATA) // 2]


def test_corrupt_sends_wrong_bytes_of_the_right_size(broken):
    broken.fail(Fault("corrupt"))
    body = ask(broken).read()
    assert len(body) == len(DATA)
    assert all(a != b for a, b in zip(body[:1000], DATA[:1000], strict=True))


def test_html_comes_with_status_200(broken):
    broken.fail(Fault("html"))
    response = ask(broken)
    assert response.status == 200
    assert response.headers["Content-Type"].startswith("text/html")
    assert response.read().startswith(b"<!DOCTYPE html>")


def test_ignored_range_answers_200_with_everything(broken):
    broken.fail(Fault("ignore-range"))
    response = ask(broken, headers={"Range": "bytes=10-19"})
    assert response.status == 200
    assert response.read() == DATA


def test_no_accept_ranges_shows_in_head_and_get(broken):
    broken.fail(Fault("no-accept-ranges"))
    assert ask(broken, "HEAD").headers["Accept-Ranges"] is None
    response = ask(broken, headers={"Range": "bytes=10-19"})
    assert response.status == 200
    assert response.headers["Accept-Ranges"] is None


def test_no_validators_leaves_out_etag_and_date(broken):
    broken.fail(Fault("no-validators"))
    for method in ("HEAD", "GET"):
        response = ask(broken, method)
        assert response.headers["ETag"] is None
        assert response.headers["Last-Modified"] is None
        assert response.headers["Accept-Ranges"] == "bytes"


def test_no_etag_leaves_the_date_to_resume_by(broken):
    broken.fail(Fault("no-etag"))
    answer = ask(broken)
    answer.read()
    assert answer.headers["ETag"] is None
    date = answer.headers["Last-Modified"]
    part = ask(broken, headers={"Range": "bytes=10-19", "If-Range": date})
    assert (part.status, part.read()) == (206, DATA[10:20])
    stale = {"Range": "bytes=10-19", "If-Range": "Mon, 01 Jan 2024 00:00:00 GMT"}
    assert ask(broken, headers=stale).status == 200


def test_changed_serves_new_bytes_under_a_new_etag(broken):
    before = ask(broken)
    old, etag = before.read(), before.headers["ETag"]
    broken.fail(Fault("changed"))
    assert ask(broken, "HEAD").headers["ETag"] != etag
    after = ask(broken)
    assert after.headers["ETag"] != etag
    assert after.headers["Last-Modified"] != before.headers["Last-Modified"]
    new = after.read()
    assert len(new) == len(old)
    assert new[:80] == old[:80]
    assert all(a != b for a, b in zip(new[80:2000], old[80:2000], strict=True))
    part = ask(broken, headers={"Range": "bytes=70-89"})
    assert part.read() == new[70:90]
    # A part of the old file is not handed out under the new one's name.
    part = ask(broken, headers={"Range": "bytes=10-19", "If-Range": etag})
    assert part.status == 200
    assert part.read() == new


def test_changed_in_the_middle_of_a_download(broken):
    broken.fail(Fault("changed", after=1))
    tags = [ask(broken, headers={"Range": "bytes=0-9"}).headers["ETag"] for _ in range(3)]
    assert tags[0] != tags[1] == tags[2]


def test_redirect_names_another_place(broken):
    broken.fail(Fault("redirect", location="http://127.0.0.1:9/elsewhere"))
    response = ask(broken)
    assert response.status == 302
    assert response.headers["Location"] == "http://127.0.0.1:9/elsewhere"


def test_wrong_size_is_in_the_catalogue_only(broken):
    row = broken.product(URI)
    broken.fail(Fault("wrong-size", match=URI, size=17))
    listed = json.load(invoke(broken, obsid=row["parent_obsid"]))["data"]
    sizes = {p["dataURI"]: p["size"] for p in listed}
    assert sizes[URI] == 17
    assert sizes[SMALL] == broken.product(SMALL)["size"]
    assert ask(broken, "HEAD").headers["Content-Length"] == str(len(DATA))
    broken.clear_faults()
    broken.fail(Fault("wrong-size"))
    listed = json.load(invoke(broken, obsid=row["parent_obsid"]))["data"]
    assert {p["dataURI"]: p["size"] for p in listed}[URI] == len(DATA) + 1


def test_gzip_packs_the_body(broken):
    broken.fail(Fault("gzip"))
    response = ask(broken)
    assert response.headers["Content-Encoding"] == "gzip"
    packed = response.read()
    assert response.headers["Content-Length"] == str(len(packed))
    assert gzip.decompress(packed) == DATA
    assert ask(broken, "HEAD").headers["Content-Length"] == str(len(packed))


def test_head_of_a_packed_file_that_is_not_made_yet(broken):
    broken.fail(Fault("gzip", match=SMALL))
    assert ask(broken, "HEAD", path_of(SMALL)).headers["Content-Encoding"] == "gzip"


def test_error_is_the_mashups_own(broken):
    broken.fail(Fault("error", match="Mast.Caom.*", message="Out of memory"))
    response = invoke(broken, obsid="87602450")
    assert response.status == 200
    assert json.load(response)["status"] == "ERROR"
    broken.clear_faults()
    assert json.load(invoke(broken, obsid="87602450"))["status"] == "COMPLETE"


@pytest.mark.parametrize(
    ("route", "method", "path"),
    [
        ("invoke", "POST", "/api/v0/invoke"),
        ("columns", "POST", "/portal/Mashup/Mashup.asmx/columnsconfig"),
        ("resolve", "GET", "/Santa-war/query?name=M101"),
        ("whoami", "GET", "/whoami"),
        ("bundle", "POST", "/api/v0.1/Download/bundle.sh"),
        ("lookup", "GET", "/api/v0.1/path_lookup/?uri=x"),
        ("missions", "GET", "/search/util/api/v0.1/column_list?mission=jwst"),
        ("s3", "GET", "/stpubdata/x"),
    ],
)
def test_every_route_can_fail_alone(archive, route, method, path):
    archive.fail(Fault("html", route=route))
    response = ask(archive, method, path)
    assert response.headers["Content-Type"].startswith("text/html")
    archive.clear_faults()
    archive.fail(Fault("status", route="download"))
    assert ask(archive, method, path).status != 503


def test_match_takes_part_of_a_name_or_a_glob(archive):
    other = URI.replace("i2d", "cal")
    archive.add_bytes(URI, b"a")
    archive.add_bytes(other, b"b")
    for match in ("_i2d", "*_i2d.fits"):
        archive.fail(Fault("status", match=match))
        assert ask(archive).status == 503
        assert ask(archive, path=path_of(other)).status == 200
        archive.clear_faults()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"kind": "explode"}, "one of status, truncate"),
        ({"kind": "html", "route": "upload"}, "one of invoke, columns"),
        ({"kind": "redirect"}, "needs 'location'"),
        ({"kind": "truncate", "fraction": 2}, "between 0 and 1"),
        ({"kind": "status", "status": 42}, "HTTP status"),
        ({"kind": "status", "after": -1}, "not be negative"),
    ],
)
def test_nonsense_is_refused_with_the_choices(arguments, message):
    with pytest.raises(ValueError, match=message):
        Fault(**arguments)
    with pytest.raises(TypeError, match="a Fault is needed"):
        DemoArchive().fail("truncate")


def test_every_kind_is_tried_in_this_module():
    text = Path(__file__).read_text()
    assert all(f'Fault("{kind}"' in text for kind in FAULT_KINDS)


def test_bandwidth_is_kept_and_can_change_while_it_runs(broken):
    broken.bandwidth = 2_000_000
    began = time.monotonic()
    ask(broken).read()
    assert 0.35 < time.monotonic() - began < 1.5
    broken.bandwidth = None
    began = time.monotonic()
    ask(broken).read()
    assert time.monotonic() - began < 0.3


def test_latency_delays_each_answer(archive):
    archive.latency = 0.2
    began = time.monotonic()
    ask(archive, path="/whoami").read()
    assert 0.2 <= time.monotonic() - began < 1


def test_executing_is_answered_as_often_as_asked(archive):
    archive.executing = 2
    for _ in range(2):
        states = [json.load(invoke(archive, obsid="1"))["status"] for _ in range(3)]
        assert states == ["EXECUTING", "EXECUTING", "COMPLETE"]
    archive.executing = -1
    states = {json.load(invoke(archive, obsid="1"))["status"] for _ in range(5)}
    assert states == {"EXECUTING"}


def test_client_that_hangs_up_leaves_the_archive_well_and_silent(broken, capfd):
    host, port = urlsplit(broken.url).netloc.split(":")
    for _ in range(5):
        with socket.create_connection((host, int(port))) as connection:
            connection.sendall(f"GET {path_of(URI)} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            connection.recv(10)
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(b"\x00\xff nonsense\r\n\r\n")
        connection.recv(100)
    broken.fail(Fault("reset"))
    with pytest.raises(ConnectionResetError):
        ask(broken).read()
    broken.clear_faults()
    assert ask(broken).read() == DATA
    time.sleep(0.1)
    assert capfd.readouterr() == ("", "")


def test_many_clients_at_once_get_their_own_bytes(broken):
    bodies = []

    def fetch(number):
        first = number * 1000
        answer = ask(broken, headers={"Range": f"bytes={first}-{first + 99999}"})
        bodies.append(answer.read() == DATA[first : first + 100000])

    threads = [threading.Thread(target=fetch, args=(n,)) for n in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert bodies == [True] * 24
