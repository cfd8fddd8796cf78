"""The terminal: what scripts rely on, the output, the exit codes and Ctrl-C."""

import json
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from jdaviz_mast import conf
from jdaviz_mast.cli import main
from jdaviz_mast.demo.faults import Fault

HST = "ib5741010"
MOSAIC = "jw02733-o001_t001_nircam_clear-f090w"
RAW = "jw02733001001_02105_00009_nrcb1"
EXCLUSIVE = "jw07777-o001_t001_nircam_clear-f200w"
OK, FAILED, BAD_INPUT, NOTHING_FOUND, UNREACHABLE, INTERRUPTED = 0, 1, 2, 3, 4, 130


@pytest.fixture
def run(capsys):
    """Callable: exit code, standard output and standard error of a command."""

    def call(*arguments):
        try:
            code = main([str(argument) for argument in arguments])
        except SystemExit as end:  # argparse's way
            code = end.code
        return code, *capsys.readouterr()

    return call


def assert_one_sentence(error):
    """A complaint, as a person may read it: one line, no traceback, no warning beside it."""
    assert error.startswith("jdaviz-mast: ")
    assert error.endswith(".\n")
    assert error.count("\n") == 1


# -- search ----------------------------------------------------------------------------------

SEARCHES = {
    "target": (["NGC 3132", "--mission", "HST"], ["ib5741010", "ib5741020"]),
    "coordinates": (
        ["--coordinates", "339.0148 33.9758", "--radius", "1 arcmin"],
        ["jw02732-o001_t001_nirspec_g235h-f170lp"],
    ),
    "sexagesimal": (
        ["--coordinates", "22:36:03.55 +33:58:32.9"],
        ["jw02732-o001_t001_nirspec_g235h-f170lp"],
    ),
    "negative": (["--coordinates=84.29 -80.469"],
                 ["tess2018206045859-s0001-0000000261136679-0120-s"]),
    "observation": (["--observation-id", f"{MOSAIC},{HST}"], [MOSAIC, HST]),
    "program": (["--program-id", "01492"],
                ["jw01492-o005_s00004_nirspec_f100lp-g140m-s1600a1-sub2048"]),
    "all levels": (["--observation-id", RAW, "--all-levels"], [RAW]),
    "wavelength": (["--program-id", "2733,2736", "--wavelength", "9 um", "11 um"],
                   ["jw02733-o002_t001_miri_f1130w"]),
    "open end": (["--program-id", "2733", "--wavelength", "", "1 um"],
                 ["jw02733-o001_t001_nircam_clear-f090w"]),
    "date": (["NGC 3132", "--date", "2009", "2009-12"], ["ib5741010", "ib5741020"]),
    "instrument and filter": (["--instrument", "NIRCAM", "--filter", "F090W"], [MOSAIC]),
    "type and rights": (["--instrument", "NIRSPEC", "--data-type", "cube", "--rights", "public"],
                        ["jw02732-o001_t001_nirspec_g235h-f170lp"]),
    "light curves": (["pi Men", "--author", "SPOC", "--exposure-time", "100", "140"],
                     ["tess2018206045859-s0001-0000000261136679-0120-s"]),
    "collection": (["--doi", "10.17909/t9-nmc8-f686"],
                   ["tess2018206045859-s0001-0000000261136679-0120-s"]),
    "data set": (["--dataset-id", HST.upper()], [HST]),
    "keywords": (["--keyword", "exp_type=NRS*", "--keyword", "category=COM"],
                 ["jw02732-o001_t001_nirspec_g235h-f170lp"]),
}  # fmt: skip


@pytest.mark.parametrize("name", SEARCHES)
def test_search_prints_a_table_for_people(run, name):
    arguments, expected = SEARCHES[name]
    code, out, error = run("search", *arguments)
    assert code == OK
    assert bool(error) == (arguments[0] in ("NGC 3132", "pi Men")), "where the target is"
    header, _, *lines = out.splitlines()
    assert header.split()[0] == "target_name"
    assert [line.split()[-1] for line in lines] == expected


