"""One request on the wire: what is asked, what is made of the answer, and how it is broken off."""

import contextlib
import datetime
import email.utils
import gzip
import ipaddress
import socket
import ssl
import threading
import time

import pytest
from odd_server import OddServer, head, part

from jdaviz_mast.demo.faults import Fault
from jdaviz_mast.errors import AccessDenied, FileProblem, MastError
from jdaviz_mast.transfer.wire import Broken, Busy, Gone, NotThere, Unreachable, Wire, host_of

EPOCH = datetime.datetime(2025, 6, 15, 12, tzinfo=datetime.UTC)


def date(seconds=0):
    """A moment as HTTP writes it."""
    moment = EPOCH + datetime.timedelta(seconds=seconds)
    return email.utils.format_datetime(moment, usegmt=True)


class Someone:
    """Credentials for some addresses; remembers which it was asked about."""

    def __init__(self, *own):
        self.own, self.asked, self.explained = own, [], []

    def headers(self, url):
        self.asked.append(url)
        return {"Authorization": "Bearer s3cret"} if url.startswith(self.own or "-") else {}

    def explain(self, url, status, sent, about):
        self.explained.append((url, status, sent, about))
        return f"Refused (HTTP {status})."


@pytest.fixture
def wire():
    with Wire(Someone(), timeout=5.0) as wire:
        yield wire


@pytest.fixture
def product(served, fits):
    """A product that the archive serves: its bytes, its URI and its address."""
    data = fits(100, seed=7)
    return data, *served("a_i2d.fits", data)


def get(wire, url, name="a_i2d.fits", **options):
    """The answer and its bytes."""
    answer = wire.open(url, name=name, **options)
    try:
        return answer, b"".join(answer.pieces())
    finally:
        answer.close()


def serving(data, **headers):
    """A server that answers well, with these headers."""
    return OddServer(lambda request: request.send(part(request, data, **headers)))


# -- what is asked ---------------------------------------------------------------------------


def test_a_file_arrives_byte_for_byte(wire, product):
    data, _, url = product
    answer, found = get(wire, url)
    assert found == data
    assert (answer.size, answer.length, answer.start) == (len(data), len(data), 0)
    assert answer.coherent
    assert answer.validator
    assert not answer.ranged
    assert not answer.out_of_range


@pytest.mark.parametrize("data", [b"", b"x", b"y" * (3 << 20)], ids=["empty", "a byte", "3 MB"])
def test_files_of_any_length_arrive(wire, served, data):
    assert get(wire, served("a.json", data)[1])[1] == data


def test_a_file_is_asked_for_as_it_is_stored_and_without_a_range(wire, product, asked):
    _, uri, url = product
    get(wire, url)
    (request,) = asked(uri)
    assert request.headers["accept-encoding"] == "identity"
    assert not {"range", "if-range", "authorization", "cookie"} & set(request.headers)


def test_a_part_is_asked_for_with_the_version_that_it_must_belong_to(wire, product, asked):
    data, uri, url = product
    version = get(wire, url)[0].validator
    answer, found = get(wire, url, start=1000, stop=5000, validator=version)
    assert found == data[1000:5000]
    assert answer.ranged
    assert answer.coherent
    assert (answer.start, answer.length, answer.size) == (1000, 4000, len(data))
    headers = asked(uri)[-1].headers
    assert (headers["range"], headers["if-range"]) == ("bytes=1000-4999", version)


def test_a_part_of_another_version_is_answered_with_all_of_it(wire, archive, product):
    _, uri, url = product
    version = get(wire, url)[0].validator
    archive.fail(Fault("changed", match=uri))
    answer, found = get(wire, url, start=1000, stop=5000, validator=version)
    assert not answer.ranged
    assert answer.validator not in ("", version)
    assert answer.length == len(found)


def test_a_part_beyond_the_end_is_said_so(wire, product):
    data, _, url = product
    answer = wire.open(url, name="a", start=len(data), stop=len(data) + 10)
    answer.close()
    assert answer.out_of_range


