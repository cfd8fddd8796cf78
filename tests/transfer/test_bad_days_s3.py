"""Bad days of the public bucket (moto's S3 server), and HTTP as the way out."""

import time

import pytest
from bad_days import (
    CHANGED,
    SMALL_PARTS,
    BadDay,
    journalled,
    length,
    overlap,
    patience,
    reprocessed,
    said,
    states,
    until,
)

import jdaviz_mast
from jdaviz_mast.demo import Fault

pytestmark = pytest.mark.slow

SIZES = {"many parts": "large_i2d.fits", "one part": "1_x1d.fits"}
LARGE = "large_i2d.fits"


@pytest.fixture(autouse=True)
def _quick(request, monkeypatch, bucket):
    """Short pauses and small parts; the bucket's address."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", bucket.url)
    for name, value in SMALL_PARTS.items():
        monkeypatch.setattr(f"jdaviz_mast.transfer.{name}", value)
    with (
        jdaviz_mast.conf.set_temp("timeout", patience(request)),
        jdaviz_mast.conf.set_temp("retries", 2),
    ):
        yield


@pytest.fixture
def day(archive, bucket, tmp_path):
    """One file of sixteen parts and three small ones, in the archive and in the bucket."""
    day = BadDay(archive, tmp_path, bucket=bucket)
    day.serve_four()
    day.put_all()
    return day


@pytest.fixture(params=SIZES)
def bad(request, day):
    """URI of the file that has the bad day: a large or a small one."""
    return next(r["dataURI"] for r in day.rows if r["productFilename"] == SIZES[request.param])


def fault_for(fault, uri):
    return Fault(**vars(fault) | {"route": "s3", "match": uri.rsplit("/", 1)[-1]})


def half_fetched(day, source="s3"):
    """A job that was cancelled with about half of the large file on the disk."""
    day.bucket.bandwidth = 400_000
    job = day.mast().fetch(day.table, source=source, block=False)
    until(lambda: job.files and job.files[0].bytes_done > 500_000)
    job.cancel()
    assert job.wait(5)
    day.bucket.bandwidth = None
    day.check(job, bad=[row["dataURI"] for row in day.rows])
    return job


# -- all is well ----------------------------------------------------------------------------


@pytest.mark.parametrize("source", ["s3", "auto"])
def test_files_come_from_the_bucket(day, source):
    job = day.fetch(source=source)
    day.check_all_complete(job)
    assert day.requests() == []
    assert [file.source for file in job.files] == ["s3"] * 4
    lookups = [r for r in day.archive.requests if "path_lookup" in r.path
               and day.rows[0]["dataURI"] in r.query["uri"]]  # fmt: skip
    assert len(lookups) == 1, "asked in batches"
    small = day.rows[1]["dataURI"]
    assert len(day.bucket_requests(small)) == 1


def test_the_bucket_is_told_nothing(day, monkeypatch):
    monkeypatch.setenv("MAST_API_TOKEN", "a-secret-of-this-test")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "another-secret")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "another-secret")
    day.check_all_complete(day.fetch(source="s3"))
    for request in day.bucket_requests():
        assert "authorization" not in request.headers
        assert "secret" not in repr(vars(request))


# -- what passes ----------------------------------------------------------------------------

PASSES = {
    "truncated at the start": Fault("truncate", times=1, fraction=0),
    "truncated": Fault("truncate", times=2, fraction=0.4),
    "reset": Fault("reset", times=2, fraction=0.4),
    "stall": Fault("stall", times=1, fraction=0.4),
    "short without Content-Length": Fault("short", times=1),
    "500 then fine": Fault("status", status=500, times=2),
    "503 with Retry-After": Fault("status", status=503, times=1, retry_after=1),
    "429": Fault("status", status=429, times=1),
    "Range ignored": Fault("ignore-range"),
    "no Accept-Ranges": Fault("no-accept-ranges"),
    "no validators": Fault("no-validators"),
    "no Content-Length": Fault("chunked"),
}


@pytest.mark.parametrize("name", PASSES)
def test_what_passes_is_got_over(day, bad, name):
    day.bucket.fail(fault_for(PASSES[name], bad))
    job = day.fetch(source="s3")
    day.check_all_complete(job)
    assert day.requests() == [], "S3 alone was wanted"


# -- what does not pass ---------------------------------------------------------------------

STAYS = {
    "403": Fault("status", status=403),
    "404": Fault("status", status=404),
    "500": Fault("status", status=500),
    "503": Fault("status", status=503, retry_after=0),
    "truncated to nothing": Fault("truncate", fraction=0),
    "stall": Fault("stall", fraction=0),
    "reset": Fault("reset", fraction=0),
    "corrupt": Fault("corrupt"),
    "redirect to nowhere": Fault("redirect", location="http://127.0.0.1:9/x"),
    "redirect to file:": Fault("redirect", location="file:///etc/passwd"),
}


@pytest.mark.parametrize("name", STAYS)
def test_what_does_not_pass_is_reported_where_s3_alone_was_wanted(day, bad, name):
    day.bucket.fail(fault_for(STAYS[name], bad))
    job = day.fetch(source="s3")
    day.check(job, bad=[bad])
    assert job.state == "partial", states(job)
    assert day.requests() == []
    if name in ("403", "404"):
        assert len(day.bucket_requests(bad)) <= 4, "final at once"
    day.bucket.clear_faults()
    day.check_all_complete(day.resume(job.id))


@pytest.mark.parametrize("name", STAYS)
def test_http_is_the_way_out_from_the_start(day, bad, name):
    day.bucket.fail(fault_for(STAYS[name], bad))
    job = day.fetch(source="auto")
    day.check_all_complete(job)
    file = next(f for f in job.files if f.uri == bad)
    assert file.source == "http"
    assert {f.source for f in job.files if f.uri != bad} == {"s3"}
    assert "S3" in said(job, bad) + " ".join(job.notes), "the reason is kept"


@pytest.mark.parametrize("name", [n for n in STAYS if n != "corrupt"])
def test_http_is_the_way_out_in_mid_transfer(day, name):
    large = day.rows[0]["dataURI"]
    fault = fault_for(STAYS[name], large)
    fault.after = 5
    day.bucket.fail(fault)
    job = day.fetch(source="auto")
    day.check_all_complete(job)
    assert job.files[0].source == "http"
    assert "S3" in said(job, large) + " ".join(job.notes), "the reason is kept"


def test_a_bucket_that_is_not_there_is_left_out(day):
    day.bucket.stop()
    job = day.fetch(source="auto")
    day.check_all_complete(job)
    assert {file.source for file in job.files} == {"http"}
    assert "S3" in said(job, day.rows[0]["dataURI"]) + " ".join(job.notes)


def test_a_bucket_whose_name_nobody_knows_is_left_out(day, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://bucket.invalid")
    day.check_all_complete(day.fetch(source="auto"))


def test_a_bucket_that_goes_away_in_mid_transfer_is_left(day):
    day.bucket.bandwidth = 400_000
    job = day.mast().fetch(day.table, source="auto", block=False)
    until(lambda: job.files and job.files[0].bytes_done > 300_000)
    day.bucket.stop()
    assert job.wait(40)
    day.check_all_complete(job)
    assert job.files[0].source == "http"
    assert "S3" in said(job, day.rows[0]["dataURI"]) + " ".join(job.notes)


def test_a_bucket_that_goes_away_for_a_while_is_waited_for_where_s3_alone_was_wanted(day):
    day.bucket.bandwidth = 400_000
    with jdaviz_mast.conf.set_temp("retries", 7):
        job = day.mast().fetch(day.table, source="s3", block=False)
        until(lambda: job.files and job.files[0].bytes_done > 300_000)
        day.bucket.stop()
        time.sleep(3)
        day.bucket.bandwidth = None
        day.bucket.start()
        assert job.wait(30)
    day.check_all_complete(job)
    assert day.requests() == []


def test_when_both_sources_fail_the_reason_is_of_both(day, bad):
    day.bucket.fail(fault_for(Fault("status", status=404), bad))
    day.archive.fail(Fault("status", status=403, match=bad))
    job = day.fetch(source="auto")
    day.check(job, bad=[bad])
    assert job.state == "partial"
    assert "S3" in said(job, bad) + " ".join(job.notes)


# -- what is not in the cloud ---------------------------------------------------------------


def test_a_product_that_is_not_in_the_bucket_comes_over_http(day, bad):
    day.bucket.delete(f"jwst/public/{bad.rsplit('/', 1)[-1]}")
    job = day.fetch(source="auto")
    day.check_all_complete(job)
    assert next(f for f in job.files if f.uri == bad).source == "http"


def test_a_product_that_the_look_up_does_not_know_is_said_so(day):
    unknown = "mast:JWST/product/jw99999_nobody.fits"
    day.rows.append(day.rows[1] | {"dataURI": unknown, "productFilename": "nobody.fits"})
    job = day.fetch(source="s3")
    day.check(job, bad=[unknown])
    assert job.state == "partial"
    assert "cloud" in job.files[-1].error.lower() or "S3" in job.files[-1].error


@pytest.mark.parametrize(
    "fault",
    [Fault("status", status=500, route="lookup"), Fault("html", route="lookup"),
     Fault("truncate", route="lookup"), Fault("stall", route="lookup", fraction=0)],
    ids=lambda fault: fault.kind,
)  # fmt: skip
def test_a_look_up_that_fails_is_no_reason_not_to_fetch(day, fault):
    day.archive.fail(fault)
    job = day.fetch(source="auto")
    day.check_all_complete(job)
    assert {file.source for file in job.files} == {"http"}
    assert " ".join(job.notes) + said(job, day.rows[0]["dataURI"]), "the reason is kept"


# -- an object that changes -----------------------------------------------------------------


@pytest.mark.parametrize("after", [1, 4, 10])
def test_an_object_that_changes_between_two_parts_is_all_new(day, after):
    large, old = day.rows[0]["dataURI"], day.contents[LARGE][0]
    new, changed = reprocessed(old), []

    def change(request):
        if not changed and len(day.bucket_requests(large)) > after:
            changed.append(True)
            day.put(LARGE, new)

    day.bucket.before = change
    day.contents[LARGE] = [new]
    job = day.fetch(source="s3")
    day.check_all_complete(job)
    assert CHANGED in said(job, large)


def test_an_object_that_changes_between_two_runs_is_all_new(day):
    large, new = day.rows[0]["dataURI"], reprocessed(day.contents[LARGE][0])
    job = half_fetched(day)
    day.put(LARGE, new)
    day.contents[LARGE] = [new]
    again = day.resume(job.id)
    day.check_all_complete(again)
    assert CHANGED in said(again, large)


def test_wrong_bytes_in_the_middle_are_noticed_by_the_checksum(day):
    """The bucket's ETag of an object that was put in one piece is the MD5 of its bytes."""
    large = day.rows[0]["dataURI"]
    day.bucket.fail(fault_for(Fault("corrupt", after=3, times=1), large))
    job = day.fetch(source="s3")
    day.check(job, bad=[large])
    day.bucket.clear_faults()
    day.check_all_complete(day.resume(job.id))


