"""Jobs on disk: what is kept of them, what is believed, and who runs them."""

import datetime
import gzip
import json
import multiprocessing
import os
import threading
import time

import pytest

from jdaviz_mast.errors import FileProblem, InvalidInput, MastError
from jdaviz_mast.transfer import (
    STATE_FOLDER,
    Item,
    KeptJob,
    Record,
    all_records,
    find_record,
    remove_old,
)

REQUEST = {"title": "NGC 3132", "server": "http://127.0.0.1:1", "source": "http"}
GIVEN = {"products": [{"dataURI": "mast:TEST/ä", "size": 5}]}


@pytest.fixture
def record(tmp_path):
    """A job that was just asked for; held, and released at the end."""
    record = Record.create(tmp_path, REQUEST, GIVEN)
    yield record
    record.release()


def kept(record, items=lambda: None):
    """The job as somebody else reads it."""
    return KeptJob(Record.load(record.folder), items)


def items_at(*paths, size=10):
    return lambda: [Item(f"test:{p.name}", (), p, size=size) for p in paths]


def write_log(record, text):
    (record.folder / "log.jsonl").write_bytes(text if isinstance(text, bytes) else text.encode())


# -- from its first moment -------------------------------------------------------------------


def test_a_job_is_on_disk_from_its_first_moment(record, tmp_path):
    assert record.folder == tmp_path / STATE_FOLDER / "jobs" / record.id
    found = find_record(tmp_path, record.id)
    assert found.request == record.request
    assert found.request["title"] == "NGC 3132"
    assert found.given() == GIVEN
    assert found.files() is None
    created = datetime.datetime.fromisoformat(found.request["created"])
    assert abs(datetime.datetime.now(datetime.UTC) - created) < datetime.timedelta(minutes=1)
    assert kept(record).created.isot[:16] == created.isoformat()[:16]


def test_a_folder_that_cannot_be_written_to_is_said_so(tmp_path):
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(FileProblem, match=r"download folder .*file cannot be written to: .*\."):
        Record.create(tmp_path / "file", REQUEST, GIVEN)


def test_what_cannot_be_kept_leaves_nothing(tmp_path, monkeypatch):
    def full(path, value):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("jdaviz_mast.transfer.records._write", full)
    with pytest.raises(FileProblem, match=r"No space left"):
        Record.create(tmp_path, REQUEST, GIVEN)
    assert list((tmp_path / STATE_FOLDER / "jobs").iterdir()) == []


def test_what_is_planned_takes_the_place_of_what_was_given(record, tmp_path):
    row = {"obs_id": "one", "s_ra": 1.5, "t_min": None}
    abouts = [{"product": {"n": n}, "observation": row} for n in range(3)]
    record.keep_files(abouts)
    assert find_record(tmp_path, record.id).files() == abouts
    assert not (record.folder / "given.json.gz").exists()
    assert not [p.name for p in record.folder.iterdir() if p.name.startswith(".")]


@pytest.mark.parametrize("abouts", [[], [{}], [{"a": None}, {"a": None, "b": [1, {"c": "ü"}]}]])
def test_whatever_is_known_of_files_comes_back(record, abouts):
    record.keep_files(abouts)
    assert record.files() == abouts


def test_what_files_have_in_common_is_written_once(record):
    row = {"obs_title": "x" * 1000, "values": list(range(1000))}
    record.keep_files([{"product": {"n": n}, "observation": row} for n in range(5000)])
    text = gzip.decompress((record.folder / "files.json.gz").read_bytes())
    assert text.count(b"obs_title") == 1
    assert len(text) < 300_000
    files = record.files()
    assert len(files) == 5000
    assert {id(file["observation"]) for file in files} == {id(files[0]["observation"])}
    assert [file["product"]["n"] for file in files] == list(range(5000))


def test_values_that_are_equal_and_not_the_same_are_not_mixed(record):
    abouts = [{"product": {"n": n % 2}, "observation": {"n": True if n % 3 else 1}}
              for n in range(20)]  # fmt: skip
    record.keep_files(abouts)
    assert json.dumps(record.files()) == json.dumps(abouts)


