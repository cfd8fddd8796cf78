"""Imports of an earlier run that was killed greet whoever opens the tray."""

import subprocess
import sys

import jdaviz
import pytest
from trays import F090W, F187N, layers, tray_of, wait_for

RUN = """
import sys, time
from jdaviz_mast import Mast
job = Mast(sys.argv[1], sys.argv[2]).fetch(sys.argv[3], block=False)
while not job.bytes_done:
    time.sleep(0.02)
print("there", flush=True)
time.sleep(600)
"""


@pytest.fixture
def interrupt(archive, tmp_path):
    """Callable that begins an import of an observation in another process and kills that."""

    def begin_and_kill(observation_id):
        archive.bandwidth = 2_000_000
        command = [sys.executable, "-c", RUN, archive.url, str(tmp_path), observation_id]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            assert process.stdout.readline() == "there\n"
        finally:
            process.kill()
            process.wait()
            process.stdout.close()
            archive.bandwidth = None

    return begin_and_kill


def test_an_interrupted_import_greets_and_resumes_into_layers(interrupt, archive):
    interrupt(F090W)
    imviz = jdaviz.Imviz()
    tray, greeting = tray_of(imviz), tray_of(imviz)._obj.greeting
    assert greeting.count == 0  # nothing is read before the tray is open
    wait_for(lambda: greeting.count, tray)
    assert greeting.text.startswith(f"The import of {F090W} was interrupted")
    wait_for(lambda: tray._obj.job_list.rows, tray)
    assert tray._obj.job_list.rows[0]["buttons"] == ["resume", "remove"]
    greeting.vue_resume("newest")
    assert greeting.count == 0
    wait_for(lambda: len(layers(imviz)) == 2 and not tray._obj.importing, tray)
    assert [job.state for job in tray.jobs] == ["complete"]


def test_several_are_resumed_at_once(interrupt, archive):
    interrupt(F090W)
    interrupt(F187N)
    imviz = jdaviz.Imviz()
    tray, greeting = tray_of(imviz), tray_of(imviz)._obj.greeting
    wait_for(lambda: greeting.count == 2, tray)
    assert greeting.titles == [F187N, F090W]
    greeting.vue_resume("all")
    wait_for(lambda: len(layers(imviz)) == 4 and not tray._obj.importing, tray)
    assert {job.state for job in tray.jobs} == {"complete"}


def test_the_greeting_is_put_aside_and_the_list_keeps_the_button(interrupt, archive):
    interrupt(F090W)
    imviz = jdaviz.Imviz()
    tray, greeting = tray_of(imviz), tray_of(imviz)._obj.greeting
    wait_for(lambda: greeting.count, tray)
    greeting.vue_not_now()
    assert greeting.count == 0
    tray._obj.job_list.watch.look(reread=True)
    wait_for(lambda: tray._obj.job_list.rows, tray)
    assert greeting.count == 0
    assert "resume" in tray._obj.job_list.rows[0]["buttons"]


def test_a_job_that_is_resumed_or_removed_elsewhere_greets_no_more(interrupt, archive):
    interrupt(F090W)
    imviz = jdaviz.Imviz()
    tray, greeting = tray_of(imviz), tray_of(imviz)._obj.greeting
    wait_for(lambda: greeting.count, tray)
    tray.remove(tray.jobs[0].id)
    assert greeting.count == 0
