"""Bad days over HTTP: whatever goes wrong on the way, no file is wrong and called complete."""

import email.utils
import socket
import time
from pathlib import Path

import pytest
from astropy.table import MaskedColumn
from bad_days import (
    CHANGED,
    MB,
    SMALL_PARTS,
    BadDay,
    fits,
    free_port,
    is_sentence,
    patience,
    reprocessed,
    said,
    states,
    until,
)

import jdaviz_mast
from jdaviz_mast import Mast
from jdaviz_mast.demo import DemoArchive, Fault
from jdaviz_mast.demo.faults import FAULT_KINDS

pytestmark = pytest.mark.slow

CONNECTIONS = 4  # the default of jdaviz_mast.conf
SIZES = {"many parts": "large_i2d.fits", "one part": "1_x1d.fits"}


@pytest.fixture(autouse=True)
def _quick(request, monkeypatch):
    """Short pauses and small parts."""
    for name, value in SMALL_PARTS.items():
        monkeypatch.setattr(f"jdaviz_mast.transfer.{name}", value)
    with (
        jdaviz_mast.conf.set_temp("timeout", patience(request)),
        jdaviz_mast.conf.set_temp("retries", 2),
    ):
        yield


@pytest.fixture
def day(archive, tmp_path):
    """One file of sixteen parts and three small ones, and what goes wrong."""
    day = BadDay(archive, tmp_path)
    day.serve_four()
    return day


@pytest.fixture(params=SIZES)
def bad(request, day):
    """URI of the file that has the bad day: a large or a small one."""
    return next(r["dataURI"] for r in day.rows if r["productFilename"] == SIZES[request.param])


def name_of(day, uri):
    return next(r["productFilename"] for r in day.rows if r["dataURI"] == uri)


# -- what passes ----------------------------------------------------------------------------

PASSES = {
    "truncated at the start": Fault("truncate", times=1, fraction=0),
    "truncated": Fault("truncate", times=2, fraction=0.4),
    "truncated at the end": Fault("truncate", times=1, fraction=0.9999),
    "truncated, a later part": Fault("truncate", times=1, after=2),
    "truncated, time after time": Fault("truncate", times=8, fraction=0.5),
    "reset at the start": Fault("reset", times=1, fraction=0),
    "reset": Fault("reset", times=2, fraction=0.4),
    "stall at the start": Fault("stall", times=1, fraction=0),
    "stall": Fault("stall", times=1, fraction=0.4),
    "short without Content-Length": Fault("short", times=1),
    "short, nothing at all": Fault("short", times=1, fraction=0),
    "500 then fine": Fault("status", status=500, times=2),
    "502 then fine": Fault("status", status=502, times=1),
    "504 then fine": Fault("status", status=504, times=1),
    "408 then fine": Fault("status", status=408, times=1),
    "503": Fault("status", status=503, times=1),
    "503 in the middle": Fault("status", status=503, times=1, after=3),
    "503 with Retry-After": Fault("status", status=503, times=1, retry_after=1),
    "429 with Retry-After": Fault("status", status=429, times=2, retry_after=1),
    "nonsense as Retry-After": Fault("status", status=503, times=1, retry_after="soon"),
    "negative Retry-After": Fault("status", status=503, times=1, retry_after=-5),
    "Range ignored": Fault("ignore-range"),
    "Range ignored once": Fault("ignore-range", times=1, after=1),
    "no Accept-Ranges": Fault("no-accept-ranges"),
    "no validators": Fault("no-validators"),
    "no ETag": Fault("no-etag"),
    "no Content-Length": Fault("chunked"),
    "gzip once": Fault("gzip", times=1),
    "gzip": Fault("gzip"),
    "gzip in the middle": Fault("gzip", times=1, after=2),
}


@pytest.mark.parametrize("name", PASSES)
def test_what_passes_is_got_over(day, bad, name):
    fault = PASSES[name]
    day.archive.fail(Fault(**vars(fault) | {"match": bad}))

    job = day.fetch()

    day.check_all_complete(job)
    assert len(day.requests(bad)) <= 60, "asked again and again"


