"""A file is what its name says, or it is said what it is instead."""

import gzip

import numpy as np
import pytest
from astropy.io import fits

from jdaviz_mast.errors import FileProblem
from jdaviz_mast.products import check_contents

PAGE = b"<!DOCTYPE html><html><body>Sign in</body></html>\n"


@pytest.fixture
def true_fits(tmp_path):
    """Bytes of a FITS file as astropy writes it."""
    path = tmp_path / "true.fits"
    fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(np.zeros((40, 40)))]).writeto(path)
    return path.read_bytes()


@pytest.mark.parametrize("stored", [bytes, gzip.compress], ids=["plain", "compressed"])
def test_a_fits_file_is_fine(tmp_path, true_fits, stored):
    # MAST serves some files compressed under their plain name.
    (tmp_path / "a_i2d.fits").write_bytes(stored(true_fits))
    check_contents(tmp_path / "a_i2d.fits")


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda data: data[:-1], "cut short: it does not end with a whole FITS block"),
        (lambda data: data[: len(data) // 2 + 7], "cut short"),
        (lambda data: data[:80], "cut short"),
        (lambda data: b"", "is empty"),
        (lambda data: PAGE, r"is a web page \(HTML\), not FITS. A login page"),
        (lambda data: b"\n  \n" + PAGE, r"is a web page \(HTML\)"),
        (lambda data: b'<?xml version="1.0"?><Error/>', "web page"),
        (lambda data: PAGE.ljust(len(data)), "web page"),
        (lambda data: b'{"msg": "not found"}', "is not a FITS file, although its name says so"),
        (lambda data: bytes(len(data)), "is not a FITS file"),
        (lambda data: bytes(byte ^ 255 for byte in data), "is not a FITS file"),
        (lambda data: b"SIMPLE", "is not a FITS file"),
    ],
)
def test_what_is_no_fits_file_is_said_to_be_none(tmp_path, true_fits, spoil, words):
    path = tmp_path / "a_i2d.fits"
    path.write_bytes(spoil(true_fits))
    with pytest.raises(FileProblem, match=words) as raised:
        check_contents(path)
    message = str(raised.value)
    assert message.startswith("a_i2d.fits is ")
    assert message.endswith(".")
    assert isinstance(raised.value, OSError)


def test_whole_blocks_are_not_asked_for_where_the_size_is_checked_elsewhere(tmp_path, true_fits):
    # A true product may have some bytes behind its last block.
    path = tmp_path / "a_i2d.fits"
    path.write_bytes(true_fits + b"x")
    check_contents(path, size_known=True)
    path.write_bytes(PAGE)
    with pytest.raises(FileProblem, match="web page"):
        check_contents(path, size_known=True)


def test_the_name_in_the_archive_decides_for_a_temporary_file(tmp_path, true_fits):
    part = tmp_path / ".x.part"
    part.write_bytes(PAGE)
    check_contents(part)
    check_contents(part, name="a.json")
    with pytest.raises(FileProblem, match=r"^a_i2d\.fits is a web page"):
        check_contents(part, name="a_i2d.fits")
    part.write_bytes(true_fits)
    check_contents(part, name="a_i2d.fits")


@pytest.mark.parametrize("name", ["a.FITS", "A_I2D.Fits"])
def test_the_case_of_the_suffix_does_not_matter(tmp_path, name):
    (tmp_path / name).write_bytes(PAGE)
    with pytest.raises(FileProblem):
        check_contents(tmp_path / name)


@pytest.mark.parametrize("name", ["a.jpg", "a_asn.json", "a.fits.gz", "a.pdf", "fits"])
def test_other_files_are_not_looked_into(tmp_path, name):
    (tmp_path / name).write_bytes(b"<anything")
    check_contents(tmp_path / name)


def test_true_products_of_mast_are_fine(shared):
    products = sorted((shared / "real").glob("*.fits"))
    assert products
    for path in products:
        check_contents(path)