DAMAGED = {
    "empty": b"",
    "no gzip": b"damaged",
    "half of it": gzip.compress(b'{"shared": []}'),
    "a value that is not there": gzip.compress(b'{"shared": [], "files": [{"a": 5}]}'),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_list_of_files_that_is_damaged_is_an_error_for_a_person(record, name):
    record.keep_files([{"product": {"n": 1}}])
    (record.folder / "files.json.gz").write_bytes(DAMAGED[name])
    with pytest.raises(MastError, match="damaged"):
        record.files()
    record.note(job="partial", error=None, notes=[])
    record.release()
    job = kept(record, record.files)
    assert job.files == [], "whoever shows it must not be thrown out"
    assert "damaged" in str(job.error)


def test_a_reader_sees_all_of_what_is_written_or_none(record):
    """While it is written again and again."""
    abouts = [[{"product": {"n": n, "text": "x" * 3000}} for n in range(count)]
              for count in (1, 200)]  # fmt: skip
    record.keep_files(abouts[0])
    stop = threading.Event()

    def write():
        while not stop.is_set():
            for one in abouts:
                record.keep_files(one)

    thread = threading.Thread(target=write)
    thread.start()
    try:
        seen = [len(Record.load(record.folder).files()) for _ in range(300)]
    finally:
        stop.set()
        thread.join()
    assert set(seen) <= {1, 200}


# -- the log ---------------------------------------------------------------------------------


def test_the_log_is_read_as_it_was_written(record):
    lines = [{"job": "running"}, {"file": 0, "state": "failed", "error": 'a "line"\nä'}]
    for line in lines:
        record.note(**line)
    assert list(record.log()) == lines
    assert list(Record.load(record.folder).log()) == lines


TORN = {
    "in the middle": b'{"job": "running"}\n{"file": 0, "sta',
    "before the newline": b'{"job": "running"}\n{"file": 0, "state": "complete"}',
    "with zeros": b'{"job": "running"}\n' + b"\0" * 50,
    "in a character": b'{"job": "running"}\n{"error": "\xc3',
}


@pytest.mark.parametrize("name", TORN)
def test_a_torn_line_costs_no_other(record, name):
    record.release()
    write_log(record, TORN[name])
    again = Record.load(record.folder)
    assert next(iter(again.log())) == {"job": "running"}
    again.note(file=1, state="complete")
    again.note(job="complete")
    again.release()
    assert list(again.log())[-2:] == [{"file": 1, "state": "complete"}, {"job": "complete"}]
    if name == "before the newline":
        assert {"file": 0, "state": "complete"} in again.log()


def test_a_line_that_the_disk_took_half_of_costs_no_other(record, monkeypatch):
    """The disk is full for a moment, in the middle of a line."""
    write = os.write
    record.note(job="running")
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda fd, data: write(fd, data[:7]))
        record.note(file=0, state="complete")
    record.note(job="complete")
    assert list(record.log()) == [{"job": "running"}, {"job": "complete"}]


def test_a_disk_that_takes_no_line_is_no_error(record, monkeypatch):
    def full(*args):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        record.note(job="running")
    record.note(job="complete")
    assert list(record.log())[-1] == {"job": "complete"}


NO_LINES = {
    "empty": b"",
    "null": b"null",
    "a list": b"[]",
    "a number": b"5",
    "text": b'"job"',
    "torn": b"{",
    "noise": b"\xff\xfe",
    "nested": b"[" * 5000,
}


@pytest.mark.parametrize("name", NO_LINES)
def test_a_line_that_is_none_is_left_out(record, name):
    write_log(record, b'{"job": "running"}\n' + NO_LINES[name] + b'\n{"job": "complete"}\n')
    assert [one["job"] for one in record.log()] == ["running", "complete"]


def test_a_log_that_is_a_link_is_not_written_through(record, tmp_path):
    target = tmp_path / "precious"
    target.write_text("mine")
    (record.folder / "log.jsonl").symlink_to(target)
    record.note(job="running")
    assert target.read_text() == "mine"


def test_no_log_is_an_empty_one(record):
    assert list(record.log()) == []


# -- what the log says -----------------------------------------------------------------------


@pytest.mark.parametrize("state", ["complete", "partial", "cancelled", "failed"])
def test_a_job_is_what_its_last_line_says(record, state):
    record.note(job="running")
    record.note(job=state, error="It broke." if state == "failed" else None, notes=["a note"])
    record.release()
    job = kept(record)
    assert (job.state, job.notes, job.finished) == (state, ["a note"], True)
    assert str(job.error) == ("It broke." if state == "failed" else "None")
    assert job.wait(0)


@pytest.mark.parametrize("lines", [[], ["running"], ["failed", "running"], ["queued"]])
def test_a_job_that_nobody_holds_and_that_has_not_ended_was_interrupted(record, lines):
    for state in lines:
        record.note(job=state)
    record.release()
    job = kept(record)
    assert (job.state, job.finished) == ("interrupted", True)


@pytest.mark.parametrize(("lines", "state"), [([], "queued"), (["running"], "running")])
def test_a_job_that_somebody_holds_is_under_way(record, lines, state):
    for line in lines:
        record.note(job=line)
    job = kept(record)
    assert (job.state, job.finished) == (state, False)
    assert not job.wait(0.3)
    record.note(job="complete")
    record.release()
    assert job.wait(5)
    assert job.state == "complete"


