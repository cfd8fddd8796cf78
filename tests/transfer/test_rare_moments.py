"""Rare moments: things that coincide, and servers that say what no server should.

Each of these was found by reading the engine with suspicion; each is deterministic.
"""

import concurrent.futures
import contextlib
import errno
import gzip
import hashlib
import multiprocessing
import os
import random
import shutil
import signal
import sys
import threading
import time
from functools import partial
from pathlib import Path

import pytest
from odd_server import OddServer, head, part

from jdaviz_mast.errors import FileProblem
from jdaviz_mast.forks import Lock
from jdaviz_mast.transfer import (
    Distributed,
    ImportJob,
    Item,
    KeptJob,
    Record,
    Source,
    Transfer,
    TransferFile,
    bytes_on_disk,
    find_record,
)
from jdaviz_mast.transfer.partial import Partial

MIB = 1 << 20


class Nobody:
    """Credentials of nobody; at the top of the module, so that they go to other processes."""

    def headers(self, url):
        return {}

    def explain(self, url, status, sent, about):
        return f"Refused (HTTP {status})."


def data_of(size, seed=1):
    """Bytes that repeat at no distance that a part may have."""
    return b"".join((n * 2654435761 + seed & 0xFFFFFFFF).to_bytes(4) for n in range(size // 4))


def file_of(path, *urls, size=None, check=None):
    sources = tuple(Source(name, url) for name, url in zip(("s3", "http"), urls, strict=False))
    sources = sources if len(urls) > 1 else tuple(Source("http", url) for url in urls)
    return TransferFile(Item(f"test:{path.name}", sources, path, size=size, check=check))


def transfer_of(*files, connections=4, timeout=5.0, retries=2, **options):
    return Transfer(
        list(files), Nobody(), connections=connections, timeout=timeout, retries=retries, **options
    )


@contextlib.contextmanager
def running(transfer):
    """Run a transfer beside the test; stop it at the end."""
    thread = threading.Thread(target=transfer.run, daemon=True)
    thread.start()
    try:
        yield thread
    finally:
        transfer.stop()
        thread.join(5)


def until(condition, seconds=10):
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, "this did not come"
        time.sleep(0.01)
    return value


def descriptors():
    """Paths that this process has open."""
    opened = []
    for entry in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):
            opened.append(os.readlink(entry))
    return opened


needs_proc = pytest.mark.skipif(
    not Path("/proc/self/fd").exists(), reason="open files are in /proc"
)


# -- a wrong file called complete ------------------------------------------------------------


@pytest.mark.parametrize("size", [None, 1000, 8 * MIB])
def test_the_text_of_a_416_is_no_file(tmp_path, size):
    def answer(request):
        request.send(head(416, Content_Length=9) + b"no range\n")

    with OddServer(answer) as server:
        file = file_of(tmp_path / "a.json", server.url, size=size)
        transfer_of(file, retries=0).run()
    assert file.state == "failed"
    assert not file.path.exists()


@pytest.mark.parametrize("validator", [{}, {"ETag": '"a"'}], ids=["no validator", "validator"])
def test_a_part_that_nobody_asked_for_is_no_file(tmp_path, validator):
    data = data_of(1000)

    def answer(request):
        where = f"bytes 0-{len(data) // 2 - 1}/{len(data)}"
        half = data[: len(data) // 2]
        request.send(head(206, Content_Length=len(half), Content_Range=where, **validator) + half)

    with OddServer(answer) as server:
        file = file_of(tmp_path / "a.json", server.url, size=len(data))
        transfer_of(file, retries=0).run()
    assert file.state == "failed"
    assert not file.path.exists()
    assert "unexpected error" not in file.error


@pytest.mark.parametrize("chunked", [False, True], ids=["Content-Length", "chunked"])
def test_more_bytes_than_the_part_is_said_to_have_are_not_kept(tmp_path, chunked):
    data = data_of(8 * MIB)

    def answer(request):
        if request.range is None:
            request.send(head(200, Content_Length=len(data), ETag='"a"') + data)
            return
        start, stop = request.range
        more = b"x" * (100_000 if stop < len(data) else 0)
        piece = data[start:stop] + more
        where = f"bytes {start}-{stop - 1}/{len(data)}"
        validator = {"ETag": '"a"', "Content_Range": where}
        if chunked:
            body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(piece), piece)
            request.send(head(206, Transfer_Encoding="chunked", **validator) + body)
        else:
            request.send(head(206, Content_Length=len(piece), **validator) + piece)

    with OddServer(answer) as server:
        file = file_of(tmp_path / "a.json", server.url, size=len(data))
        transfer_of(file, retries=3, connections=1).run()
    assert file.state == "complete", file.error
    same = file.path.read_bytes() == data
    assert same, "WRONG BYTES"


def test_a_file_is_not_begun_anew_while_it_is_verified(tmp_path):
    """One connection brings all bytes, since Range is not heeded any more; an answer that was
    asked for before, and comes while they are verified, has no validator.
    """  # fmt: skip
    data = data_of(8 * MIB)
    verifying, begun = threading.Event(), threading.Event()

    def answer(request):
        if request.number == 0:  # which version it is
            request.send(part(request, data, ETag='"a"'))
        elif request.number == 1:  # late
            verifying.wait(10)
            request.send(head(200, Content_Length=len(data)) + data[:MIB])
            begun.set()
            time.sleep(2)
            request.send(data[MIB:])
        else:  # all of it
            request.send(head(200, Content_Length=len(data), ETag='"a"') + data)

    def check(path):
        verifying.set()
        begun.wait(10)
        time.sleep(0.3)

    with OddServer(answer) as server:
        file = file_of(tmp_path / "a.json", server.url, size=len(data), check=check)
        transfer_of(file, connections=2).run()
        found = file.path.read_bytes() if file.path.exists() else None
        right = found in (None, data)
        assert right, f"WRONG BYTES, {file.state}"
        assert file.state == "complete", file.error


# -- after a cancel --------------------------------------------------------------------------


def test_who_verifies_for_long_takes_nothing_from_who_came_after(tmp_path):
    data = data_of(MIB)
    verifying, go_on, done = threading.Event(), threading.Event(), threading.Event()

    def check(path):
        verifying.set()
        go_on.wait(20)
        done.set()

    with OddServer(lambda request: request.send(part(request, data, ETag='"a"'))) as server:
        path = tmp_path / "a.json"
        first = transfer_of(file_of(path, server.url, size=len(data), check=check))
        with running(first) as thread:
            assert verifying.wait(10)
            first.stop()
            thread.join(5)
            assert not thread.is_alive()
            second = file_of(path, server.url, size=len(data))
            transfer_of(second).run()
            assert second.state == "complete"
            go_on.set()
            assert done.wait(5)
            time.sleep(0.5)  # for what the first one's thread does then
        assert sorted(p.name for p in tmp_path.iterdir()) == ["a.json"]


def test_who_looks_for_long_at_what_is_there_takes_nothing_from_who_came_after(tmp_path):
    """The file that stands there is judged bad after a cancel, when another has replaced it."""
    data, path = data_of(MIB), tmp_path / "a.json"
    path.write_bytes(bytes(len(data)))
    looks, go_on, done = [], threading.Event(), threading.Event()

    def check(path):
        looks.append(path)
        if len(looks) == 2:  # under the lock
            go_on.wait(20)
            done.set()
        raise FileProblem("not this one")

    def second_check(path):
        if path.read_bytes() != data:
            raise FileProblem("not this one")

    with OddServer(lambda request: request.send(part(request, data, ETag='"a"'))) as server:
        first = transfer_of(file_of(path, server.url, size=len(data), check=check))
        with running(first) as thread:
            until(lambda: len(looks) == 2)
            first.stop()
            thread.join(5)
            second = file_of(path, server.url, size=len(data), check=second_check)
            transfer_of(second).run()
            assert second.state == "complete"
            go_on.set()
            assert done.wait(5)
            time.sleep(0.5)
        assert path.exists()
        assert path.read_bytes() == data


@pytest.mark.parametrize("when", ["at once", "before it starts"])
def test_a_job_that_is_cancelled_at_once_keeps_no_lock(tmp_path, when):
    nothing = partial(Transfer, credentials=Nobody(), connections=1, timeout=5.0, retries=0)
    for _ in range(1 if when == "before it starts" else 30):
        record = Record.create(tmp_path, {"title": "a"}, None)
        job = ImportJob(record, lambda check, say: [], nothing)
        if when == "before it starts":
            job.cancel()
            job.start()
        else:
            job.start()
            job.cancel()
        assert job.wait(5)
        job._thread.join(5)
        assert not find_record(tmp_path, record.id).is_held


def test_a_job_that_is_cancelled_while_it_begins_is_cancelled_on_disk_too(tmp_path):
    record = Record.create(tmp_path, {"title": "a"}, None)
    job = ImportJob(record, lambda check, say: [], lambda *a, **k: pytest.fail("it ran"))
    note = record.note

    def slow_note(**what):
        if what == {"job": "running"}:
            threading.Thread(target=job.cancel).start()
            time.sleep(0.2)
        note(**what)

    record.note = slow_note
    job.start()
    assert job.wait(5)
    job._thread.join(5)
    assert job.state == "cancelled"
    kept = KeptJob(find_record(tmp_path, record.id), lambda: None)
    assert kept.state == "cancelled"


def test_cancel_does_not_wait_for_the_disk(tmp_path, monkeypatch):
    """A slow disk flushes for seconds, while the file is found to have changed."""
    old, new = data_of(8 * MIB), data_of(8 * MIB, seed=7)
    flushing = threading.Event()

    def slow_flush(fd):
        flushing.set()
        time.sleep(4)

    monkeypatch.setattr("jdaviz_mast.transfer.partial._flush", slow_flush)
    monkeypatch.setattr("jdaviz_mast.transfer.partial._CHECKPOINT_SECONDS", 0.0)

    def answer(request):
        if request.number and flushing.wait(5):
            request.send(part(request, new, ETag='"new"'))
        else:
            request.send(part(request, old, ETag='"old"'))

    with OddServer(answer) as server:
        file = file_of(tmp_path / "a.json", server.url, size=len(old))
        transfer = transfer_of(file)
        with running(transfer):
            assert flushing.wait(5)
            until(lambda: len(server.requests) > 1)
            time.sleep(0.5)
            began = time.monotonic()
            transfer.stop()  # the thread of whoever presses Cancel
            assert time.monotonic() - began < 1


# -- a job that hangs ------------------------------------------------------------------------


def test_a_server_that_gives_no_parts_and_always_breaks_off_is_given_up(tmp_path):
    """Each try brings the same first half: that is no progress."""
    data = data_of(MIB)

    def answer(request):
        request.send(head(200, Content_Length=len(data), ETag='"a"') + data[: len(data) // 2])
        return False

    with OddServer(answer) as server:
        file = file_of(tmp_path / "a.json", server.url, size=len(data))
        with running(transfer_of(file, retries=2)) as thread:
            thread.join(15)
            assert file.state == "failed", f"{len(server.requests)} requests so far"


def test_a_silent_connection_of_an_earlier_version_makes_nobody_ask_again_and_again(tmp_path):
    """The file has changed, the server gives no parts of the new one, and breaks off twice."""
    old, new = data_of(8 * MIB), data_of(8 * MIB, seed=7)
    ended = threading.Event()

    def answer(request):
        if request.number == 0:
            return request.send(part(request, old, ETag='"old"'))
        if request.number == 1:
            ended.wait(20)
            return False
        whole = head(200, Content_Length=len(new), ETag='"new"')
        if request.number in (3, 4):
            request.send(whole + new[: 3 * MIB])
            return False
        return request.send(whole + new)

    with OddServer(answer) as server:
        file = file_of(tmp_path / "a.json", server.url, size=len(old))
        with running(transfer_of(file, connections=2, timeout=4.0)) as thread:
            thread.join(15)
        ended.set()
        assert file.state == "complete", file.error
        assert file.path.read_bytes() == new
        assert len(server.requests) < 20


def test_a_server_that_is_gone_is_not_waited_for_once_a_file(tmp_path, monkeypatch):
    monkeypatch.setattr("jdaviz_mast.transfer.hosts._LONGEST_PAUSE", 0.5)
    with OddServer(lambda request: False) as server:
        pass  # nobody listens there any more
    files = [file_of(tmp_path / f"{n}.json", f"{server.url}/{n}", size=10) for n in range(40)]
    began = time.monotonic()
    with running(transfer_of(*files, retries=2)) as thread:
        thread.join(60)
    assert {file.state for file in files} == {"failed"}
    assert time.monotonic() - began < 8, "3 pauses of half a second were to be waited for"


def test_files_of_a_host_that_is_there_do_not_wait_for_one_that_is_not(tmp_path):
    with OddServer(lambda request: False) as gone:
        pass
    data = data_of(1000)
    with OddServer(lambda request: request.send(part(request, data, ETag='"a"'))) as server:
        dead = [file_of(tmp_path / f"d{n}.json", gone.url, size=1000) for n in range(12)]
        live = [file_of(tmp_path / f"l{n}.json", server.url, size=1000) for n in range(4)]
        with running(transfer_of(*dead, *live, retries=7)):
            until(lambda: all(file.state == "complete" for file in live), 5)


def test_a_second_job_gets_its_turn_at_a_host_that_a_first_one_keeps_busy(tmp_path):
    data = data_of(1000)

    def answer(request):
        time.sleep(0.02)
        request.send(part(request, data, ETag='"a"'))

    with OddServer(answer) as server:
        many = [file_of(tmp_path / f"{n}.json", server.url, size=1000) for n in range(2000)]
        with running(transfer_of(*many)):
            until(lambda: len(server.requests) > 20)
            one = file_of(tmp_path / "one.json", server.url, size=1000)
            with running(transfer_of(one)):
                until(lambda: one.state == "complete", 5)
            assert not all(file.ended for file in many)


def run_distributed(files, executor, folder, connections=4):
    return Distributed(
        files, Nobody(), executor=executor, connections=connections, timeout=5.0, retries=1,
        stop_flag=folder / "stop",
    )  # fmt: skip


def test_workers_that_are_threads_fetch_at_the_same_time(tmp_path):
    data = data_of(1000)

    def answer(request):
        time.sleep(0.2)
        request.send(part(request, data, ETag='"a"'))

    with OddServer(answer) as server, concurrent.futures.ThreadPoolExecutor(4) as executor:
        files = [file_of(tmp_path / f"{n}.json", server.url, size=1000) for n in range(12)]
        run_distributed(files, executor, tmp_path).run()
        assert {file.state for file in files} == {"complete"}
        assert server.most_open == 4


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="no fork here")
def test_workers_that_are_forked_during_another_import_fetch(tmp_path):
    data, go_on = data_of(1000), threading.Event()

    def answer(request):
        if request.path == "/slow":
            go_on.wait(30)
        request.send(part(request, data, ETag='"a"'))

    with OddServer(answer) as server:
        slow = [file_of(tmp_path / f"s{n}", f"{server.url}/slow", size=1000) for n in range(4)]
        with running(transfer_of(*slow, timeout=60)):
            until(lambda: server.open == 4)
            context = multiprocessing.get_context("fork")
            with concurrent.futures.ProcessPoolExecutor(2, mp_context=context) as executor:
                files = [file_of(tmp_path / f"{n}.json", server.url, size=1000) for n in range(2)]
                with running(run_distributed(files, executor, tmp_path)) as thread:
                    thread.join(8)
                    states = {file.state for file in files}
                    (tmp_path / "stop").touch()
            go_on.set()
            assert states == {"complete"}


def test_a_host_that_was_given_up_by_one_file_is_given_up_by_all(tmp_path):
    """A file that could come from elsewhere has less patience than one that could not."""
    with OddServer(lambda request: False) as gone:
        pass
    both = file_of(tmp_path / "a.json", f"{gone.url}/s3", f"{gone.url}/http", size=10)
    one = file_of(tmp_path / "b.json", f"{gone.url}/b", size=10)
    spent = time.process_time()
    with running(transfer_of(both, one, retries=4)) as thread:
        thread.join(20)
        assert {both.state, one.state} == {"failed"}
    assert time.process_time() - spent < 5


def test_what_is_there_may_be_asked_for_while_more_comes(tmp_path):
    """Threads write, and others look for what is missing; no lock is common to them."""
    one = Partial(tmp_path / "a.json", "test:a")
    assert one.acquire()
    draft = one.begin("http", 4000, '"a"')
    interval, stop, errors = sys.getswitchinterval(), threading.Event(), []
    sys.setswitchinterval(1e-6)

    def look():
        try:
            while not stop.is_set():
                done = one.done
                before, gap, seen = done.total, done.first_gap(4000), list(done)
                assert gap is None or 0 <= gap[0] < gap[1] <= 4000
                assert seen == sorted(seen)
                assert 0 <= before <= sum(b - a for a, b in seen) <= done.total <= 4000
        except BaseException as error:  # noqa: BLE001 - it is shown by the test
            errors.append(error)

    lookers = [threading.Thread(target=look) for _ in range(2)]
    try:
        for thread in lookers:
            thread.start()
        end = time.monotonic() + 4
        while time.monotonic() < end and not errors:
            draft = one.begin("http", 4000, '"a"')
            for start in (*range(0, 4000, 20), *range(10, 4000, 20)):
                draft.write(bytes(10), start)
    finally:
        stop.set()
        for thread in lookers:
            thread.join(5)
        sys.setswitchinterval(interval)
        one.release()
    assert errors == []


# -- wrong states ----------------------------------------------------------------------------


def test_jobs_that_are_listed_twice_at_a_time_are_what_they_are(tmp_path):
    """Whoever looks whether a job is held must not be taken for its holder."""
    record = Record.create(tmp_path, {"title": "a"}, None)
    record.note(job="complete", error=None, notes=[])
    record.release()
    seen, stop = set(), threading.Event()

    def look():
        while not stop.is_set():
            seen.add(KeptJob(find_record(tmp_path, record.id), lambda: None).state)

    threads = [threading.Thread(target=look) for _ in range(2)]
    for thread in threads:
        thread.start()
    time.sleep(2)
    stop.set()
    for thread in threads:
        thread.join()
    assert seen == {"complete"}


@pytest.mark.parametrize("sources", [0, 2], ids=["no source", "two sources"])
def test_a_folder_in_the_place_of_a_file_is_reported_whatever_its_sources(tmp_path, sources):
    (tmp_path / "a.json").mkdir()
    urls = ["http://127.0.0.1:1/a"] * sources
    file = file_of(tmp_path / "a.json", *urls, size=10)
    transfer_of(file, retries=0).run()
    assert file.state == "failed"
    assert "is a folder" in file.error


def test_a_plan_that_the_disk_does_not_take_says_why(tmp_path):
    def plan(check_cancelled, say):
        raise OSError(errno.ENOSPC, "No space left on device")

    record = Record.create(tmp_path, {"title": "a"}, None)
    job = ImportJob(record, plan, partial(Transfer, credentials=Nobody()))
    hook, threading.excepthook = threading.excepthook, lambda args: None
    try:
        job.start()
        assert job.wait(5)
        job._thread.join(5)
    finally:
        threading.excepthook = hook
    assert job.state == "failed"
    assert job.error is not None


def test_a_job_that_is_cancelled_from_elsewhere_is_running_until_it_has_stopped(tmp_path):
    record = Record.create(tmp_path, {"title": "a"}, None)
    record.note(job="running")
    elsewhere = KeptJob(find_record(tmp_path, record.id), lambda: None)
    elsewhere.cancel()
    assert record.cancel_flag.exists()
    listed = KeptJob(find_record(tmp_path, record.id), lambda: None)
    assert listed.state == "running"
    assert elsewhere.state == "running"
    assert not elsewhere.finished
    record.note(job="complete")  # it was at its end already
    record.release()
    assert elsewhere.wait(5)
    assert elsewhere.state == "complete"


def test_a_journal_without_its_bytes_is_not_counted(tmp_path):
    partial_file = Partial(tmp_path / "a.json", "test:a")
    assert partial_file.acquire()
    partial_file.begin("http", 1000, '"a"').write(bytes(500), 0)
    partial_file.release()
    assert bytes_on_disk(tmp_path / "a.json", 1000) == 500
    (tmp_path / ".a.json.part").unlink()
    assert bytes_on_disk(tmp_path / "a.json", 1000) == 0


def test_what_is_stored_compressed_and_said_to_be_so_arrives_as_it_is_stored(tmp_path):
    """Servers name the compression of a ``.gz`` file as if it were one of the way."""
    data = gzip.compress(data_of(100_000))

    def answer(request):
        request.send(part(request, data, ETag='"a"', Content_Encoding="gzip"))

    with OddServer(answer) as server:
        file = file_of(tmp_path / "a.fits.gz", server.url, size=len(data))
        transfer_of(file).run()
    assert file.state == "complete", file.error
    assert file.path.read_bytes() == data


@pytest.mark.parametrize("parts", [False, True], ids=["small", "of many parts"])
def test_what_is_compressed_once_more_on_the_way_is_not_kept_so(tmp_path, parts):
    """A server that compresses whatever it sends, a ``.gz`` file too."""
    data = gzip.compress(random.Random(1).randbytes(4 * MIB if parts else 100_000))
    sent = gzip.compress(data)

    def answer(request):
        request.send(part(request, sent, ETag='"a"', Content_Encoding="gzip"))

    with OddServer(answer) as server:
        file = file_of(tmp_path / "a.fits.gz", server.url, size=len(data))
        transfer_of(file, retries=0).run()
    right = not file.path.exists() or file.path.read_bytes() == data
    assert right, f"WRONG BYTES, {file.state}, {file.note}"


def fetch_and_wait(url, folder, ready):
    """Fetch on forked workers; runs in a process of its own, which is killed."""
    record = Record.create(folder, {"title": "a"}, None)
    executor = concurrent.futures.ProcessPoolExecutor(
        2, mp_context=multiprocessing.get_context("fork")
    )
    files = [Item(f"test:{n}", (Source("http", f"{url}/{n}"),), folder / f"{n}", size=1000)
             for n in range(4)]  # fmt: skip
    job = ImportJob(
        record,
        lambda check, say: files,
        partial(Distributed, credentials=Nobody(), executor=executor, connections=2, timeout=60.0,
                retries=1),
    )  # fmt: skip
    job.start()
    workers = until(lambda: len(multiprocessing.active_children()) == 2 and
                    multiprocessing.active_children())  # fmt: skip
    ready.send((record.id, [worker.pid for worker in workers]))
    job.wait()


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="no fork here")
def test_a_job_whose_process_is_killed_is_not_held_by_its_workers(tmp_path):
    go_on, data = threading.Event(), data_of(1000)

    def answer(request):
        go_on.wait(30)
        request.send(part(request, data, ETag='"a"'))

    with OddServer(answer) as server:
        ours, theirs = multiprocessing.Pipe()
        context = multiprocessing.get_context("fork")
        process = context.Process(target=fetch_and_wait, args=(server.url, tmp_path, theirs))
        process.start()
        assert ours.poll(20)
        job_id, workers = ours.recv()
        until(lambda: server.open == 2)
        process.kill()
        process.join()  # with a timeout it would wait for its workers, too
        go_on.set()
        try:
            until(lambda: not find_record(tmp_path, job_id).is_held, 5)
        finally:
            for worker in workers:  # nobody else ends them
                with contextlib.suppress(ProcessLookupError):
                    os.kill(worker, signal.SIGKILL)


# -- leaks -----------------------------------------------------------------------------------


@needs_proc
def test_a_folder_in_the_place_of_a_journal_costs_no_descriptor(tmp_path):
    (tmp_path / ".a.json.part").write_bytes(b"x")
    (tmp_path / ".a.json.part.journal").mkdir()
    before = len(descriptors())
    for _ in range(20):
        bytes_on_disk(tmp_path / "a.json", 1000)
    assert len(descriptors()) == before


@needs_proc
def test_files_that_come_leave_no_descriptor_and_no_thread(tmp_path):
    data = data_of(10_000)
    with OddServer(lambda request: request.send(part(request, data, ETag='"a"'))) as server:
        for turn in range(2):
            if turn:
                before = descriptors()
            for n in range(20):
                file = file_of(tmp_path / f"{turn}{n}.json", server.url, size=len(data))
                transfer_of(file).run()
        left = [p for p in descriptors() if p not in before and str(tmp_path) in p]
        assert left == []
    assert [t for t in threading.enumerate() if t.name == "mast-transfer"] == []


# -- a folder that is emptied, a disk that fills up ------------------------------------------


def test_who_comes_after_the_folder_was_emptied_is_left_in_peace(tmp_path):
    """Its lock is another file than the first one's: neither may touch what is the other's."""
    folder, data = tmp_path / "obs", data_of(8 * MIB)
    folder.mkdir()
    first, second = threading.Event(), threading.Event()

    def answer(request):
        start, stop = request.range or (0, len(data))
        whole = part(request, data, ETag='"a"')
        request.send(whole[: len(whole) // 2])
        is_first = request.path == "/first"
        (first if is_first else second).wait(10 if is_first or start == 0 else 0)
        request.send(whole[len(whole) // 2 :])

    with OddServer(answer) as server:
        lost = file_of(folder / "a.json", f"{server.url}/first", size=len(data))
        kept = file_of(folder / "a.json", f"{server.url}/second", size=len(data))
        with running(transfer_of(lost)) as thread:
            until(lambda: lost.bytes_done)
            for path in folder.iterdir():
                path.unlink()
            with running(transfer_of(kept)):
                until(lambda: kept.bytes_done)
                first.set()
                thread.join(10)
                assert lost.state == "failed"
                assert "its folder was emptied while it was fetched" in lost.error
                second.set()
                until(lambda: kept.ended)
    assert (kept.state, kept.error) == ("complete", None)
    assert kept.path.read_bytes() == data
    assert [path.name for path in folder.iterdir()] == ["a.json"]


def test_a_file_is_not_begun_in_the_room_that_another_one_needs(tmp_path, monkeypatch):
    data, room = data_of(4 * MIB), 6 * MIB
    used = shutil.disk_usage(tmp_path)

    def usage(folder):
        taken = sum(p.stat().st_blocks * 512 for p in tmp_path.iterdir() if ".part" in p.name)
        return used._replace(free=room - taken)

    monkeypatch.setattr("jdaviz_mast.transfer.partial.shutil.disk_usage", usage)
    going = threading.Event()

    def answer(request):
        whole = part(request, data, ETag='"a"')
        request.send(whole[: 1 << 18])
        going.wait(10)
        request.send(whole[1 << 18 :])

    with OddServer(answer) as server:
        files = [file_of(tmp_path / f"{n}.json", server.url, size=len(data)) for n in range(2)]
        with running(transfer_of(*files, connections=2)) as thread:
            until(lambda: any(file.ended for file in files))
            going.set()
            thread.join(10)
    assert sorted(file.state for file in files) == ["complete", "failed"]
    (failed,) = (file for file in files if file.state == "failed")
    assert "are needed" in failed.error
    assert hidden(tmp_path) == []


def test_what_no_journal_tells_does_not_stay(tmp_path):
    """A disk that is full takes the journal's name, but not its first line."""
    one = Partial(tmp_path / "a.json", "test:a")
    assert one.acquire()
    one.begin("http", 100, '"a"').write(b"x" * 50, 0)
    (tmp_path / ".a.json.part.journal").touch()
    one._draft.close(flush=False, journal=False)
    one.release()
    assert hidden(tmp_path) == []


def hidden(folder):
    return [path.name for path in folder.iterdir() if path.name.startswith(".")]


@pytest.mark.parametrize("size", [10_000, None])
def test_a_body_without_a_length_is_not_taken_without_end(tmp_path, size):
    def answer(request):
        request.send(head(200, Transfer_Encoding="chunked", ETag='"a"'))
        with contextlib.suppress(OSError):
            for _ in range(400 if size else 2):
                request.send(b"10000\r\n" + bytes(1 << 16) + b"\r\n")
            request.send(b"0\r\n\r\n")

    with OddServer(answer) as server:
        file = file_of(tmp_path / "a.json", server.url, size=size)
        transfer_of(file, retries=0).run()
    if size:
        assert file.state == "failed"
        assert file.bytes_fetched <= size
        assert "More bytes come than the 10000 that the archive lists." in file.error
        assert list(tmp_path.iterdir()) == []
    else:
        assert file.path.read_bytes() == bytes(1 << 17)


# -- what a second run must know -------------------------------------------------------------


def test_a_checksum_is_compared_after_a_kill_too(tmp_path, monkeypatch):
    """All bytes may have been journalled by then, so that the source is not asked again."""
    good = data_of(4 * MIB)
    bad = bytearray(good)
    bad[MIB : MIB + 100] = bytes(100)
    etag = f'"{hashlib.md5(good, usedforsecurity=False).hexdigest()}"'

    def answer(request):
        request.send(part(request, bytes(bad), ETag=etag))

    class Killed(BaseException):
        pass

    def kill(path, digest):
        raise Killed

    monkeypatch.setattr("jdaviz_mast.transfer.partial._CHECKPOINT_BYTES", 1)
    monkeypatch.setattr(threading, "excepthook", lambda args: None)
    with OddServer(answer) as server:
        item = Item("test:a.json", (Source("s3", server.url),), tmp_path / "a.json", len(good))
        with monkeypatch.context() as killing:
            killing.setattr("jdaviz_mast.transfer.engine._check_digest", kill)
            transfer_of(TransferFile(item)).run()
        assert bytes_on_disk(item.path, item.size) == len(good)
        again, asked = TransferFile(item), len(server.requests)
        transfer_of(again, retries=0).run()
    assert again.state == "failed"
    assert "checksum" in again.error
    assert not item.path.exists()
    assert len(server.requests) > asked, "what was resumed and is wrong is fetched anew once"


@pytest.mark.parametrize("name", ["a.csv.gz", "B.TGZ"])
def test_what_is_stored_compressed_arrives_so_though_nobody_lists_its_size(tmp_path, name):
    stored = gzip.compress(data_of(1 << 16))

    def answer(request):
        request.send(head(200, Content_Length=len(stored), Content_Encoding="gzip") + stored)

    with OddServer(answer) as server:
        file = file_of(tmp_path / name, server.url)
        transfer_of(file).run()
    assert file.path.read_bytes() == stored


# -- whom a server, or an executor, turns away -----------------------------------------------


def test_a_host_that_asks_for_an_hour_is_asked_once(tmp_path):
    def answer(request):
        request.send(head(429, Content_Length=0, Retry_After=3600))

    with OddServer(answer) as server:
        files = [file_of(tmp_path / f"{n}.json", server.url, size=1000) for n in range(50)]
        transfer_of(*files, connections=2).run()
    assert {file.state for file in files} == {"failed"}
    assert all("It asks to wait for 60 minutes" in file.error for file in files)
    assert len(server.requests) <= 2


def test_futures_that_are_cancelled_end_the_job(tmp_path):
    """As by `Executor.shutdown` with ``cancel_futures``, or by dask's client."""
    data, going = bytes(1000), threading.Event()

    def answer(request):
        going.wait(10)
        request.send(head(200, Content_Length=len(data)) + data)

    with OddServer(answer) as server, concurrent.futures.ThreadPoolExecutor(1) as executor:
        files = [file_of(tmp_path / f"{n}.json", server.url, size=1000) for n in range(4)]
        options = {"connections": 4, "timeout": 5.0, "retries": 0, "stop_flag": tmp_path / "stop"}
        transfer = Distributed(files, Nobody(), executor=executor, **options)
        with running(transfer) as thread:
            until(lambda: server.requests)
            executor.shutdown(wait=False, cancel_futures=True)
            going.set()
            thread.join(10)
            assert not thread.is_alive()
    assert sorted(file.state for file in files) == ["complete", "failed", "failed", "failed"]


def test_jobs_of_one_process_share_the_connections_of_workers(tmp_path):
    def answer(request):
        time.sleep(0.05)
        request.send(head(200, Content_Length=4) + b"data")

    with OddServer(answer) as server, concurrent.futures.ThreadPoolExecutor(24) as executor:
        options = {"connections": 8, "timeout": 5.0, "retries": 0, "stop_flag": tmp_path / "stop"}
        jobs = [
            [file_of(tmp_path / f"{job}_{n}.json", server.url, size=4) for n in range(20)]
            for job in range(3)
        ]
        with contextlib.ExitStack() as stack:
            threads = [
                stack.enter_context(
                    running(Distributed(files, Nobody(), executor=executor, **options))
                )
                for files in jobs
            ]
            for thread in threads:
                thread.join(20)
        assert {file.state for files in jobs for file in files} == {"complete"}
    assert 1 < server.most_open <= 8


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_lock_is_free_in_a_forked_process():
    lock = Lock()
    with lock:
        pid = os.fork()
        if pid == 0:
            signal.alarm(5)  # ends it, should it wait
            with lock:
                os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0


def test_a_flag_that_cannot_be_looked_for_stops_nothing(tmp_path):
    class Stale:
        def exists(self):
            raise OSError(errno.ESTALE, "Stale file handle")

    with OddServer(lambda request: request.send(part(request, b"data"))) as server:
        file = file_of(tmp_path / "a.json", server.url, size=4)
        transfer_of(file, stop_flag=Stale()).run()
    assert file.state == "complete"
