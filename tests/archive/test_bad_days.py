"""On a bad day of the archive or the network: one clear sentence, of the right type, soon."""

import json
import socket
import time
from urllib.parse import urlsplit

import numpy as np
import pytest
from astropy.table import Table

from jdaviz_mast import Mast, conf
from jdaviz_mast.demo import DemoArchive
from jdaviz_mast.demo.faults import Fault
from jdaviz_mast.demo.portal import columns_config
from jdaviz_mast.errors import (
    ArchiveError,
    ArchiveTimeout,
    ArchiveUnreachable,
    Cancelled,
    MastError,
)

MOSAIC = "jw02733-o001_t001_nircam_clear-f090w"

NGC_3132 = (151.75725, -40.436406, 0.1)
OBSERVATION = Table({"obsid": ["87602454"]})

# How each service of the archive is reached, and the route it has in the embedded one.
QUESTIONS = {
    "search": ("invoke", lambda mast: mast.search(program_id=2733)),
    "name": ("resolve", lambda mast: mast.search("NGC 3132")),
    "columns": ("columns", lambda mast: mast.search(program_id=2733)),
    "products": ("invoke", lambda mast: mast.products(OBSERVATION)),
}


@pytest.fixture(params=QUESTIONS)
def question(request):
    """An archive, the route of a question to it, and a callable that asks it.

    A bad answer about the columns shows only where they are not known yet.
    """
    route, ask = QUESTIONS[request.param]
    archive = request.getfixturevalue("unknown_archive" if route == "columns" else "archive")
    return archive, route, lambda: ask(Mast(archive.url))


@pytest.fixture
def unknown_archive():
    """An archive that this process has not spoken to yet."""
    with DemoArchive() as archive:
        yield archive


@pytest.fixture
def impatient():
    """Give up after a second of silence."""
    with conf.set_temp("timeout", 1.0):
        yield


def assert_clear(error, server):
    """One or two plain sentences that name the archive, and nothing of Python's own."""
    message = str(error)
    assert urlsplit(server).netloc in message
    assert message.endswith(".")
    assert "\n" not in message
    assert len(message) < 250
    for jargon in ("Error(", "Exception", "object at 0x", "NoneType", "Traceback", "'dict'"):
        assert jargon not in message


# -- nobody there ----------------------------------------------------------------------------


def test_a_refused_connection_is_unreachable(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        server = f"http://127.0.0.1:{taken.getsockname()[1]}"
    with pytest.raises(ArchiveUnreachable, match="cannot be reached. Check the network") as raised:
        Mast(server, tmp_path).search(program_id=2733)
    assert_clear(raised.value, server)
    assert isinstance(raised.value, ConnectionError)


def test_an_unknown_host_is_unreachable(tmp_path):
    server = "http://archive.invalid"
    with pytest.raises(ArchiveUnreachable, match="cannot be reached. Check the network") as raised:
        Mast(server, tmp_path).search("NGC 3132")
    assert_clear(raised.value, server)


def test_no_network_is_unreachable(tmp_path, monkeypatch):
    def no_network(*args, **kwargs):
        raise OSError(101, "Network is unreachable")

    monkeypatch.setattr(socket.socket, "connect", no_network)
    with pytest.raises(ArchiveUnreachable, match="Check the network"):
        Mast("http://127.0.0.1:9", tmp_path).search(program_id=2733)


# -- nobody answers --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fraction", [None, 0.0, 0.5], ids=["no headers", "no body", "half the body"]
)
def test_silence_is_a_timeout(mast, archive, impatient, fraction):
    if fraction is None:
        archive.latency = 30
    else:
        archive.fail(Fault("stall", route="*", fraction=fraction))
    began = time.monotonic()
    with pytest.raises(ArchiveTimeout, match="did not answer in time. Try again") as raised:
        mast.search(program_id=2733)
    assert 0.9 < time.monotonic() - began < 2.5
    assert_clear(raised.value, archive.url)
    assert isinstance(raised.value, TimeoutError)


def test_executing_for_ever_is_a_timeout_and_does_not_hammer(mast, archive, asked, impatient):
    archive.executing = -1
    began = time.monotonic()
    with pytest.raises(ArchiveTimeout, match="working on this search for 1 s .* smaller radius"):
        mast.search(program_id=2733)
    assert time.monotonic() - began < 3
    assert 3 <= len(asked("invoke")) <= 6


