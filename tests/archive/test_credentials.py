"""The token: found without asking, sent to the archive's own address alone, shown to nobody."""

import copy
import json
import logging
import os
import pickle
import pty
import re
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import keyring
import pytest
import requests
import urllib3
from keyring.backends.fail import Keyring as FailKeyring
from keyring.backends.null import Keyring as NullKeyring
from keyrings import ENTRY, AskingKeyring, InputKeyring, LockedKeyring, MemoryKeyring
from leaks import everything_in

from jdaviz_mast.archive import (
    TOKEN_PAGE,
    Credentials,
    check_token,
    find_token,
    forget_token,
    set_token,
    store_token,
    token_origin,
)
from jdaviz_mast.archive.token import Secret
from jdaviz_mast.demo import Fault
from jdaviz_mast.errors import (
    AccessDenied,
    ArchiveError,
    ArchiveTimeout,
    ArchiveUnreachable,
    InvalidInput,
    MastError,
)

TOKEN = "tok3n-of-the-test"
MAST = "https://mast.stsci.edu"
FILE = f"{MAST}/api/v0.1/Download/file?uri=mast:JWST/product/a_i2d.fits"
TESTS = Path(__file__).resolve().parents[1]


@pytest.fixture
def memory():
    """A keyring in memory, in force."""
    backend = MemoryKeyring()
    keyring.set_keyring(backend)
    return backend


@pytest.fixture
def token(archive):
    """A token that the archive knows as Ada's, set for this session; each test's is its own."""
    token = f"tok3n-{time.monotonic_ns():x}"
    archive.tokens[token] = "Ada Lovelace"
    set_token(token)
    return token


# -- where it comes from -----------------------------------------------------------------------


def test_session_comes_before_environment_before_keyring(memory, monkeypatch):
    assert find_token() is None
    assert token_origin() is None
    store_token("from-keyring")
    assert (find_token().reveal(), token_origin()) == ("from-keyring", "keyring")
    monkeypatch.setenv("MAST_API_TOKEN", " from-environment\n")
    assert (find_token().reveal(), token_origin()) == ("from-environment", "environment")
    set_token("\tfrom-session ")
    assert (find_token().reveal(), token_origin()) == ("from-session", "session")
    set_token(None)
    assert token_origin() == "environment"
    monkeypatch.setenv("MAST_API_TOKEN", "")
    assert token_origin() == "keyring"


def test_the_keyring_entry_is_that_of_astroquery(memory):
    memory.entries[ENTRY] = TOKEN
    assert find_token().reveal() == TOKEN
    store_token("another")
    assert memory.entries == {ENTRY: "another"}
    from astroquery.mast import auth

    assert f'"{ENTRY[0]}", "{ENTRY[1]}"' in Path(auth.__file__).read_text()


def test_the_keyring_is_asked_once_for_many_requests(memory):
    memory.entries[ENTRY] = TOKEN
    credentials = Credentials(MAST)
    threads = [
        threading.Thread(target=lambda: [credentials.headers(FILE) for _ in range(50)])
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert memory.reads < 5  # an answer holds for some seconds


def test_a_token_that_another_program_stores_is_found(memory):
    assert find_token() is None
    memory.entries[ENTRY] = TOKEN
    assert find_token().reveal() == TOKEN


def test_another_keyring_is_another_token(memory):
    memory.entries[ENTRY] = TOKEN
    assert find_token() is not None
    keyring.set_keyring(MemoryKeyring())
    assert find_token() is None


def test_a_stored_token_is_used_from_then_on_even_before_the_environment(memory, monkeypatch):
    monkeypatch.setenv("MAST_API_TOKEN", "old")
    store_token("new")
    assert find_token().reveal() == "new"
    assert memory.entries[ENTRY] == "new"


def test_forget_leaves_what_the_environment_says(memory, monkeypatch):
    store_token("stored")
    set_token("session")
    assert forget_token(stored=False) == "keyring"
    assert forget_token() is None
    assert memory.entries == {}
    assert find_token() is None
    assert forget_token() is None
    monkeypatch.setenv("MAST_API_TOKEN", TOKEN)
    assert forget_token() == "environment"


# -- keyrings that do not work -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("backend", "reason"),
    [
        (FailKeyring, "this machine has none"),
        (NullKeyring, "it does not give back what it was given"),
        (LockedKeyring, "it is locked"),
        (AskingKeyring, "it wants a password typed on a terminal"),
        (InputKeyring, "it wants a password typed on a terminal"),
    ],
)
def test_a_keyring_that_does_not_work_is_no_token_and_a_plain_sentence(backend, reason):
    keyring.set_keyring(backend())
    assert find_token() is None
    with pytest.raises(MastError) as raised:
        store_token(TOKEN)
    sentence = str(raised.value)
    assert sentence == (
        f"The token cannot be stored in the keyring: {reason}. Give it for this session only, or "
        "set the environment variable MAST_API_TOKEN."
    )
    assert TOKEN not in everything_in(raised.value)
    assert find_token() is None
    assert forget_token() is None


