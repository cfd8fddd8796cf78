"""No name that comes from the archive leads out of the download folder."""

import os

import pytest

from jdaviz_mast.errors import FileProblem
from jdaviz_mast.transfer.paths import safe_path

PLAIN = [
    "jw02733-o001_t001_nircam_clear-f090w_i2d.fits",
    "jw02733-o001_20260701t120000_image3_00001_asn.json",
    "jw02733001001_gs-acq1_2022163000000_cal.fits",
    "ib5741010_drc.fits",
    "tess2018206045859-s0001-0000000261136679-0120-s_lc.fits",
    "kplr008957091-2009131105131_llc.fits",
    "kplr008957091-2009131105131_lpd-targ.fits.gz",
    "hlsp_candels_hst_acs_gs-tot-sect33_f606w_v1.0_drz.fits",
    "rings.v3.skycell.1234.005.stk.g.unconv.fits",
    "GALEX NGS (deep).fits",
    "a",
    "-rf",
    "~root",
    "$HOME",
    "connection.fits",
    "nullpunkt.fits",
    "NGC 3132 – Südlicher Ringnebel.fits",
    "a" * 195 + ".fits",
]

UNSAFE = {
    "empty": "",
    "here": ".",
    "up": "..",
    "up and away": "../x",
    "far up": "../../../etc/passwd",
    "up in the middle": "a/../../x",
    "absolute": "/etc/passwd",
    "absolute on Windows": r"C:\Windows\system.ini",
    "drive": "C:x",
    "backslashes": r"..\x",
    "share": r"\\host\share",
    "folder": "a/b",
    "folder at the end": "a/",
    "NUL byte": "a\x00.fits",
    "newline": "a\n.fits",
    "escape sequence": "a\x1b[31m.fits",
    "turned around": "a\u202estif.fits",
    "no width": "a\u200b.fits",
    "device": "NUL",
    "device in lower case": "nul",
    "device with a suffix": "con.fits",
    "device with two suffixes": "aux.tar.gz",
    "serial port": "COM1.fits",
    "printer": "lpt9",
    "300 characters": "a" * 300,
    "300 bytes": "ä" * 150,
    "hidden": ".bashrc",
    "trailing dot": "a.fits.",
    "trailing blank": "a.fits ",
    "wildcard": "a*.fits",
    "question mark": "a?.fits",
    "redirection": "a>b",
    "pipe": "a|b",
    "quotation mark": 'a"b',
    "bytes": b"a.fits",
    "nothing": None,
    "number": 3,
}


@pytest.mark.parametrize("name", PLAIN)
def test_ordinary_names_are_kept_as_they_are(tmp_path, name):
    path = safe_path(tmp_path, "JWST", "jw02733-o001_t001_nircam_clear-f090w", name)
    assert path == tmp_path / "JWST" / "jw02733-o001_t001_nircam_clear-f090w" / name
    path.parent.mkdir(parents=True)
    path.write_bytes(b"")  # the name is one that a file can have
    assert os.listdir(path.parent) == [name]


@pytest.mark.parametrize("place", ["file", "folder"])
@pytest.mark.parametrize("kind", UNSAFE)
def test_other_names_are_refused_in_one_sentence(tmp_path, kind, place):
    names = ("JWST", UNSAFE[kind]) if place == "file" else (UNSAFE[kind], "a.fits")
    with pytest.raises(FileProblem, match="not safe as a file name; it is not") as raised:
        safe_path(tmp_path, *names)
    assert str(raised.value).isprintable()
    assert len(str(raised.value)) < 200
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("depth", ["folder", "file", "folder of the file"])
def test_a_link_that_leads_outside_is_refused(tmp_path, depth):
    outside, folder = tmp_path / "outside", tmp_path / "downloads"
    outside.mkdir()
    (folder / "JWST" / "obs").mkdir(parents=True)
    if depth == "file":
        (folder / "JWST" / "obs" / "a.fits").symlink_to(outside / "a.fits")
    else:
        place = folder / "HST" if depth == "folder" else folder / "JWST" / "linked"
        place.symlink_to(outside, target_is_directory=True)
    names = {"folder": ("HST", "obs", "a.fits"), "file": ("JWST", "obs", "a.fits"),
             "folder of the file": ("JWST", "linked", "a.fits")}[depth]  # fmt: skip
    with pytest.raises(FileProblem, match="leads out of the download folder over a link"):
        safe_path(folder, *names)


def test_a_link_that_stays_inside_is_fine(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "JWST").symlink_to(tmp_path / "real", target_is_directory=True)
    assert safe_path(tmp_path, "JWST", "a.fits") == tmp_path / "JWST" / "a.fits"


def test_the_download_folder_may_itself_be_a_link(tmp_path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "downloads").symlink_to(tmp_path / "disk", target_is_directory=True)
    assert safe_path(tmp_path / "downloads", "a.fits") == tmp_path / "downloads" / "a.fits"