def hold(folder, ready):
    record = Record.load(folder)
    assert record.acquire()
    ready.set()
    time.sleep(60)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_job_that_another_process_holds_is_running_until_that_is_killed(record):
    record.note(job="running")
    record.release()
    context = multiprocessing.get_context("fork")
    ready = context.Event()
    process = context.Process(target=hold, args=(record.folder, ready))
    process.start()
    assert ready.wait(30)
    job = kept(record)
    assert (job.state, job.finished) == ("running", False)
    assert not Record.load(record.folder).acquire()
    process.kill()
    process.join(10)
    assert job.wait(10)
    assert job.state == "interrupted"


def test_a_job_has_one_holder(record):
    other = Record.load(record.folder)
    assert record.acquire(), "it holds it already"
    assert record.is_held
    assert other.is_held
    assert not other.acquire()
    record.release()
    record.release()
    assert not other.is_held
    assert other.acquire()
    assert record.is_held
    other.release()


def test_looking_whether_it_is_held_takes_nothing(record):
    record.release()
    for _ in range(5):
        assert not record.is_held
    assert record.acquire()


def test_who_looks_whether_it_is_held_does_not_keep_others_from_it(record):
    """Somebody lists the jobs all the time, while another resumes one of them."""
    record.release()
    stop, refused = threading.Event(), []

    def look():
        while not stop.is_set():
            _ = Record.load(record.folder).is_held

    thread = threading.Thread(target=look)
    thread.start()
    try:
        for _ in range(300):
            one = Record.load(record.folder)
            # Whoever is refused tries again, as a job does; it must not need many tries.
            tries = 0
            while not one.acquire():
                tries += 1
                time.sleep(0.001)
            refused.append(tries)
            one.release()
    finally:
        stop.set()
        thread.join()
    assert max(refused) < 50


# -- what became of its files ----------------------------------------------------------------


def test_files_are_what_the_log_and_the_disk_say(record, tmp_path):
    paths = [tmp_path / f"{n}.json" for n in range(5)]
    paths[0].write_bytes(bytes(10))
    paths[4].write_bytes(bytes(10))
    record.note(job="running")
    record.note(file=0, state="complete", size=10, source="s3")
    record.note(file=1, state="failed", error="It broke.", note="A note.", source="http")
    record.note(file=2, state="cancelled")
    record.note(file=4, state="failed", error="It broke.")
    record.note(job="cancelled")
    record.release()
    files = kept(record, items_at(*paths)).files
    assert [file.state for file in files] == [
        "complete", "failed", "cancelled", "queued", "complete"
    ]  # fmt: skip
    assert (files[0].source, files[0].bytes_done) == ("s3", 10)
    assert (files[1].error, files[1].note, files[1].source) == ("It broke.", "A note.", "http")
    assert files[4].error is None, "somebody else has fetched it"


def test_a_job_that_is_resumed_forgets_what_had_failed(record, tmp_path):
    paths = [tmp_path / f"{n}.json" for n in range(2)]
    record.note(job="running")
    record.note(file=0, state="failed", error="It broke.")
    record.note(file=1, state="complete", size=12)
    record.note(job="partial")
    record.note(job="running")
    record.release()
    files = kept(record, items_at(*paths)).files
    assert (files[0].state, files[0].error) == ("queued", None)
    assert (files[1].state, files[1].bytes_done) == ("complete", 12)


STRANGE = {
    "a file of another number": {"file": 99, "state": "failed"},
    "a file that is text": {"file": "0", "state": "failed"},
    "a state that is a number": {"file": 0, "state": 5},
    "a job that is a number": {"job": 5},
    "notes that are a number": {"job": "running", "notes": 5},
    "an error that is a list": {"file": 0, "state": "failed", "error": ["a"]},
    "a size that is text": {"file": 0, "state": "complete", "size": "10"},
    "a state that nobody knows": {"file": 0, "state": "exploded"},
    "a job state that nobody knows": {"job": "exploded"},
}
STATES = {"queued", "running", "complete", "partial", "cancelled", "failed", "interrupted"}


@pytest.mark.parametrize("name", STRANGE)
def test_a_strange_line_spoils_no_job(record, tmp_path, name):
    record.note(job="running")
    record.note(**STRANGE[name])
    record.release()
    job = kept(record, items_at(tmp_path / "a.json"))
    (file,) = job.files
    assert job.state in STATES
    assert file.state in STATES
    assert isinstance(job.bytes_done, int)


# -- many of them ----------------------------------------------------------------------------


