"""The standalone application in a real browser: headless Chromium."""

import os
import re
import shutil
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

#: Set where Chromium was installed on purpose: there, its absence is an error.
REQUIRED = "JDAVIZ_MAST_REQUIRE_BROWSER"
PATIENCE = 60_000  # milliseconds

_FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip


def pytest_collection_modifyitems(items):
    for item in items:
        if "browser" in item.path.parts[-2:]:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
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


class Application:
    """The command ``jdaviz-mast`` as a process of its own."""

    def __init__(self, *arguments, home):
        environment = os.environ | {
            "HOME": str(home),
            "XDG_CACHE_HOME": str(home / "cache"),
            "SOLARA_KERNEL_CULL_TIMEOUT": "4s",  # instead of a minute
        }
        self.process = subprocess.Popen(
            [sys.executable, "-m", "jdaviz_mast", *arguments, "--no-browser"],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=environment,
        )
        self._lines = []
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            self._lines.append(line)

    @property
    def output(self):
        return "".join(self._lines)

    @property
    def url(self):
        """Address of the page, once it is served."""
        deadline = time.monotonic() + PATIENCE / 1000
        while time.monotonic() < deadline and self.process.poll() is None:
            found = re.search(r"MAST Import on (http://\S+)", self.output)
            if found:
                return found[1]
            time.sleep(0.1)
        raise AssertionError(f"no page is served:\n{self.output}")

    def stop(self):
        self.process.kill()
        self.process.wait()


class Tray:
    """What a person does with the MAST Import tray on a page."""

    def __init__(self, page, url):
        self.page = page
        page.set_default_timeout(PATIENCE)
        page.goto(url, wait_until="domcontentloaded")
        self.wait_until_there()

    def wait_until_there(self):
        self.page.locator("#mast-search").wait_for()

    def search_target(self, name):
        self.page.get_by_label("Target", exact=True).fill(name)
        self.page.locator("#mast-search").click()

    @property
    def rows(self):
        return self.page.locator(".mast-observations tbody tr")

    def row(self, text):
        return self.rows.filter(has_text=text).first

    def select(self, text):
        self.row(text).locator(".mast-select").click()

    def import_selected(self):
        self.page.locator("#mast-import-selected").click()

    def message_of(self, what):
        """Text of the message about the search or the import, once there is one."""
        alert = self.page.locator(f"#mast-{what}-message")
        alert.wait_for()
        return alert.inner_text()

    def choose(self, label, item):
        self.page.locator(f".v-select:has(label:text-is('{label}'))").first.click()
        self.page.locator(".v-menu__content:visible").get_by_text(item, exact=True).click()


def pixels(locator):
    """Return what an element looks like, as an array of shape (height, width, 3)."""
    import io

    from PIL import Image

    return np.asarray(Image.open(io.BytesIO(locator.screenshot())).convert("RGB")).astype(int)


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
