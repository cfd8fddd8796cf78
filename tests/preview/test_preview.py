"""What an observation looks like before it is fetched, and what is no picture."""

import gzip
import io
import random
import subprocess
import sys

import numpy as np
import pytest
from astropy.io import fits
from PIL import Image

from jdaviz_mast.archive import set_token
from jdaviz_mast.demo import Fault
from jdaviz_mast.errors import AccessDenied, Cancelled, FileProblem, ObservationNotFound
from jdaviz_mast.preview import finder, read_picture
from jdaviz_mast.preview.plot import plot_file

F090W = "jw02733-o001_t001_nircam_clear-f090w"


def _encoded(image, format_="PNG"):
    out = io.BytesIO()
    image.save(out, format_)
    return out.getvalue()


def _row(archive, obs_id=F090W):
    return next(row for row in archive.observations if row["obs_id"] == obs_id)


def _serve(archive, data, name, request):
    """Make some bytes the preview of F090W."""
    uri = f"mast:TEST/{abs(hash(request.node.nodeid))}/{name}"
    archive.add_bytes(uri, data, productType="PREVIEW")
    _row(archive)["jpegURL"] = uri
    return uri


# The archive's own picture


def test_the_picture_of_an_image(mast, archive, asked):
    preview = mast.preview(F090W)

    assert preview.uri == _row(archive)["jpegURL"]
    assert not preview.plotted
    assert preview.title == f"NGC-3132 · F090W · {F090W}"
    with Image.open(io.BytesIO(archive.make(preview.uri).read_bytes())) as original:
        expected = np.asarray(original.convert("L"), dtype=float)
    pixels = preview.picture.pixels()
    assert pixels.shape == expected.shape == (preview.picture.height, preview.picture.width)
    assert np.abs(pixels[::-1] - expected).mean() < 3  # the lowest row first
    assert preview.picture.mime == "image/jpeg"
    assert preview._repr_mimebundle_()["image/jpeg"] == preview.picture.data
    assert len(asked("/Download/file")) == 1


def test_a_row_of_the_results_will_do(mast):
    found = mast.search("NGC 3132")

    assert mast.preview(found[3]).observation["obs_id"] == found["obs_id"][3]


def test_an_address_of_the_download_service_is_the_name_in_it(mast, archive):
    uri = _row(archive)["jpegURL"]
    _row(archive)["jpegURL"] = (
        f"https://mast.stsci.edu/api/v0.1/Download/file?uri={uri.replace(':', '%3A')}"
    )

    assert mast.preview(F090W).uri == uri


@pytest.mark.parametrize("address", ["http://127.0.0.1:9/x.jpg", "file:///etc/passwd", "//x", "?"])
def test_no_other_host_is_asked(mast, archive, asked, address):
    _row(archive)["jpegURL"] = address

    with pytest.raises(ObservationNotFound, match="kept elsewhere"):
        mast.preview(F090W)
    assert not asked("/Download/file")


def test_no_preview_is_said(mast, archive):
    _row(archive)["jpegURL"] = None

    with pytest.raises(ObservationNotFound, match=f"no preview of {F090W}"):
        mast.preview(F090W)


# What is no picture


def test_what_is_called_a_picture_and_is_a_page(mast, archive, request):
    _serve(archive, b"<html><script>alert(1)</script></html>", "page.jpg", request)

    with pytest.raises(FileProblem, match="neither a JPEG nor a PNG"):
        mast.preview(F090W)


@pytest.mark.parametrize("format_", ["GIF", "TIFF", "BMP"])
def test_only_two_formats_are_decoded(format_):
    with pytest.raises(FileProblem, match="neither a JPEG nor a PNG"):
        read_picture(_encoded(Image.new("L", (8, 8)), format_), "x")


@pytest.mark.parametrize("format_", ["JPEG", "PNG"])
def test_every_cut_of_a_picture_is_an_error_of_ours(format_):
    rng = np.random.default_rng(1)
    data = _encoded(Image.fromarray(rng.integers(0, 255, (40, 40), np.uint8)), format_)

    for length in range(8, len(data) - 40, 37):
        with pytest.raises(FileProblem, match="cannot be decoded|neither"):
            read_picture(data[:length], "x")


