"""Manifest, replay and cURL script in the terminal."""

import json
import shutil
import subprocess

import pytest
from astropy.table import Table

from jdaviz_mast.cli import main
from jdaviz_mast.demo.faults import Fault
from jdaviz_mast.library import Manifest

HST = "ib5741010"
OTHER = "ib5741020"
OK, FAILED, BAD_INPUT, NOTHING_FOUND = 0, 1, 2, 3


@pytest.fixture
def run(capsys):
    """Callable: exit code, standard output and standard error of a command."""

    def call(*arguments):
        capsys.readouterr()
        try:
            code = main([str(argument) for argument in arguments])
        except SystemExit as end:  # argparse's way
            code = end.code
        return code, *capsys.readouterr()

    return call


def test_manifest_in_each_format(run, tmp_path):
    code, _, error = run("manifest")
    assert code == BAD_INPUT
    assert "there are no imports" in error
    run("fetch", HST)
    code, out, _ = run("manifest")
    assert code == OK
    manifest = Manifest(json.loads(out))
    for format in ("json", "ecsv", "csv", "html", "cell"):
        assert run("manifest", manifest.job_id, "--format", format)[1] == manifest.to_text(format)
    assert run("manifest", "--cell")[1] == manifest.to_text("cell")
    assert run("manifest", "--json")[1] == out
    path = tmp_path / "table.vot"
    assert run("manifest", "--output", path)[1].strip() == str(path)
    assert len(Table.read(path)) == 2
    assert json.loads(run("manifest", "--output", path, "--json")[1]) == {"path": str(path)}
    code, _, error = run("manifest", "--output", tmp_path / "table.docx")
    assert code == BAD_INPUT
    assert "table.docx" in error
    assert run("manifest", "0123456789ab")[0] == BAD_INPUT


def test_replay_says_of_each_file_what_it_is(run, archive, tmp_path):
    run("fetch", HST)
    path = tmp_path.parent / f"{tmp_path.name}.json"
    run("manifest", "--output", path)
    shutil.rmtree(tmp_path)
    code, out, error = run("replay", path)
    assert code == OK
    assert [line.split()[0] for line in out.splitlines()] == ["same", "same"]
    assert "2 the same as in the manifest." in error
    shutil.rmtree(tmp_path)
    archive.fail(Fault("changed", match="drz"))
    code, out, error = run("replay", path)
    assert code == FAILED
    assert [line.split()[0] for line in out.splitlines()] == ["reprocessed", "same"]
    report = json.loads(run("replay", path, "--json")[1])
    assert [file["verdict"] for file in report["files"]] == ["reprocessed", "same"]
    path.write_text("{}")
    code, _, error = run("replay", path)
    assert code == BAD_INPUT
    assert error.startswith("jdaviz-mast: manifest: ")


def test_curl_script_takes_the_choices_of_fetch(run, tmp_path):
    code, script, _ = run("curl-script", HST, OTHER)
    assert code == OK
    assert script.count("\nfetch ") == 4
    assert run("curl-script", HST, "--suffix", "drz")[1].count("\nfetch ") == 1
    assert run("curl-script", HST, "--level", "2")[1].count("\nfetch ") == 4
    said = json.loads(run("curl-script", HST, "--json")[1])
    assert said["files"] == 2
    assert said["script"].startswith("#!/bin/bash")
    assert run("curl-script", HST, "--suffix", "none")[0] == BAD_INPUT
    assert run("curl-script", "nothing_of_the_kind")[0] == NOTHING_FOUND
    (tmp_path / "it.sh").write_text(script)
    done = subprocess.run(["bash", tmp_path / "it.sh", tmp_path / "x"], capture_output=True)
    assert done.returncode == 0
    assert len(list((tmp_path / "x").rglob("*.fits"))) == 4


def test_no_text_of_a_manifest_commands_the_terminal(run, tmp_path):
    run("fetch", HST)
    content = json.loads(run("manifest")[1])
    content["job"]["title"] = "red \x1b[31m\x1b]0;mine\x07\nand a second line"
    content["files"][0]["path"] = "a\x1b[2Jb"
    path = tmp_path / "foreign.json"
    path.write_text(json.dumps(content))
    for arguments in (["replay", path], ["jobs"], ["replay", tmp_path / "no\x1b[31m.json"]):
        _, out, error = run(*arguments)
        assert out + error
        assert all(letter.isprintable() or letter in "\n\r\t" for letter in out + error)
    assert len(run("jobs")[1].splitlines()) == 2


def test_replay_prints_where_files_are_and_not_what_a_manifest_says(run, tmp_path):
    run("fetch", HST)
    content = json.loads(run("manifest")[1])
    content["files"][0]["path"] = "../../elsewhere.fits"
    path = tmp_path / "foreign.json"
    path.write_text(json.dumps(content))
    code, out, _ = run("replay", path)
    assert code == OK
    assert "elsewhere" not in out
    assert out.count(f"HST/{HST}/") == 2