@pytest.mark.parametrize("name", SEARCHES)
def test_search_prints_json_for_scripts(run, mast, name):
    arguments, expected = SEARCHES[name]
    code, out, error = run("search", *arguments, "--json")
    assert (code, error) == (OK, "")
    rows = json.loads(out)
    assert [row["obs_id"] for row in rows] == expected
    columns = mast.search(observation_id=HST).colnames
    assert all(list(row)[: len(columns)] == columns for row in rows)


def test_missing_values_are_null_in_json(run, archive):
    archive.observations[0] |= {"filters": None, "t_min": None, "t_exptime": None}
    _, out, _ = run("search", "--observation-id", archive.observations[0]["obs_id"], "--json")
    assert "NaN" not in out
    (row,) = json.loads(out)
    assert row["filters"] is row["t_min"] is row["t_exptime"] is None


def test_missing_values_do_not_break_the_table(run, archive):
    row = archive.observations[0]
    row |= {name: None for name in row if name not in ("obs_id", "obsid", "calib_level")}
    code, out, _ = run("search", "--observation-id", row["obs_id"])
    assert code == OK
    assert out.rstrip().endswith(row["obs_id"])


def test_nothing_found_has_a_code_and_a_hint(run):
    code, out, error = run("search", "--observation-id", RAW)
    assert (code, out) == (NOTHING_FOUND, "")
    assert error == "MAST holds nothing that matches at level 3; --all-levels shows the others.\n"

    code, out, error = run("search", "M101", "--all-levels")
    assert (code, out) == (NOTHING_FOUND, "")
    where, nothing = error.splitlines()
    assert where == "M101 is at 210.80243 +54.34875 (SIMBAD)."
    assert nothing == "MAST holds nothing that matches."


def test_the_date_is_printed_as_a_day(run):
    _, out, _ = run("search", "--observation-id", HST)
    header, _, line = out.splitlines()
    assert "date" in header.split()
    assert "2009-10-29" in line.split()


def test_a_count_is_printed_alone(run, archive):
    code, out, error = run("search", "NGC 3132", "--mission", "HST", "--count")
    assert (code, out, error) == (OK, "2\n", "")
    assert run("search", "M101", "--count")[:2] == (NOTHING_FOUND, "0\n")


def test_keywords_are_listed_with_what_they_mean(run):
    code, out, _ = run("keywords")
    assert code == OK
    assert "exp_type" in out
    code, out, _ = run("keywords", "time-series")
    (line,) = out.splitlines()
    assert line.split()[:2] == ["tsovisit", "string"]
    assert run("keywords", "nonsense")[0] == NOTHING_FOUND
    assert json.loads(run("keywords", "tsovisit", "--json")[1])[0]["type"] == "string"


def test_a_keyword_without_a_value_is_refused(run):
    code, _, error = run("search", "--keyword", "exp_type")
    assert code == BAD_INPUT
    assert "NAME=VALUE" in error


def test_nothing_found_is_an_empty_list_in_json(run):
    code, out, _ = run("search", "M101", "--json")
    assert code == NOTHING_FOUND
    assert json.loads(out) == []


def test_options_may_stand_before_the_command(run, archive):
    with conf.set_temp("server", "http://127.0.0.1:9"):
        code, out, _ = run("--server", archive.url, "search", "--observation-id", HST)
    assert code == OK
    assert HST in out


# -- fetch -----------------------------------------------------------------------------------


def test_fetch_prints_the_paths_of_whole_files(run, archive, tmp_path):
    code, out, error = run("fetch", HST, "--download-dir", tmp_path / "here")
    assert (code, error) == (OK, "")
    paths = [Path(line) for line in out.splitlines()]
    folder = tmp_path / "here" / "HST" / HST
    assert paths == [folder / f"{HST}_drz.fits", folder / f"{HST}_drc.fits"]
    for path in paths:
        assert path.read_bytes() == Path(archive.make(f"mast:HST/product/{path.name}")).read_bytes()


def test_fetch_reports_in_json(run, tmp_path):
    code, out, error = run("fetch", HST, "--json")
    assert (code, error) == (OK, "")
    report = json.loads(out)
    assert report["state"] == "complete"
    assert re.fullmatch("[0-9a-f]{12}", report["id"])
    for file in report["files"]:
        assert Path(file["path"]).stat().st_size == file["bytes"] > 0
        assert (file["state"], file["error"]) == ("complete", None)
        assert file["uri"].startswith("mast:HST/product/")


