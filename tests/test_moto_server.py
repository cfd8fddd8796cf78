"""The bucket of the tests: what moto answers comes through, and is spoiled as asked."""

import pytest
import requests

from jdaviz_mast.demo import Fault

KEY = "jwst/public/a b?#.fits"
DATA = bytes(range(256)) * 1000


@pytest.fixture
def get(bucket):
    def ask(key=KEY, method="GET", **headers):
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        return requests.request(method, bucket.url_of(key), headers=headers, timeout=5)

    return ask


def test_it_answers_as_s3_does(bucket, get):
    bucket.put(KEY, DATA)
    whole = get()
    assert whole.content == DATA
    assert whole.headers["ETag"].startswith('"')
    assert whole.headers["Last-Modified"]
    assert get(method="HEAD").headers["Content-Length"] == str(len(DATA))
    part = get(Range="bytes=1000-1999")
    assert (part.status_code, part.content) == (206, DATA[1000:2000])
    assert part.headers["Content-Range"] == f"bytes 1000-1999/{len(DATA)}"
    assert get(Range="bytes=900000-900001").status_code == 416
    assert get("nothing").status_code == 404
    bucket.put("secret", b"x", public=False)
    assert get("secret").status_code == 403
    assert [(r.method, r.headers.get("range")) for r in bucket.requests[:3]] == [
        ("GET", None),
        ("HEAD", None),
        ("GET", "bytes=1000-1999"),
    ]


def test_an_object_can_change_between_two_parts(bucket, get):
    bucket.put(KEY, DATA)
    tags = [get(Range="bytes=0-9").headers["ETag"]]

    def change(request):
        bucket.put(KEY, DATA[::-1])

    bucket.before = change
    answer = get(Range="bytes=0-9", If_Range=tags[0])
    # moto ignores If-Range: only the ETag tells.
    assert answer.status_code == 206
    assert answer.headers["ETag"] != tags[0]
    bucket.delete(KEY)
    bucket.before = None
    assert get().status_code == 404


def test_it_can_be_stopped_and_started_again(bucket, get):
    bucket.put(KEY, DATA)
    url = bucket.url
    bucket.stop()
    with pytest.raises(requests.ConnectionError):
        get()
    bucket.start()
    assert bucket.url == url
    assert get().content == DATA


@pytest.mark.parametrize("kind", ["truncate", "reset"])
def test_a_transfer_that_breaks(bucket, get, kind):
    bucket.put(KEY, DATA)
    bucket.fail(Fault(kind, route="s3", match="a b", times=1))
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        get()
    assert get().content == DATA


def test_a_transfer_that_stalls(bucket):
    bucket.put(KEY, DATA)
    bucket.fail(Fault("stall", route="s3", times=1))
    with pytest.raises(requests.ConnectionError, match="timed out"):
        requests.get(bucket.url_of(KEY), timeout=0.5)


def test_other_faults(bucket, get):
    bucket.put(KEY, DATA)
    for status in (403, 404, 500, 503):
        bucket.fail(Fault("status", route="s3", times=1, status=status, retry_after=3))
        answer = get()
        assert (answer.status_code, answer.headers["Retry-After"]) == (status, "3")
        bucket.clear_faults()
    bucket.fail(Fault("short", route="s3", times=1))
    assert get().content == DATA[: len(DATA) // 2]
    bucket.clear_faults()
    bucket.fail(Fault("ignore-range", route="s3", times=1))
    assert get(Range="bytes=0-9").status_code == 200
    bucket.clear_faults()
    bucket.fail(Fault("no-validators", route="s3", times=1))
    assert "ETag" not in get().headers
    bucket.clear_faults()
    bucket.fail(Fault("redirect", route="s3", times=1, location=bucket.url_of("other")))
    assert get().status_code == 404
    bucket.clear_faults()
    bucket.fail(Fault("corrupt", route="s3", times=1))
    assert get().content == bytes(byte ^ 0xFF for byte in DATA)


def test_connections_stay_open(bucket):
    bucket.put(KEY, DATA)
    with requests.Session() as session:
        for _ in range(3):
            answer = session.get(bucket.url_of(KEY), timeout=5)
            assert "close" not in answer.headers.get("Connection", "").lower()