# -- from run to run ------------------------------------------------------------------------


def test_what_is_there_is_not_fetched_again(day):
    large, path = day.rows[0]["dataURI"], day.path(LARGE)
    job = half_fetched(day)
    finished, before = journalled(path), len(day.bucket_requests(large))
    assert length(finished) > 300_000
    day.check_all_complete(day.resume(job.id))
    assert overlap(day.bucket_ranges(large, before), finished) == []


@pytest.mark.parametrize("source", ["s3", "auto"])
def test_a_kill_loses_nothing_that_was_journalled(day, source):
    large, path = day.rows[0]["dataURI"], day.path(LARGE)
    settings = {"environ": {"AWS_ENDPOINT_URL_S3": day.bucket.url}, "timeout": 2.0}
    job_id = None
    day.bucket.bandwidth = 500_000
    for count in range(4):
        finished, before = journalled(path), len(day.bucket_requests(large))
        run = day.start(job_id=job_id, source=source, **SMALL_PARTS, **settings)
        run.until_bytes(200_000 * (count + 1))
        job_id = run.kill()
        assert overlap(day.bucket_ranges(large, before), finished) == []
    day.bucket.bandwidth = None
    finished, before = journalled(path), len(day.bucket_requests(large))
    report = day.start(job_id=job_id, source=source, **SMALL_PARTS, **settings).report()
    day.check_all_complete(report)
    assert overlap(day.bucket_ranges(large, before), finished) == []
    assert day.requests() == []