def test_a_keyring_that_cannot_be_loaded_is_no_token(monkeypatch):
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "nowhere.Nothing")
    monkeypatch.setattr(keyring.core, "_keyring_backend", None)
    assert find_token() is None
    with pytest.raises(MastError, match="cannot be stored in the keyring: it failed with Module"):
        store_token(TOKEN)


@pytest.mark.parametrize("name", ["AskingKeyring", "InputKeyring"])
def test_nothing_is_asked_on_the_terminal_that_the_viewer_runs_in(name):
    script = """
        import sys
        from jdaviz_mast.archive import find_token, store_token
        from jdaviz_mast.errors import MastError
        assert open("/dev/tty")
        print("token:", find_token())
        try:
            store_token("abc")
        except MastError as error:
            print(error)
    """
    ours, theirs = pty.openpty()
    environment = os.environ | {
        "PYTHON_KEYRING_BACKEND": f"keyrings.{name}",
        "PYTHONPATH": str(TESTS),
    }

    def take_terminal():
        os.setsid()
        import fcntl
        import termios

        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script)],
        stdin=theirs, stdout=subprocess.PIPE, stderr=theirs, env=environment,
        preexec_fn=take_terminal, text=True,
    )  # fmt: skip
    os.close(theirs)
    output, _ = process.communicate(timeout=120)  # a question would wait for ever
    assert output.splitlines()[0] == "token: None"
    assert "it wants a password typed on a terminal" in output
    os.set_blocking(ours, False)
    try:
        shown = os.read(ours, 10_000)
    except OSError:  # nothing was written, and the other end is closed
        shown = b""
    os.close(ours)
    assert b"Password" not in shown


def test_a_third_partys_keyring_works(tmp_path, monkeypatch):
    monkeypatch.setenv("KEYRING_FILE", str(tmp_path / "entry"))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyrings.FileKeyring")
    monkeypatch.setenv("PYTHONPATH", str(TESTS))
    monkeypatch.setattr(keyring.core, "_keyring_backend", None)
    store_token(TOKEN)
    assert (tmp_path / "entry").read_text() == TOKEN
    assert (find_token().reveal(), token_origin()) == (TOKEN, "keyring")
    forget_token()
    assert not (tmp_path / "entry").exists()


# -- its shape ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "given", ["two words", "new\nline", "tök3n", "nul\0", "x" * 5000, b"tok3n-bytes", 12345678]
)
@pytest.mark.parametrize("take", [set_token, store_token, lambda t: check_token(MAST, t)])
def test_what_cannot_be_a_token_is_refused_without_being_repeated(take, given):
    with pytest.raises(InvalidInput) as raised:
        take(given)
    message = str(raised.value)
    assert message == (
        "token: '•••' is not usable; give it as it was copied: printable ASCII characters without "
        "spaces."
    )
    core = given.decode() if isinstance(given, bytes) else str(given)
    for text in (everything_in(raised.value), raised.value.for_person("Token")):
        assert core not in text
        assert repr(given) not in text
    assert find_token() is None