@pytest.mark.parametrize("first", ["truncate", "reset", "short"])
def test_several_bad_things_in_a_row_are_got_over(day, bad, first):
    for fault in (
        Fault(first, times=1),
        Fault("status", status=500, after=2, times=1),
        Fault("ignore-range", after=3, times=1),
        Fault("no-validators", after=4, times=1),
    ):
        day.archive.fail(Fault(**vars(fault) | {"match": bad}))
    day.check_all_complete(day.fetch())


@pytest.mark.parametrize("way", ["seconds", "date"])
def test_retry_after_is_heeded(day, bad, way):
    pause = 4
    # A date has whole seconds: up to one of them is lost.
    value = pause if way == "seconds" else email.utils.formatdate(time.time() + pause, usegmt=True)
    day.archive.fail(Fault("status", status=503, retry_after=value, times=1, match=bad))
    began = time.monotonic()
    job = day.fetch()
    assert time.monotonic() - began > pause - 1.1
    day.check_all_complete(job)


@pytest.mark.parametrize("retry_after", [None, 86400])
def test_whoever_is_told_to_wait_can_be_cancelled_at_once(day, bad, retry_after):
    day.archive.fail(Fault("status", status=503, retry_after=retry_after, match=bad))
    with jdaviz_mast.conf.set_temp("retries", 7):
        job = day.mast().fetch(day.table, source="http", block=False)
        until(lambda: len(day.requests(bad)) >= 1)
        time.sleep(0.8)
        began = time.monotonic()
        job.cancel()
        assert job.wait(5)
    assert time.monotonic() - began < 1.5
    day.check(job, bad=[bad])


def test_a_retry_after_of_a_day_does_not_keep_a_user_for_a_day(day, bad):
    day.archive.fail(Fault("status", status=503, retry_after=86400, match=bad))
    job = day.mast().fetch(day.table, source="http", block=False)
    others = lambda: [f for f in job.files if f.uri != bad]  # noqa: E731
    until(lambda: others() and all(f.state == "complete" for f in others()), 10, "the others")
    job.cancel()
    assert job.wait(5)
    day.check(job, bad=[bad])


# -- what does not pass ---------------------------------------------------------------------

STAYS = {
    "401": Fault("status", status=401),
    "403": Fault("status", status=403),
    "404": Fault("status", status=404),
    "410": Fault("status", status=410),
    "400": Fault("status", status=400),
    "500": Fault("status", status=500),
    "500 from the second part on": Fault("status", status=500, after=1),
    "403 from the second part on": Fault("status", status=403, after=1),
    "truncated to nothing": Fault("truncate", fraction=0),
    "reset": Fault("reset", fraction=0),
    "stall": Fault("stall", fraction=0),
    "short": Fault("short", fraction=0.3),
    "corrupt": Fault("corrupt"),
    "a web page": Fault("html"),
    "redirect to file:": Fault("redirect", location="file:///etc/passwd"),
    "redirect to ftp:": Fault("redirect", location="ftp://127.0.0.1/x"),
    "redirect to nowhere": Fault("redirect", location="http://127.0.0.1:9/x"),
    "redirect to an unknown host": Fault("redirect", location="http://archive.invalid/x"),
    "redirect to nonsense": Fault("redirect", location="http://[::1"),
}
FINAL = {"401", "403", "404", "410"}


@pytest.mark.parametrize("name", STAYS)
def test_what_does_not_pass_is_reported_and_fetched_on_another_day(day, bad, name):
    fault = STAYS[name]
    day.archive.fail(Fault(**vars(fault) | {"match": bad}))

    job = day.fetch()

    day.check(job, bad=[bad])
    file = next(f for f in job.files if f.uri == bad)
    one_request = file.name == SIZES["one part"]
    if file.state == "complete":
        assert "second part" in name and one_request or name == "short", states(job)
    if name in FINAL:
        assert len(day.requests(bad)) <= (1 if one_request else CONNECTIONS), "final at once"
    assert len(day.requests(bad)) <= 80

    day.archive.clear_faults()
    day.check_all_complete(day.resume(job.id))


