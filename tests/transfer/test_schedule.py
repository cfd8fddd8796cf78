"""Who fetches what next: which bytes, over how many connections, and that it comes to an end."""

import random
import threading
import time
from pathlib import Path

import pytest
from odd_server import OddServer, head, part

from jdaviz_mast.transfer import Item, Source, Transfer, TransferFile, schedule
from jdaviz_mast.transfer.hosts import MOST_CONNECTIONS, Hosts, pause_after
from jdaviz_mast.transfer.partial import Partial
from jdaviz_mast.transfer.schedule import Schedule, part_size

SMALLEST, LARGEST = 1000, 16_000
HOST = "127.0.0.1:9"


@pytest.fixture
def planning():
    """Callable: a `Schedule`; its connections are given back at the end."""
    made = []

    def make(files, connections):
        made.append(Schedule(files, connections))
        return made[-1]

    yield make
    for one in made:
        one.hosts.close()


@pytest.fixture
def small_parts(monkeypatch):
    monkeypatch.setattr(schedule, "SMALLEST_PART", SMALLEST)
    monkeypatch.setattr(schedule, "LARGEST_PART", LARGEST)


def file_of(path, size=None, *urls):
    urls = urls or (f"http://{HOST}/{path.name}",)
    sources = tuple(Source("http", url) for url in urls)
    return TransferFile(Item(f"test:{path.name}", sources, path, size=size))


def next_of(planned):
    """The next claim, or None if there is none at present."""
    with planned.changed:
        return planned._next()


def opened(planned, task):
    """Do what the engine does first: take the file in hand."""
    task.partial = Partial(task.file.path, task.file.uri)
    assert task.partial.acquire()


def begun(planned, size):
    """The task of the first file, of which the size is known, and its first claim."""
    claim = next_of(planned)
    opened(planned, claim.task)
    planned.give_back(claim)
    claim = next_of(planned)
    assert next_of(planned) is None, "nobody else can know what to ask for"
    claim.task.partial.begin("http", size, '"a"')
    claim.task.begun = True
    claim.stop = size if claim.stop is None else min(size, claim.stop)
    return claim.task, claim


@pytest.fixture
def planned(tmp_path, small_parts, planning):
    """Callable: a schedule of one file that is begun, its task and its first claim."""
    tasks = []

    def make(size, connections=4, listed=True):
        planned = planning([file_of(tmp_path / "a", size if listed else None)], connections)
        tasks.append(begun(planned, size))
        return planned, *tasks[-1]

    yield make
    for task, _ in tasks:
        task.partial.release()


# -- which bytes -----------------------------------------------------------------------------


def apart(claims):
    edges = sorted((c.start, c.stop) for c in claims)
    return all(a[1] <= b[0] for a, b in zip(edges, edges[1:], strict=False))


@pytest.mark.parametrize("connections", [1, 3, 8])
@pytest.mark.parametrize("seed", range(8))
def test_claims_never_overlap_and_cover_everything(planned, connections, seed):
    """Connections that are fast and slow, and now and then break off."""
    rng = random.Random(seed)
    size = rng.choice([2001, 10_000, 77_777, 300_000])
    plan, task, first = planned(size, connections, listed=rng.random() < 0.5)
    working, fetched, came = [first], 0, {first: first.start}
    for _ in range(100_000):
        while len(working) < connections and (claim := next_of(plan)) is not None:
            assert claim.task is task
            working.append(claim)
            came[claim] = claim.start
            assert apart(working)
            done = list(task.partial.done)
            assert not [d for d in done if d[0] < claim.stop and claim.start < d[1]]
        if not working or working[0].start == working[0].stop == size:
            break
        claim = rng.choice(working)
        count = min(rng.randrange(1, 3000), claim.stop - came[claim])
        task.partial.draft().write(bytes(count), came[claim])
        came[claim] += count
        fetched += count
        if came[claim] == claim.stop or rng.random() < 0.05:
            working.remove(claim)
            plan.give_back(claim)
    assert fetched == size, "no byte was fetched twice"
    assert list(task.partial.done) == [(0, size)]
    (last,) = working
    assert (last.start, last.stop) == (size, size), "what is left is to verify it"
    assert next_of(plan) is None, "once"