@pytest.mark.parametrize("given", ["", "  "])
def test_an_empty_token_is_said_to_be_empty(given):
    with pytest.raises(InvalidInput) as raised:
        set_token(given)
    assert raised.value.for_person("Token").startswith("Token is empty: ")


def test_an_unusable_variable_is_no_token_and_is_said_to_be(monkeypatch, memory):
    memory.entries[ENTRY] = TOKEN
    monkeypatch.setenv("MAST_API_TOKEN", "not a token")
    credentials = Credentials(MAST)
    assert credentials.headers(FILE) == {}
    sentence = credentials.explain(FILE, 401, False, {})
    assert "environment variable MAST_API_TOKEN is set, but cannot be a token" in sentence
    with pytest.raises(InvalidInput, match="MAST_API_TOKEN: '•••' is not usable"):
        check_token(MAST)


# -- not shown ---------------------------------------------------------------------------------


def test_a_secret_shows_itself_to_nobody(caplog):
    secret = Secret(TOKEN)
    header = {"Authorization": secret}
    shown = [
        str(secret), repr(secret), f"{secret}", f"{secret!r:>30}", format(secret, ">9"),
        str(header), repr([secret]), repr((secret,)),
        str(Secret(secret)), repr(copy.deepcopy(header)), repr(copy.copy(secret)),
    ]  # fmt: skip
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("x").debug("headers: %s, %s", header, secret)
    shown.append(caplog.text)
    assert not [text for text in shown if TOKEN in text]
    assert secret.reveal() == TOKEN
    assert type(secret.reveal()) is str
    assert copy.deepcopy(secret).reveal() == TOKEN


def test_a_secret_cannot_be_pickled():
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises(TypeError, match="cannot be pickled") as raised:
            pickle.dumps({"a": Secret(TOKEN)}, protocol)
        assert TOKEN not in str(raised.value)


def test_credentials_travel_without_the_token(token):
    data = pickle.dumps(Credentials(MAST))
    assert token.encode() not in data
    there = pickle.loads(data)
    assert there.server == MAST
    assert there.headers(FILE)["Authorization"].reveal() == f"Bearer {token}"
    assert token not in repr(vars(there))


@pytest.mark.parametrize("client", ["requests", "urllib3"])
def test_the_header_goes_out_whole(archive, asked, token, client):
    url = f"{archive.url}/whoami"
    headers = Credentials(archive.url).headers(url)
    assert token not in repr(headers)
    if client == "requests":
        name = requests.get(url, headers=headers, timeout=10).json()["attrib"]["display_name"]
    else:
        answer = urllib3.PoolManager().request("GET", url, headers=headers, timeout=10)
        name = json.loads(answer.data)["attrib"]["display_name"]
    assert name == "Ada Lovelace"
    (request,) = asked("whoami")
    assert request.headers["authorization"] == f"Bearer {token}"


# -- sent to whom ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        FILE,
        "https://mast.stsci.edu",
        "https://mast.stsci.edu:443/x",
        "HTTPS://MAST.stsci.EDU/x",
        "https://mast.stsci.edu?uri=http://evil.example@x",
    ],
)
def test_mast_gets_the_token(url):
    set_token(TOKEN)
    assert Credentials(MAST).headers(url)["Authorization"].reveal() == f"Bearer {TOKEN}"