def test_a_file_that_is_stored_compressed_stays_so(wire, served, fits):
    data = gzip.compress(fits(2))
    answer, found = get(wire, served("a_lpd-targ.fits.gz", data)[1])
    assert found == data
    assert answer.validator


def test_what_is_compressed_on_the_way_is_unpacked_and_has_no_version(wire, archive, product):
    data, uri, url = product
    archive.fail(Fault("gzip", match=uri))
    answer, found = get(wire, url)
    assert found == data
    assert (answer.validator, answer.size, answer.length) == ("", None, None)
    answer, _ = get(wire, url, start=0, stop=100)
    assert not answer.ranged or not answer.coherent, "a part of what is compressed is no part"


@pytest.mark.parametrize("kind", ["chunked", "no-validators", "no-accept-ranges", "ignore-range"])
def test_another_way_of_sending_changes_nothing(wire, archive, product, kind):
    data, uri, url = product
    archive.fail(Fault(kind, match=uri))
    assert get(wire, url, start=0, stop=len(data))[1] == data


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ((0, 100), "bytes 1-99/1000"),
        ((0, 100), "bytes 0-100/1000"),
        ((100, 200), "bytes 0-99/1000"),
        ((0, 100), "bytes 99-0/1000"),
        ((0, 100), "bytes */1000"),
        ((0, 100), "items 0-99/1000"),
        ((0, 100), "bytes 0-99"),
        ((0, 100), ""),
        ((0, 100), "bytes -1-99/1000"),
    ],
)
def test_another_part_than_was_asked_for_is_not_coherent(wire, asked, said):
    answer_with = head(206, Content_Length=100, Content_Range=said) + bytes(100)
    with OddServer(lambda request: request.send(answer_with)) as server:
        answer = wire.open(server.url, name="a", start=asked[0], stop=asked[1])
        answer.close()
    assert answer.ranged
    assert not answer.coherent


def test_a_part_may_be_shorter_than_was_asked_for_and_of_a_file_of_unknown_size(wire):
    answer_with = head(206, Content_Length=50, Content_Range="bytes 10-59/*") + b"z" * 50
    with OddServer(lambda request: request.send(answer_with)) as server:
        answer, found = get(wire, server.url, start=10, stop=100)
    assert found == b"z" * 50
    assert (answer.coherent, answer.start, answer.length, answer.size) == (True, 10, 50, None)


def test_a_part_that_was_not_asked_for_is_not_coherent(wire):
    answer_with = head(206, Content_Length=50, Content_Range="bytes 0-49/100") + bytes(50)
    with OddServer(lambda request: request.send(answer_with)) as server:
        answer = wire.open(server.url, name="a")
        answer.close()
    assert not answer.coherent


@pytest.mark.parametrize("way", ["Content-Length", "chunked"])
def test_many_parts_come_over_one_connection(wire, way):
    data = bytes(range(256)) * 400

    def answer(request):
        if way == "Content-Length":
            return request.send(part(request, data))
        start, stop = request.range
        headers = head(
            206, Transfer_Encoding="chunked", Content_Range=f"bytes {start}-{stop - 1}/{len(data)}"
        )
        return request.send(headers + b"%x\r\n%b\r\n0\r\n\r\n" % (stop - start, data[start:stop]))

    with OddServer(answer) as server:
        for start in range(0, 100_000, 10_000):
            found = get(wire, server.url, start=start, stop=start + 10_000)[1]
            assert found == data[start : start + 10_000]
        # Of what is chunked the end is not waited for, so that its connection may be closed.
        assert server.connections == 1 or way == "chunked"


def test_an_answer_that_was_not_read_to_its_end_spoils_no_other(wire, served):
    _, url = served("a.json", b"x" * (8 << 20))
    _, other = served("b.json", b"y" * 1000)
    for _ in range(3):
        answer = wire.open(url, name="a")
        next(answer.pieces())
        answer.close()
        assert get(wire, other)[1] == b"y" * 1000


