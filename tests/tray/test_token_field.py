"""The token field: what it does, and that the token stays where it belongs."""

import json
import logging
import time

import jdaviz
import keyring
import pytest
from ipywidgets import Widget
from keyrings import ENTRY, AskingKeyring, LockedKeyring, MemoryKeyring
from leaks import LogKeeper, files_with, shows
from trays import F090W, tray_of, wait_for

from jdaviz_mast.archive import TOKEN_PAGE, find_token

SECRET = "0123456789abcdef-tray-secret"


@pytest.fixture
def tray():
    return tray_of(jdaviz.Imviz())


@pytest.fixture
def field(tray):
    return tray._obj.token_field


def do(tray, name, *arguments):
    field = tray._obj.token_field
    getattr(field, f"vue_{name}")(*arguments)
    wait_for(lambda: not field.busy, tray)
    return field.message


def make_exclusive(archive, release=70000.0):
    for row in archive.observations:
        if row["obs_id"] == F090W:
            row |= {"dataRights": "EXCLUSIVE_ACCESS", "t_obs_release": release}
    for row in archive.products:
        if row["obs_id"] == F090W:
            row["dataRights"] = "EXCLUSIVE_ACCESS"


def test_a_token_is_used_checked_and_forgotten(tray, field, archive, monkeypatch):
    archive.tokens[SECRET] = "Ada Lovelace"
    assert field.origin == ""  # the keyring is not asked before the field is unfolded
    do(tray, "open")
    assert field.origin == "There is no token."
    assert "There is no token" in do(tray, "check")
    assert "until this session ends" in do(tray, "use", {"token": f" {SECRET}\n", "keep": False})
    assert "session" in field.origin
    assert do(tray, "check") == "The archive knows you as Ada Lovelace."
    assert do(tray, "forget") == "The token is forgotten."
    assert not field.has_token

    monkeypatch.setenv("MAST_API_TOKEN", SECRET)
    do(tray, "open")
    assert "environment variable MAST_API_TOKEN" in field.origin
    assert "another one is still in force" in do(tray, "forget")
    assert field.token_page == TOKEN_PAGE


def test_a_token_is_kept_in_the_keyring_on_request(tray, field, archive):
    keyring.set_keyring(MemoryKeyring())
    assert "kept in the keyring" in do(tray, "use", {"token": SECRET, "keep": True})
    assert keyring.get_keyring().entries == {ENTRY: SECRET}
    assert "keyring" in field.origin
    do(tray, "forget")
    assert keyring.get_keyring().entries == {}


@pytest.mark.parametrize("backend", [LockedKeyring, AskingKeyring])
def test_a_keyring_that_takes_none_is_an_error_in_words_and_asks_nobody(tray, field, backend):
    keyring.set_keyring(backend())
    message = do(tray, "use", {"token": SECRET, "keep": True})
    assert message.startswith("The token cannot be stored in the keyring")
    assert field.message_type == "error"
    assert not shows(message, SECRET)


@pytest.mark.parametrize("given", [{"token": "a b"}, {"token": ""}, {"token": 3}, {}, "x", None])
def test_what_cannot_be_a_token_is_refused_in_words(tray, field, given):
    assert "token" in do(tray, "use", given).lower()
    assert field.message_type == "error"
    assert find_token() is None


def test_a_token_that_is_not_good_is_told(tray, field, archive):
    do(tray, "use", {"token": SECRET, "keep": False})
    assert "does not accept this token" in do(tray, "check")


def test_refused_files_say_who_may_fetch_them_and_the_summary_names_the_field(tray, archive):
    make_exclusive(archive)
    job = tray.import_observation(F090W)
    assert job.state == "failed"
    assert all("principal investigator" in file.error for file in job.files)
    assert any("“Token for exclusive data”" in note for note in tray._obj.import_notes)

    archive.tokens[SECRET] = "Ada Lovelace"
    do(tray, "use", {"token": SECRET, "keep": False})
    assert tray.resume(job.id).state == "complete"


def test_a_token_from_the_field_is_nowhere_but_in_the_header(tray, field, archive, tmp_path, asked):
    keeper = LogKeeper()
    root = logging.getLogger()
    level = root.level
    root.addHandler(keeper)
    root.setLevel(logging.DEBUG)
    try:
        archive.tokens[SECRET] = "Ada Lovelace"
        make_exclusive(archive)
        event = {"event": "use", "data": {"token": SECRET, "keep": False}}
        field._handle_event(field, event, [])
        assert not shows(repr(event), SECRET)  # the message does not carry it any further
        wait_for(lambda: not field.busy, tray)
        do(tray, "check")
        assert tray.import_observation(F090W).state == "complete"
        time.sleep(0.3)
    finally:
        root.removeHandler(keeper)
        root.setLevel(level)
    assert any(shows(repr(request.headers), SECRET) for request in asked("Download/file"))
    assert not any(shows(f"{r.path} {r.query} {r.body}", SECRET) for r in asked())
    assert not any(shows(text, SECRET) for text in keeper.texts)
    assert files_with(SECRET, tmp_path) == []
    for widget in list(Widget.widgets.values()):
        state = json.dumps(widget.get_state(), default=repr)
        assert not shows(state, SECRET), type(widget)


def test_padlocks_say_until_when(tray, archive):
    make_exclusive(archive)
    other = next(r for r in archive.observations if r["obs_id"].endswith("clear-f187n"))
    other |= {"dataRights": "RESTRICTED", "t_obs_release": 59000.0}
    tray.search_by, tray.program_id = "Program ID", "2733"
    tray.search()
    rows = {row["obs_id"]: row["lock"] for row in tray.observations._obj.rows}
    assert rows[F090W] == "exclusive until 2050-07-13"
    assert rows[other["obs_id"]] == "restricted"  # that day has passed
    assert {lock for name, lock in rows.items() if name not in (F090W, other["obs_id"])} == {""}