def test_a_file_that_is_not_there_is_final_in_mid_transfer_too(day, bad):
    day.archive.fail(Fault("status", status=404, after=1, match=bad))
    job = day.fetch()
    day.check(job, bad=[bad])
    assert len(day.requests(bad)) <= 1 + CONNECTIONS


def test_a_redirect_in_a_loop_ends(day, bad):
    location = f"{day.archive.url}/api/v0.1/Download/file?uri={bad}"
    day.archive.fail(Fault("redirect", location=location, match=bad))
    job = day.fetch()
    day.check(job, bad=[bad])
    file = next(f for f in job.files if f.uri == bad)
    assert file.state == "failed"
    assert "redirect" in file.error.lower()
    assert len(day.requests(bad)) <= 200


def test_a_redirect_to_another_host_is_followed_and_told_nothing(day, bad, monkeypatch):
    monkeypatch.setenv("MAST_API_TOKEN", "a-secret-of-this-test")
    name = name_of(day, bad)
    with DemoArchive() as other:
        other.add_bytes("mast:JWST/product/elsewhere.fits", day.contents[name][0])
        place = other.url.replace("127.0.0.1", "localhost")
        location = f"{place}/api/v0.1/Download/file?uri=mast:JWST/product/elsewhere.fits"
        day.archive.fail(Fault("redirect", location=location, match=bad))
        job = day.fetch()
        elsewhere = other.requests
    day.check_all_complete(job)
    assert elsewhere
    for request in elsewhere:
        assert "authorization" not in request.headers
        assert "cookie" not in request.headers
        assert "a-secret-of-this-test" not in repr(vars(request))


@pytest.mark.parametrize("wrong", [-2880, -1, 1, 2880, 1 << 20], ids=lambda n: f"{n:+}")
def test_a_wrong_size_in_the_catalogue_makes_no_wrong_file(day, bad, wrong):
    row = next(r for r in day.rows if r["dataURI"] == bad)
    row["size"] += wrong
    job = day.fetch()
    day.check(job, bad=[bad])
    file = next(f for f in job.files if f.uri == bad)
    if file.state == "failed":
        assert str(row["size"]) in file.error.replace(",", "").replace("\u202f", "")


@pytest.mark.parametrize("size", [0, -1, 10**18])
def test_an_impossible_size_in_the_catalogue_makes_no_wrong_file(day, bad, size):
    next(r for r in day.rows if r["dataURI"] == bad)["size"] = size
    job = day.fetch()
    day.check(job, bad=[bad])


def test_an_empty_file_is_a_whole_file(day):
    day.serve("empty.csv", b"")
    day.check_all_complete(day.fetch())


@pytest.mark.parametrize("kind", ["plain", "chunked", "no-validators", "no-accept-ranges", "gzip"])
def test_a_file_whose_size_nobody_knows_arrives(day, bad, kind):
    products = day.table
    products["size"] = MaskedColumn(
        [r["size"] for r in day.rows], mask=[r["dataURI"] == bad for r in day.rows]
    )
    if kind != "plain":
        day.archive.fail(Fault(kind, match=bad))
    job = day.mast().fetch(products, source="http", block=False)
    assert job.wait(30)
    day.check_all_complete(job)


# -- validators -----------------------------------------------------------------------------


def test_every_further_part_says_which_file_it_belongs_to(day):
    large = day.rows[0]["dataURI"]
    day.check_all_complete(day.fetch())
    asked = day.requests(large)
    later = [r for r in asked if not r.headers.get("range", "bytes=0-").startswith("bytes=0-")]
    assert len(later) > 3, "it came in one part"
    assert all(r.headers.get("if-range") for r in later)
    assert len({r.headers["if-range"] for r in later}) == 1


@pytest.mark.parametrize("fault", ["truncate", "reset", "short", "stall"])
def test_without_a_validator_nothing_is_spliced(day, bad, fault):
    day.archive.fail(Fault("no-validators", match=bad))
    day.archive.fail(Fault(fault, times=1, match=bad))
    day.archive.fail(Fault("changed", after=1, match=bad))
    data = day.contents[name_of(day, bad)]
    data[:] = [data[0], reprocessed(data[0])]

    job = day.fetch()

    day.check_all_complete(job)  # all old or all new
    assert day.path(name_of(day, bad)).read_bytes() == data[1]
    assert all(r.headers.get("range", "bytes=0-").startswith("bytes=0-") for r in day.requests(bad))


