"""The commands in the documentation do what they say: page by page, on the embedded archive.

The Python examples are run by Sphinx's doctest builder, those of `docs/http.rst` by
`tests/web/test_guide.py`. A block that cannot be run here says so (``:class: by-hand`` in a page,
````bash by-hand`` in the README) and is counted, so that none is left out by accident.
"""

import os
import re
import shlex
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

from jdaviz_mast import Mast
from jdaviz_mast.cli.main import _parser
from jdaviz_mast.demo import Fault

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.rst"))]
BY_HAND = "by-hand"

#: Blocks of a page that install something, open a page or need a cluster.
LEFT_OUT = {
    "README.md": 2,
    "docs/contributing.rst": 2,
    "docs/tasks/first_import.rst": 1,
    "docs/tasks/light_curve.rst": 1,
    "docs/transfers.rst": 1,
}
#: Their blocks are run by a test of their own.
ELSEWHERE = {"docs/http.rst"}

_IN_RST = re.compile(
    r"^(?P<indent> *)\.\. code-block:: *(?P<language>\S+)\n(?P<options>(?:(?P=indent) +:.*\n)*)"
    r"(?P<text>(?:(?P=indent) +\S.*\n|[ ]*\n)+)",
    re.MULTILINE,
)
_IN_MARKDOWN = re.compile(
    r"^```(?P<language>\w+)(?P<options>.*)\n(?P<text>(?:(?!```).*\n)*)```", re.MULTILINE
)


def blocks(path):
    """Return the code blocks of a page: (language, text, whether it is run by hand)."""
    pattern = _IN_MARKDOWN if path.suffix == ".md" else _IN_RST
    return [
        (found["language"], textwrap.dedent(found["text"]).strip(), BY_HAND in found["options"])
        for found in pattern.finditer(path.read_text())
    ]


def name_of(path):
    return path.relative_to(ROOT).as_posix()


def run_by_us(path, language):
    """Return the blocks of a page that are run here."""
    if name_of(path) in ELSEWHERE:
        return []
    return [text for of, text, by_hand in blocks(path) if of == language and not by_hand]


def with_blocks(language):
    pages = [path for path in PAGES if run_by_us(path, language)]
    return pytest.mark.parametrize("path", pages, ids=[path.stem for path in pages])


@pytest.fixture
def home(archive, tmp_path, monkeypatch):
    """A home whose settings lead to the embedded archive, with the command on the path."""
    (tmp_path / ".astropy" / "config").mkdir(parents=True)
    (tmp_path / ".astropy" / "config" / "jdaviz_mast.cfg").write_text(f"server = {archive.url}\n")
    command = tmp_path / "bin" / "jdaviz-mast"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m jdaviz_mast "$@"\n')
    command.chmod(0o755)
    for name in list(os.environ):
        if name.startswith("XDG_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PATH", f"{command.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", archive.url)  # as `jdaviz-mast demo` has it
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    folder = tmp_path / "work"
    folder.mkdir()
    return folder


F090W = "jw02733-o001_t001_nircam_clear-f090w"
F187N = "jw02733-o001_t001_nircam_clear-f187n"
HST = "ib5741010"

#: Observations that pages begin with: into which folder, and which of their files is missing.
#: None is the folder that files go to by default.
BEFORE = {
    "README.md": [(HST, None, "drz.fits")],
    "docs/again.rst": [(HST, None, "")],
    "docs/command_line.rst": [(HST, "mosaics", "drz.fits")],
    "docs/library.rst": [(HST, None, ""), (F090W, None, "")],
    "docs/provenance.rst": [(F187N, None, "")],
    "docs/transfers.rst": [(HST, None, "drz.fits")],
}


def prepare(path, archive, home):
    """Leave in a home what a page takes for granted."""
    for observation, folder, missing in BEFORE.get(name_of(path), ()):
        if missing:
            archive.fail(Fault("status", status=404, match=missing))
        folder = home / folder if folder else home.parent / "Downloads" / "jdaviz-mast"
        job = Mast(archive.url, folder).fetch(observation, source="http")
        assert job.state == ("partial" if missing else "complete")
        archive.clear_faults()


def run(command, folder):
    """Run a command as a process of its own; what it prints is shown if it fails."""
    result = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=180, check=False
    )
    assert result.returncode == 0, f"{result.stdout}\n{result.stderr}"
    return result.stdout


@with_blocks("bash")
def test_the_commands_of_a_page_work(path, home, archive):
    prepare(path, archive, home)
    script = "\n".join(run_by_us(path, "bash"))
    run(["bash", "-euo", "pipefail", "-c", script], home)


@with_blocks("python")
def test_the_scripts_of_a_page_work(path, home):
    # In a kernel, since jdaviz shows itself in notebooks alone.
    cells = [new_code_cell(script) for script in run_by_us(path, "python")]
    resources = {"metadata": {"path": str(home)}}
    notebook = new_notebook(cells=cells)
    NotebookClient(notebook, timeout=120, kernel_name="python3", resources=resources).execute()


def test_no_block_is_left_out_by_accident():
    left_out = {}
    for path in PAGES:
        for language, _, by_hand in blocks(path):
            # Others are not for running: `text` shows how something looks, `json` what comes.
            assert language in ("bash", "python", "text", "json"), (path, language)
            if by_hand:
                left_out[name_of(path)] = left_out.get(name_of(path), 0) + 1
    assert left_out == LEFT_OUT
    assert sum(text.count("code-block::") for text in map(Path.read_text, PAGES)) == sum(
        len(blocks(path)) for path in PAGES if path.suffix == ".rst"
    )


COMMANDS = sorted(
    {
        re.split(r"  |#", line)[0].strip()
        for path in PAGES
        for language, text, by_hand in blocks(path)
        if by_hand or language == "text"
        for line in text.splitlines()
        if line.startswith("jdaviz-mast")
    }
)


@pytest.mark.parametrize("line", COMMANDS)
def test_commands_that_are_only_shown_exist(line):
    words = [word.strip("[]") for word in shlex.split(line)[1:]]
    _parser().parse_args(words)


def test_commands_within_sentences_exist():
    parser = _parser()
    commands = next(action for action in parser._actions if action.dest == "command").choices
    named = {
        word
        for path in PAGES
        for word in re.findall(r"``?jdaviz-mast ([a-z-]+)", path.read_text())
        if not word.startswith("--")
    }
    assert named
    assert named <= set(commands)