@pytest.mark.parametrize("times", [1, 2])
def test_executing_for_a_while_is_waited_for_with_growing_pauses(mast, archive, asked, held, times):
    archive.executing = times
    began = time.monotonic()
    found = mast.search(program_id=2733)
    waited = time.monotonic() - began
    assert [str(obs_id) for obs_id in found["obs_id"]] == held(
        lambda row: row["proposal_id"] == "2733"
    )
    requests = asked("invoke")
    assert len(requests) == times + 1
    assert len({request.body for request in requests}) == 1, "the same question is repeated"
    assert waited > 0.1 * (2**times - 1)


def test_each_search_starts_with_the_shortest_pause(mast, archive):
    archive.executing = 1
    began = time.monotonic()
    for _ in range(3):
        mast.search(observation_id=MOSAIC)
    assert time.monotonic() - began < 1.5


def test_a_search_that_executes_is_cancelled_within_a_second(mast, archive, asked):
    archive.executing = -1
    began = time.monotonic()

    def check_cancelled():
        # Late enough for the pauses between two questions to have grown beyond a second.
        if time.monotonic() - began > 1.7:
            raise Cancelled("The search was cancelled.")

    with pytest.raises(Cancelled):
        mast.search(program_id=2733, check_cancelled=check_cancelled)
    assert time.monotonic() - began < 2.7
    requests = len(asked())
    time.sleep(0.2)
    assert len(asked()) == requests, "nothing goes on in the background"


def test_a_search_that_is_cancelled_before_it_begins_asks_at_most_once(mast, asked):
    def check_cancelled():
        raise Cancelled("The search was cancelled.")

    with pytest.raises(Cancelled):
        mast.search("NGC 3132", check_cancelled=check_cancelled)
    assert len(asked()) <= 1


# -- somebody answers something else ---------------------------------------------------------


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500, 502, 503])
def test_an_http_error_is_named_with_its_status(question, status):
    archive, route, ask = question
    archive.fail(Fault("status", route=route, status=status))
    with pytest.raises(ArchiveError, match=rf"answered with an error \(HTTP {status}\)") as raised:
        ask()
    assert_clear(raised.value, archive.url)


def test_an_error_of_the_portal_is_passed_on_in_its_words(mast, archive):
    archive.fail(Fault("error", message="Too many rows: narrow the search"))
    with pytest.raises(ArchiveError, match="Too many rows: narrow the search") as raised:
        mast.search(program_id=2733)
    assert_clear(raised.value, archive.url)


def test_a_web_page_is_no_answer(question):
    archive, route, ask = question
    archive.fail(Fault("html", route=route))
    with pytest.raises(ArchiveError, match=r"not an answer \(no JSON\). A login page") as raised:
        ask()
    assert_clear(raised.value, archive.url)


@pytest.mark.parametrize("kind", ["truncate", "reset", "short"])
def test_an_answer_cut_short_is_not_taken_for_an_answer(question, kind):
    archive, route, ask = question
    archive.fail(Fault(kind, route=route))
    with pytest.raises((ArchiveUnreachable, ArchiveError)) as raised:
        ask()
    assert_clear(raised.value, archive.url)


MEANINGLESS = [
    b"", b"\xff\xfe", b"null", b"[]", b"3", b'"COMPLETE"',
]  # fmt: skip
MEANINGLESS_POSITIONS = [
    b'{"resolvedCoordinate": [{"ra": "here", "decl": null}], "status": ""}',
    b'{"resolvedCoordinate": [{}], "status": ""}',
    b'{"resolvedCoordinate": 3, "status": ""}',
]
MEANINGLESS_ROWS = [
    b"{}",
    b'{"status": "COMPLETE"}',
    b'{"status": "COMPLETE", "data": [], "fields": null}',
    b'{"status": "COMPLETE", "data": null, "fields": [{"name": "obs_id", "type": "string"}]}',
    b'{"status": "COMPLETE", "data": [3], "fields": [{"name": "obs_id", "type": "string"}]}',
]


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        *(("search", answer) for answer in MEANINGLESS + MEANINGLESS_ROWS),
        *(("products", answer) for answer in MEANINGLESS + MEANINGLESS_ROWS),
        *(("name", answer) for answer in MEANINGLESS + MEANINGLESS_POSITIONS),
    ],
)
def test_an_answer_that_makes_no_sense_is_an_archive_error(answering, tmp_path, name, answer):
    server = answering(answer)
    _, ask = QUESTIONS[name]
    with pytest.raises(ArchiveError, match="not an answer|makes no sense") as raised:
        ask(Mast(server, tmp_path))
    assert_clear(raised.value, server)