@pytest.mark.parametrize("fault", ["no-validators", "no-etag"])
def test_without_an_etag_a_cancelled_file_is_resumed_only_by_its_date(day, fault):
    large = day.rows[0]["dataURI"]
    day.archive.fail(Fault(fault, match=large))
    day.archive.bandwidth = 300_000
    job = day.mast().fetch(day.table, source="http", block=False)
    until(lambda: job.files and job.files[0].bytes_done > 400_000)
    job.cancel()
    assert job.wait(5)
    day.archive.bandwidth = None
    before = len(day.requests(large))
    again = day.resume(job.id)
    day.check_all_complete(again)
    fetched = sum(stop - start for start, stop in day.ranges(large, before))
    if fault == "no-validators":  # all of it again, after a first part that showed it
        assert MB <= fetched <= MB + SMALL_PARTS["schedule.LARGEST_PART"]
    else:
        assert fetched < 700_000


# -- a file that changes --------------------------------------------------------------------


@pytest.mark.parametrize("after", [1, 2, 5, 9, 15])
def test_a_file_that_changes_between_two_parts_is_all_new(day, after):
    large = day.rows[0]["dataURI"]
    old = day.contents["large_i2d.fits"][0]
    day.contents["large_i2d.fits"] = [reprocessed(old)]
    # The archive counts the requests that are answered well: first the old file, then the new.
    day.archive.fail(Fault("changed", after=after, match=large))
    job = day.fetch()
    day.check_all_complete(job)
    assert CHANGED in said(job, large)


def test_a_file_that_goes_on_changing_is_never_a_mixture(day):
    large = day.rows[0]["dataURI"]
    data = day.contents["large_i2d.fits"]
    data[:] = [data[0], reprocessed(data[0])]
    for turn in range(1, 400, 2):
        day.archive.fail(Fault("changed", after=turn, times=1, match=large))
    job = day.fetch(120)
    day.check(job, bad=[large])
    assert CHANGED in said(job, large)


@pytest.mark.parametrize("change", ["same size", "longer", "shorter", "much shorter"])
def test_a_file_that_changes_between_two_runs_is_all_new(day, change):
    large = day.rows[0]["dataURI"]
    old = day.contents["large_i2d.fits"][0]
    day.archive.bandwidth = 300_000
    job = day.mast().fetch(day.table, source="http", block=False)
    until(lambda: job.files and job.files[0].bytes_done > 400_000)
    job.cancel()
    assert job.wait(5)
    day.check(job, bad=[f.uri for f in job.files])
    day.archive.bandwidth = None
    if change == "same size":
        day.archive.fail(Fault("changed", match=large))
        day.contents["large_i2d.fits"] = [reprocessed(old)]
    else:
        size = {"longer": len(old) + 28800, "shorter": len(old) - 28800, "much shorter": 5760}
        row, others = day.rows[0], day.rows[1:]
        day.serve("large_i2d.fits", fits(size[change], "another"))
        day.rows = [row, *others]

    again = day.resume(job.id)

    if change == "same size":
        day.check_all_complete(again)
    else:  # it is not of the size that the job knows from the catalogue
        day.check(again, bad=[large])
    assert CHANGED in said(again, large)


@pytest.mark.parametrize("change", ["longer", "shorter"])
def test_a_file_that_gets_another_size_on_the_way_is_no_mixture(day, change):
    row = day.rows[0]
    large, old = row["dataURI"], day.contents["large_i2d.fits"][0]
    day.archive.bandwidth = 300_000
    job = day.mast().fetch(day.table, source="http", block=False)
    until(lambda: job.files and job.files[0].bytes_done > 300_000)
    day.serve("large_i2d.fits", fits(len(old) + (28800 if change == "longer" else -28800), 5))
    day.rows = [row, *(r for r in day.rows if r["dataURI"] != large)]
    day.contents["large_i2d.fits"].append(old)  # if all parts were on their way already
    day.archive.bandwidth = None
    assert job.wait(30)
    day.check(job, bad=[large])
    file = next(f for f in job.files if f.uri == large)
    if file.state == "failed" or file.path.read_bytes() != old:
        assert CHANGED in said(job, large)


