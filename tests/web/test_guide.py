"""The lines of the guide and of our page on HTTP, executed as they stand but for the port."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

HST = "ib5741010"
PAGE = Path(__file__).parents[2] / "docs" / "http.rst"
SEEDS = ("000_a20e8cd331565eb8.txt", "001_478771918f5a85b2.txt")


@pytest.fixture(autouse=True)
def _bucket(archive, monkeypatch):
    """Have the public bucket of the embedded archive, as ``jdaviz-mast demo`` has."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", archive.url)


def curl_lines(text):
    """Return the commands that begin with curl, their continuation lines included."""
    commands, going = [], False
    for line in text.splitlines():
        line = line.strip()
        if going:
            commands[-1] += f"\n{line}"
        elif line.startswith("curl "):
            commands.append(line)
        else:
            continue
        going = line.endswith("\\")
    return commands


def run_all(door, commands):
    """Run commands one after the other; return each with its answer."""
    answers, job_id = [], None
    for command in commands:
        command = command.replace("localhost:5001", f"localhost:{door.port}")
        if "{jobId}" in command:
            command = command.replace("{jobId}", job_id)
        command = command.replace("{obsId}", "jw02733-o001_t001_nircam_clear-f090w")
        run = ["bash", "-c", f"{command} -sS -w '\\n%{{http_code}}'"]
        result = subprocess.run(run, capture_output=True, text=True, timeout=120, check=False)
        assert result.returncode == 0, (command, result.stderr)
        body, _, code = result.stdout.rpartition("\n")
        answer = json.loads(body)
        answers.append((command, int(code), answer))
        if command.endswith("}'") and "/import " in command and code == "200":
            job_id = answer["jobId"]
            assert door.ended(job_id)["state"] == "complete"
    return answers


def check(answers):
    for command, code, answer in answers:
        assert code == 200, (command, answer)
    by_call = {
        re.search(r"/api/mast/((search|import)/[a-z-]+|[a-z-]+)", c)[1]: a for c, _, a in answers
    }
    assert by_call["search/target"]["results"]
    assert by_call["search/coordinates"]["results"]
    assert by_call["import-progress"]["isComplete"]
    assert by_call["import/resume"]["jobId"]
    assert by_call["import/from-existing"]["jobId"]
    assert by_call["refresh-metadata"]["updatedCount"] == 0
    assert by_call["refresh-metadata-all"]["obsId"] == "all"
    return by_call


def test_the_lines_of_our_page_work(door):
    commands = curl_lines("\n".join(blocks("bash")))
    assert len(commands) == 11
    by_call = check(run_all(door, commands))
    assert len(by_call) == 10


@pytest.mark.parametrize("seed", SEEDS)
def test_the_lines_of_the_guide_work(door, shared, seed, asked):
    commands = curl_lines((shared / "seeds" / seed).read_text())
    assert len(commands) >= 8
    check(run_all(door, commands))
    if any('"s3"' in command for command in commands):
        assert asked("stpubdata")


def test_all_lines_of_the_guide_are_on_our_page(shared):
    ours = {_plain(command) for command in curl_lines(PAGE.read_text())}
    for seed in SEEDS:
        for command in curl_lines((shared / "seeds" / seed).read_text()):
            assert _plain(command) in ours


def test_the_script_of_our_page_works(door):
    (script,) = blocks("python")
    script = script.replace("localhost:5001", f"localhost:{door.port}")
    run = [sys.executable, "-c", script]
    result = subprocess.run(run, capture_output=True, text=True, timeout=120, check=True)
    assert "jw02733-o001_t001_nircam_clear-f090w F090W" in result.stdout
    assert result.stdout.splitlines()[-1] == "Complete None"


def test_the_error_of_our_page_is_the_one_that_comes(door):
    (text,) = blocks("json")
    answer = door.post("search/target", {"targetName": "NGC 3132", "radius": 90.0})
    assert answer.json() == json.loads(text)


def blocks(language):
    """Return the code blocks of a language on our page."""
    pattern = rf"\.\. code-block:: {language}\n\n((?:   .*\n|\n)+)"
    return [re.sub(r"(?m)^   ", "", found) for found in re.findall(pattern, PAGE.read_text())]


def _plain(command):
    return " ".join(command.replace("\\\n", " ").split())