@pytest.mark.parametrize("read", [True, False], ids=["read", "not read"])
@pytest.mark.parametrize("then", ["silence", "more and more"])
def test_closing_an_answer_waits_for_nothing(wire, read, then):
    """All that is wanted has come; the end of it, which a chunk says, has not."""
    ended = threading.Event()

    def answer(request):
        request.send(head(206, Transfer_Encoding="chunked", Content_Range="bytes 0-99/1000"))
        request.send(b"64\r\n" + bytes(100) + b"\r\n")
        while not ended.wait(0.05):
            if then != "silence":
                request.send(b"8000\r\n" + bytes(0x8000) + b"\r\n")
        return False

    with OddServer(answer) as server:
        answered = wire.open(server.url, name="a", start=0, stop=100)
        if read:
            next(answered.pieces())
        began = time.monotonic()
        timer = threading.Timer(8, ended.set)
        timer.start()
        answered.close()
        took = time.monotonic() - began
        timer.cancel()
        ended.set()
    assert took < 2


# -- which version it is ---------------------------------------------------------------------

VALIDATORS = {
    "strong ETag": ({"ETag": '"a"'}, '"a"'),
    "strong ETag before a date": ({"ETag": '"a"', "Last_Modified": date(-99)}, '"a"'),
    "weak ETag": ({"ETag": 'W/"a"'}, ""),
    "weak ETag and a date": ({"ETag": 'W/"a"', "Last_Modified": date(-99)}, date(-99)),
    "date": ({"Last_Modified": date(-1)}, date(-1)),
    "date of this second": ({"Last_Modified": date()}, ""),
    "date of the future": ({"Last_Modified": date(60)}, ""),
    "date of a server without a clock": ({"Last_Modified": date(-99), "Date": ""}, ""),
    "no date": ({"Last_Modified": "yesterday"}, ""),
    "date of no time zone": ({"Last_Modified": "Sat, 14 Jun 2025 10:00:00 -0000"}, None),
    "date that names no time zone": ({"Last_Modified": "Sat, 14 Jun 2025 10:00:00"}, None),
    "date of a far time zone": ({"Last_Modified": f"Sat, 14 Jun 2025 10:00:00 +{'9' * 20}"}, ""),
    "nothing": ({}, ""),
    "empty": ({"ETag": ""}, ""),
}


@pytest.mark.parametrize("name", VALIDATORS)
def test_only_what_tells_versions_apart_is_a_validator(wire, name):
    headers, expected = VALIDATORS[name]
    with serving(b"x" * 10, **{"Date": date()} | headers) as server:
        answer, found = get(wire, server.url)
    assert found == b"x" * 10
    # What a date without a zone means is open; that it must not break the transfer is not.
    assert answer.validator == expected or expected is None


DIGESTS = {
    "one piece": ({"ETag": '"9e107d9d372bb6826bd81d3542a419d6"'}, True),
    "encrypted by S3's own key": (
        {"ETag": '"9e107d9d372bb6826bd81d3542a419d6"', "x_amz_server_side_encryption": "AES256"},
        True,
    ),
    "encrypted by another": (
        {"ETag": '"9e107d9d372bb6826bd81d3542a419d6"', "x_amz_server_side_encryption": "aws:kms"},
        False,
    ),
    "many pieces": ({"ETag": '"9e107d9d372bb6826bd81d3542a419d6-12"'}, False),
    "no MD5": ({"ETag": '"a"'}, False),
    "none": ({}, False),
}


@pytest.mark.parametrize("name", DIGESTS)
def test_the_checksum_of_s3_is_known_where_there_is_one(wire, name):
    headers, there = DIGESTS[name]
    with serving(b"x" * 10, **headers) as server:
        answer, _ = get(wire, server.url)
    assert answer.digest == ("9e107d9d372bb6826bd81d3542a419d6" if there else "")