def test_a_new_import_takes_up_what_an_earlier_one_left(day):
    large = day.rows[0]["dataURI"]
    day.archive.bandwidth = 300_000
    job = day.mast().fetch(day.table, source="http", block=False)
    until(lambda: job.files and job.files[0].bytes_done > 500_000)
    job.cancel()
    assert job.wait(5)
    day.archive.bandwidth = None
    before = len(day.requests(large))
    day.check_all_complete(day.fetch())
    assert sum(stop - start for start, stop in day.ranges(large, before)) < 700_000


# -- the server -----------------------------------------------------------------------------


def test_a_server_that_is_gone_for_20_seconds_is_waited_for(tmp_path, monkeypatch):
    monkeypatch.setattr("jdaviz_mast.transfer.hosts._FIRST_PAUSE", 0.5)  # as it is
    port = free_port()
    archive = DemoArchive(port=port, bandwidth=300_000)
    archive.start()
    try:
        day = BadDay(archive, tmp_path)
        large = day.serve_four()
        with jdaviz_mast.conf.set_temp("retries", 7):
            job = day.mast().fetch(day.table, source="http", block=False)
            until(lambda: job.files and job.files[0].bytes_done > 300_000)
            archive.stop()
            time.sleep(20)
            assert not job.wait(0), states(job)
            archive.bandwidth = None
            archive.start()
            assert job.wait(45), states(job)
        day.check_all_complete(job)
        assert sum(stop - start for start, stop in day.ranges(large)) < MB
    finally:
        archive.stop()


def test_a_server_that_stays_away_is_reported(day):
    day.archive = DemoArchive(port=free_port())
    url = f"http://127.0.0.1:{day.archive._port}"
    job = Mast(url, day.folder).fetch(day.table, source="http", block=False)
    assert job.wait(30)
    day.check(job, bad=[r["dataURI"] for r in day.rows])
    assert job.state == "failed"


def test_a_name_that_nobody_knows_is_reported(day):
    job = Mast("http://archive.invalid", day.folder).fetch(day.table, source="http", block=False)
    assert job.wait(30)
    day.check(job, bad=[r["dataURI"] for r in day.rows])
    assert job.state == "failed"
    assert all("archive.invalid" in file.error for file in job.files)
    assert all(is_sentence(file.error) for file in job.files)
    day.check_all_complete(day.fetch())


def test_names_that_are_known_again_are_asked_for_again(day, monkeypatch):
    # A resolver of our own cannot be put into the system: the call to it is what fails here.
    lookup, failures = socket.getaddrinfo, []

    def unreliable(host, *args, **kwargs):
        if len(failures) < 2:  # as often as it is tried again
            failures.append(host)
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return lookup(host, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", unreliable)
    job = day.fetch()
    assert failures
    day.check_all_complete(job)


def test_cancel_takes_effect_while_nothing_comes(day, bad):
    day.archive.fail(Fault("stall", fraction=0.3))
    with jdaviz_mast.conf.set_temp("timeout", 60.0):
        job = day.mast().fetch(day.table, source="http", block=False)
        until(lambda: len(day.requests()) >= 2)
        began = time.monotonic()
        job.cancel()
        assert job.wait(5)
    assert time.monotonic() - began < 1.5
    assert job.state == "cancelled"
    day.check(job, bad=[r["dataURI"] for r in day.rows])
    day.archive.clear_faults()
    day.check_all_complete(day.resume(job.id))


def test_every_bad_day_of_the_archive_is_lived_through_here():
    """A fault that is added to the embedded archive is to be survived as well."""
    text = Path(__file__).read_text()
    elsewhere = {"error", "wrong-size"}  # answers of the portal
    assert [kind for kind in FAULT_KINDS if f'"{kind}"' not in text and kind not in elsewhere] == []