def test_random_bytes_behind_the_first_are_an_error_of_ours():
    rng = np.random.default_rng(2)
    for number in range(60):
        first = (b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n")[number % 2]
        with pytest.raises(FileProblem):
            read_picture(first + rng.bytes(500), "x")


@pytest.mark.parametrize("side", [9_500, 30_000])
def test_a_bomb_is_not_decoded(side):
    data = _encoded(Image.new("1", (side, side)))
    assert len(data) < 1_000_000

    with pytest.raises(FileProblem, match="too many|cannot be decoded"):
        read_picture(data, "bomb.png")


def test_a_large_transparent_picture_takes_the_memory_of_one_copy(tmp_path):
    side = 6000
    path = tmp_path / "large.png"
    Image.new("RGBA", (side, side), (0, 0, 255, 128)).save(path)
    code = (
        "import resource, sys; from pathlib import Path\n"
        "from jdaviz_mast.preview import read_picture\n"
        "def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024\n"
        "data, before = Path(sys.argv[1]).read_bytes(), peak()\n"
        "picture = read_picture(data, 'large.png')\n"
        "print(peak() - before, picture.width, picture.height)"
    )
    done = subprocess.run([sys.executable, "-c", code, path], capture_output=True, check=True)
    more, width, height = map(int, done.stdout.split())
    assert (width, height) == (1600, 1600)
    assert more < 2 * side * side * 4


def test_what_is_too_long_is_not_read_to_its_end(mast, archive, request):
    _serve(archive, b"\xff\xd8\xff" + bytes(25_000_000), "long.jpg", request)

    with pytest.raises(FileProblem, match="larger than 20 MB"):
        mast.preview(F090W)
    archive.fail(Fault("chunked"))  # nor if its length is not told
    with pytest.raises(FileProblem, match="larger than 20 MB"):
        mast.preview(F090W)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16"])
def test_every_mode_is_shown(mode):
    format_ = "JPEG" if mode == "CMYK" else "PNG"
    picture = read_picture(_encoded(Image.new(mode, (30, 20)), format_), "x")

    assert picture.pixels().shape == (20, 30)


def test_a_large_picture_is_made_smaller():
    picture = read_picture(_encoded(Image.new("RGB", (4000, 1000)), "JPEG"), "x")

    assert (picture.width, picture.height) == (1600, 400)


def test_nothing_of_the_file_but_its_pixels_is_passed_on():
    image = Image.new("RGB", (8, 8))
    out = io.BytesIO()
    image.save(out, "JPEG", comment=b"<script>", exif=Image.Exif().tobytes())

    assert b"<script>" not in read_picture(out.getvalue(), "x").data


# Plots


def _spectrum():
    wavelength = np.linspace(1, 5, 500)
    table = fits.BinTableHDU.from_columns(
        [
            fits.Column("WAVELENGTH", "D", unit="um", array=wavelength),
            fits.Column("FLUX", "D", unit="Jy", array=np.sin(wavelength) + 2),
        ],
        name="EXTRACT1D",
    )
    return fits.HDUList([fits.PrimaryHDU(), table])


def _light_curve():
    time = np.arange(2000) / 720
    flux = 1000.0 - 30 * (np.abs(time % 1 - 0.5) < 0.05)
    flux[::50] = np.nan
    columns = [
        fits.Column("TIME", "D", unit="BJD - 2457000, days", array=time),
        fits.Column("SAP_FLUX", "E", unit="e-/s", array=flux),
        fits.Column("PDCSAP_FLUX", "E", unit="e-/s", array=flux),
    ]
    return fits.HDUList([fits.PrimaryHDU(), fits.BinTableHDU.from_columns(columns)])


def _hst_spectrum():
    wavelength = np.tile(np.linspace(1200, 1700, 100), (3, 1))
    columns = [
        fits.Column("WAVELENGTH", "100D", unit="Angstroms", array=wavelength),
        fits.Column("FLUX", "100E", unit="erg/s/cm**2/Angstrom", array=np.sqrt(wavelength)),
    ]
    return fits.HDUList([fits.PrimaryHDU(), fits.BinTableHDU.from_columns(columns, name="SCI")])


CURVES = {"x1d": _spectrum, "lc": _light_curve, "sx1": _hst_spectrum}


@pytest.mark.parametrize("suffix", CURVES)
def test_a_spectrum_or_light_curve_without_a_picture_is_drawn(mast, archive, request, suffix):
    out = io.BytesIO()
    CURVES[suffix]().writeto(out)
    row = _row(archive)
    row |= {"jpegURL": None, "dataproduct_type": "timeseries" if suffix == "lc" else "spectrum"}
    archive.products[:] = [p for p in archive.products if p["obsID"] != row["obsid"]]
    for name, data in ((f"a_{suffix}.fits", out.getvalue()), ("a_s2d.fits", bytes(100))):
        uri = f"mast:TEST/{abs(hash(request.node.nodeid))}/{name}"
        archive.add_bytes(uri, data, obsID=row["obsid"], parent_obsid=row["obsid"])

    preview = mast.preview(F090W)

    assert preview.plotted
    assert preview.uri.endswith(f"a_{suffix}.fits")
    assert preview.picture.mime == "image/png"
    pixels = preview.picture.pixels()
    assert pixels.shape[1] > 700
    assert 0.002 < np.mean(pixels < 200) < 0.3  # lines and letters on white


def test_the_archives_own_plot_comes_before_ours(mast, archive, request):
    row = _row(archive)
    row |= {"jpegURL": None, "dataproduct_type": "spectrum"}
    archive.products[:] = [p for p in archive.products if p["obsID"] != row["obsid"]]
    uri = f"mast:TEST/{abs(hash(request.node.nodeid))}/a_x1d.png"
    archive.add_bytes(
        uri, _encoded(Image.new("RGB", (50, 40))), productType="PREVIEW", obsID=row["obsid"],
        parent_obsid=row["obsid"],
    )  # fmt: skip

    preview = mast.preview(F090W)

    assert preview.uri == uri
    assert not preview.plotted


def test_a_damaged_header_is_an_error_of_ours(tmp_path):
    random.seed(20261121)
    hdus = fits.HDUList([fits.PrimaryHDU(), _spectrum()[1]])
    whole, path = io.BytesIO(), tmp_path / "damaged_x1d.fits"
    hdus.writeto(whole)
    failed = 0
    for _ in range(60):
        data = bytearray(whole.getvalue())
        for _ in range(random.randint(2, 8)):
            data[random.randrange(2880, 2 * 2880)] = random.randrange(32, 127)
        path.write_bytes(data)
        try:
            plot_file(path, path.name)
        except FileProblem:
            failed += 1
    assert failed > 10


def test_a_name_is_no_formula(tmp_path):
    path = tmp_path / "spectrum.fits"
    fits.HDUList([fits.PrimaryHDU(), _spectrum()[1]]).writeto(path)
    assert plot_file(path, r"$\frac{$_x1d.fits").width > 700


def test_a_table_without_curves_is_said(mast, archive, request):
    out = io.BytesIO()
    table = fits.BinTableHDU.from_columns([fits.Column("A", "J", array=[1])])
    fits.HDUList([fits.PrimaryHDU(), table]).writeto(out)
    row = _row(archive)
    row |= {"jpegURL": None, "dataproduct_type": "spectrum"}
    archive.products[:] = [p for p in archive.products if p["obsID"] != row["obsid"]]
    uri = f"mast:TEST/{abs(hash(request.node.nodeid))}/a_x1d.fits"
    archive.add_bytes(uri, out.getvalue(), obsID=row["obsid"], parent_obsid=row["obsid"])

    with pytest.raises(FileProblem, match="no spectrum or light curve"):
        mast.preview(F090W)


# Rights and bad days


def test_an_exclusive_preview_needs_the_token(mast, archive, asked):
    row = _row(archive)
    row["dataRights"] = "EXCLUSIVE_ACCESS"
    for product in archive.products:
        if product["dataURI"] == row["jpegURL"]:
            product["dataRights"] = "EXCLUSIVE_ACCESS"

    with pytest.raises(AccessDenied, match="token"):
        mast.preview(F090W)
    set_token("demo-token")
    assert mast.preview(F090W).picture.width > 100


@pytest.mark.parametrize("kind", ["truncate", "reset"])
def test_a_broken_transfer_is_said(mast, archive, kind):
    archive.fail(Fault(kind, fraction=0.5))

    with pytest.raises(Exception, match="broke|cut short") as caught:
        mast.preview(F090W)
    assert type(caught.value).__module__.startswith("jdaviz_mast")


def test_it_can_be_cancelled(mast):
    def cancel():
        raise Cancelled("Cancelled.")

    found = mast.search(observation_id=F090W)
    with pytest.raises(Cancelled):
        mast.preview(found, check_cancelled=cancel)


def test_a_compressed_file_is_unpacked_within_limits():
    plain = b"SIMPLE  =" * 1000
    assert finder._unpacked(plain, "a.fits") == plain
    assert finder._unpacked(gzip.compress(plain), "a.fits.gz") == plain
    with pytest.raises(FileProblem, match=r"a.fits.gz is larger than 60 MB when unpacked"):
        finder._unpacked(gzip.compress(bytes(60_000_001)), "a.fits.gz")
    with pytest.raises(FileProblem, match=r"a.fits.gz is damaged"):
        finder._unpacked(b"\x1f\x8b" + bytes(100), "a.fits.gz")