@pytest.mark.parametrize("connections", [1, 4, 8])
def test_parts_are_of_a_good_size_and_shrink_towards_the_end(planned, connections):
    size = 1_000_000
    plan, task, claim = planned(size, connections)
    sizes = []
    while claim.start < size:
        sizes.append(claim.stop - claim.start)
        task.partial.draft().write(bytes(claim.stop - claim.start), claim.start)
        plan.give_back(claim)
        claim = next_of(plan)
    assert sum(sizes) == size
    assert max(sizes) <= LARGEST + SMALLEST // 2
    assert min(sizes) >= SMALLEST // 2
    assert sizes[0] == min(LARGEST, size // (2 * connections))
    # But for the last one, which may take along what would be too little for a request.
    assert sizes[:-1] == sorted(sizes[:-1], reverse=True)
    assert sizes[-1] <= 2 * SMALLEST


@pytest.mark.parametrize(("size", "parts"), [(50_000, 4), (LARGEST + SMALLEST // 4, 1)])
def test_parts_do_not_shrink_while_other_files_wait(tmp_path, small_parts, planning, size, parts):
    plan = planning([file_of(tmp_path / "a", size), file_of(tmp_path / "b", 10**6)], 4)
    claim = next_of(plan)
    opened(plan, claim.task)
    plan.give_back(claim)
    claim = next_of(plan)
    task = claim.task
    task.partial.begin("http", size, '"a"')
    task.begun = True
    sizes = [claim.stop - claim.start]
    while (claim := task.claim(HOST, 4, 10**6)) is not None and claim.start < size:
        sizes.append(claim.stop - claim.start)
    assert sizes == [LARGEST] * (parts - 1) + [size - LARGEST * (parts - 1)]
    task.partial.release()


def test_the_size_of_a_part_has_limits():
    for connections in (1, 4, 8):
        for left in (0, 1, 1 << 20, 1 << 24, 1 << 30, 1 << 45):
            size = part_size(left, connections)
            assert schedule.SMALLEST_PART <= size <= schedule.LARGEST_PART


@pytest.mark.parametrize(
    ("size", "expected"),
    [(0, None), (1, None), (2 * SMALLEST, None), (2 * SMALLEST + 1, SMALLEST),
     (100_000, 12_500), (10**9, LARGEST), (None, 4 * SMALLEST)],
)  # fmt: skip
def test_of_a_small_file_all_is_asked_for_and_of_another_one_a_part(
    tmp_path, small_parts, planning, size, expected
):
    plan = planning([file_of(tmp_path / "a", size)], 4)
    claim = next_of(plan)
    assert (claim.start, claim.stop) == (0, None)
    opened(plan, claim.task)
    plan.give_back(claim)
    claim = next_of(plan)
    assert (claim.start, claim.stop) == (0, expected)
    claim.task.partial.release()


def test_a_file_that_comes_in_one_piece_is_one_claim(planned):
    plan, task, claim = planned(50_000)
    plan.give_back(claim)
    task.single, task.ranged = True, False
    claim = next_of(plan)
    assert (claim.start, claim.stop) == (0, None)
    assert next_of(plan) is None
    plan.give_back(claim)
    task.single = task.ranged = True
    task.partial.draft().write(bytes(10_000), 5000)
    claim = next_of(plan)
    assert (claim.start, claim.stop) == (0, 5000)
    assert next_of(plan) is None


def test_a_file_that_is_begun_anew_forgets_its_claims(planned):
    plan, task, claim = planned(50_000)
    task.partial.draft().write(bytes(100), 0)
    other = next_of(plan)
    assert claim.current
    task.restart()
    assert not claim.current
    assert not other.current
    again = next_of(plan)  # without waiting for those whose bytes nobody wants
    assert again.current
    assert again.start == 0
    assert next_of(plan) is None, "one connection finds out what the new version is"
    plan.give_back(claim)
    plan.give_back(other)


def test_a_file_that_ended_is_claimed_no_more(planned):
    plan, task, claim = planned(50_000)
    plan.end(task)
    assert not claim.current
    assert next_of(plan) is None
    assert plan.take() is None, "there is nothing else"
    plan.give_back(claim)
    plan.give_back(claim)
    assert plan.hosts[HOST].asked == 0, "a claim is given back once"


def test_a_file_that_waits_lets_others_go_first(tmp_path, planning):
    plan = planning([file_of(tmp_path / name, 10) for name in "ab"], 1)
    first = next_of(plan)
    first.task.ready_at = time.monotonic() + 0.2
    plan.give_back(first)
    second = next_of(plan)
    assert second.task is not first.task
    plan.give_back(second)
    plan.end(second.task)
    assert next_of(plan) is None
    began = time.monotonic()
    assert plan.take().task is first.task
    assert time.monotonic() - began > 0.1


def test_no_more_files_are_begun_than_can_be_held(tmp_path, planning, monkeypatch):
    monkeypatch.setattr(schedule, "_MOST_OPEN", 5)
    plan = planning([file_of(tmp_path / f"{n}", 10) for n in range(20)], 8)
    tasks = set()
    while (claim := next_of(plan)) is not None:
        tasks.add(claim.task)
        claim.task.ready_at = time.monotonic() + 60
        plan.give_back(claim)
    assert len(tasks) == 5


def test_files_that_others_fetch_hold_up_none(tmp_path, planning, monkeypatch):
    monkeypatch.setattr(schedule, "_MOST_OPEN", 5)
    plan = planning([file_of(tmp_path / f"{n}", 10) for n in range(20)], 8)
    locked = []
    for _ in range(10):
        claim = next_of(plan)
        locked.append(claim.task)
        with plan.changed:
            plan.wait_for_another(claim.task)
        plan.give_back(claim)
    in_hand = []
    while (claim := next_of(plan)) is not None:
        in_hand.append(claim.task)
        claim.task.ready_at = time.monotonic() + 60
        plan.give_back(claim)
    assert len(in_hand) == 5
    assert not set(in_hand) & set(locked)

    for task in locked:  # free now, but there is no room for them before another ends
        task.ready_at = 0.0
    assert next_of(plan) is None
    plan.end(in_hand[0])
    assert next_of(plan).task is locked[0]


def test_thousands_of_locked_files_are_looked_at_in_turn(tmp_path, planning):
    plan = planning([file_of(tmp_path / f"{n}", 10) for n in range(300)], 8)
    waits = []
    for _ in range(300):
        claim = next_of(plan)
        now = time.monotonic()
        with plan.changed:
            plan.wait_for_another(claim.task)
        waits.append(claim.task.ready_at - now)
        plan.give_back(claim)
    assert waits[0] >= 0.5
    assert waits[-1] >= 3.0


def test_whoever_waits_is_woken_by_a_stop(planned):
    plan, _, claim = planned(1500)
    taken = []
    threads = [threading.Thread(target=lambda: taken.append(plan.take())) for _ in range(4)]
    for thread in threads:
        thread.start()
    time.sleep(0.1)
    plan.stop()
    for thread in threads:
        thread.join(2)
    assert taken == [None] * 4
    plan.give_back(claim)


# -- hosts -----------------------------------------------------------------------------------


@pytest.fixture
def hosts():
    """Callable: what one transfer knows of hosts; forgotten at the end."""
    made = []

    def make(connections):
        made.append(Hosts(connections))
        return made[-1]

    yield make
    for one in made:
        one.close()


def enter_all(one, name="h", tries=20):
    return sum(one.enter(name) for _ in range(tries))


@pytest.mark.parametrize(("asked", "given"), [(1, 1), (4, 4), (8, 8), (50, 8), (0, 1), (-3, 1)])
def test_a_host_gets_as_many_connections_as_wanted_and_never_more_than_eight(hosts, asked, given):
    assert MOST_CONNECTIONS == 8
    one = hosts(asked)
    assert enter_all(one) == given
    assert enter_all(one, "another") == given
    one.leave("h")
    assert enter_all(one) == 1


def test_two_transfers_share_the_connections_of_a_host(hosts):
    one, other = hosts(4), hosts(4)
    assert enter_all(one) == 4
    assert not other.enter("h")
    assert enter_all(other, "another") == 4
    one.leave("h")
    assert enter_all(one) + enter_all(other) == 1


def test_whoever_waits_gets_his_share_and_no_more_than_eight_are_given(hosts):
    """One transfer takes again at once, and two others look only now and then."""
    rng, users = random.Random(1), [hosts(8), hosts(8), hosts(8)]
    held, most = [0, 0, 0], [0, 0, 0]
    for turn in range(600):
        if held[0] or any(held):
            index = rng.choice([n for n in range(3) if held[n]])
            users[index].leave("h")
            held[index] -= 1
        for index in (0, 1, 2) if turn % 5 == 0 else (0,):
            held[index] += enter_all(users[index], tries=8)
        assert sum(held) <= 8
        most = [max(pair) for pair in zip(most, held, strict=True)]
        time.sleep(0.001)
    assert most[0] == 8
    assert most[1] >= 2
    assert most[2] >= 2


def test_the_share_of_whoever_has_ended_is_free(hosts):
    one, other = hosts(8), hosts(8)
    enter_all(one)
    assert not other.enter("h")
    one.close()
    assert enter_all(other) == 8
    one.leave("h")  # of a thread that comes back late
    assert not other.enter("h")


def test_a_host_that_is_away_gets_one_request_at_a_time(hosts):
    one = hosts(4)
    assert enter_all(one) == 4
    one["h"].failed("It is away.")
    for _ in range(4):
        one.leave("h")
    assert enter_all(one) == 0, "a pause comes first"
    one["h"].resumes_at = time.monotonic()
    assert enter_all(one) == 1
    one.leave("h")
    assert enter_all(one) == 1
    one["h"].answered()
    assert enter_all(one) == 3
    assert enter_all(one, "another") == 4


def test_connections_that_fail_at_one_moment_count_as_one(hosts):
    host = hosts(4)["h"]
    for _ in range(4):
        host.failed("It is away.")
    assert host.tries == 1
    host.resumes_at = time.monotonic()
    host.failed("It is away.")
    assert host.tries == 2
    assert host.resumes_at > time.monotonic()
    host.answered()
    assert host.tries == 0


def test_patience_that_is_asked_for_is_for_all_and_never_shortened(hosts):
    one = hosts(4)
    one["h"].asks_for_patience(30)
    one["h"].asks_for_patience(1)
    assert one["h"].resumes_at - time.monotonic() > 20
    assert enter_all(one) == 0
    assert enter_all(one, "another") == 4


def test_pauses_grow_up_to_a_limit_and_are_uneven():
    for tries, longest in ((1, 0.5), (2, 1.0), (4, 4.0), (7, 30.0), (100, 30.0)):
        pauses = {pause_after(tries) for _ in range(100)}
        assert 0.75 * longest <= min(pauses) < max(pauses) <= 1.25 * longest
        assert len(pauses) > 50


# -- with true connections -------------------------------------------------------------------


class Nobody:
    """Credentials of nobody."""

    def headers(self, url):
        return {}

    def explain(self, url, status, sent, about):
        return f"Refused (HTTP {status})."


def transfer_of(*files, connections=4):
    return Transfer(list(files), Nobody(), connections=connections, timeout=5.0, retries=2)


def run(*transfers, seconds=40):
    threads = [threading.Thread(target=t.run, daemon=True) for t in transfers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(seconds)
        if thread.is_alive():
            for transfer in transfers:
                transfer.stop()
            pytest.fail("it does not come to an end")


DATA = random.Random(3).randbytes(300_000)


def slow_parts(request):
    time.sleep(0.01)
    request.send(part(request, DATA, ETag='"a"'))


@pytest.mark.parametrize("connections", [1, 4, 8, 30])
def test_each_byte_is_asked_for_once_over_no_more_connections_than_allowed(
    tmp_path, small_parts, connections
):
    with OddServer(slow_parts) as server:
        file = file_of(tmp_path / "a", len(DATA), server.url)
        run(transfer_of(file, connections=connections))
        ranges = sorted(request.range for request in server.requests)
    assert file.path.read_bytes() == DATA
    assert ranges[0][0] == 0
    assert ranges[-1][1] == len(DATA)
    assert all(a[1] == b[0] for a, b in zip(ranges, ranges[1:], strict=False))
    assert server.most_open == min(connections, 8)
    assert server.connections <= min(connections, 8)


@pytest.mark.parametrize("connections", [4, 8, 30])
def test_two_transfers_ask_a_host_no_more_than_one_would(tmp_path, small_parts, connections):
    with OddServer(slow_parts) as server:
        files = [file_of(tmp_path / f"{n}", len(DATA), server.url) for n in range(4)]
        run(*(transfer_of(*files[n : n + 2], connections=connections) for n in (0, 2)))
    assert {file.state for file in files} == {"complete"}
    assert server.most_open == min(connections, 8)


def test_small_files_take_one_request_each(tmp_path, small_parts):
    data = DATA[: 2 * SMALLEST]
    with OddServer(lambda request: request.send(part(request, data, ETag='"a"'))) as server:
        files = [file_of(tmp_path / f"{n}", len(data), f"{server.url}/{n}") for n in range(30)]
        run(transfer_of(*files))
        assert sorted(r.path for r in server.requests) == sorted(f"/{n}" for n in range(30))
        assert {request.range for request in server.requests} == {None}
        assert server.connections <= 4


def test_a_file_whose_last_byte_came_before_a_break_is_verified(tmp_path):
    """The bytes have come, and then the connection breaks before the end is said."""
    data = DATA[:50_000]

    def answer(request):
        if request.number == 0:
            request.send(head(200, Content_Length=len(data), ETag='"a"') + data[:20_000])
            return False
        request.send(head(200, Transfer_Encoding="chunked", ETag='"a"'))
        request.send(b"%x\r\n%b\r\n" % (len(data), data))
        return False

    with OddServer(answer) as server:
        file = file_of(tmp_path / "a", len(data), server.url)
        run(transfer_of(file))
        assert file.state == "complete", file.error
        assert len(server.requests) == 2
    assert file.path.read_bytes() == data


def test_a_file_of_which_all_bytes_are_there_needs_no_request(tmp_path):
    """It was killed before it could be verified."""
    file = file_of(tmp_path / "a", len(DATA))
    partial = Partial(tmp_path / "a", file.uri)
    assert partial.acquire()
    partial.begin("http", len(DATA), '"a"').write(DATA, 0)
    partial.release()
    run(transfer_of(file))
    assert file.state == "complete", file.error
    assert file.path.read_bytes() == DATA


@pytest.mark.parametrize("seed", range(6))
def test_whatever_breaks_it_comes_to_an_end(tmp_path, small_parts, monkeypatch, seed):
    """Files on three hosts, two of them bad; answers that break, lie, and change."""
    monkeypatch.setattr("jdaviz_mast.transfer.hosts._FIRST_PAUSE", 0.01)
    rng, lock = random.Random(seed), threading.Lock()
    versions = [DATA[:30_000], DATA[30_000:60_000], DATA[:29_999]]

    def answer(request):
        with lock:
            what, number = rng.randrange(14), rng.randrange(3 if rng.random() < 0.1 else 1)
        data = versions[number]
        good = part(request, data, ETag=f'"{number}"')
        if what == 0:
            request.send(head(503, Content_Length=0))
        elif what == 1:
            request.send(good[: len(good) // 2])
            return False
        elif what == 2:
            request.send(head(200, Transfer_Encoding="chunked", ETag='"0"'))
            request.send(b"%x\r\n%b\r\n0\r\n\r\n" % (len(data), data))
        elif what == 3:
            request.send(part(SimpleRequest(None), data))
        elif what == 4:
            request.send(head(416, Content_Length=3) + b"no\n")
        else:
            request.send(good)
        return None

    with OddServer(answer) as server, OddServer(answer) as other:
        with OddServer(answer) as gone:
            pass
        urls = [server.url, other.url, gone.url]
        files = [file_of(tmp_path / f"{n}", 30_000, urls[n % 3], urls[(n + 1) % 3])
                 for n in range(12)]  # fmt: skip
        run(transfer_of(*files), transfer_of(*(file_of(f.path, 30_000, server.url) for f in files)))
    for file in files:
        assert file.state in ("complete", "failed")
        if file.path.exists():
            right = file.path.read_bytes() in versions
            assert right, f"WRONG BYTES, {file}"
    left = [p.name for p in Path(tmp_path).iterdir() if p.name.endswith(".lock")]
    assert left == []


class SimpleRequest:
    """A request for all of a file."""

    def __init__(self, asked):
        self.range = asked
