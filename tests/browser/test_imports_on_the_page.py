"""Imports as a person has them: several at once, on bad days, and after the bad day."""

import json
import re
import signal
import socket
import subprocess
import sys
import time

import pytest
from astropy.table import Table
from leaks import files_with, shows
from tray_page import Jobs, Tray

from jdaviz_mast import Mast
from jdaviz_mast.demo import DemoArchive, Fault

SLOW = 2_000_000  # bytes per second and connection: an import takes some seconds
CRAWL = 150_000  # so slow that it does not end while a page is opened
F090W = "jw02733-o001_t001_nircam_clear-f090w"
F187N = "jw02733-o001_t001_nircam_clear-f187n"
SECRET = "0123456789abcdef-page-secret"


@pytest.fixture
def tray(open_tray, archive):
    tray = open_tray("imviz")
    tray.search_target("NGC 3132")
    tray.row("F090W").wait_for()
    return tray


@pytest.fixture
def jobs(tray):
    return Jobs(tray)


def free_port():
    """A port of this machine on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def import_row(tray, name):
    tray.row(name).get_by_role("button", name=re.compile("^Import ")).click()


def layers_in(page):
    """Names of the layers in the menu of the first viewer."""
    page.locator(".layer-legend").first.locator("button").first.click()
    menu = page.locator("[id^=dm-content-]:visible").first
    menu.get_by_text("NGC-3132").first.wait_for()
    return re.findall(r"NGC-3132 \S+ L3(?: segm)?", menu.inner_text())


def wanted(archive, obs_id):
    return {
        row["productFilename"]: row["size"]
        for row in archive.products
        if row["productFilename"].startswith(f"{obs_id}_")
        and row["productType"] == "SCIENCE" and row["calib_level"] == 3
    }  # fmt: skip


def test_two_imports_run_at_once(tray, jobs, archive):
    archive.bandwidth = SLOW
    import_row(tray, "F090W")
    jobs.wait_for(F090W, "running")
    import_row(tray, "F187N")
    jobs.wait_for(F187N, "running")
    assert jobs.of(F090W).get_attribute("data-state") == "running"
    tray.page.get_by_text("the newest of 2 imports").wait_for()
    assert jobs.all.first.inner_text().startswith(F187N)  # newest first
    for name in (F090W, F187N):
        jobs.wait_for(name, "complete")
    tray.page.locator("#mast-progress").wait_for(state="detached")
    names = layers_in(tray.page)
    assert {"NGC-3132 F090W L3", "NGC-3132 F187N L3"} <= set(names)


def test_a_server_that_goes_away_is_said_and_waited_for(start, chromium, tmp_path):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    page = chromium.new_page(viewport={"width": 1400, "height": 1000})
    with DemoArchive(port=port, bandwidth=SLOW) as archive:
        folder = tmp_path / "mast"
        application = start("--server", archive.url, "--download-dir", str(folder))
        tray = Tray(page, application.url)
        jobs = Jobs(tray)
        tray.search_target("NGC 3132")
        import_row(tray, "F090W")
        jobs.of(F090W).get_by_text(" left").wait_for()
        archive.stop()
        jobs.of(F090W).get_by_text("no data for").wait_for()
        assert jobs.of(F090W).get_attribute("data-state") == "running"
        archive.bandwidth = None
        archive.start()
        jobs.wait_for(F090W, "complete")
        assert "2 images, 1 catalog loaded" in tray.message_of("import")
        fetched = {p.name: p.stat().st_size for p in folder.rglob("jw02733*.*") if p.is_file()}
        assert fetched == wanted(archive, F090W)
    page.close()


def test_a_failed_file_says_why_and_is_tried_again(tray, jobs, archive):
    archive.fail(Fault("status", match="f090w_segm", status=404))
    import_row(tray, "F090W")
    jobs.wait_for(F090W, "partial")
    jobs.unfold(F090W)
    first = tray.page.locator(".mast-file").first
    assert "HTTP 404" in first.inner_text()
    assert first.get_attribute("data-state") == "failed"
    assert "loaded" in tray.message_of("import")
    archive.clear_faults()
    jobs.press(F090W, "Retry failed")
    jobs.wait_for(F090W, "complete")
    tray.page.get_by_text("1 image, 1 catalog are already in the viewer").first.wait_for()

    jobs.press(F090W, "Remove")
    tray.page.get_by_text("Files that are whole stay").wait_for()
    jobs.press(F090W, "Keep")
    jobs.press(F090W, "Remove")
    jobs.of(F090W).locator(".mast-job-ask").get_by_role("button", name="Remove").click()
    jobs.all.first.wait_for(state="detached")


def test_the_page_is_closed_in_mid_import_and_opened_again(tray, jobs, archive, chromium):
    archive.bandwidth = CRAWL
    import_row(tray, "F090W")
    jobs.of(F090W).get_by_text("left").wait_for()
    tray.page.close(run_before_unload=True)
    page = chromium.new_page()
    again = Tray(page, tray.application.url)
    listed = Jobs(again)
    listed.wait_for(F090W, "running")  # it went on, and is nobody's to resume
    assert page.locator("#mast-greeting").count() == 0
    archive.bandwidth = None
    listed.wait_for(F090W, "complete")
    page.close()


def test_killed_in_mid_import_and_started_again(tray, jobs, archive, open_tray, tmp_path):
    archive.bandwidth = CRAWL
    import_row(tray, "F090W")
    jobs.of(F090W).get_by_text("left").wait_for()
    time.sleep(3)  # for a part to be on disk for good
    assert jobs.of(F090W).get_attribute("data-state") == "running"
    tray.application.process.send_signal(signal.SIGKILL)
    tray.application.process.wait()
    archive.bandwidth = None

    again = open_tray("imviz")
    greeting = again.page.locator("#mast-greeting")
    greeting.wait_for()
    assert f"The import of {F090W} was interrupted" in greeting.inner_text()
    listed = Jobs(again)
    listed.wait_for(F090W, "interrupted")
    greeting.get_by_role("button", name="Resume").click()
    greeting.wait_for(state="detached")
    listed.wait_for(F090W, "complete")
    assert "2 images, 1 catalog loaded" in again.message_of("import")
    assert "NGC-3132 F090W L3" in layers_in(again.page)
    assert listed.all.count() == 1
    sizes = {path.name: path.stat().st_size for path in (tmp_path / "mast").rglob("jw02733*.*")
             if path.is_file()}  # fmt: skip
    assert sizes == wanted(archive, F090W)


SERVE = """
import json, sys
from jdaviz_mast.demo import DemoArchive
with DemoArchive(port=int(sys.argv[1]), bandwidth=float(sys.argv[2]) or None) as archive:
    print(archive.url, flush=True)
    for _ in sys.stdin:
        asked = [[r.query["uri"][0].rsplit("/", 1)[-1], r.headers.get("range", "")]
                 for r in archive.requests if r.method == "GET" and "/Download/" in r.path]
        print(json.dumps(asked), flush=True)
