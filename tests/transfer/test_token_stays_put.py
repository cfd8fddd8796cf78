"""A token, however it was given, is nowhere but in the header to the archive itself."""

import json
import logging
import os
import pickle
import subprocess
import sys
import uuid

import keyring
import pytest
from astropy.table import Table
from keyrings import MemoryKeyring
from leaks import LogKeeper, everything_in, files_with, plain_texts, shows

import jdaviz_mast
from jdaviz_mast import Mast
from jdaviz_mast.archive import set_token, store_token, token_origin
from jdaviz_mast.demo import DemoArchive, Fault
from jdaviz_mast.errors import MastError

EXCLUSIVE = "jw07777-o001_t001_nircam_clear-f200w"
DOWNLOAD = "/api/v0.1/Download/file"


@pytest.fixture(scope="module")
def elsewhere():
    """Another host, to the port."""
    with DemoArchive() as archive:
        yield archive


@pytest.fixture(params=["session", "environment", "keyring"])
def token(request, archive, monkeypatch):
    """A token that the archive knows, given in one of the three ways."""
    token = f"tok3n{uuid.uuid4().hex}"
    archive.tokens[token] = "Ada Lovelace"
    if request.param == "session":
        set_token(token)
    elif request.param == "environment":
        monkeypatch.setenv("MAST_API_TOKEN", token)
    else:
        keyring.set_keyring(MemoryKeyring())
        store_token(token)
    assert token_origin() == request.param
    return token


@pytest.fixture
def log():
    """All that is logged, at the level DEBUG of the root logger."""
    root, keeper = logging.getLogger(), LogKeeper()
    level = root.level
    root.addHandler(keeper)
    root.setLevel(logging.DEBUG)
    yield keeper.texts
    root.setLevel(level)
    root.removeHandler(keeper)


@pytest.fixture
def folders(tmp_path, monkeypatch):
    """Every folder that something may be written to: downloads, caches, states."""
    for name in ("CACHE", "DATA", "STATE", "CONFIG"):
        folder = tmp_path / name.lower()
        folder.mkdir()
        monkeypatch.setenv(f"XDG_{name}_HOME", str(folder))
    return tmp_path


