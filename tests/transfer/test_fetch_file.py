"""One file over HTTP: whole and checked under its name, or not there at all."""

import gzip
import socket
import time
from functools import partial

import pytest

from jdaviz_mast.demo.faults import Fault
from jdaviz_mast.errors import (
    AccessDenied,
    ArchiveUnreachable,
    Cancelled,
    FileProblem,
    MastError,
)
from jdaviz_mast.products import check_contents
from jdaviz_mast.transfer.http import TransferSession, fetch_file

CHECK = partial(check_contents, name="a_i2d.fits")  # the temporary file has another name


@pytest.fixture
def session():
    with TransferSession() as session:
        yield session


@pytest.fixture
def product(served, fits):
    """A product that the archive serves: its bytes and its address."""
    data = fits(100, seed=7)
    return data, *served("a_i2d.fits", data)


def test_a_file_arrives_byte_for_byte(session, product, tmp_path, left_behind):
    data, _, url = product
    counts = []
    fetch_file(
        session, url, tmp_path / "JWST" / "obs" / "a_i2d.fits", size=len(data),
        check=CHECK, on_bytes=counts.append,
    )  # fmt: skip
    assert (tmp_path / "JWST" / "obs" / "a_i2d.fits").read_bytes() == data
    assert left_behind() == ["JWST/obs/a_i2d.fits"]
    assert sum(counts) == len(data)


@pytest.mark.parametrize("data", [b"", b"x", b"y" * (3 << 20)], ids=["empty", "a byte", "3 MB"])
def test_files_of_any_length_arrive(session, served, tmp_path, data):
    _, url = served("a.json", data)
    fetch_file(session, url, tmp_path / "a.json", size=len(data))
    assert (tmp_path / "a.json").read_bytes() == data


@pytest.mark.parametrize("kind", ["chunked", "gzip", "no-validators", "no-accept-ranges"])
@pytest.mark.parametrize("known", [True, False], ids=["size known", "size unknown"])
def test_another_way_of_sending_changes_nothing(
    session, archive, product, tmp_path, left_behind, kind, known
):
    data, uri, url = product
    archive.fail(Fault(kind, match=uri))
    size = len(data) if known else None
    fetch_file(session, url, tmp_path / "a_i2d.fits", size=size, check=CHECK)
    assert (tmp_path / "a_i2d.fits").read_bytes() == data
    assert left_behind() == ["a_i2d.fits"]


def test_the_archive_is_asked_for_the_bytes_as_they_are_stored(session, product, tmp_path, asked):
    _, uri, url = product
    fetch_file(session, url, tmp_path / "a_i2d.fits")
    (request,) = asked(uri)
    assert request.headers["accept-encoding"] == "identity"


def test_a_file_that_is_stored_compressed_stays_so(session, served, tmp_path, fits):
    data = gzip.compress(fits(2))
    _, url = served("a_lpd-targ.fits.gz", data)
    fetch_file(
        session,
        url,
        tmp_path / "a.fits.gz",
        size=len(data),
        check=partial(check_contents, name="a.fits.gz"),
    )
    assert (tmp_path / "a.fits.gz").read_bytes() == data


def test_a_redirect_is_followed(session, archive, product, served, fits, tmp_path):
    data, uri, url = product
    elsewhere = fits(3, seed=9)
    _, location = served("elsewhere.fits", elsewhere)
    archive.fail(Fault("redirect", match=uri, location=location))
    fetch_file(session, url, tmp_path / "a_i2d.fits", size=len(elsewhere), check=CHECK)
    assert (tmp_path / "a_i2d.fits").read_bytes() == elsewhere


def test_a_redirect_in_a_circle_ends(session, archive, product, tmp_path, left_behind):
    _, uri, url = product
    archive.fail(Fault("redirect", match=uri, location=url))
    with pytest.raises(ArchiveUnreachable):
        fetch_file(session, url, tmp_path / "a_i2d.fits")
    assert left_behind() == []