def test_fetch_has_the_levels_and_types_that_are_asked_for(run):
    code, out, _ = run("fetch", MOSAIC, "--product-type", "info")
    assert code == OK
    assert [Path(line).suffix for line in out.splitlines()] == [".json", ".csv"]

    code, out, _ = run("fetch", HST, "--all-levels", "--product-type", "AUXILIARY", "--json")
    assert [Path(file["path"]).name for file in json.loads(out)["files"]] == [f"{HST}_asn.fits"]


def test_products_lists_what_an_observation_holds_and_what_a_fetch_would_take(run):
    code, out, error = run("products", MOSAIC)
    assert code == OK
    assert [line.split()[-1] for line in out.splitlines()] == [
        f"{MOSAIC}_{end}" for end in ("i2d.fits", "segm.fits", "cat.ecsv")
    ]
    assert re.match(
        r"3 files, [\d.]+ MB; [\d.]+ MB to fetch, .* GB free on disk; .* MB of memory", error
    )
    code, out, _ = run("products", MOSAIC, "--suffix", "cal,rate", "--level", "2", "--json")
    listed = json.loads(out)
    assert {row["productSubGroupDescription"] for row in listed} == {"CAL", "RATE"}
    assert {row["calib_level"] for row in listed} == {2}
    code, out, _ = run("products", MOSAIC, "--product-type", "all", "--recommended")
    assert {line.rpartition("_")[2] for line in out.splitlines()} == {"i2d.fits", "asn.json"}
    assert run("products", MOSAIC, "--suffix", "x1d")[0] == NOTHING_FOUND


def test_products_and_fetch_of_what_a_mosaic_was_made_of(run, tmp_path):
    code, out, _ = run("products", MOSAIC, "--made-of", "--json")
    assert code == OK
    listed = json.loads(out)
    assert {row["calib_level"] for row in listed} == {1, 2}
    code, out, _ = run("products", MOSAIC, "--made-of", "--level", "2")
    names = [line.split()[-1] for line in out.splitlines()]
    assert names == [row["productFilename"] for row in listed if row["calib_level"] == 2]
    assert all(name.endswith("_cal.fits") for name in names)
    code, out, _ = run("fetch", HST, "--made-of", "--suffix", "flc", "--download-dir", tmp_path)
    assert code == OK
    assert sorted(Path(line).name for line in out.splitlines()) == [
        "ib5741a1q_flc.fits", "ib5741a3q_flc.fits"
    ]  # fmt: skip
    assert run("products", "ib5741a1q", "--made-of")[0] == BAD_INPUT


def test_fetch_takes_chosen_products(run, asked):
    code, out, _ = run("fetch", HST, "--suffix", "drz")
    assert (code, [Path(line).name for line in out.splitlines()]) == (OK, [f"{HST}_drz.fits"])
    code, out, error = run("fetch", HST, "--suffix", "x1d")
    assert (code, out) == (NOTHING_FOUND, "")
    assert "No product of this observation matches" in error


def test_fetching_again_is_fetching_nothing(run, asked):
    assert run("fetch", HST)[0] == OK
    before = len(asked("Download"))
    code, out, _ = run("fetch", HST)
    assert (code, len(out.splitlines())) == (OK, 2)
    assert len(asked("Download")) == before


def test_an_observation_without_such_products_has_a_code(run):
    code, out, error = run("fetch", HST, "--product-type", "CATALOG")
    assert (code, out) == (NOTHING_FOUND, "")
    assert error.startswith("The observation has no products of level 3; --all-levels")


def test_a_file_that_fails_is_named_and_the_others_are_there(run, archive, monkeypatch):
    monkeypatch.setattr(conf, "retries", 0)
    archive.fail(Fault("truncate", match="drz.fits"))
    code, out, error = run("fetch", HST)
    assert code == FAILED
    assert [Path(line).name for line in out.splitlines()] == [f"{HST}_drc.fits"]
    assert error.startswith(f"{HST}_drz.fits: failed: The transfer was cut short")
    assert error.count("\n") == 1

    code, out, _ = run("fetch", HST, "--json")
    assert code == FAILED
    bad, good = json.loads(out)["files"]
    assert bad["state"] == "failed"
    assert "cut short" in bad["error"]
    assert not Path(bad["path"]).exists()
    assert Path(good["path"]).exists()


