"""Where products lie in the cloud: matched by URI, never by position, and never elsewhere."""

import json
import random
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
import requests

from jdaviz_mast import conf
from jdaviz_mast.archive import Archive, bucket_address
from jdaviz_mast.demo import Fault
from jdaviz_mast.errors import (
    ArchiveError,
    ArchiveTimeout,
    ArchiveUnreachable,
    Cancelled,
    InvalidInput,
)

MOSAIC = "mast:JWST/product/jw02733-o001_t001_nircam_clear-f090w_i2d.fits"
ENDPOINT = "http://127.0.0.1:1"


@pytest.fixture
def endpoint(monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", ENDPOINT)
    return ENDPOINT


@pytest.fixture
def looking_up(endpoint):
    """Callable: an `Archive` whose look-up answers what a function of the asked URIs returns.

    ``archive.asked`` holds the URIs of each question.
    """
    servers = []

    def start(answer):
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self):
                parts = urlsplit(self.path)
                uris = parse_qs(parts.query)["uri"]
                archive.asked.append(uris)
                body = json.dumps(answer(uris)).encode()
                self.send_response(200 if parts.path == "/api/v0.1/path_lookup/" else 404)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args):
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads, server.block_on_close = True, False
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        servers.append(server)
        archive = Archive(f"http://127.0.0.1:{server.server_address[1]}")
        archive.asked = []
        return archive

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def found(path, status=200):
    return {"status_code": status, "path": path}


# -- the bucket ------------------------------------------------------------------------------


def test_the_bucket_is_that_of_mast_alone(monkeypatch):
    address = "https://stpubdata.s3.us-east-1.amazonaws.com"
    assert bucket_address("https://mast.stsci.edu") == address
    assert bucket_address("https://mast.stsci.edu/") == address
    for other in ("https://archive.example", "http://mast.stsci.edu.example", "http://127.0.0.1:9"):
        assert bucket_address(other) is None
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9000/")
    for server in ("https://mast.stsci.edu", "https://archive.example"):
        assert bucket_address(server) == "http://127.0.0.1:9000/stpubdata"
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", " ")
    assert bucket_address("https://mast.stsci.edu") == address


@pytest.mark.parametrize("endpoint", ["s3.example", "file:///etc", "http://", "http://a:b"])
def test_an_endpoint_that_is_no_address_is_named(monkeypatch, endpoint):
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", endpoint)
    with pytest.raises(InvalidInput, match=f"AWS_ENDPOINT_URL_S3: '{endpoint}' is not usable; set"):
        bucket_address("https://mast.stsci.edu")


def test_without_a_bucket_nobody_is_asked(archive, asked):
    assert Archive(archive.url).cloud_urls([MOSAIC]) == {MOSAIC: None}
    assert asked("path_lookup") == []


# -- the look-up -----------------------------------------------------------------------------