@pytest.mark.parametrize(
    "url",
    [
        "http://mast.stsci.edu/x",
        "https://mast.stsci.edu:8443/x",
        "https://mast.stsci.edu:80/x",
        "https://mast.stsci.edu@evil.example/x",
        "https://mast.stsci.edu:443@evil.example/x",
        "https://user:password@mast.stsci.edu/x",
        "https://evil.example\\@mast.stsci.edu/x",
        "https://evil.example/\\@mast.stsci.edu/x",
        "https:\\\\mast.stsci.edu/x",
        "https://mast.stsci.edu\\.evil.example/x",
        "https://mast.stsci.edu.evil.example/x",
        "https://mast.stsci.edu./x",
        "https://evilmast.stsci.edu/x",
        "https://auth.mast.stsci.edu/x",
        "https://stsci.edu/x",
        "https://mast.stsci.edu%2eevil.example/x",
        "https://mast%2Estsci.edu/x",
        "https://mast.stsci.edu#@evil.example/",
        "https://mast.stsci.edu#.evil.example/",
        "https://mast.stsci.edu\n.evil.example/",
        "\thttps://mast.stsci.edu/x",
        "https://mast.stsci.edu\0/x",
        "https://mast.stsci.edu:x/",
        "https://mast.stsci.edu:99999/",
        "https://ｍast.stsci.edu/x",
        "https://mast。stsci.edu/x",
        "https:///mast.stsci.edu/x",
        "https:mast.stsci.edu/x",
        "//mast.stsci.edu/x",
        "mast.stsci.edu/x",
        "ftp://mast.stsci.edu/x",
        "file://mast.stsci.edu/x",
        "https://[mast.stsci.edu/x",
        "https://stpubdata.s3.us-east-1.amazonaws.com/x",
        "",
        None,
        b"https://mast.stsci.edu/x",
    ],
    ids=repr,
)
def test_nobody_else_gets_it(url):
    set_token(TOKEN)
    given = Credentials(MAST).headers(url)
    # A fragment is no part of the address that is asked.
    assert given == {} or url.startswith("https://mast.stsci.edu#")


def test_another_archive_gets_it_alone(archive):
    set_token(TOKEN)
    credentials = Credentials(f"{archive.url}/")
    port = int(archive.url.rsplit(":", 1)[1])
    assert "Authorization" in credentials.headers(f"{archive.url}/api/v0.1/Download/file?uri=x")
    for url in (FILE, f"http://127.0.0.1:{port + 1}/", f"http://localhost:{port}/",
                f"https://127.0.0.1:{port}/", f"http://127.0.0.2:{port}/"):  # fmt: skip
        assert credentials.headers(url) == {}


def test_it_does_not_go_over_the_network_in_clear_text():
    set_token(TOKEN)
    for server in ("http://mast.stsci.edu", "http://archive.example:8080", "http://10.0.0.7"):
        credentials = Credentials(server)
        assert credentials.headers(f"{server}/x") == {}
        sentence = credentials.explain(f"{server}/x", 401, False, {})
        assert "does not begin with https" in sentence
        with pytest.raises(AccessDenied, match="does not begin with https"):
            check_token(server)
    for server in ("http://localhost:80", "http://[::1]:99", "http://127.0.0.9"):
        assert Credentials(server).headers(f"{server}/x")


def test_without_a_token_no_header():
    assert Credentials(MAST).headers(FILE) == {}


# -- refused -----------------------------------------------------------------------------------

ABOUT = {
    "observation": {
        "t_obs_release": 69000.0,
        "proposal_pi": "Example, Iris",
        "dataRights": "EXCLUSIVE_ACCESS",
    },
    "product": {"dataRights": "EXCLUSIVE_ACCESS"},
}


def assert_sentences(text):
    assert re.fullmatch(r"\S[^\n]*\.", text)
    assert "None" not in text
    assert "nan" not in text


def test_without_a_token_it_says_until_when_who_may_and_where_to_get_one(archive):
    url = f"{archive.url}/api/v0.1/Download/file"
    sentence = Credentials(archive.url).explain(url, 401, False, ABOUT)
    assert_sentences(sentence)
    assert "under exclusive access until 2047-10-17" in sentence
    assert "principal investigator, Example, Iris, and those whom they allow" in sentence
    assert TOKEN_PAGE in sentence
    assert TOKEN_PAGE.startswith("https://auth.mast.stsci.edu/token?")
    for way in ("tray", "keyring", "MAST_API_TOKEN"):
        assert way in sentence