# -- redirects -------------------------------------------------------------------------------


def test_a_redirect_is_followed(wire, archive, product, served, fits):
    _, uri, url = product
    elsewhere = fits(3, seed=9)
    archive.fail(Fault("redirect", match=uri, location=served("elsewhere.fits", elsewhere)[1]))
    assert get(wire, url)[1] == elsewhere


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_every_kind_of_redirect_is_followed_with_the_range(wire, status):
    def answer(request):
        if request.path == "/there":
            return request.send(part(request, b"0123456789"))
        return request.send(head(status, Content_Length=0, Location="there"))

    with OddServer(answer) as server:
        found = get(wire, f"{server.url}/here", start=2, stop=5, validator='"a"')[1]
        assert found == b"234"
        assert server.requests[-1].headers["if-range"] == '"a"'


@pytest.mark.parametrize("length", [{}, {"Content_Length": 1 << 40}], ids=["endless", "long"])
def test_the_body_of_a_redirect_is_not_read(wire, length):
    def answer(request):
        if request.path == "/there":
            return request.send(part(request, b"0123456789"))
        request.send(head(302, Location="/there", **length))
        while True:  # until the client hangs up
            request.send(b"x" * (1 << 16))

    with OddServer(answer) as server:
        assert get(wire, f"{server.url}/here")[1] == b"0123456789"


def test_a_redirect_in_a_circle_ends(wire, archive, product, asked):
    _, uri, url = product
    archive.fail(Fault("redirect", match=uri, location=url))
    with pytest.raises(NotThere, match="circle"):
        wire.open(url, name="a")
    assert len(asked(uri)) < 10


@pytest.mark.parametrize(
    "location",
    ["file:///etc/passwd", "ftp://127.0.0.1/a", "javascript:0", "mast:JWST/a", "https:///a"],
)
def test_a_redirect_to_what_is_no_address_on_the_web_is_refused(wire, archive, product, location):
    _, uri, url = product
    archive.fail(Fault("redirect", match=uri, location=location))
    with pytest.raises(NotThere, match="no address on the web"):
        wire.open(url, name="a")


# -- who asks --------------------------------------------------------------------------------


def test_credentials_are_asked_anew_for_each_address(served):
    _, url = served("a.json", b"abc")
    mine = Someone(url.split("/api")[0])

    def answer(request):
        request.send(head(302, Content_Length=0, Location=url))

    with OddServer(answer) as elsewhere, Wire(mine, timeout=5.0) as wire:
        assert get(wire, f"{elsewhere.url}/x")[1] == b"abc"
        assert mine.asked == [f"{elsewhere.url}/x", url]
        assert "authorization" not in elsewhere.requests[0].headers


def test_who_is_sent_elsewhere_says_nothing_there():
    with serving(b"abc") as elsewhere:

        def answer(request):
            request.send(head(302, Content_Length=0, Location=f"{elsewhere.url}/there"))

        with OddServer(answer) as server, Wire(Someone(server.url), timeout=5.0) as wire:
            assert get(wire, server.url)[1] == b"abc"
            assert server.requests[0].headers["authorization"] == "Bearer s3cret"
            (request,) = elsewhere.requests
            assert not {"authorization", "cookie", "referer"} & set(request.headers)


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize("known", [False, True], ids=["nobody", "somebody"])
def test_who_is_refused_is_told_why(served, archive, status, known):
    uri, url = served("a.json", b"abc")
    archive.fail(Fault("status", status=status, match=uri))
    someone = Someone(*[url[:20]] * known)
    about = {"product": {}}
    with Wire(someone, timeout=5.0) as wire, pytest.raises(AccessDenied, match=r"Refused \(HTTP"):
        wire.open(url, name="a", about=about)
    assert someone.explained == [(url, status, known, about)]