def test_parts_of_two_sources_are_never_one_file(day):
    """The bucket holds another version than the archive: an earlier processing, say."""
    data = day.contents[LARGE]
    data.append(reprocessed(data[0]))
    day.put(LARGE, data[1])
    job = half_fetched(day, "auto")
    assert length(journalled(day.path(LARGE))) > 300_000
    day.bucket.stop()
    again = day.resume(job.id)
    day.check_all_complete(again)
    assert day.path(LARGE).read_bytes() == data[0]


def test_parts_of_two_sources_are_never_one_file_in_mid_transfer(day):
    data = day.contents[LARGE]
    data.append(reprocessed(data[0]))
    day.put(LARGE, data[1])
    day.bucket.fail(fault_for(Fault("status", status=404, after=6), day.rows[0]["dataURI"]))
    job = day.fetch(source="auto")
    day.check_all_complete(job)
    assert day.path(LARGE).read_bytes() == data[0]


def test_a_cancel_takes_effect_while_the_bucket_is_silent(day):
    day.bucket.latency = 30
    with jdaviz_mast.conf.set_temp("timeout", 60.0):
        job = day.mast().fetch(day.table, source="auto", block=False)
        until(lambda: day.bucket_requests())
        began = time.monotonic()
        job.cancel()
        assert job.wait(5)
    assert time.monotonic() - began < 1.5
    day.check(job, bad=[row["dataURI"] for row in day.rows])