def test_what_is_in_the_cloud_can_be_fetched_there(archive, bucket, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", bucket.url)
    key = "jwst/public/jw02733/L3/t/o001/jw02733-o001_t001_nircam_clear-f090w_i2d.fits"
    bucket.put(key, b"the mosaic")
    gone = "mast:JWST/product/jw99999_nothing.fits"
    urls = Archive(archive.url).cloud_urls([gone, MOSAIC])
    assert urls == {gone: None, MOSAIC: f"{bucket.url}/stpubdata/{key}"}
    assert requests.get(urls[MOSAIC], timeout=10).content == b"the mosaic"


def test_answers_are_matched_by_uri(looking_up):
    uris = [f"mast:JWST/product/jw0+{n}&a=b.fits" for n in range(175)]
    missing, null, gone = uris[3], uris[60], uris[174]

    def answer(asked):
        entries = [(uri, found(f"/jwst/public/{uri[18:]}")) for uri in asked if uri != missing]
        entries += [("mast:JWST/product/never-asked.fits", found("/jwst/public/other"))]
        random.Random(len(asked)).shuffle(entries)
        answered = dict(entries)
        if null in answered:
            answered[null] = found(None)
        if gone in answered:
            answered[gone] = found(None, 404)
        return answered

    archive = looking_up(answer)
    urls = archive.cloud_urls([*uris, uris[0]])
    assert list(urls) == uris
    for uri, url in urls.items():
        if uri in (missing, null, gone):
            assert url is None
        else:
            assert unquote(url) == f"{ENDPOINT}/stpubdata/jwst/public/{uri[18:]}"
    assert sorted(map(len, archive.asked)) == [25, 50, 50, 50]
    assert sorted(sum(archive.asked, [])) == sorted(uris)


def test_nothing_is_asked_for_nothing(looking_up):
    archive = looking_up(lambda asked: {})
    assert archive.cloud_urls([]) == {}
    assert archive.asked == []


@pytest.mark.parametrize(
    ("path", "key"),
    [
        ("/jwst/public/jw02733/a.fits", "jwst/public/jw02733/a.fits"),
        ("hst/public/ib57/a.fits", "hst/public/ib57/a.fits"),
        ("/mast/galex/GR6/pipe/a-fd-int.fits.gz", "galex/GR6/pipe/a-fd-int.fits.gz"),
        ("/ps1/rings.v3.skycell/0784/a.fits", "panstarrs/ps1/public/rings.v3.skycell/0784/a.fits"),
        ("/hlsp_local/public/hlsp/tica/a.fits", "mast/hlsp/tica/a.fits"),
        ("/jwst/public/a b.fits", "jwst/public/a%20b.fits"),
        ("/jwst/public/a.fits?versionId=1", "jwst/public/a.fits%3FversionId%3D1"),
        ("/jwst/public/a.fits#x", "jwst/public/a.fits%23x"),
        ("/jwst/public/%2e%2e/a.fits", "jwst/public/%252e%252e/a.fits"),
        ("/jwst/public/ä+@.fits", "jwst/public/%C3%A4%2B%40.fits"),
    ],
)
def test_a_path_becomes_the_key_of_the_bucket(looking_up, path, key):
    (url,) = looking_up(lambda asked: {MOSAIC: found(path)}).cloud_urls([MOSAIC]).values()
    assert url == f"{ENDPOINT}/stpubdata/{key}"
    # What a client makes of the address is still that key.
    sent = urlsplit(requests.Request("GET", url).prepare().url)
    assert (sent.path, sent.query, sent.fragment) == (f"/stpubdata/{key}", "", "")


@pytest.mark.parametrize(
    "entry",
    [
        found("/../other/x"),
        found("/jwst/../../x"),
        found("/jwst/./x"),
        found("//evil.example/x"),
        found("/jwst//x"),
        found("/jwst/public/"),
        found("http://evil.example/x"),
        found("/http://evil.example/x"),
        found("s3:x"),
        found("/jwst\\..\\x"),
        found("/jwst/a\r\nHost: evil.example"),
        found("/jwst/a\0.fits"),
        found("/" + "a" * 1100),
        found(""),
        found("/"),
        found("/ps1/../x"),
        found(["/jwst/x"]),
        found(7),
        found("/jwst/public/x", 404),
        found("/jwst/public/x", 500),
        {},
        None,
        "/jwst/public/x",
        [200, "/jwst/public/x"],
    ],
    ids=repr,
)
def test_what_is_no_path_in_the_bucket_is_not_in_the_cloud(looking_up, entry):
    archive = looking_up(lambda asked: {MOSAIC: entry})
    assert archive.cloud_urls([MOSAIC]) == {MOSAIC: None}


def test_questions_are_asked_side_by_side(looking_up):
    together = threading.Barrier(4, timeout=20)

    def answer(asked):
        together.wait()  # four questions at once, or none gets its answer
        return {uri: found(f"/jwst/public/{uri[-4:]}") for uri in asked}

    urls = looking_up(answer).cloud_urls(f"mast:{n:04}" for n in range(400))
    assert urls["mast:0399"] == f"{ENDPOINT}/stpubdata/jwst/public/0399"
    assert None not in urls.values()


# -- bad days --------------------------------------------------------------------------------


@pytest.mark.parametrize("answer", [[], None, "text", 7], ids=repr)
def test_an_answer_that_is_no_mapping_is_an_error(looking_up, answer):
    with pytest.raises(ArchiveError, match="makes no sense"):
        looking_up(lambda asked: answer).cloud_urls([MOSAIC])


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (Fault("status", route="lookup", status=500), "HTTP 500"),
        (Fault("status", route="lookup", status=404), "HTTP 404"),
        (Fault("html", route="lookup"), "no JSON"),
        (Fault("corrupt", route="lookup"), "no JSON"),
    ],
    ids=lambda value: getattr(value, "kind", value),
)
def test_a_look_up_that_fails_is_a_typed_error(archive, endpoint, fault, message):
    archive.fail(fault)
    with pytest.raises(ArchiveError, match=message):
        Archive(archive.url).cloud_urls([MOSAIC])


def test_one_batch_that_fails_fails_the_question(looking_up):
    def answer(asked):
        return [] if "mast:0060" in asked else {uri: found("/jwst/x") for uri in asked}

    with pytest.raises(ArchiveError):
        looking_up(answer).cloud_urls(f"mast:{n:04}" for n in range(120))


def test_an_archive_out_of_reach(endpoint):
    with pytest.raises(ArchiveUnreachable):
        Archive("http://127.0.0.1:1").cloud_urls([MOSAIC])


def test_a_silent_archive_times_out(archive, endpoint):
    archive.fail(Fault("stall", route="lookup", fraction=0))
    with conf.set_temp("timeout", 1.0), pytest.raises(ArchiveTimeout):
        Archive(archive.url).cloud_urls([MOSAIC])


def test_cancel_does_not_wait_for_a_silent_archive(archive, endpoint):
    archive.fail(Fault("stall", route="lookup", fraction=0))
    began = time.monotonic()

    def check_cancelled():
        if time.monotonic() - began > 0.5:
            raise Cancelled

    with conf.set_temp("timeout", 60.0), pytest.raises(Cancelled):
        Archive(archive.url).cloud_urls([MOSAIC], check_cancelled)
    assert time.monotonic() - began < 20


def test_no_token_is_sent_with_the_look_up(archive, endpoint, asked, monkeypatch):
    monkeypatch.setenv("MAST_API_TOKEN", "demo-token")
    Archive(archive.url).cloud_urls([MOSAIC])
    (request,) = asked("path_lookup")
    assert "authorization" not in request.headers