def test_what_is_under_exclusive_access_is_said_for_each_file(run):
    code, out, error = run("fetch", EXCLUSIVE)
    assert (code, out) == (FAILED, "")
    assert all("exclusive access" in line for line in error.splitlines())


# -- exit codes ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["search", ""], "target: ''"),
        (["search"], "search: nothing is given"),
        (["search", "M101", "--program-id", "2733"], "two searches at once"),
        (["search", "--coordinates", "361 0"], "ra: '361'"),
        (["search", "--coordinates=0 -91"], "dec: '-91'"),
        (["search", "M101", "--radius", "0 deg"], "radius: '0 deg'"),
        (["search", "M101", "--radius", "1 furlong"], "radius: '1 furlong'"),
        (["search", "M101", "--mission", "APOLLO"], "mission: 'APOLLO'"),
        (["search", "--program-id", "GO"], "program_id: 'GO'"),
        (["search", "--observation-id", "jw*"], "observation_id: 'jw*'"),
        (["fetch", "jw*"], "observation_id: 'jw*'"),
        (["fetch", "2733"], "program ID"),
        (["fetch", HST, "--product-type", "PRETTY"], "product_type: 'PRETTY'"),
        (["search", "M101", "--server", "mast"], "server: 'mast'"),
    ],
)
def test_bad_input_is_code_2_and_one_sentence(run, arguments, words):
    code, out, error = run(*arguments)
    assert (code, out) == (BAD_INPUT, "")
    assert words in error
    assert_one_sentence(error)


@pytest.mark.parametrize("arguments", [["fetch"], ["launch"], ["search", "--speed", "1"]])
def test_what_is_no_command_is_code_2_with_the_usage(run, arguments):
    code, out, error = run(*arguments)
    assert (code, out) == (BAD_INPUT, "")
    assert error.startswith("usage: jdaviz-mast")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["search", "NGC 99999"], "No position is known for the target “NGC 99999”"),
        (["fetch", "jw99999-o001_t001"], "holds no observation 'jw99999-o001_t001'"),
    ],
)
def test_what_is_unknown_is_code_3_and_one_sentence(run, arguments, words):
    code, out, error = run(*arguments)
    assert (code, out) == (NOTHING_FOUND, "")
    assert words in error
    assert_one_sentence(error)


@pytest.mark.parametrize(
    "arguments", [["search", "M101"], ["fetch", HST], ["fetch", HST, "--json"]]
)
def test_an_archive_that_is_out_of_reach_is_code_4(run, arguments):
    code, out, error = run(*arguments, "--server", "http://127.0.0.1:9")
    assert (code, out) == (UNREACHABLE, "")
    assert "cannot be reached" in error
    assert_one_sentence(error)


@pytest.mark.parametrize("arguments", [["search", "M101"], ["fetch", HST]])
def test_an_archive_that_is_silent_is_code_4(run, archive, arguments):
    archive.latency = 30
    with conf.set_temp("timeout", 1.0):
        code, out, error = run(*arguments)
    assert (code, out) == (UNREACHABLE, "")
    assert "did not answer in time" in error
    assert_one_sentence(error)


@pytest.mark.parametrize("kind", ["status", "html", "error"])
@pytest.mark.parametrize("arguments", [["search", "--program-id", "2733"], ["fetch", HST]])
def test_an_archive_that_errs_is_code_1(run, archive, arguments, kind):
    archive.fail(Fault(kind, route="invoke", status=500))
    code, out, error = run(*arguments)
    assert (code, out) == (FAILED, "")
    assert_one_sentence(error)


# -- as a process ----------------------------------------------------------------------------


@pytest.fixture
def start(archive, tmp_path):
    """Callable: the command as a process of its own, on the embedded archive."""
    processes = []

    def popen(*arguments):
        command = [sys.executable, "-m", "jdaviz_mast", *arguments]
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path,
            # A test that runs in the background may have been told to ignore Ctrl-C.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )  # fmt: skip
        processes.append(process)
        return process

    yield popen
    for process in processes:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.mark.parametrize("command", [[], ["search"], ["products"], ["fetch"], ["app"], ["demo"]])