@pytest.mark.parametrize(
    "about",
    [
        {}, None, {"observation": None, "product": None}, {"observation": {}},
        {"observation": {"t_obs_release": None, "proposal_pi": None}},
        {"observation": {"t_obs_release": float("nan"), "proposal_pi": " "}},
        {"observation": {"t_obs_release": float("inf"), "proposal_pi": 7}},
        {"observation": {"t_obs_release": 59773.6}},  # that day is over
        {"observation": {"t_obs_release": "soon"}},
        {"observation": {"t_obs_release": 1e300}},
        "nothing",
    ],
    ids=repr,
)  # fmt: skip
def test_what_is_not_known_is_left_out(about):
    sentence = Credentials(MAST).explain(FILE, 401, False, about)
    assert_sentences(sentence)
    assert "This file is under exclusive access: the program's principal" in sentence
    assert "investigator and those" in sentence


def test_a_public_file_that_is_refused_is_said_to_be_public():
    about = {"product": {"dataRights": "PUBLIC"}}
    sentence = Credentials(MAST).explain(FILE, 403, False, about)
    assert "lists this file as public, but refuses it" in sentence
    assert "HTTP 403" in sentence


def test_an_expired_token_is_told_apart(archive, token, asked):
    del archive.tokens[token]
    sentence = Credentials(archive.url).explain(archive.url, 401, True, ABOUT)
    assert_sentences(sentence)
    assert "Your token (from the session) has expired or is not valid" in sentence
    assert "10 days without use, or after 60 days" in sentence
    assert TOKEN_PAGE in sentence
    assert token not in sentence


def test_a_token_that_ends_while_it_is_used_is_told_apart(archive, token, asked, monkeypatch):
    """A 401 is believed, once a minute: not each of thousands of files asks who it is."""
    credentials = Credentials(archive.url)
    assert "knows you as" in credentials.explain(archive.url, 403, True, ABOUT)
    del archive.tokens[token]
    assert "knows you as" in credentials.explain(archive.url, 401, True, ABOUT)
    monkeypatch.setattr("jdaviz_mast.archive.credentials._PAUSE", 0)
    assert "has expired or is not valid" in credentials.explain(archive.url, 401, True, ABOUT)
    assert len(asked("whoami")) == 2


def test_a_person_without_the_right_is_named(archive, token):
    sentence = Credentials(archive.url).explain(archive.url, 403, True, ABOUT)
    assert_sentences(sentence)
    assert "The archive knows you as Ada Lovelace, who is not among them." in sentence
    assert "expired" not in sentence


