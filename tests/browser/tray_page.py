"""The command as a process of its own, and what a person does with the tray on its page."""

import io
import os
import re
import subprocess
import sys
import threading
import time

import numpy as np
from PIL import Image

PATIENCE = 60_000  # milliseconds
#: Where what is the same in both is tried; without a browser, it is tried in Imviz, too.
LAYOUTS = ("app", "imviz") if os.environ.get("JDAVIZ_MAST_THOROUGH") else ("app",)


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
    return np.asarray(Image.open(io.BytesIO(locator.screenshot())).convert("RGB")).astype(int)


class Jobs:
    """The list of imports on the page, and what greets there."""

    def __init__(self, tray):
        self.page = tray.page

    @property
    def all(self):
        return self.page.locator(".mast-job")

    def of(self, text):
        return self.all.filter(has_text=text).first

    def wait_for(self, text, state):
        """Wait until the job with a text is in a state."""
        self.page.locator(f".mast-job[data-state={state}]").filter(has_text=text).wait_for()

    def press(self, text, button):
        """Press a button of the job with a text."""
        self.of(text).get_by_role("button", name=button, exact=True).first.click()

    def unfold(self, text):
        self.of(text).locator(".mast-job-head").click()
        self.page.locator(".mast-file").first.wait_for()
