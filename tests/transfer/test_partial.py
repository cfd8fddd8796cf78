"""The file under construction: what a kill leaves, what is believed of it, and whose it is."""

import contextlib
import json
import multiprocessing
import os
import random
import threading
import time
import zlib
from pathlib import Path

import pytest

from jdaviz_mast.errors import Cancelled, DiskFull, FileProblem
from jdaviz_mast.transfer import bytes_on_disk, partial, remove_partial
from jdaviz_mast.transfer.partial import Partial, is_set_aside, set_aside

URI, TAG = "mast:TEST/a.json", '"a"'
SIZE = 200_000
DATA = random.Random(5).randbytes(SIZE)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "a.json"


@pytest.fixture
def begun(path):
    """Callable: a file that is held and begun."""
    held = []

    def begin(size=SIZE, validator=TAG):
        one = Partial(path, URI)
        assert one.acquire()
        held.append(one)
        one.begin("http", size, validator)
        return one

    yield begin
    for one in held:
        with contextlib.suppress(Cancelled):
            one.release()


@pytest.fixture
def each_write_is_kept(monkeypatch):
    """Flush and journal after each write."""
    monkeypatch.setattr(partial, "_CHECKPOINT_BYTES", 1)


def beside(path, suffix=""):
    return path.with_name(f".{path.name}.part{suffix}")


def hidden(path):
    return sorted(p.name for p in path.parent.iterdir() if p.name.startswith("."))


def put(one, start, stop):
    assert one.draft().write(DATA[start:stop], start)


def found(path):
    """What the next one to come finds: a dict of what it knows, and that its bytes are right."""
    one = Partial(path, URI)
    assert one.acquire()
    for start, stop in one.done:
        assert beside(path).read_bytes()[start:stop] == DATA[start:stop], "journalled, and wrong"
    told = {"source": one.source, "size": one.size, "validator": one.validator,
            "done": list(one.done)}  # fmt: skip
    one.release()
    return told


NOTHING = {"source": "", "size": None, "validator": "", "done": []}


def in_a_process(target, *arguments, method="fork"):
    """Run in a process of its own; return it when it has ended."""
    process = multiprocessing.get_context(method).Process(target=target, args=arguments)
    process.start()
    process.join(60)
    return process


needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")


# -- from the first byte to the name ---------------------------------------------------------


def test_a_file_gets_its_name_when_all_of_it_is_there(begun, path):
    one, seen = begun(), []
    assert path not in path.parent.iterdir()
    for start in range(0, len(DATA), 30_000):
        put(one, start, start + 30_000)
    assert list(one.done) == [(0, len(DATA))]
    one.verify(None, lambda part: seen.append(part.read_bytes()), None)
    assert seen == [DATA]
    assert not path.exists()
    one.keep()
    one.release()
    assert path.read_bytes() == DATA
    assert hidden(path) == []


def test_parts_come_in_any_order_and_over_each_other(begun, path):
    one = begun()
    parts = [(n, min(n + 15_000, len(DATA))) for n in range(0, len(DATA), 9_000)]
    random.Random(1).shuffle(parts)
    for start, stop in parts:
        put(one, start, stop)
    one.verify()
    one.keep()
    assert path.read_bytes() == DATA


@pytest.mark.parametrize("missing", ["first", "last", "middle", "all"])
def test_a_file_with_a_gap_is_not_verified(begun, path, missing):
    one = begun()
    gap = {"first": (0, 1), "last": (len(DATA) - 1, len(DATA)), "middle": (5, 6),
           "all": (0, len(DATA))}[missing]  # fmt: skip
    one.draft().write(DATA[: gap[0]], 0)
    one.draft().write(DATA[gap[1] :], gap[1])
    with pytest.raises(FileProblem, match=r"bytes came"):
        one.verify()
    assert not path.exists()


def test_a_file_with_more_bytes_than_it_has_is_not_verified(begun):
    one = begun(size=len(DATA) - 1)
    put(one, 0, len(DATA))
    with pytest.raises(FileProblem, match=r"bytes came"):
        one.verify()