def test_cookies_and_netrc_are_not_sent(tmp_path, monkeypatch):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password s3cret\ndefault login a password b\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    with (
        serving(b"abc", Set_Cookie="session=s3cret; Path=/") as server,
        Wire(Someone(), timeout=5.0) as wire,
    ):
        for host in ("127.0.0.1", "me:s3cret@127.0.0.1"):
            for _ in range(2):
                get(wire, server.url.replace("127.0.0.1", host))
        for request in server.requests:
            assert not {"authorization", "cookie"} & set(request.headers)


def test_this_machine_is_reached_without_the_proxy_and_others_with_it(monkeypatch):
    with serving(b"through the proxy") as proxy, serving(b"direct") as server:
        for name in ("http_proxy", "HTTP_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        for name in ("no_proxy", "NO_PROXY"):
            monkeypatch.delenv(name, raising=False)
        with Wire(Someone(), timeout=5.0) as wire:
            assert get(wire, server.url)[1] == b"direct"
            assert get(wire, "http://archive.invalid/a")[1] == b"through the proxy"
        assert proxy.requests[0].path == "http://archive.invalid/a"


# -- bad answers -----------------------------------------------------------------------------

# fault, error, words of its message
BAD = {
    "400": (Fault("status", status=400), NotThere, r"refused to give this file \(HTTP 400\)"),
    "404": (Fault("status", status=404), Gone, r"does not have this file \(HTTP 404\)"),
    "410": (Fault("status", status=410), Gone, r"does not have this file \(HTTP 410\)"),
    "304": (Fault("status", status=304), NotThere, "HTTP 304"),
    "204": (Fault("status", status=204), NotThere, "HTTP 204"),
    "408": (Fault("status", status=408), Busy, "HTTP 408"),
    "425": (Fault("status", status=425), Busy, "HTTP 425"),
    "429": (Fault("status", status=429), Busy, "HTTP 429"),
    "500": (Fault("status", status=500), Busy, "HTTP 500"),
    "503": (Fault("status", status=503), Busy, "HTTP 503"),
    "cut short": (Fault("truncate"), Broken, "cut short after 144,000"),
    "cut short at once": (Fault("truncate", fraction=0), Broken, "cut short after 0 "),
    "reset": (Fault("reset"), Broken, "broke"),
    "reset at once": (Fault("reset", fraction=0), Broken, "broke"),
    "a web page": (Fault("html"), NotThere, "A web page came instead of the file"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_answer_is_one_sentence(wire, archive, product, name):
    _, uri, url = product
    fault, error, words = BAD[name]
    fault.match = uri
    archive.fail(fault)
    with pytest.raises(MastError, match=words) as raised:
        get(wire, url)
    assert type(raised.value) is error
    message = str(raised.value)
    assert message.endswith(".")
    assert message.isprintable()
    archive.clear_faults()
    assert len(get(wire, url)[1]) == 288_000, "the next one is not spoiled"


def test_what_does_not_pass_is_a_problem_of_the_file_and_what_may_pass_is_not():
    assert issubclass(NotThere, FileProblem)
    for error in (Broken, Busy, Unreachable):
        assert issubclass(error, Broken)
        assert not issubclass(error, FileProblem)


def test_a_page_that_is_wanted_is_no_bad_answer(wire):
    with serving(b"<html></html>", Content_Type="text/html") as server:
        assert get(wire, server.url, name="a.HTML")[1] == b"<html></html>"
        with pytest.raises(NotThere, match="web page"):
            wire.open(server.url, name="a.jpg")


PATIENCE = {
    "seconds": ("7", 7.0),
    "none": (None, None),
    "date": (date(30), 30.0),
    "date in the past": (date(-30), 0.0),
    "date of no time zone": ("Sun, 15 Jun 2025 12:00:30 -0000", 30.0),
    "nonsense": ("soon", None),
    "negative": ("-5", None),
    "very many": ("9" * 400, 999_999_999.0),
}


@pytest.mark.parametrize("name", PATIENCE)
def test_the_time_that_a_server_asks_for_is_known(wire, name):
    said, expected = PATIENCE[name]
    headers = {"Date": date(), "Content_Length": 0} | (
        {} if said is None else {"Retry-After": said}
    )
    with (
        OddServer(lambda request: request.send(head(503, **headers))) as server,
        pytest.raises(Busy) as raised,
    ):
        wire.open(server.url, name="a")
    assert raised.value.wait == expected or "no time zone" in name
    assert not raised.value.everyone


def test_too_many_requests_speaks_to_all(wire):
    with (
        OddServer(lambda request: request.send(head(429, Content_Length=0))) as server,
        pytest.raises(Busy) as raised,
    ):
        wire.open(server.url, name="a")
    assert raised.value.everyone


@pytest.mark.parametrize(
    "text",
    [b"garbage\r\n\r\n", b"HTTP/1.1 999999 x\r\n\r\n", b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 500,
     b"\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\nabc",
     b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc",
     b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\nno gzip at all"],
    ids=["garbage", "status", "500 headers", "empty", "huge length", "chunks", "gzip"],
)  # fmt: skip
def test_what_is_no_http_is_a_broken_connection(wire, text):
    def answer(request):
        request.send(text)
        return False

    with OddServer(answer) as server, pytest.raises(Broken) as raised:
        get(wire, server.url)
    assert str(raised.value).isprintable()


def test_nobody_there_is_unreachable(wire):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        with pytest.raises(Unreachable, match=r"127\.0\.0\.1:\d+ cannot be reached") as raised:
            wire.open(f"http://127.0.0.1:{port}/a", name="a")
    assert raised.value.host == f"127.0.0.1:{port}"


def test_a_name_that_nobody_knows_is_said_so(wire):
    with pytest.raises(Unreachable, match=r"archive\.invalid is not known") as raised:
        wire.open("http://archive.invalid/a", name="a")
    assert raised.value.host == "archive.invalid"


@pytest.mark.parametrize("url", ["ftp://a/b", "mast:JWST/a", "http://", "http://[::1/a"])
def test_what_is_no_address_is_final(wire, url):
    with pytest.raises(NotThere, match="none on the web"):
        wire.open(url, name="a")


def test_no_error_holds_what_was_sent(archive, product):
    """Wherever it is shown, with the variables of its frames: the token is not there."""
    _, uri, url = product
    someone = Someone(url[:20])
    for fault in (Fault("reset", fraction=0), Fault("truncate"), Fault("status", status=503)):
        archive.clear_faults()
        fault.match = uri
        archive.fail(fault)
        with Wire(someone, timeout=2.0) as wire, pytest.raises(Broken) as raised:
            get(wire, url)
        assert raised.value.__cause__ is None
        assert raised.value.__context__ is None
        assert "s3cret" not in repr(vars(raised.value)) + str(raised.value)


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://mast.stsci.edu/a", "mast.stsci.edu"),
        ("http://127.0.0.1:80/a", "127.0.0.1:80"),
        ("http://me:s3cret@host:1/a", "host:1"),
        ("http://[::1/", "The server"),
        ("http://a:99999999/", "The server"),
        ("", "The server"),
    ],
)
def test_a_host_is_called_what_it_is_and_nothing_more(url, host):
    assert host_of(url) == host


# -- silence, and being broken off -----------------------------------------------------------


@pytest.mark.parametrize("fraction", [None, 0.0, 0.5], ids=["headers", "first byte", "middle"])
def test_silence_ends_after_the_timeout(archive, product, fraction):
    _, uri, url = product
    if fraction is None:
        archive.latency = 30
    else:
        archive.fail(Fault("stall", match=uri, fraction=fraction))
    began = time.monotonic()
    words = "did not answer in time" if fraction is None else "stopped sending after"
    with Wire(Someone(), timeout=0.5) as wire, pytest.raises(Broken, match=words):
        get(wire, url)
    assert 0.4 < time.monotonic() - began < 5


def test_a_body_that_drips_is_no_silence(wire):
    def answer(request):
        request.send(head(200, Content_Length=10))
        for _ in range(10):
            time.sleep(0.1)
            request.send(b"x")

    with OddServer(answer) as server, Wire(Someone(), timeout=0.7) as patient:
        assert get(patient, server.url)[1] == b"x" * 10


@pytest.fixture(scope="module")
def tls(tmp_path_factory):
    """For https on this machine: the server's context, and the file that makes it trusted."""
    x509 = pytest.importorskip("cryptography.x509")
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    here = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(here, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "pair.pem"
    pem = serialization.Encoding.PEM
    private = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(certificate.public_bytes(pem) + private)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context, file


@pytest.fixture
def trusted(tls, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tls[1]))
    return tls[0]


def test_what_is_encrypted_arrives_and_is_redirected_only_to_what_is(wire, trusted):
    with serving(b"in the clear") as clear:

        def answer(request):
            if request.path == "/down":
                return request.send(head(302, Content_Length=0, Location=clear.url))
            if request.path == "/same":
                return request.send(head(302, Content_Length=0, Location="/file"))
            return request.send(part(request, b"encrypted"))

        with OddServer(answer, tls=trusted) as server:
            assert get(wire, f"{server.url}/file")[1] == b"encrypted"
            assert get(wire, f"{server.url}/same")[1] == b"encrypted"
            with pytest.raises(NotThere, match="without encryption"):
                wire.open(f"{server.url}/down", name="a")
        assert clear.requests == []


def test_a_certificate_that_nobody_vouches_for_is_not_trusted(wire, tls):
    with OddServer(lambda request: request.send(part(request, b"x")), tls=tls[0]) as server:
        with pytest.raises(Unreachable, match=r"certificate of .* cannot be trusted"):
            wire.open(server.url, name="a")
        assert server.requests == []


@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
@pytest.mark.parametrize("sent", ["nothing", "headers", "half", "half of the last answer"])
def test_breaking_off_ends_a_wait_within_a_second(trusted, secure, sent):
    waiting, data = threading.Event(), bytes(1 << 20)

    def answer(request):
        if sent != "nothing":
            last = {"Connection": "close"} if "last" in sent else {}
            request.send(head(200, Content_Length=len(data), **last))
        if "half" in sent:
            request.send(data[: len(data) // 2])
        waiting.set()
        ended.wait(20)

    ended, outcome = threading.Event(), []

    def fetch():
        try:
            got = [len(piece) for piece in wire.open(server.url, name="a").pieces()]
            outcome.append(AssertionError(f"{sum(got)} bytes, and no error"))
        except MastError as error:
            outcome.append(error)

    with (
        OddServer(answer, tls=trusted if secure else None) as server,
        Wire(Someone(), timeout=30.0) as wire,
    ):
        thread = threading.Thread(target=fetch, daemon=True)
        thread.start()
        assert waiting.wait(10)
        time.sleep(0.1)
        wire.break_off()
        thread.join(1)
        alive = thread.is_alive()
        ended.set()
        thread.join(5)
    assert not alive
    assert isinstance(outcome[0], Broken)


def test_breaking_off_what_does_nothing_is_no_error(wire, product):
    wire.break_off()
    get(wire, product[2])
    wire.break_off()
    with Wire(Someone(), timeout=5.0) as other:
        assert get(other, product[2])[1] == product[0]


def test_breaking_off_while_connections_are_made_is_no_error():
    """Another thread connects all the time."""
    stop = threading.Event()

    with serving(b"x", Connection="close") as server, Wire(Someone(), timeout=5.0) as wire:

        def fetch():
            while not stop.is_set():
                with contextlib.suppress(MastError):
                    get(wire, server.url)

        thread = threading.Thread(target=fetch, daemon=True)
        thread.start()
        end = time.monotonic() + 2
        while time.monotonic() < end:
            wire.break_off()
        stop.set()
        thread.join(5)
