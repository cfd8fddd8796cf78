"""``jdaviz-mast library`` as a script sees it."""

import json
import subprocess

import pytest

from jdaviz_mast import Mast
from jdaviz_mast.cli import main

HST = "ib5741010"
OK, FAILED, BAD_INPUT, NOTHING_FOUND = 0, 1, 2, 3


@pytest.fixture
def folder(archive, tmp_path):
    Mast(archive.url, tmp_path).fetch(HST)
    return tmp_path


@pytest.fixture
def run(capsys, folder):
    def call(*arguments):
        code = main(["library", *map(str, arguments), "--download-dir", str(folder)])
        return code, *capsys.readouterr()

    return call


def test_it_lists_what_is_there(run, folder):
    code, out, err = run()
    paths = {str(p) for p in (folder / "HST" / HST).iterdir()}
    assert code == OK
    assert {line.rsplit("  ", 1)[1] for line in out.splitlines()} == paths
    assert err.startswith(f"{len(paths)} files, ")
    assert run("HST", "drz")[1].count("\n") == 1


def test_json_has_all_of_it(run, folder, archive):
    code, out, _ = run("--json", "drz")
    (file,) = json.loads(out)
    assert code == OK
    assert file["uri"].startswith("mast:HST/product/")
    command = subprocess.check_output(["sha256sum", file["path"]], text=True)
    assert file["sha256"] == command.split()[0]
    assert (file["server"], file["source"], file["gone_at"]) == (archive.url, "http", None)
    assert file["observation"]["obs_id"] == HST
    assert json.loads(run("--json", "nothing")[1]) == []


def test_nothing_found_has_an_exit_code_of_its_own(run):
    code, out, err = run("nothing")
    assert (code, out) == (NOTHING_FOUND, "")
    assert "nothing" in err


def test_verify_names_what_is_wrong(run, folder):
    code, out, err = run("--verify")
    assert (code, out) == (OK, "")
    assert "2 of 2 files are what was fetched" in err
    path = next((folder / "HST" / HST).glob("*drz*"))
    path.write_bytes(path.read_bytes() + b"x")
    code, out, err = run("--verify")
    assert code == FAILED
    assert out.startswith(f"{path}: ")
    assert "1 of 2" in err
    code, out, _ = run("--verify", "--json", "drz")
    assert code == FAILED
    assert [file["problem"] is None for file in json.loads(out)] == [False]


def test_remove_deletes_by_uri_or_name(run, folder):
    path = next((folder / "HST" / HST).glob("*drz*"))
    code, out, _ = run("--json", "--remove", path.name)
    assert not path.exists()
    assert path.name not in out
    assert main(["library", "--download-dir", str(folder), "--remove", "mast:X/none"]) == BAD_INPUT