def test_every_kind_of_fits_of_the_embedded_archive_is_fine(archive):
    kinds = {}
    for row in archive.products:
        if row["productFilename"].endswith(".fits") and row["dataRights"] == "PUBLIC":
            kinds.setdefault(row["productFilename"].rsplit("_", 1)[1], row["dataURI"])
    assert len(kinds) > 8
    for suffix in ("drc.fits", "x1d.fits", "lc.fits", "asn.fits"):  # the rest takes long to make
        check_contents(archive.make(kinds[suffix]))


# -- right size, wrong inside ----------------------------------------------------------------

DAMAGE = {
    "zeros from the second header on": lambda d: d[:2880] + bytes(len(d) - 2880),
    "the second header's first block": lambda d: d[:2880] + bytes(2880) + d[5760:],
    "another file's middle": lambda d: d[:2880] + d[5760:] + d[2880:5760],
    "an END that is gone": lambda d: d.replace(b"END     ", b"ENX     "),
    "more data announced": lambda d: d.replace(b"NAXIS1  =                   40",
                                               b"NAXIS1  =                 4000"),
    "less data announced": lambda d: d.replace(b"NAXIS2  =                   40",
                                               b"NAXIS2  =                    2"),
    "an axis without a length": lambda d: d.replace(b"NAXIS2  =", b"NAXISX  ="),
    "a type of data that is none": lambda d: d.replace(b"BITPIX  =                  -64",
                                                       b"BITPIX  =                'abc'"),
    "a negative length": lambda d: d.replace(b"NAXIS1  =                   40",
                                             b"NAXIS1  =                  -40"),
}  # fmt: skip


@pytest.mark.parametrize("name", DAMAGE)
def test_a_damaged_file_of_the_right_size_is_noticed(tmp_path, true_fits, name):
    damaged = DAMAGE[name](true_fits)
    assert len(damaged) == len(true_fits)
    assert damaged != true_fits
    path = tmp_path / "a_i2d.fits"
    path.write_bytes(damaged)
    with pytest.raises(FileProblem, match=r"^a_i2d\.fits is (damaged|cut short).*\.$"):
        check_contents(path, size_known=True)


def test_a_header_that_never_ends_is_given_up(tmp_path):
    path = tmp_path / "a_i2d.fits"
    with open(path, "wb") as stream:
        stream.write(b"SIMPLE  =                    T".ljust(2880))
        stream.truncate(2 << 30)  # of blanks, or nearly so
    with pytest.raises(FileProblem, match="no FITS header at byte 0"):
        check_contents(path, size_known=True)


HDUS = {
    "an empty primary": [],
    "an image of no pixels": [fits.ImageHDU(np.zeros((0, 5)))],
    "a table": [fits.BinTableHDU.from_columns([fits.Column("a", "J", array=np.arange(9))])],
    "a table with a heap": [
        fits.BinTableHDU.from_columns(
            [fits.Column("a", "PJ()", array=np.array([[1], [2, 3]], dtype=object))]
        )
    ],
    "a compressed image": [fits.CompImageHDU(np.arange(10_000.0).reshape(100, 100))],
    "a cube": [fits.ImageHDU(np.zeros((3, 4, 5), dtype=">i2"))],
    "a long header": [fits.ImageHDU(header=fits.Header([(f"KEY{n}", n) for n in range(2000)]))],
}


@pytest.mark.parametrize("name", HDUS)
def test_every_kind_of_extension_is_fine(tmp_path, name):
    path = tmp_path / "a_i2d.fits"
    hdus = fits.HDUList([fits.PrimaryHDU(), *HDUS[name], fits.ImageHDU(np.zeros(3))])
    hdus.writeto(path)
    check_contents(path, size_known=True)
    check_contents(path)


def test_random_groups_are_fine(tmp_path):
    path = tmp_path / "a_uvf.fits"
    data = fits.GroupData(
        np.zeros((5, 1, 3), dtype="f4"), bitpix=-32, parnames=["A"], pardata=[np.zeros(5)]
    )
    fits.HDUList([fits.GroupsHDU(data)]).writeto(path)
    check_contents(path)