def test_rows_of_something_else_are_no_observations(answering, tmp_path):
    body = columns_config("Mast.Caom.Cone") | {
        "status": "COMPLETE",
        "msg": "",
        "data": [{"Column1": 5}],
        "fields": [{"name": "Column1", "type": "int"}],
        "paging": {"page": 1, "pagesFiltered": 1},
    }
    server = answering(json.dumps(body).encode())
    with pytest.raises(ArchiveError, match="without rows") as raised:
        Mast(server, tmp_path).search(program_id=2733)
    assert_clear(raised.value, server)


@pytest.mark.parametrize("kind", ["chunked", "gzip"])
def test_another_way_of_sending_changes_nothing(mast, archive, held, kind):
    archive.fail(Fault(kind, route="*"))
    found = mast.search(program_id=2736)
    assert list(found["obs_id"]) == held(lambda row: row["proposal_id"] == "2736")


@pytest.mark.parametrize("kind", ["status", "html", "truncate"])
@pytest.mark.parametrize("route", ["columns", "invoke", "resolve"])
def test_after_a_bad_answer_the_next_search_is_fine(unknown_archive, held, route, kind):
    archive, mast = unknown_archive, Mast(unknown_archive.url)
    archive.fail(Fault(kind, route=route, times=1))
    with pytest.raises(MastError):
        mast.search("NGC 3132")
    assert list(mast.search("NGC 3132")["obs_id"]) == held(near=NGC_3132)


def test_a_row_with_nothing_but_its_id_is_still_a_row(mast, archive):
    row = archive.observations[0]
    row |= {name: None for name in row if name not in ("obs_id", "obsid", "calib_level")}
    (found,) = mast.search(observation_id=row["obs_id"])
    assert found["obs_id"] == row["obs_id"]
    for name in row:
        if row[name] is None:
            assert np.ma.is_masked(found[name]) or np.isnan(found[name]), name


@pytest.mark.parametrize("bad", ["long", "", [], [3], [3, 4], {"s": 3}])
def test_a_bad_value_costs_its_cell_and_is_said(mast, archive, held, bad):
    row = next(row for row in archive.observations if row["obs_id"] == MOSAIC)
    row |= {"t_exptime": bad, "intentType": [1, 2]}
    others = [row for row in archive.observations if row["obs_id"] in held(near=NGC_3132)]

    found = mast.search("NGC 3132")
    (alone,) = mast.search(observation_id=MOSAIC)

    assert list(found["obs_id"]) == [row["obs_id"] for row in others]
    for row, other in zip(found, others, strict=True):
        if row["obs_id"] != MOSAIC:
            assert row["t_exptime"] == other["t_exptime"]
    mosaic = found[list(found["obs_id"]).index(MOSAIC)]
    for one in (mosaic, alone):
        assert np.isnan(one["t_exptime"])  # as where MAST has none
        assert one["t_min"] == next(o["t_min"] for o in others if o["obs_id"] == MOSAIC)
    notes = found.meta["mast_search"]["notes"]
    said = f"The archive's t_exptime of {MOSAIC} cannot be read and is left out: {bad!r}."
    assert (said in notes) is (bad not in ("", []))
    assert any("intentType" in note for note in notes)


@pytest.mark.parametrize("bad", ["3.5 kB", 10**30])
def test_many_bad_values_are_named_in_part(mast, archive, bad):
    """A whole number too large for its column, or none: in columns of whole numbers."""
    own = next(row["obsid"] for row in archive.observations if row["obs_id"] == MOSAIC)
    listed = [product for product in archive.products if product["parent_obsid"] == own]
    for product in listed:
        product["size"] = bad

    products = mast.products(MOSAIC, all_levels=True)

    assert products["size"].mask.all()
    *named, last = products.meta["mast_unreadable"]
    assert all("The archive's size of " in sentence for sentence in named)
    assert last == f"{len(listed) - len(named):,} more values cannot be read and are left out."
