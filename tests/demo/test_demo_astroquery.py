"""Unmodified astroquery, in a process of its own, makes every call it has to MAST."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from jdaviz_mast.demo import DemoArchive
from jdaviz_mast.demo.fields import OBSERVATION_FIELDS, PRODUCT_FIELDS


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    """What the script saw, and the archive's log of it."""
    home = tmp_path_factory.mktemp("home")
    with DemoArchive(executing=1) as archive:
        config = home / "config" / "astropy"
        config.mkdir(parents=True)
        (config / "astroquery.cfg").write_text(f"[mast]\nserver = {archive.url}\n")
        (home / "cache" / "astropy").mkdir(parents=True)
        environment = os.environ | {
            "XDG_CONFIG_HOME": str(home / "config"),
            "XDG_CACHE_HOME": str(home / "cache"),
            "HOME": str(home),
            "http_proxy": archive.url,
            "HTTP_PROXY": archive.url,
            "no_proxy": "127.0.0.1,localhost",
            "NO_PROXY": "127.0.0.1,localhost",
            "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
        }
        script = Path(__file__).with_name("astroquery_calls.py")
        run = subprocess.run(
            [sys.executable, str(script), archive.url],
            capture_output=True,
            text=True,
            cwd=home,
            env=environment,
            timeout=110,
            check=False,
        )
        assert run.returncode == 0, run.stderr[-3000:]
        line = next(line for line in run.stdout.splitlines() if line.startswith("RESULTS "))
        return json.loads(line.removeprefix("RESULTS ")), archive.requests


@pytest.fixture(scope="module")
def seen(answers):
    return answers[0]


def test_observations(seen):
    names, columns, kind = seen["criteria"]
    assert len(names) == 10
    assert names[0] == "jw02733-o002_t001_miri_f1130w"
    assert columns == list(OBSERVATION_FIELDS)
    assert kind.startswith("<U")
    assert seen["masked"] is True
    assert seen["wildcard"] == 9
    assert seen["range"] == 6
    assert seen["separator"] == ["F444W;F405N", "F444W;F470N"]


def test_positions(seen):
    count, has_distance = seen["region"]
    assert has_distance
    assert count > 100
    assert seen["object"] == count
    assert seen["criteria and position"] == [seen["counts"][0] + 2, True]  # and two of HST
    assert seen["counts"] == [10, count, count]


def test_pages_and_metadata(seen):
    assert seen["page"] == 4
    assert seen["pages"] == 195
    assert seen["missions"] == ["HST", "JWST", "TESS"]
    assert seen["metadata"] == [len(OBSERVATION_FIELDS) + 1, len(PRODUCT_FIELDS)]


def test_products(seen):
    count, columns, kind = seen["products"]
    assert count > 100
    assert columns == list(PRODUCT_FIELDS)
    assert kind == "int64"
    assert seen["several"] > count + 150
    assert seen["minimum"] == ["jw02733-o002_t001_miri_f1130w_i2d.fits"]


def test_downloads(seen):
    assert set(seen["manifest"]) == {"COMPLETE"}
    assert all(seen["sizes"])
    assert seen["download_file"] == "COMPLETE"
    assert seen["curl"] == len(seen["manifest"])
    assert seen["lookup"] == [
        "jwst/public/jw02733/L3/t/o002/jw02733-o002_t001_miri_f1130w_cat.ecsv",
        None,
    ]


def test_exclusive_access(seen):
    assert seen["denied"] == ["ERROR"]
    assert seen["login"] is True
    assert seen["session"] is False
    assert seen["allowed"] == ["COMPLETE"]
    assert seen["bad token"] == "LoginError"


def test_names(seen):
    assert seen["resolve"] == pytest.approx([151.75725, -40.436406])
    assert seen["resolvers"] == ["NED", "SIMBAD"]
    assert seen["resolver"] == pytest.approx(54.34875)
    assert seen["many"] == ["M101", "NGC 3132", "TIC 261136679"]
    assert seen["unknown"] == "ResolverError"


def test_catalogs_and_services(seen):
    assert seen["tic"][0] == "261136679"
    assert seen["tic criteria"] == ["261136679"]
    assert seen["tic position"] == ["261136641", "261136682"]
    assert seen["name lookup"] == "SIMBAD"
    assert seen["service"] == seen["region"][0]


@pytest.mark.parametrize("mission", ["jwst", "hst"])
def test_mission_search(seen, mission):
    columns, has_keyword, rows, files = seen[mission]
    assert columns > 20
    assert has_keyword
    assert rows > 1
    assert files > 1
    assert seen[f"{mission} download"] == ["COMPLETE"]


def test_mission_criteria(seen):
    assert seen["jwst criteria"] == 10
    assert seen["jwst object"] is True


def test_every_address_of_the_protocol_was_asked(answers):
    asked = {request.path for request in answers[1]}
    assert {
        "/portal/Mashup/Mashup.asmx/columnsconfig",
        "/api/v0/invoke",
        "/Santa-war/query",
        "/whoami",
        "/api/v0.1/Download/file",
        "/api/v0.1/Download/bundle.sh",
        "/api/v0.1/path_lookup/",
        "/search/util/api/v0.1/column_list",
        "/search/jwst/api/v0.1/search",
        "/search/hst/api/v0.1/post_list_products",
        "/search/jwst/api/v0.1/retrieve_product",
    } <= asked
    assert any(request.host == "mastresolver.stsci.edu" for request in answers[1])
