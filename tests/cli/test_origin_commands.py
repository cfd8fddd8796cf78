"""The terminal: refresh, provenance and cite."""

import json

import bibtexparser
import prov
import pytest

from jdaviz_mast import conf
from jdaviz_mast.cli import main
from jdaviz_mast.demo import DemoArchive

F187N = "jw02733-o001_t001_nircam_clear-f187n"
URI = f"mast:JWST/product/{F187N}_i2d.fits"


@pytest.fixture
def run(capsys):
    def call(*arguments):
        code = main([str(argument) for argument in arguments])
        return code, *capsys.readouterr()

    return call


def test_refresh_says_what_has_changed(run, mast, archive):
    assert run("refresh")[0] == 3
    mast.fetch(F187N)
    row = next(row for row in archive.observations if row["obs_id"] == F187N)
    row["target_name"] = "Southern Ring"
    code, out, _ = run("refresh", F187N, "--json")
    (one,) = json.loads(out)["observations"]
    assert (code, one["changes"]) == (
        0, {"target_name": {"old": "NGC-3132", "new": "Southern Ring"}})  # fmt: skip
    row["target_name"] = "NGC 3132"
    code, out, _ = run("refresh")
    assert f"{F187N}: target: Southern Ring → NGC 3132" in out
    code, out, error = run("refresh", "ib5741010")
    assert (code, out) == (3, "")
    assert error.count("\n") == 1


def test_refresh_fetches_what_was_reprocessed(run, mast, tmp_path):
    with DemoArchive() as archive, conf.set_temp("server", archive.url):
        run("fetch", F187N)
        archive.reprocess(URI)
        code, out, _ = run("refresh", "--fetch")
        path = tmp_path / "JWST" / F187N / "1.19.0" / f"{F187N}_i2d.fits"
        assert code == 0
        assert str(path) in out
        archive.reprocess(URI, "1.20.0")
        code, out, _ = run("refresh", "--fetch", "--json")
        assert json.loads(out)["fetched"] == [str(path).replace("1.19.0", "1.20.0")]


def test_provenance_is_drawn_and_written(run, mast, tmp_path):
    mast.fetch(F187N)
    code, out, _ = run("provenance", URI)
    assert code == 0
    assert out.startswith("File: ")
    assert "Program: JWST 2733" in out
    path = tmp_path / "origin.json"
    code, out, error = run("provenance", mast.library.file(URI).path, "--prov", path, "--json")
    assert prov.read(str(path), format="json").get_records()
    assert json.loads(out)["root"]["kind"] == "file"
    assert run("provenance", "mast:JWST/product/none.fits")[0] == 2
    assert run("provenance", "nothing-of-that-name")[0] == 3


def test_cite_prints_text_or_bibtex(run, mast):
    code, _, error = run("cite")
    assert code == 2
    assert "library is empty" in error
    mast.fetch(F187N)
    code, out, error = run("cite")
    assert "program 2733." in out
    assert "https://archive.stsci.edu/doi" in error
    code, out, _ = run("cite", F187N, "ib5741010", "--bibtex")
    keys = [entry.key for entry in bibtexparser.parse_string(out).entries]
    assert {"jwst.prop.2733", "hst.prop.11599"} <= set(keys)
    code, out, _ = run("cite", "--json")
    assert json.loads(out)["facilities"] == ["JWST (NIRCAM)", "MAST"]
