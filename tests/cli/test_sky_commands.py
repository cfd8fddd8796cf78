"""The terminal: a region of the sky, and previews."""

import json

import pytest
from PIL import Image

from jdaviz_mast.cli import main

REGION = "POLYGON 151.74 -40.45 151.77 -40.45 151.77 -40.42 151.74 -40.42"
MOSAIC = "jw02733-o001_t001_nircam_clear-f090w"


@pytest.fixture
def run(capsys):
    def call(*arguments):
        return main([str(argument) for argument in arguments]), *capsys.readouterr()

    return call


def test_a_region_is_searched_by_overlap(run, mast):
    code, out, _ = run("search", "--region", REGION, "--mission", "JWST")

    assert code == 0
    lines = out.splitlines()
    assert lines[0].split()[0] == "overlap"
    assert lines[2].lstrip().startswith("100 %")
    code, out, _ = run("search", "--region", REGION, "--mission", "JWST", "--json")
    rows = json.loads(out)
    expected = mast.search_region(REGION, mission="JWST")
    assert [row["obs_id"] for row in rows] == expected["obs_id"].tolist()
    assert [row["overlap"] for row in rows] == expected.meta["overlap"]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["search", "--region", "somewhere"], 2, "region: 'somewhere'"),
        (["search", "NGC 3132", "--region", REGION], 2, "search of its own"),
        (["search", "--region", "CIRCLE 200 60 0.001"], 3, "Nothing in MAST overlaps"),
        (["preview", "no_such_thing"], 3, "no_such_thing"),
    ],
)
def test_what_goes_wrong_has_its_code(run, arguments, code, words):
    got, out, error = run(*arguments)

    assert (got, out) == (code, "")
    assert words in error
    assert error.count("\n") == 1


def test_a_preview_is_saved(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, _ = run("preview", MOSAIC)
    assert (code, out.strip()) == (0, f"{MOSAIC}_preview.jpg")
    assert Image.open(tmp_path / out.strip()).format == "JPEG"

    code, out, _ = run("preview", MOSAIC, "--output", tmp_path / "a.jpg")
    assert out.strip() == str(tmp_path / "a.jpg")
    code, _, error = run("preview", MOSAIC, "--output", tmp_path / "no" / "a.jpg")
    assert code == 1
    assert "cannot be written" in error