def test_what_a_test_raises_comes_out_and_the_file_gets_no_name(begun, path):
    one = begun()
    put(one, 0, len(DATA))

    def fails(part):
        raise FileProblem("not this one")

    with pytest.raises(FileProblem, match="not this one"):
        one.verify(fails)
    assert not path.exists()


def test_an_empty_file_gets_its_name(begun, path):
    one = begun(size=0)
    one.verify()
    one.keep()
    assert path.read_bytes() == b""


def test_the_room_that_is_needed_is_that_for_what_is_missing(begun, monkeypatch):
    one = begun()
    put(one, 0, 150_000)
    usage = partial.shutil.disk_usage(".")._replace(free=50_000)
    monkeypatch.setattr(partial.shutil, "disk_usage", lambda path: usage)
    one.check_room(len(DATA))
    with pytest.raises(DiskFull, match=r"50 kB are free"):
        one.check_room(len(DATA) + 1)


# -- what a kill leaves ----------------------------------------------------------------------


def write_and_die(path, parts, keep_after, before_note):
    """Write parts and end without a goodbye; runs in a process of its own."""
    partial._CHECKPOINT_BYTES = keep_after
    if before_note:
        partial._Draft._note = lambda self, ranges: os._exit(9)
    one = Partial(path, URI)
    assert one.acquire()
    one.begin("http", len(DATA), TAG)
    for start, stop in parts:
        one.draft().write(DATA[start:stop], start)
    os._exit(9)


@needs_fork
def test_a_kill_loses_nothing_that_was_journalled(path):
    in_a_process(write_and_die, path, [(0, 100), (500, 900), (100, 200)], 1, False)
    assert found(path) == {
        "source": "http", "size": len(DATA), "validator": TAG, "done": [(0, 200), (500, 900)]
    }  # fmt: skip


@needs_fork
def test_a_kill_between_flush_and_journal_costs_what_the_journal_lacks(path):
    in_a_process(write_and_die, path, [(0, 100)], 1, True)
    assert found(path) == NOTHING
    assert hidden(path) == []


@needs_fork
def test_a_kill_before_the_first_flush_leaves_nothing_to_believe(path):
    in_a_process(write_and_die, path, [(0, 100_000)], 1 << 30, False)
    assert beside(path).exists()
    assert found(path) == NOTHING
    assert hidden(path) == []