# fault, whether the archive's size is known, error, words of its message
BAD = {
    "401": (Fault("status", status=401), True, AccessDenied, "exclusive access"),
    "403": (Fault("status", status=403), True, AccessDenied, "exclusive access"),
    "404": (Fault("status", status=404), True, FileProblem, r"no file .*\(HTTP 404\)"),
    "429": (Fault("status", status=429), True, ArchiveUnreachable, r"HTTP 429.*later"),
    "500": (Fault("status", status=500), True, ArchiveUnreachable, r"HTTP 500.*later"),
    "503": (Fault("status", status=503), True, ArchiveUnreachable, r"HTTP 503.*later"),
    "cut short": (Fault("truncate"), True, FileProblem, "cut short"),
    "cut short, size unknown": (Fault("truncate"), False, FileProblem, "cut short"),
    "cut short at once": (Fault("truncate", fraction=0), True, FileProblem, "cut short"),
    "reset": (Fault("reset"), True, MastError, "Import it again"),
    "reset at once": (Fault("reset", fraction=0), False, MastError, "Import it again"),
    "short without a length": (Fault("short"), True, FileProblem, "cut short|bytes came"),
    "short, a whole FITS block": (
        Fault("short", fraction=0.02), True, FileProblem, "5760 bytes came, .* lists 288000",
    ),
    "short, size unknown": (Fault("short", fraction=0.501), False, FileProblem, "cut short"),
    "nothing at all": (Fault("short", fraction=0), False, FileProblem, "empty"),
    "a web page": (Fault("html"), True, FileProblem, r"web page \(HTML\), not FITS"),
    "a web page, size unknown": (Fault("html"), False, FileProblem, r"web page \(HTML\)"),
    "wrong bytes": (Fault("corrupt"), True, FileProblem, "is not a FITS file"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_a_bad_answer_is_one_sentence_and_leaves_nothing(
    session, archive, product, tmp_path, left_behind, name
):
    data, uri, url = product
    fault, known, error, words = BAD[name]
    fault.match = uri
    archive.fail(fault)

    with pytest.raises(error, match=words) as raised:
        fetch_file(
            session, url, tmp_path / "a_i2d.fits", size=len(data) if known else None,
            check=CHECK,
        )  # fmt: skip

    message = str(raised.value)
    assert message.endswith(".")
    assert message.isprintable()
    assert left_behind() == []


@pytest.mark.parametrize("name", BAD)
def test_a_bad_answer_leaves_the_file_that_was_there(session, archive, product, tmp_path, name):
    data, uri, url = product
    fault, known, error, _ = BAD[name]
    fault.match = uri
    archive.fail(fault)
    (tmp_path / "a_i2d.fits").write_bytes(b"what was there")

    with pytest.raises(error):
        fetch_file(session, url, tmp_path / "a_i2d.fits", size=len(data) if known else None,
                   check=CHECK)  # fmt: skip

    assert (tmp_path / "a_i2d.fits").read_bytes() == b"what was there"


@pytest.mark.parametrize("fraction", [None, 0.0, 0.5], ids=["headers", "first byte", "middle"])
def test_silence_ends_after_the_timeout(session, archive, product, tmp_path, left_behind, fraction):
    _, uri, url = product
    if fraction is None:
        archive.latency = 30
    else:
        archive.fail(Fault("stall", match=uri, fraction=fraction))
    began = time.monotonic()
    with pytest.raises(ArchiveUnreachable, match="stopped sending after .* bytes. Import it again"):
        fetch_file(session, url, tmp_path / "a_i2d.fits", timeout=0.3)
    assert 0.2 < time.monotonic() - began < 1
    assert left_behind() == []


def test_nobody_there_is_unreachable(session, tmp_path, left_behind):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/a"
    with pytest.raises(ArchiveUnreachable, match="could not be reached"):
        fetch_file(session, url, tmp_path / "a_i2d.fits")
    assert left_behind() == []


def test_what_the_check_raises_comes_out_and_nothing_stays(session, product, tmp_path, left_behind):
    def check(part):
        assert part.stat().st_size == 288000, "the whole file is there to be looked at"
        raise FileProblem("not this one")

    with pytest.raises(FileProblem, match="not this one"):
        fetch_file(session, product[-1], tmp_path / "a_i2d.fits", check=check)
    assert left_behind() == []


def test_it_can_be_stopped_at_any_piece(session, served, tmp_path, left_behind):
    _, url = served("a.json", b"x" * (2 << 20))
    received = []

    def check_cancelled():
        if sum(received) > 1 << 20:
            raise Cancelled("stop")

    with pytest.raises(Cancelled):
        fetch_file(
            session, url, tmp_path / "a.json", on_bytes=received.append,
            check_cancelled=check_cancelled,
        )  # fmt: skip
    assert sum(received) < 2 << 20
    assert left_behind() == []


def test_a_file_that_is_being_fetched_is_not_there_yet(session, served, tmp_path):
    _, url = served("a.json", b"x" * (1 << 20))
    seen = []
    fetch_file(session, url, tmp_path / "a.json", on_bytes=lambda count: seen.append(
        (tmp_path / "a.json").exists()))  # fmt: skip
    assert seen
    assert not any(seen)
    assert (tmp_path / "a.json").exists()


def test_a_folder_that_cannot_be_made_is_an_error_of_the_system(session, product, tmp_path):
    (tmp_path / "JWST").write_text("a file where the folder should be")
    with pytest.raises(OSError, match="JWST"):
        fetch_file(session, product[-1], tmp_path / "JWST" / "obs" / "a_i2d.fits")