@pytest.fixture
def table(archive, bucket, monkeypatch):
    """One product under exclusive access and one for everybody."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", bucket.url)
    rows, name = [], uuid.uuid4().hex
    for rights in ("EXCLUSIVE_ACCESS", "PUBLIC"):
        uri = f"mast:TEST/product/{name}-{rights.lower()}.txt"
        row = archive.add_bytes(uri, rights.encode() * 20_000, dataRights=rights)
        row["productFilename"] = uri.rsplit("/", 1)[-1]
        wanted = ("dataURI", "productFilename", "size", "obs_id", "obs_collection", "proposal_id")
        rows.append({column: row[column] for column in wanted} | {"dataRights": rights})
    return Table(rows=rows)


@pytest.fixture
def nowhere(token, archive, bucket, elsewhere, folders, log, capfd):
    """Callable: assert that none of these things, and nothing that was written, has the token."""
    before = len(archive.requests), len(elsewhere.requests)

    def check(*things):
        output = capfd.readouterr()
        for source, texts in {
            "output": [output.out, output.err],
            "log": log,
            "another host": map(repr, map(vars, elsewhere.requests[before[1] :])),
            "the bucket": map(repr, map(vars, bucket.requests)),
        }.items():
            assert not [text for text in texts if shows(text, token)], f"the token is in {source}"
        assert files_with(token, folders) == []
        for request in [*elsewhere.requests[before[1] :], *bucket.requests]:
            assert "authorization" not in request.headers
            assert "cookie" not in request.headers
        for request in archive.requests[before[0] :]:
            # The archive gets it in its header, and in no address, cookie or body.
            known = dict(request.headers)
            assert known.pop("authorization", f"Bearer {token}") == f"Bearer {token}"
            told = [request.path, request.query, request.body, request.host, known]
            assert not shows(repr(told), token)
        for thing in things:
            if isinstance(thing, BaseException):
                assert not shows(everything_in(thing), token), "the token is in an error"
                continue
            for text in plain_texts(thing):
                assert not shows(text, token), f"the token is in {thing!r}"
            assert not shows(json.dumps(vars(thing), default=repr), token)

    return check


@pytest.fixture
def fetch(archive, folders, table):
    """Callable: fetch the products and return the job, ended."""

    def run(server=archive.url, **options):
        mast = Mast(server, folders / "downloads")
        job = mast.fetch(table, block=False, **options)
        assert job.wait(60)
        return job

    with jdaviz_mast.conf.set_temp("timeout", 2.0), _few_retries():
        yield run


def _few_retries():
    return jdaviz_mast.conf.set_temp("retries", 1)


def files_of(job):
    exclusive, public = job.files
    return exclusive, public


def sent(asked, path=DOWNLOAD):
    """Requests for files that had a token."""
    return [request for request in asked(path) if "authorization" in request.headers]


# -- it arrives --------------------------------------------------------------------------------


@pytest.mark.parametrize("source", ["http", "auto"])
def test_what_it_opens_arrives(fetch, token, nowhere, asked, source, bucket):
    job = fetch(source=source)
    assert job.state == "complete", [file.error for file in job.files]
    exclusive, _ = files_of(job)
    assert exclusive.path.read_bytes() == b"EXCLUSIVE_ACCESS" * 20_000
    assert sent(asked)
    nowhere(job, *job.files)


def test_the_job_is_kept_and_listed_without_it(fetch, archive, folders, token, nowhere):
    job = fetch(source="http")
    later = Mast(archive.url, folders / "downloads")
    (listed,) = [one for one in later.jobs if one.id == job.id]
    nowhere(later, listed, *listed.files)
    assert not shows(repr(later.jobs), token)


# -- it does not open --------------------------------------------------------------------------


def test_an_expired_one_is_told_and_not_shown(fetch, archive, token, nowhere, asked):
    del archive.tokens[token]
    job = fetch(source="http")
    exclusive, public = files_of(job)
    assert (exclusive.state, public.state) == ("failed", "complete")
    assert "has expired or is not valid" in exclusive.error
    assert len(sent(asked, "whoami")) == 1
    nowhere(job, *job.files)


def test_a_person_without_the_right_is_told_so(fetch, archive, table, token, nowhere):
    archive.rights[table["proposal_id"][0]] = {"Grace Hopper"}
    try:
        job = fetch(source="http")
    finally:
        archive.rights.clear()
    exclusive, public = files_of(job)
    assert (exclusive.state, public.state) == ("failed", "complete")
    assert "The archive knows you as Ada Lovelace" in exclusive.error
    nowhere(job, *job.files)


# -- it goes to nobody else --------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/api/v0.1/Download/file?uri=mast:TEST/x", "/nothing", "/whoami"])
def test_a_redirect_to_another_host_does_not_carry_it(
    fetch, archive, elsewhere, table, token, nowhere, path, asked
):
    archive.fail(Fault("redirect", match=table["dataURI"][0], location=elsewhere.url + path))
    before = len(elsewhere.requests)
    job = fetch(source="http")
    assert sent(asked), "the archive itself gets it"
    assert len(elsewhere.requests) > before, "the redirect is followed"
    nowhere(job, *job.files)


def test_a_redirect_to_the_same_machine_under_another_name_does_not_carry_it(
    fetch, archive, table, token, nowhere, asked
):
    there = archive.url.replace("127.0.0.1", "localhost") + "/nothing"
    archive.fail(Fault("redirect", match=table["dataURI"][0], location=there))
    job = fetch(source="http")
    followed = asked("/nothing")
    assert followed
    assert all("authorization" not in request.headers for request in followed)
    nowhere(job, *job.files)


# -- bad days ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fault",
    [
        Fault("status", status=401),
        Fault("status", status=500),
        Fault("status", status=404),
        Fault("truncate", fraction=0),
        Fault("reset", fraction=0),
        Fault("stall", fraction=0),
        Fault("redirect", location="file:///etc/passwd"),
        Fault("redirect", location="https://user:password@127.0.0.1:1/x"),
        Fault("redirect", location="http://127.0.0.1:1/x"),
    ],
    ids=lambda fault: f"{fault.kind} {fault.location or fault.status}",
)
def test_no_bad_day_brings_it_to_light(fetch, archive, token, nowhere, asked, fault):
    archive.fail(fault)
    job = fetch(source="http")
    assert job.state == "failed"
    assert sent(asked)
    nowhere(job, *job.files, *filter(None, [job.error]))


def test_an_error_that_a_fetch_raises_does_not_hold_it(archive, folders, token, nowhere):
    with pytest.raises(MastError) as raised, jdaviz_mast.conf.set_temp("timeout", 2.0):
        Mast("http://127.0.0.1:1", folders / "downloads").fetch(EXCLUSIVE)
    nowhere(raised.value)
    archive.fail(Fault("corrupt", route="invoke"))
    with pytest.raises(MastError) as raised:
        Mast(archive.url, folders / "downloads").fetch(EXCLUSIVE)
    nowhere(raised.value)


# -- other processes ---------------------------------------------------------------------------


def test_what_goes_to_a_worker_does_not_hold_it(archive, token, monkeypatch):
    from jdaviz_mast.archive import Credentials

    assert not shows(pickle.dumps(Credentials(archive.url)), token)


def test_the_terminal_does_not_show_it(archive, folders, tmp_path):
    token = f"tok3n{uuid.uuid4().hex}"
    archive.tokens[token] = "Ada Lovelace"
    command = [
        sys.executable, "-m", "jdaviz_mast", "fetch", EXCLUSIVE,
        "--server", archive.url, "--download-dir", str(folders / "terminal"),
    ]  # fmt: skip
    environment = os.environ | {"MAST_API_TOKEN": token}
    done = subprocess.run(
        command, env=environment, capture_output=True, timeout=120, check=False, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert not shows(done.stdout + done.stderr, token)
    assert files_with(token, folders) == []