def test_an_endpoint_that_is_no_address_is_an_error_that_says_so(day, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "not an address")
    job = day.mast().fetch(day.table, source="http", block=False)
    assert job.wait(20)
    day.check_all_complete(job)
    with pytest.raises(jdaviz_mast.errors.MastError, match="AWS_ENDPOINT_URL_S3"):
        day.mast().fetch(day.table, source="s3")


def test_a_file_that_is_damaged_is_replaced_from_s3_alone_too(day):
    """Its size is right, so that only its content tells."""
    day.check_all_complete(day.fetch(source="s3"))
    path, whole = day.path(LARGE), day.contents[LARGE][0]
    path.write_bytes(b"SIMPLE  = not so" + bytes(len(whole) - 16))
    job = day.fetch(source="s3")
    assert job.state == "complete"
    assert path.read_bytes() == whole
    assert path.with_name(f"{path.name}.aside1").exists()
    assert "What stood in its place was not this file" in said(job, day.rows[0]["dataURI"])


def test_a_damaged_file_that_failed_is_listed_as_failed(day):
    day.check_all_complete(day.fetch())
    path, whole = day.path(LARGE), day.contents[LARGE][0]
    path.write_bytes(b"SIMPLE  = not so" + bytes(len(whole) - 16))
    day.bucket.fail(fault_for(Fault("status", status=403), day.rows[0]["dataURI"]))
    job = day.fetch(source="s3")
    kept = next(each for each in day.mast().jobs if each.id == job.id)
    assert [file.state for file in kept.files].count("failed") == 1