def test_help_names_the_options(run, command):
    code, out, error = run(*command, "--help")
    assert (code, error) == (OK, "")
    assert "usage: jdaviz-mast" in out
    expected = {
        (): ["search", "fetch", "demo", "app", "--server", "130  stopped with Ctrl-C"],
        ("search",): ["--coordinates", "--radius", "--mission", "--all-levels", "--json"],
        ("fetch",): ["OBSERVATION_ID", "--product-type", "--download-dir", "--all-levels"],
        ("products",): ["OBSERVATION_ID", "--suffix", "--level", "--kind", "--recommended"],
        ("app",): ["--server", "--layout", "--port"],
        ("demo",): ["--layout", "--port", "--no-browser"],
    }[tuple(command)]
    assert all(word in out for word in expected)


def test_the_command_is_installed_and_tells_its_exit_codes():
    command = Path(sys.executable).with_name("jdaviz-mast")
    done = subprocess.run([command, "--help"], capture_output=True, text=True, timeout=30)
    assert done.returncode == OK
    assert all(f"\n  {code} " in done.stdout for code in (0, 1, 2, 3, 4, 130))


def test_a_script_can_read_what_fetch_prints(start, archive, tmp_path):
    process = start("fetch", HST, "--server", archive.url, "--download-dir", "files")
    out, error = process.communicate(timeout=30)
    assert (process.returncode, error) == (OK, "")
    assert all((tmp_path / line).is_file() for line in out.splitlines())
    assert len(out.splitlines()) == 2


def test_a_reader_that_stops_reading_is_no_error(start, archive):
    process = start("search", "--program-id", "2733", "--json", "--server", archive.url)
    process.stdout.close()
    error = process.stderr.read()
    assert (process.wait(30), error) == (OK, "")


@pytest.mark.parametrize("day", ["slow", "silent", "silent search"])
def test_ctrl_c_stops_at_once_and_leaves_a_job_that_resumes(
    start, run, archive, asked, tmp_path, day
):
    archive.make(f"mast:HST/product/{HST}_drz.fits")
    folder = tmp_path / "files"
    command, awaited = ["fetch", HST, "--download-dir", str(folder)], "Download"
    if day == "slow":
        archive.bandwidth = 50_000
    elif day == "silent":
        archive.fail(Fault("stall"))
    else:
        archive.fail(Fault("stall", route="resolve", fraction=0))
        command, awaited = ["search", "M101"], "Santa-war"
    process = start(*command, "--server", archive.url)
    deadline = time.monotonic() + 30
    while not asked(awaited):
        assert time.monotonic() < deadline
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    time.sleep(0.2)

    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    out, error = process.communicate(timeout=10)

    assert time.monotonic() - began < 2
    assert (process.returncode, out) == (INTERRUPTED, "")
    if day == "silent search":
        assert error.strip() == "jdaviz-mast: stopped"
        return
    hint, stopped = error.split("\n\n")
    assert stopped.strip() == "jdaviz-mast: stopped"
    assert [p for p in folder.rglob("*.fits") if p.is_file()] == []
    archive.bandwidth = None
    archive.clear_faults()
    command = hint.split("jdaviz-mast ")[1].split()
    assert command[0] == "resume"
    code, out, _ = run(*command)
    assert code == OK
    assert [Path(line).name for line in out.splitlines()] == [f"{HST}_drz.fits", f"{HST}_drc.fits"]


# -- jobs and resume -------------------------------------------------------------------------


def test_jobs_are_listed_resumed_and_removed(run, archive, tmp_path):
    folder = ["--download-dir", tmp_path]
    assert run("jobs", *folder) == (NOTHING_FOUND, "", f"There are no imports into {tmp_path}.\n")
    archive.fail(Fault("status", status=404, match="drz.fits"))
    assert run("fetch", HST, *folder)[0] == FAILED
    archive.clear_faults()

    code, out, _ = run("jobs", *folder)
    assert code == OK
    job_id, *about = out.split()
    assert about[2] == "partial"
    assert "1 of 2 files" in out
    assert out.rstrip().endswith(HST)

    code, out, _ = run("resume", *folder)
    assert (code, len(out.splitlines())) == (OK, 2)
    (job,) = json.loads(run("jobs", "--json", *folder)[1])
    assert (job["id"], job["state"], job["files"]) == (job_id, "complete", 2)
    code, out, error = run("resume", *folder)
    assert (code, out) == (NOTHING_FOUND, "")
    assert error == f"No import into {tmp_path} is left to resume.\n"
    assert run("resume", job_id, *folder)[0] == OK, "whole already"

    assert run("jobs", "--remove", job_id, *folder)[0] == NOTHING_FOUND
    assert len(list(tmp_path.rglob("*.fits"))) == 2, "files stay"