def test_the_archive_is_asked_once_whose_token_it_is(archive, token, asked):
    credentials = Credentials(archive.url)
    sentences = set()
    threads = [
        threading.Thread(
            target=lambda: sentences.add(credentials.explain(archive.url, 403, True, ABOUT))
        )
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(sentences) == 1
    assert len(asked("whoami")) == 1
    archive.tokens["another"] = "Grace Hopper"
    set_token("another")
    assert "Grace Hopper" in credentials.explain(archive.url, 403, True, ABOUT)


@pytest.mark.parametrize("fault", ["html", "corrupt", "status", "redirect", "reset"])
def test_when_whoami_does_not_answer_nothing_is_claimed(archive, token, fault):
    archive.fail(Fault(fault, route="whoami", location=f"{archive.url}/elsewhere"))
    sentence = Credentials(archive.url).explain(archive.url, 401, True, ABOUT)
    assert_sentences(sentence)
    assert "whether the token is still valid could not be found out" in sentence
    assert "expired" not in sentence


@pytest.mark.parametrize(
    "url", ["https://evil.example/x", "https://user:secret@evil.example/", "nonsense"]
)
def test_a_refusal_by_another_server_is_not_the_archives(url):
    set_token(TOKEN)
    sentence = Credentials(MAST).explain(url, 403, False, ABOUT)
    assert_sentences(sentence)
    assert "not the archive itself, so no token was sent there" in sentence
    assert "secret" not in sentence


def test_what_explains_a_file_can_be_what_the_archive_refused(archive, token):
    """The embedded archive's own refusals: nobody, somebody without the right, somebody with."""
    row = next(r for r in archive.products if r["dataRights"] == "EXCLUSIVE_ACCESS")
    row["dataURI"] = f"mast:TEST/{time.monotonic_ns()}/exclusive.fits"
    archive.add_bytes(row["dataURI"], b"data")
    credentials = Credentials(archive.url)
    url = f"{archive.url}/api/v0.1/Download/file?uri={row['dataURI']}"

    def status(headers):
        return requests.get(url, headers=headers, timeout=10).status_code

    assert status({}) == 401
    assert status({"Authorization": "Bearer unknown"}) == 401
    assert status(credentials.headers(url)) == 200
    archive.rights[row["proposal_id"]] = {"Iris Example"}
    try:
        assert status(credentials.headers(url)) == 403
        archive.rights[row["proposal_id"]].add("Ada Lovelace")
        assert status(credentials.headers(url)) == 200
    finally:
        archive.rights.clear()


# -- the check ---------------------------------------------------------------------------------


def test_check_says_who_it_is(archive, token):
    assert check_token(archive.url).name == "Ada Lovelace"
    archive.tokens["typed"] = "Grace Hopper"
    assert check_token(archive.url, " typed ").name == "Grace Hopper"
    assert find_token().reveal() == token


def test_check_asks_each_time(archive, token):
    check_token(archive.url)
    del archive.tokens[token]
    with pytest.raises(AccessDenied, match="expired or is not valid"):
        check_token(archive.url)


def test_check_without_a_token_says_where_to_get_one(archive):
    with pytest.raises(AccessDenied, match=re.escape(TOKEN_PAGE)):
        check_token(archive.url)


@pytest.mark.parametrize("status", [401, 403])
def test_an_archive_that_refuses_to_say_does_not_accept_the_token(archive, token, status):
    archive.fail(Fault("status", route="whoami", status=status))
    with pytest.raises(AccessDenied, match="does not accept this token"):
        check_token(archive.url)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault("status", route="whoami", status=500), ArchiveError),
        (Fault("html", route="whoami"), ArchiveError),
        (Fault("stall", route="whoami", fraction=0), ArchiveTimeout),
        (Fault("redirect", route="whoami", location="http://127.0.0.1:1/"), ArchiveError),
        (None, ArchiveUnreachable),
    ],
    ids=["500", "html", "stall", "redirect", "unreachable"],
)
def test_check_raises_typed_errors_that_do_not_hold_the_token(
    archive, token, fault, error, monkeypatch
):
    monkeypatch.setattr("jdaviz_mast.archive.credentials._PATIENCE", 1.0)
    server = archive.url
    if fault is None:
        server = "http://127.0.0.1:1"
    else:
        archive.fail(fault)
    with pytest.raises(error) as raised:
        check_token(server)
    assert token not in everything_in(raised.value)
    assert raised.value.__cause__ is None
    assert raised.value.__context__ is None


def test_a_redirect_of_whoami_is_not_followed_with_the_token(archive, token, answering, asked):
    archive.fail(Fault("redirect", route="whoami", location=f"{archive.url}/elsewhere"))
    with pytest.raises(ArchiveError):
        check_token(archive.url)
    assert asked("elsewhere") == []


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ({"anon": False, "attrib": {"display_name": "A\nB" + "x" * 200}}, "A B" + "x" * 77),
        ({"anon": False, "attrib": None, "eppn": "ada@stsci.edu"}, "ada@stsci.edu"),
        ({"anon": False, "attrib": {}, "ezid": "ada"}, "ada"),
        ({"anon": False, "attrib": {"display_name": "\x1b[31m"}}, "somebody without a name"),
        ({"anon": False}, "somebody without a name"),
    ],
)
def test_a_name_is_one_line(answering, said, name):
    set_token(TOKEN)
    assert check_token(answering(json.dumps(said).encode())).name == name


@pytest.mark.parametrize("said", [{}, [], None, "x", {"anon": "no"}, {"anon": 0}], ids=repr)
def test_an_answer_that_makes_no_sense_is_an_error(answering, said):
    set_token(TOKEN)
    with pytest.raises(ArchiveError, match="makes no sense"):
        check_token(answering(json.dumps(said).encode()))
