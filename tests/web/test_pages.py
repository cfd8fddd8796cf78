"""Which viewer shows what was imported over HTTP: that used last, or the next that opens."""

import threading

import jdaviz
import pytest

from jdaviz_mast.errors import Cancelled
from jdaviz_mast.viewer import jdaviz_api
from jdaviz_mast.web import Pages

HST = "ib5741010"
PATIENCE = 60


class Tray:
    """A tray as far as pages know it."""

    def __init__(self, outcome=None):
        self.jobs, self.outcome, self.told = [], outcome, threading.Event()

    def from_other_thread(self, function):
        if self.outcome is not None:
            raise self.outcome
        return function()

    def follow(self, job):
        self.jobs.append(job)
        self.told.set()


@pytest.fixture
def pages():
    return Pages()


def test_the_viewer_that_was_used_last_shows_an_import(pages):
    trays = {name: Tray() for name in "abc"}
    for name, tray in trays.items():
        pages.opened(name, tray)
    pages.used("b")
    pages.used("gone")
    pages.show("job")
    assert trays["b"].told.wait(PATIENCE)
    assert [trays[name].jobs for name in "abc"] == [[], ["job"], []]


def test_a_viewer_where_somebody_is_comes_first(pages):
    left, here = Tray(), Tray()
    pages.opened("here", here)
    pages.opened("left", left, is_connected=lambda: False)
    pages.show("job")
    assert here.told.wait(PATIENCE)
    pages.closed("here")
    pages.show("another")
    assert left.told.wait(PATIENCE)


@pytest.mark.parametrize("outcome", [Cancelled("The page was closed."), RuntimeError("broken")])
def test_a_page_that_goes_meanwhile_leaves_it_to_another(pages, outcome):
    going, other = Tray(outcome), Tray()
    pages.opened("other", other)
    pages.opened("going", going)
    pages.show("job")
    assert other.told.wait(PATIENCE)


def test_an_import_without_a_viewer_waits_for_the_next(pages):
    pages.show("job")
    tray = Tray()
    for _ in range(200):
        pages.opened("page", tray)
        if tray.told.wait(0.05):
            break
    assert tray.jobs == ["job"]
    pages.opened("next", other := Tray())
    assert not other.jobs, "it is shown once"


def test_an_import_over_http_becomes_layers_of_the_viewer(door, mast):
    app = jdaviz.App()
    tray = jdaviz_api.enable(app).plugins["MAST Import"]._obj
    door.pages.opened("page", tray)
    job_id = door.post("import", {"obsId": HST}).json()["jobId"]
    _own(tray, lambda: tray.import_message)
    assert door.get(f"import-progress/{job_id}").json()["state"] == "complete"
    assert len(app._app.data_collection) >= 2
    assert {data.meta["mast_obs_id"] for data in app._app.data_collection
            if "mast_obs_id" in data.meta} == {HST}  # fmt: skip
    assert [row["id"] for row in tray.job_list.rows] == [job_id]


def test_a_refresh_over_http_reaches_the_layers(door, mast, archive):
    app = jdaviz.App()
    tray = jdaviz_api.enable(app).plugins["MAST Import"]._obj
    door.pages.opened("page", tray)
    tray.import_observation(HST)
    row = next(row for row in archive.observations if row["obs_id"] == HST)
    row["obs_title"] = "Another title"
    answers = []
    asking = threading.Thread(target=lambda: answers.append(door.post(f"refresh-metadata/{HST}")))
    asking.start()
    _own(tray, lambda: answers)
    assert answers[0].json()["updatedCount"] == 1
    titles = {data.meta.get("observationTitle") for data in jdaviz_api.data_from_mast(app._app)}
    assert titles == {"Another title"}


def _own(tray, until):
    """Own the tray, as an event loop does, until something is so."""
    ended = threading.Event()
    for _ in range(PATIENCE * 20):
        tray._owner.drain()
        if until():
            return
        ended.wait(0.05)
    raise AssertionError("it did not come to be")