def test_nothing_is_journalled_before_it_is_flushed(begun, path, monkeypatch, each_write_is_kept):
    order, flush, note = [], partial._flush, partial._Draft._note

    def flushed(fd):
        journal = beside(path, ".journal")
        order.append(("flush", journal.read_bytes() if journal.exists() else b""))
        flush(fd)

    def noted(self, ranges):
        order.append(("note", list(ranges)))
        note(self, ranges)

    monkeypatch.setattr(partial, "_flush", flushed)
    monkeypatch.setattr(partial._Draft, "_note", noted)
    one = begun()
    for start in range(0, 5000, 1000):
        put(one, start, start + 1000)
    assert [what for what, _ in order] == ["flush", "note"] * 5
    for number, (what, value) in enumerate(order):
        if what == "note":
            assert value == [(number // 2 * 1000, number // 2 * 1000 + 1000)]
    # Each flush came when the journal did not yet know of the bytes.
    sizes = [len(value) for what, value in order if what == "flush"]
    assert sizes == sorted(set(sizes))


@pytest.mark.parametrize("end", ["verify", "release"])
def test_the_last_bytes_are_flushed_before_anybody_relies_on_them(begun, path, monkeypatch, end):
    order, flush, note = [], partial._flush, partial._Draft._note

    def flushed(fd):
        order.append(("flush", os.fstat(fd).st_size))
        flush(fd)

    def noted(self, ranges):
        order.append(("note", list(ranges)))
        note(self, ranges)

    monkeypatch.setattr(partial, "_flush", flushed)
    monkeypatch.setattr(partial._Draft, "_note", noted)
    one = begun()
    put(one, 0, len(DATA))
    if end == "verify":
        one.verify(lambda part: order.append(("test", part.name)))
        assert order == [("flush", len(DATA)), ("test", beside(path).name)]
    else:
        one.release()
        assert order == [("flush", len(DATA)), ("note", [(0, len(DATA))])]


def test_a_flush_that_fails_is_not_journalled(begun, path, monkeypatch, each_write_is_kept):
    one = begun()
    put(one, 0, 1000)

    def broken(fd):
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(partial, "_flush", broken)
        with pytest.raises(OSError, match="Input/output"):
            one.draft().write(DATA[1000:2000], 1000)
    one.release()
    assert found(path)["done"] == [(0, 1000)]


@pytest.mark.parametrize("then", ["drop", "begin", "begin and write"])
@pytest.mark.parametrize("journalled", [False, True])
def test_a_flush_that_ends_late_is_not_journalled_for_another_version(
    begun, path, monkeypatch, each_write_is_kept, journalled, then
):
    """The disk takes its time, and meanwhile the file has changed on the server."""
    flushing, go_on, flush = threading.Event(), threading.Event(), partial._flush
    one = begun()
    draft = one.draft()
    if journalled:
        put(one, 0, 1000)

    def slow(fd):
        monkeypatch.setattr(partial, "_flush", flush)
        flushing.set()
        assert go_on.wait(20)

    monkeypatch.setattr(partial, "_flush", slow)
    late = threading.Thread(target=draft.write, args=(DATA[5000:6000], 5000))
    late.start()
    assert flushing.wait(10)

    def change():
        if then == "drop":
            return one.drop()
        one.begin("http", len(DATA), '"b"')
        if "write" in then:
            put(one, 100, 200)
        return None

    other = threading.Thread(target=change)  # may have to wait for the flush, and may not
    other.start()
    other.join(0.5)
    go_on.set()
    late.join(10)
    other.join(10)
    # As a kill at this moment would leave it:
    journal = beside(path, ".journal")
    lines = journal.read_text().splitlines() if journal.exists() else []
    if "write" in then:
        assert '\\"b\\"' in lines[0]
        assert [text.split(" ", 1)[1] for text in lines[1:]] == ["100 200"]
    else:
        assert lines == []


def test_what_has_come_is_journalled_after_some_seconds_too(begun, path, monkeypatch):
    monkeypatch.setattr(partial, "_CHECKPOINT_SECONDS", 0.05)
    one = begun()
    put(one, 0, 10)
    time.sleep(0.1)
    put(one, 10, 20)
    assert bytes_on_disk(path, len(DATA)) == 20


def test_a_small_file_needs_no_journal(begun, path):
    one = begun()
    put(one, 0, len(DATA))
    one.verify()
    assert not beside(path, ".journal").exists()


def test_what_is_released_is_taken_up(begun, path):
    one = begun()
    put(one, 5, 1000)
    one.release()
    again = Partial(path, URI)
    assert again.acquire()
    assert (again.source, again.size, again.validator) == ("http", len(DATA), TAG)
    assert list(again.done) == [(5, 1000)]
    for start, stop in ((0, 5), (1000, len(DATA))):
        put(again, start, stop)
    again.verify()
    again.keep()
    again.release()
    assert path.read_bytes() == DATA
    assert hidden(path) == []


def test_without_a_validator_a_release_leaves_nothing(begun, path):
    one = begun(validator="")
    put(one, 0, 1000)
    one.release()
    assert hidden(path) == []


def test_without_a_validator_nothing_is_journalled_on_the_way(begun, path, each_write_is_kept):
    one = begun(validator="")
    put(one, 0, 1000)
    assert not beside(path, ".journal").exists()


def test_to_begin_anew_leaves_nothing_of_the_earlier_version(begun, path, each_write_is_kept):
    one = begun()
    put(one, 0, 1000)
    one.begin("s3", 500, '"b"')
    assert list(one.done) == []
    put(one, 100, 200)
    one.release()
    assert found(path) == {"source": "s3", "size": 500, "validator": '"b"', "done": [(100, 200)]}


# -- what is believed of a journal -----------------------------------------------------------


def line(text):
    return f"{zlib.crc32(text.encode()):08x} {text}\n"


def header(**other):
    known = {"format": 1, "uri": URI, "source": "http", "size": len(DATA), "validator": TAG}
    return line(json.dumps(known | other))


def leave(path, journal, part=DATA):
    beside(path).write_bytes(part)
    beside(path, ".journal").write_bytes(journal.encode() if isinstance(journal, str) else journal)


HALF = [(0, 100_000)]

GOOD_LINES = {
    "whole": line("0 100000"),
    "several": line("50000 100000") + line("0 50000"),
    "the same again": line("0 100000") * 3,
    "nothing in it": "" + line("7 7") + line("0 100000"),
    "torn": line("0 100000") + line("100000 150000")[:12],
    "torn in the checksum": line("0 100000") + line("100000 150000")[:5],
    "damaged": line("0 100000") + line("100000 150000").replace("15", "16"),
    "damaged in front": "\0" * 40 + "\n" + line("0 100000"),
    "not numbers": line("a b") + line("1 2 3") + line("0 100000"),
    "not text": b"\xff\xfe\n".decode("latin-1") + line("0 100000"),
    "empty lines": "\n\n" + line("0 100000") + "\n",
}


@pytest.mark.parametrize("name", GOOD_LINES)
def test_a_line_that_is_damaged_costs_its_own_bytes(path, name):
    leave(path, header() + GOOD_LINES[name])
    assert found(path)["done"] == HALF


@pytest.mark.parametrize(
    "torn", ["deadbeef 100000 1", "dead", "\0" * 20], ids=["half", "less", "zeros"]
)
def test_lines_after_a_torn_one_are_kept(path, torn, each_write_is_kept):
    """The process was killed while it wrote a line; the next one writes lines, is killed too."""
    leave(path, header() + line("0 1000") + torn)
    one = Partial(path, URI)
    assert one.acquire()
    put(one, 1000, 2000)
    put(one, 2000, 3000)
    assert bytes_on_disk(path, len(DATA)) == 3000
    one.release()


UNBELIEVED = {
    "of another format": header(format=2) + line("0 100000"),
    "of no format": line("{}") + line("0 100000"),
    "of another file": header(uri="mast:TEST/b.json") + line("0 100000"),
    "of no version": header(validator="") + line("0 100000"),
    "of no validator": header(validator=None) + line("0 100000"),
    "of unknown size": header(size=None) + line("0 100000"),
    "of a size that is text": header(size="200000") + line("0 100000"),
    "beyond the size": header(size=99_999) + line("0 100000"),
    "beyond the bytes": header(size=1 << 30) + line("0 200001"),
    "before the first byte": header() + line("-5 100000"),
    "without a header": line("0 100000"),
    "with a damaged header": header().replace("http", "s3:/") + line("0 100000"),
    "with a list as header": line("[]") + line("0 100000"),
    "with a torn header": header()[:30],
    "empty": "",
    "zeros": b"\0" * 4096,
    "noise": random.Random(3).randbytes(4096),
}


@pytest.mark.parametrize("name", UNBELIEVED)
def test_a_journal_that_cannot_be_right_is_not_believed(path, name):
    leave(path, UNBELIEVED[name])
    assert found(path) == NOTHING
    assert hidden(path) == []


def test_a_header_that_lacks_its_source_is_not_believed(path):
    lacking = {"format": 1, "uri": URI, "size": len(DATA), "validator": TAG}
    leave(path, line(json.dumps(lacking)) + line("0 100000"))
    assert found(path) == NOTHING


def test_a_part_that_is_shorter_than_the_journal_is_not_believed(path):
    leave(path, header() + line("0 100000"), DATA[:99_999])
    assert found(path) == NOTHING


def test_a_part_that_is_longer_than_the_file_is_cut(path):
    leave(path, header() + line("0 100000"), DATA + b"x" * 1000)
    assert found(path)["done"] == HALF
    assert beside(path).stat().st_size == len(DATA)


def test_a_journal_without_a_part_and_a_part_without_a_journal_are_removed(path):
    beside(path, ".journal").write_text(header() + line("0 100000"))
    assert found(path) == NOTHING
    assert hidden(path) == []
    beside(path).write_bytes(DATA)
    assert found(path) == NOTHING
    assert hidden(path) == []


def test_a_damaged_journal_is_counted_as_it_is_believed(path):
    """How much there is of a file must not be told otherwise than it is taken up."""
    for journal in (GOOD_LINES | UNBELIEVED).values():
        text = journal if isinstance(journal, bytes) else journal.encode()
        whole = text if text.startswith((b"\0\0\0\0\0", header()[:9].encode())) else text
        leave(path, whole)
        told = bytes_on_disk(path, len(DATA) + 1)
        assert isinstance(told, int)
        assert told >= 0


# -- links and folders -----------------------------------------------------------------------


@pytest.mark.parametrize("suffix", ["", ".journal", ".lock"])
def test_a_link_is_not_followed(path, tmp_path, suffix, each_write_is_kept):
    (tmp_path / "outside").mkdir()
    target = tmp_path / "outside" / "precious"
    leave(path, header() + line("0 100000"))
    content = beside(path, suffix).read_bytes() if suffix != ".lock" else b""
    target.write_bytes(content)
    beside(path, suffix).unlink(missing_ok=True)
    beside(path, suffix).symlink_to(target)

    one = Partial(path, URI)
    assert one.acquire()
    if not one.validator:
        one.begin("http", len(DATA), TAG)
    for start in range(0, len(DATA), 50_000):
        one.draft().write(DATA[start : start + 50_000], start)
    one.verify()
    one.keep()
    one.release()
    assert target.read_bytes() == content
    assert path.read_bytes() == DATA
    assert not path.is_symlink()
    assert hidden(path) == []


@pytest.mark.parametrize("suffix", ["", ".journal"])
def test_a_link_that_comes_later_is_not_followed(path, tmp_path, suffix, each_write_is_kept):
    """Somebody puts it there while the file is held."""
    target = tmp_path / "precious"
    target.write_bytes(b"mine")
    leave(path, header() + line("0 1000"))
    one = Partial(path, URI)
    assert one.acquire()
    beside(path, suffix).unlink()
    beside(path, suffix).symlink_to(target)
    with pytest.raises(OSError, match=r"\.part"):
        one.draft().write(DATA[1000:2000], 1000)
    one.release()
    assert target.read_bytes() == b"mine"


@pytest.mark.parametrize("suffix", ["", ".journal", ".lock"])
def test_a_link_into_nowhere_is_replaced(path, tmp_path, suffix):
    beside(path, suffix).symlink_to(tmp_path / "nowhere")
    one = Partial(path, URI)
    assert one.acquire()
    one.begin("http", 3, TAG)
    one.draft().write(b"abc", 0)
    one.verify()
    one.keep()
    one.release()
    assert path.read_bytes() == b"abc"
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize("suffix", ["", ".journal", ".lock"])
def test_a_folder_is_an_error_of_the_system_and_holds_no_lock(path, suffix):
    beside(path, suffix).mkdir()
    one = Partial(path, URI)

    def take():
        assert one.acquire()
        one.begin("http", 3, TAG)

    with pytest.raises(OSError, match=r"\.part"):
        take()
    assert beside(path, suffix).is_dir()
    if suffix != ".lock":
        beside(path, suffix).rmdir()
        other = Partial(path, URI)
        one.release()
        assert other.acquire(), "it is free again"
        other.release()


# -- whose it is -----------------------------------------------------------------------------


def test_a_second_one_does_not_get_it_until_the_first_has_released_it(begun, path):
    one, other = begun(), Partial(path, URI)
    put(one, 0, 1000)
    assert not other.acquire()
    assert beside(path).exists(), "who does not get it changes nothing"
    one.release()
    assert other.acquire()
    assert list(other.done) == [(0, 1000)]
    assert not one.acquire()
    other.release()


def test_a_lock_that_vanishes_while_it_is_taken_is_given_back(path, monkeypatch):
    one = Partial(path, URI)
    take = one._lock.acquire

    def vanish():
        take()
        beside(path, ".lock").unlink()

    monkeypatch.setattr(one._lock, "acquire", vanish)
    with pytest.raises(FileNotFoundError):
        one.acquire()
    assert not one._lock.is_locked


def test_who_releases_twice_takes_nothing_from_the_next_one(begun, path):
    one = begun()
    one.release()
    other = Partial(path, URI)
    assert other.acquire()
    other.begin("http", len(DATA), TAG)
    put(other, 0, 1000)
    with contextlib.suppress(Cancelled):
        one.release()
    assert beside(path).exists()
    assert beside(path, ".lock").exists()
    assert not Partial(path, URI).acquire()
    other.release()
    assert found(path)["done"] == [(0, 1000)]


@pytest.mark.parametrize("act", ["keep", "drop", "begin", "draft"])
def test_who_has_released_it_changes_nothing_any_more(begun, path, act):
    one = begun()
    put(one, 0, len(DATA))
    one.verify()
    one.release()
    other = Partial(path, URI)
    assert other.acquire()
    other.begin("http", len(DATA), TAG)
    put(other, 0, 1000)
    before = {p.name: p.read_bytes() for p in path.parent.iterdir()}
    with contextlib.suppress(Cancelled):
        getattr(one, act)(*(["http", 5, '"b"'] if act == "begin" else []))
    assert {p.name: p.read_bytes() for p in path.parent.iterdir()} == before
    other.release()
    assert found(path)["done"] == [(0, 1000)]


def test_keep_after_release_gives_no_name(begun, path):
    one = begun()
    put(one, 0, len(DATA))
    one.verify()
    one.release()
    with contextlib.suppress(Cancelled):
        one.keep()
    assert not path.exists()


@pytest.mark.parametrize("act", ["drop", "begin", "release"])
def test_writes_to_what_was_dropped_are_lost_and_harmless(begun, path, act):
    one = begun()
    draft = one.draft()
    assert draft.write(DATA[:1000], 0)
    getattr(one, act)(*(["http", 5, '"b"'] if act == "begin" else []))
    before = {p.name: p.read_bytes() for p in path.parent.iterdir()}
    assert not draft.write(DATA[1000:2000], 1000)
    assert not draft.wanted
    assert {p.name: p.read_bytes() for p in path.parent.iterdir()} == before
    assert list(one.done) in ([], [(0, 1000)])


def hold_and_write(path, seconds, seed):
    """Take the lock again and again, each time claiming a file that two may not claim."""
    rng, claimed = random.Random(seed), path.with_name("claimed")
    times, end = 0, time.monotonic() + seconds
    while time.monotonic() < end:
        one = Partial(path, URI)
        if not one.acquire():
            if rng.random() < 0.2:
                time.sleep(rng.random() * 0.002)
            continue
        # Fails if somebody else is in here.
        handle = os.open(claimed, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
        if not one.validator or one.size != 1000:
            one.begin("http", 1000, TAG)
        start = rng.randrange(900)
        one.draft().write(DATA[start : start + 100], start)
        if rng.random() < 0.3:
            time.sleep(rng.random() * 0.001)
        for a, b in one.done:
            content = beside(path).read_bytes()[a:b]
            assert content == DATA[a:b]
        os.close(handle)
        os.unlink(claimed)
        if rng.random() < 0.1:
            one.drop()
        one.release()
        times += 1
    assert times > 3, f"it had its turn {times} times"


@needs_fork
def test_six_processes_never_have_it_at_once(path):
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=hold_and_write, args=(path, 6, n)) for n in range(6)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0] * 6
    assert set(hidden(path)) <= {".a.json.part", ".a.json.part.journal"}


def test_threads_never_have_it_at_once(path):
    errors = []

    def run(seed):
        try:
            hold_and_write(path, 3, seed)
        except BaseException as error:  # noqa: BLE001 - it is shown by the test
            errors.append(error)

    threads = [threading.Thread(target=run, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert errors == []


def hold(path, ready, seconds):
    one = Partial(path, URI)
    assert one.acquire()
    one.begin("http", len(DATA), TAG)
    ready.set()
    time.sleep(seconds)


@needs_fork
def test_who_is_killed_holds_it_no_more(path):
    context = multiprocessing.get_context("fork")
    ready = context.Event()
    process = context.Process(target=hold, args=(path, ready, 60))
    process.start()
    assert ready.wait(30)
    one = Partial(path, URI)
    assert not one.acquire()
    process.kill()
    process.join(10)
    assert one.acquire()
    one.release()
    assert hidden(path) == []


# -- many threads ----------------------------------------------------------------------------


@pytest.mark.parametrize("keep_after", [1, 10_000, 1 << 30])
def test_many_threads_write_one_draft(begun, path, monkeypatch, keep_after):
    monkeypatch.setattr(partial, "_CHECKPOINT_BYTES", keep_after)
    one = begun()
    draft, parts = one.draft(), [(n, n + 1000) for n in range(0, len(DATA), 1000)]
    random.Random(2).shuffle(parts)
    waiting = iter(parts)
    lock = threading.Lock()

    def work():
        while True:
            with lock:
                part = next(waiting, None)
            if part is None:
                return
            assert draft.write(DATA[slice(*part)], part[0])

    threads = [threading.Thread(target=work) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert list(one.done) == [(0, len(DATA))]
    one.verify()
    one.keep()
    assert path.read_bytes() == DATA


def test_it_is_closed_under_the_hands_of_many_threads(begun, path, each_write_is_kept):
    """Their bytes must not go to whichever file gets the number of the descriptor next."""
    other = path.with_name("other")
    one, end = begun(), time.monotonic() + 3
    drafts, errors = [one.draft()], []

    def work(seed):
        rng = random.Random(seed)
        try:
            while time.monotonic() < end:
                start = rng.randrange(len(DATA) - 100)
                drafts[0].write(DATA[start : start + 100], start)
        except BaseException as error:  # noqa: BLE001 - it is shown by the test
            errors.append(error)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    while time.monotonic() < end:
        drafts[0] = one.begin("http", len(DATA), TAG)
        with open(other, "wb") as stream:  # takes a number that was just given back
            time.sleep(0.001)
            assert os.fstat(stream.fileno()).st_size == 0
    for thread in threads:
        thread.join(60)
    assert errors == []
    assert other.read_bytes() == b""
    one.release()
    found(path)


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="open files are in /proc")
def test_no_descriptor_stays_open(path, each_write_is_kept):
    def count():
        return len(list(Path("/proc/self/fd").iterdir()))

    before = count()
    for turn in range(20):
        one = Partial(path, URI)
        assert one.acquire()
        one.begin("http", 10, TAG)
        put(one, 0, 5)
        one.begin("http", len(DATA), TAG)
        put(one, 0, len(DATA))
        if turn % 2:
            one.verify()
            one.keep()
        one.release()
    assert count() == before


# -- beside it -------------------------------------------------------------------------------


def test_what_is_set_aside_is_not_lost(path):
    path.write_bytes(b"one")
    first = set_aside(path)
    path.write_bytes(b"two")
    second = set_aside(path)
    assert (first.read_bytes(), second.read_bytes()) == (b"one", b"two")
    assert is_set_aside(first)
    assert is_set_aside(second)
    assert not is_set_aside(path)
    path.symlink_to("nowhere")
    assert set_aside(path).is_symlink()


def test_the_beginning_of_a_file_is_removed_unless_it_is_being_fetched(begun, path):
    remove_partial(path)
    remove_partial(None)
    one = begun()
    put(one, 0, 1000)
    remove_partial(path)
    assert beside(path).exists()
    one.release()
    remove_partial(path)
    assert hidden(path) == []


def test_how_much_there_is(begun, path):
    assert bytes_on_disk(None, 5) == 0
    assert bytes_on_disk(path, len(DATA)) == 0
    one = begun()
    put(one, 0, 1000)
    one.release()
    assert bytes_on_disk(path, len(DATA)) == 1000
    path.write_bytes(DATA)
    assert bytes_on_disk(path, len(DATA)) is None
    assert bytes_on_disk(path, None) == 1000


def test_what_a_slow_disk_still_gives_back_is_removed_afterwards(begun, path, monkeypatch):
    one, flush, begins, goes_on = begun(), partial._flush, threading.Event(), threading.Event()
    put(one, 0, 1000)

    def slowly(fd):
        begins.set()
        goes_on.wait(20)
        flush(fd)

    monkeypatch.setattr(partial, "_flush", slowly)
    releasing = threading.Thread(target=one.release)
    releasing.start()
    assert begins.wait(20)

    remove_partial(path)  # does not wait for the disk

    assert beside(path).exists()
    goes_on.set()
    releasing.join(20)
    assert hidden(path) == []
    assert not partial._releasing