"""


@pytest.fixture
def archive_process(tmp_path):
    """Callable: the embedded archive as a process of its own, at this port; its address."""
    started = []

    def serve(port, bandwidth):
        command = [sys.executable, "-c", SERVE, str(port), str(bandwidth)]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        started.append(subprocess.Popen(command, **pipes))
        return started[-1], started[-1].stdout.readline().strip()

    yield serve
    for process in started:
        process.kill()
        process.communicate()


def journalled(folder):
    """File name to the (start, stop) that are on disk for good, of what is not whole."""
    found = {}
    for path in folder.rglob(".*.part.journal"):
        lines = path.read_text().splitlines()[1:]
        name = path.name.removeprefix(".").removesuffix(".part.journal")
        found[name] = [tuple(map(int, line.split()[1:])) for line in lines]
    return found


def test_server_and_viewer_are_killed_and_only_what_is_missing_is_fetched(
    start, chromium, archive_process, tmp_path
):
    folder, port = tmp_path / "mast", free_port()
    options = ["--download-dir", str(folder), "--layout", "imviz"]
    server, url = archive_process(port, CRAWL)
    application = start("--server", url, *options)
    tray = Tray(chromium.new_page(), application.url)
    tray.search_target("NGC 3132")
    import_row(tray, "F090W")
    Jobs(tray).of(F090W).get_by_text("left").wait_for()
    time.sleep(8)  # for some parts to be on disk for good

    for process in (server, application.process):
        process.send_signal(signal.SIGKILL)
        process.wait()
    finished, whole = journalled(folder), {p.name for p in folder.rglob("jw*.*") if p.is_file()}
    assert sum(stop - start for start, stop in finished[f"{F090W}_i2d.fits"]) > 1_000_000

    server, url = archive_process(port, 0)
    application = start("--server", url, *options)
    again = Tray(chromium.new_page(), application.url)
    again.page.locator("#mast-greeting").get_by_role("button", name="Resume").click()
    Jobs(again).wait_for(F090W, "complete")
    assert "2 images, 1 catalog loaded" in again.message_of("import")
    assert "NGC-3132 F090W L3" in layers_in(again.page)

    server.stdin.write("\n")
    server.stdin.flush()
    asked = json.loads(server.stdout.readline())
    sizes = {path.name: path.stat().st_size for path in folder.rglob("jw*.*") if path.is_file()}
    assert asked
    fetched = dict.fromkeys(sizes, 0)
    for name, header in asked:
        numbers = re.findall(r"\d+", header) or [0, sizes[name] - 1]
        start_, stop = int(numbers[0]), int(numbers[1]) + 1
        fetched[name] += stop - start_
        assert name not in whole, "what was whole is fetched again"
        assert not any(start_ < b and a < stop for a, b in finished.get(name, ())), header
    for name in set(sizes) - whole:
        kept = sum(stop - start for start, stop in finished.get(name, ()))
        assert fetched[name] == sizes[name] - kept


def test_a_job_of_5000_files_leaves_the_page_usable(start, chromium, archive, tmp_path):
    own = archive.observations[0]
    products = Table([
        archive.add_bytes(
            f"mast:JWST/product/jw77778-o001_tiny_{n:05d}_asn.json", b"{}",
            obs_collection="JWST", obs_id="jw77778-o001_tiny", obsID=own["obsid"],
            parent_obsid=own["obsid"], productFilename=f"jw77778-o001_tiny_{n:05d}_asn.json",
        )
        for n in range(5000)
    ])  # fmt: skip
    folder = tmp_path / "mast"
    archive.latency = 0.01
    job = Mast(archive.url, folder).fetch(products, block=False)  # begun, to be resumed below
    while sum(file.state == "complete" for file in job.files) < 50:
        time.sleep(0.02)
    job.cancel()
    job.wait()

    application = start("--server", archive.url, "--download-dir", str(folder))
    page = chromium.new_page(viewport={"width": 1400, "height": 1000})
    frames = []
    page.on("websocket", lambda ws: ws.on("framereceived", lambda data: frames.append(
        (time.monotonic(), len(data)))))  # fmt: skip
    tray = Tray(page, application.url)
    jobs = Jobs(tray)
    jobs.wait_for("5,000 products", "cancelled")
    jobs.unfold("5,000 products")
    jobs.press("5,000 products", "Resume")
    jobs.wait_for("5,000 products", "running")
    jobs.of("5,000 products").get_by_text(re.compile(r"\d\d\d of 5,000 files")).wait_for()

    began, first = time.monotonic(), len(frames)
    for name in ("Next files", "Next files", "Previous files"):
        before = page.locator(".mast-pages").first.inner_text()
        since = time.monotonic()
        page.get_by_label(name).click()
        page.wait_for_function(
            "before => document.querySelector('.mast-pages').innerText !== before", arg=before
        )
        assert time.monotonic() - since < 2
    since = time.monotonic()
    page.get_by_text("Show all calibration levels").click()
    page.get_by_text("Raw, calibrated and combined data").wait_for()
    assert time.monotonic() - since < 2
    page.wait_for_timeout(3000)
    assert jobs.of("5,000 products").get_attribute("data-state") == "running"
    seconds = time.monotonic() - began
    assert max(size for _, size in frames[first:]) < 40_000
    assert sum(size for _, size in frames[first:]) / seconds < 200_000
    archive.latency = 0
    jobs.press("5,000 products", "Cancel")
    jobs.wait_for("5,000 products", "cancelled")
    page.close()


def test_a_token_typed_on_the_page_goes_to_the_header_alone(tray, jobs, archive, asked, tmp_path):
    for row in (*archive.observations, *archive.products):
        if row["obs_id"] == F090W:
            row["dataRights"] = "EXCLUSIVE_ACCESS"
            if "t_obs_release" in row:
                row["t_obs_release"] = 70000.0
    archive.tokens[SECRET] = "Ada Lovelace"
    page, received = tray.page, []
    # Every message to the page from now on, and everything that the page writes.
    page.on("console", lambda message: received.append(message.text))
    page.on("websocket", lambda ws: ws.on("framereceived", lambda data: received.append(data)))
    page.reload(wait_until="domcontentloaded")
    tray.wait_until_there()
    page.locator("#mast-search").click()
    row = tray.row("F090W")
    row.locator(".mast-lock").wait_for()
    assert row.locator(".mast-lock").get_attribute("title") == "exclusive until 2050-07-13"
    import_row(tray, "F090W")
    jobs.wait_for(F090W, "failed")
    jobs.unfold(F090W)
    assert "principal investigator" in page.locator(".mast-file").first.inner_text()
    assert "Token for exclusive data" in tray.message_of("import")

    page.get_by_role("button", name="Token for exclusive data").click()
    page.get_by_text("There is no token.").wait_for()
    field = page.get_by_label("Token", exact=True)
    assert field.get_attribute("type") == "password"
    field.fill(SECRET)
    page.get_by_role("button", name="Use", exact=True).click()
    page.get_by_text("A token is in use for this session.").wait_for()
    assert field.input_value() == ""
    page.get_by_role("button", name="Check", exact=True).click()
    page.get_by_text("The archive knows you as Ada Lovelace.").wait_for()
    jobs.press(F090W, "Retry failed")
    jobs.wait_for(F090W, "complete")

    assert any(shows(repr(request.headers), SECRET) for request in asked("Download/file"))
    assert not any(shows(f"{r.path} {r.query} {r.body}", SECRET) for r in asked())
    everything = page.evaluate(
        """() => document.documentElement.outerHTML
             + JSON.stringify(Object.values(localStorage))
             + JSON.stringify(Object.values(sessionStorage))
             + [...document.querySelectorAll('input')].map(input => input.value).join()"""
    )
    assert not shows(everything, SECRET)
    assert not any(shows(text, SECRET) for text in received)
    assert not shows(tray.application.output, SECRET)
    assert files_with(SECRET, tmp_path) == []