def test_jobs_are_listed_oldest_first(tmp_path):
    records = []
    for number in range(3):
        records.append(Record.create(tmp_path, REQUEST | {"title": str(number)}, GIVEN))
        time.sleep(0.005)  # they are told apart by milliseconds
    assert [r.request["title"] for r in all_records(tmp_path)] == ["0", "1", "2"]
    for record in records:
        record.release()


FOREIGN = {
    "empty": {},
    "of another version": {"request.json": json.dumps({"format": 2, "title": "", "created": ""})},
    "without a title": {"request.json": json.dumps({"format": 1, "created": "2025"})},
    "with a title that is a number": {
        "request.json": json.dumps({"format": 1, "title": 5, "created": "2025"})
    },
    "a list": {"request.json": "[]"},
    "torn": {"request.json": '{"format": 1, "tit'},
    "noise": {"request.json": b"\xff\xfe\x00"},
    "nested": {"request.json": "[" * 5000},
    "created at no time": {
        "request.json": json.dumps({"format": 1, "title": "a", "created": "yesterday"})
    },
}


@pytest.mark.parametrize("name", FOREIGN)
def test_a_folder_that_is_no_job_is_left_out_and_left_alone(record, tmp_path, name):
    strange = tmp_path / STATE_FOLDER / "jobs" / ("0" * 12)
    strange.mkdir()
    for file, content in FOREIGN[name].items():
        (strange / file).write_bytes(content if isinstance(content, bytes) else content.encode())
    assert [r.id for r in all_records(tmp_path)] == [record.id]
    with pytest.raises(InvalidInput, match="job_id"):
        find_record(tmp_path, "0" * 12)
    remove_old(tmp_path, days=0)
    assert strange.exists()


def test_other_things_beside_jobs_are_left_out(record, tmp_path):
    jobs = tmp_path / STATE_FOLDER / "jobs"
    (jobs / "notes.txt").write_text("mine")
    (jobs / ("a" * 12)).write_text("a file")
    (jobs / ("A" * 12)).mkdir()
    (jobs / ("b" * 12)).symlink_to(tmp_path / "nowhere")
    assert [r.id for r in all_records(tmp_path)] == [record.id]
    assert all_records(tmp_path / "nothing here") == []
    assert all_records(jobs / "notes.txt") == []


@pytest.mark.parametrize("job_id", ["", "../../x", "ABCDEF012345", 5, None, "0" * 12, "0" * 11])
def test_a_job_that_is_none_is_an_error_that_names_it(record, tmp_path, job_id):
    with pytest.raises(InvalidInput, match=r"job_id: .* choose one of the jobs"):
        find_record(tmp_path, job_id)


def test_what_is_removed_is_gone(record, tmp_path):
    record.release()
    record.remove()
    assert all_records(tmp_path) == []
    record.remove()


# -- old ones --------------------------------------------------------------------------------


@pytest.fixture
def old(tmp_path):
    """Callable: a job whose log was last written so many days ago."""

    def make(days, *states):
        record = Record.create(tmp_path, REQUEST, GIVEN)
        for state in states:
            record.note(job=state)
        record.release()
        moment = time.time() - days * 86400
        if states:
            os.utime(record.folder / "log.jsonl", (moment, moment))
        return record

    return make


def test_what_is_old_and_complete_is_removed(old, tmp_path):
    old(31, "running", "complete")
    stay = [
        old(29, "running", "complete"),
        old(31, "running"),
        old(31, "running", "failed"),
        old(31, "complete", "running"),
        old(31),
        old(31, "cancelled"),
        old(31, "partial"),
    ]
    remove_old(tmp_path)
    assert {r.id for r in all_records(tmp_path)} == {r.id for r in stay}


def test_what_is_old_and_held_is_not_removed(old, tmp_path):
    """It is just being resumed; the log says nothing of that yet."""
    record = old(31, "running", "complete")
    assert record.acquire()
    remove_old(tmp_path)
    assert record.folder.exists()
    record.release()


def test_what_was_complete_in_the_future_stays(old, tmp_path):
    record = old(-5, "complete")
    remove_old(tmp_path)
    assert record.folder.exists()


def test_the_downloads_stay(old, tmp_path):
    (tmp_path / "JWST").mkdir()
    (tmp_path / "JWST" / "a.fits").write_text("a")
    old(31, "complete")
    remove_old(tmp_path)
    assert (tmp_path / "JWST" / "a.fits").exists()


# -- to be cancelled from outside ------------------------------------------------------------


def test_who_is_asked_to_cancel_can_see_it(record):
    assert not record.cancel_flag.exists()
    Record.load(record.folder).ask_to_cancel()
    assert record.cancel_flag.exists()
    record.release()
    record.remove()
    record.ask_to_cancel()  # of a job that is gone: no error
