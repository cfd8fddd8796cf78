"""What all tests share: one embedded archive over real HTTP, and a folder of their own."""

import ipaddress
import socket
from pathlib import Path

import keyring
import pytest
from keyring.backends.null import Keyring as NoKeyring
from moto_server import Bucket, MotoServer

import jdaviz_mast
from jdaviz_mast import Mast
from jdaviz_mast.archive import forget_token
from jdaviz_mast.demo import DemoArchive


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Where tests run at the same time, those of a file stay together, and one page is driven."""
    from xdist.scheduler import LoadScopeScheduling

    class ByFile(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            file = nodeid.split("::", 1)[0]
            return "browser" if "/browser/" in file else file

    config.option.loadscopereorder = False  # it would begin what has few tests, and long ones, last
    return ByFile(config, log)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    """Begin with what takes long, so that nobody waits for it at the end."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}

    def rank(item):
        if item.get_closest_marker("browser"):
            return 0
        return 1 if item.path in slow else 2 if item.path.parent.name in ("tray", "viewer") else 3

    items.sort(key=rank)


@pytest.fixture(scope="session", autouse=True)
def _no_internet():
    """Make a connection to any other machine fail: a test that needs one is wrong."""
    connect = socket.socket.connect

    def to_this_machine(self, address):
        if self.family in (socket.AF_INET, socket.AF_INET6) and address[0] != "localhost":
            host = ipaddress.ip_address(address[0])
            if not (host.is_loopback or host.is_unspecified):
                raise ConnectionRefusedError(f"tests do not reach {host}")
        return connect(self, address)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", to_this_machine)
        yield


@pytest.fixture(scope="session")
def _running_archive():
    with DemoArchive() as archive:
        tables = {name: getattr(archive, name) for name in ("observations", "products", "targets")}
        yield (
            archive,
            [
                (name, table, [*table], [dict(row) for row in table])
                for name, table in tables.items()
            ],
        )


@pytest.fixture
def archive(_running_archive):
    """The embedded archive, as good as new: what a test changes is undone after it.

    Undone are faults, latency, bandwidth, EXECUTING, tokens and targets, and rows that
    were added, removed or changed. Files that a test adds need addresses of their own.
    """
    archive, kept = _running_archive
    tokens = dict(archive.tokens)
    yield archive
    archive.clear_faults()
    archive.latency, archive.bandwidth, archive.executing = 0.0, None, 0
    archive.tokens.clear()
    archive.tokens.update(tokens)
    for name, table, rows, copies in kept:
        for row, copy in zip(rows, copies, strict=True):
            if row != copy:
                row.clear()
                row.update(copy)
        table[:] = rows
        setattr(archive, name, table)


@pytest.fixture(autouse=True)
def _settings(archive, tmp_path):
    """Point the settings of jdaviz-mast to the embedded archive and a temporary folder."""
    conf = jdaviz_mast.conf
    with conf.set_temp("server", archive.url), conf.set_temp("download_dir", str(tmp_path)):
        yield


@pytest.fixture(autouse=True)
def _own_data_folder(monkeypatch, tmp_path_factory):
    """Keep the tests away from what whoever runs them has searched for."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("data")))


@pytest.fixture(autouse=True)
def _no_token(monkeypatch):
    """Keep the tests away from the token and the keyring of whoever runs them."""
    monkeypatch.delenv("MAST_API_TOKEN", raising=False)
    monkeypatch.delenv("AWS_ENDPOINT_URL_S3", raising=False)
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    keyring.set_keyring(NoKeyring())
    forget_token()
    yield
    keyring.set_keyring(NoKeyring())
    forget_token()


@pytest.fixture(scope="session")
def _moto():
    server = MotoServer().start()
    yield server
    server.stop()


@pytest.fixture
def bucket(_moto):
    """The public bucket, empty and well behaved, as a real S3 server: see `moto_server.Bucket`.

    Its address has yet to be put into ``AWS_ENDPOINT_URL_S3``.
    """
    bucket = Bucket(_moto).start()
    yield bucket
    bucket.stop()
    bucket.clear()


@pytest.fixture
def mast(archive, tmp_path):
    """The front door, on the embedded archive and a temporary folder."""
    return Mast(archive.url, tmp_path)


@pytest.fixture
def asked(archive):
    """Callable that returns the requests since the test began, oldest first.

    Its arguments are substrings; a request is returned if its path, query or body holds
    all of them.
    """
    before = archive.requests
    last = before[-1] if before else None

    def since(*substrings):
        log = archive.requests
        start = next((n + 1 for n in reversed(range(len(log))) if log[n] is last), 0)
        return [
            request
            for request in log[start:]
            if all(s in f"{request.path} {request.query} {request.body}" for s in substrings)
        ]

    return since


@pytest.fixture(scope="session")
def shared():
    """Folder of recorded answers and true products beside the project, which CI lacks."""
    folder = Path(__file__).resolve().parents[2] / "shared"
    if not folder.is_dir():
        pytest.skip("recorded answers and true products (../shared) are not on this machine")
    return folder