@pytest.mark.parametrize("command", [["resume", "nobody"], ["jobs", "--remove", "../x"]])
def test_a_job_that_is_not_there_is_an_input_error(run, tmp_path, command):
    code, out, error = run(*command, "--download-dir", tmp_path)
    assert (code, out) == (BAD_INPUT, "")
    assert_one_sentence(error)
    assert "job_id" in error


def test_search_and_fetch_start_without_the_viewer(archive, tmp_path):
    code = (
        "import sys; from jdaviz_mast.cli import main; main(sys.argv[1:]); "
        "loaded = {'jdaviz', 'glue', 'ipyvuetify', 'solara'} & set(sys.modules); "
        "assert not loaded, loaded"
    )
    command = ["fetch", HST, "--server", archive.url, "--download-dir", str(tmp_path)]
    subprocess.run([sys.executable, "-c", code, *command], check=True, timeout=30)


# -- completion ------------------------------------------------------------------------------


def test_bash_completes_commands_options_and_values(run, tmp_path):
    code, script, error = run("--print-completion", "bash")
    assert (code, error) == (OK, "")
    (tmp_path / "completion.bash").write_text(script)
    asking = """
        source completion.bash
        function=$(complete -p jdaviz-mast | sed 's/.*-F \\([^ ]*\\).*/\\1/')
        for line in "$@"; do
            read -ra COMP_WORDS <<< "$line"
            [[ $line == *' ' ]] && COMP_WORDS+=("")
            COMP_CWORD=$((${#COMP_WORDS[@]} - 1)) COMPREPLY=()
            $function jdaviz-mast "${COMP_WORDS[-1]}"
            echo "${COMPREPLY[*]}"
        done
    """
    lines = {
        "jdaviz-mast fe": "fetch",
        "jdaviz-mast fetch x --sou": "--source",
        "jdaviz-mast fetch x --source ": "auto http s3",
        "jdaviz-mast app --layout c": "cubeviz",
        "jdaviz-mast app --requ": "--require-key",
    }
    (tmp_path / "a folder").mkdir()
    result = subprocess.run(
        ["bash", "-u", "-c", asking, "bash", *lines, "jdaviz-mast fetch x --download-dir a"],
        cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert result.stderr == ""
    *completed, folder = result.stdout.splitlines()
    assert completed == list(lines.values())
    assert folder == "a folder"
    checked = subprocess.run(["bash", "-n", "completion.bash"], cwd=tmp_path, check=False)
    assert checked.returncode == 0


def test_zsh_gets_a_script_of_its_own(run):
    code, script, _ = run("--print-completion", "zsh")
    assert code == OK
    assert script.startswith("#compdef jdaviz-mast")
    assert run("--print-completion", "cmd.exe")[0] == BAD_INPUT


# -- where the viewer is served --------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "words"),
    [(["--port", "99999"], "--port: 99999"), (["--host", "no.such.host.invalid"], "--host: 'no."),
     (["--host", "192.0.2.1"], "--host: '192.0.2.1'")],
)  # fmt: skip
def test_a_place_that_cannot_be_served_on_is_said(arguments, words):
    command = [sys.executable, "-m", "jdaviz_mast", "app", "--no-browser", *arguments]
    result = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert result.returncode == BAD_INPUT
    assert_one_sentence(result.stderr)
    assert words in result.stderr


def test_a_port_that_is_taken_is_said():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        command = [sys.executable, "-m", "jdaviz_mast", "app", "--no-browser", "--port", port]
        result = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert result.returncode == BAD_INPUT
    assert_one_sentence(result.stderr)
    assert f"--port: {port} is not usable; another program uses it" in result.stderr
