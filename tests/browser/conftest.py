"""The standalone application in a real browser: headless Chromium."""

import os
import shutil

import pytest
from tray_page import Application, Tray

#: Set where Chromium was installed on purpose: there, its absence is an error.
REQUIRED = "JDAVIZ_MAST_REQUIRE_BROWSER"

_FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip


def pytest_collection_modifyitems(items):
    for item in items:
        if "browser" in item.path.parts[-2:]:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="module")  # its driver keeps an event loop running in this thread
def chromium():
    """A running browser."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    names = ("chromium", "chromium-browser", "google-chrome")
    path = next(filter(None, map(shutil.which, names)), None)
    if path is None:
        message = "Chromium is not installed (Debian: apt-get install chromium)"
        pytest.fail(message) if os.environ.get(REQUIRED) else pytest.skip(message)
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, headless=True, args=_FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def start(tmp_path):
    """Callable that starts the command with some arguments; stopped after the test."""
    started = []

    def run(*arguments):
        application = Application(*arguments, home=tmp_path)
        started.append(application)
        return application

    yield run
    for application in started:
        application.stop()


@pytest.fixture
def open_tray(start, chromium, archive, tmp_path):
    """Callable that opens the page of a layout on the embedded archive of the tests."""
    pages = []

    def open_page(layout, **viewport):
        application = start(
            "--server", archive.url, "--download-dir", str(tmp_path / "mast"), "--layout", layout
        )
        page = chromium.new_page(viewport={"width": 1400, "height": 1000} | viewport)
        pages.append(page)
        tray = Tray(page, application.url)
        tray.application = application
        return tray

    yield open_page
    for page in pages:
        page.close()
