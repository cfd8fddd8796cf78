"""Calls handed over to the thread that owns the widgets."""

import asyncio
import threading
from types import SimpleNamespace

import pytest

from jdaviz_mast.errors import Cancelled
from jdaviz_mast.viewer.owner_thread import OwnerThread


def on_a_worker(function):
    thread = threading.Thread(target=function, daemon=True)
    thread.start()
    return thread


def test_without_a_loop_calls_wait_for_whoever_drains():
    owner, seen = OwnerThread(), []
    on_a_worker(lambda: owner.post(lambda: seen.append(threading.get_ident()))).join()
    assert seen == []
    owner.drain()
    assert seen == [threading.get_ident()]


def test_calls_keep_their_order_and_run_on_the_loop_of_the_owner():
    seen = []

    async def main():
        owner = OwnerThread()

        def work():
            for number in range(100):
                owner.post(lambda number=number: seen.append(number))
            result = owner.call(threading.get_ident)
            seen.append(result)

        thread = on_a_worker(work)
        while thread.is_alive():
            await asyncio.sleep(0.01)

    asyncio.run(main())
    assert seen == [*range(100), threading.get_ident()]


def test_a_call_returns_the_result_or_raises_the_error():
    owner, outcome = OwnerThread(), []

    def work():
        outcome.append(owner.call(lambda: 42))
        try:
            owner.call(lambda: 1 / 0)
        except ZeroDivisionError as error:
            outcome.append(error)

    thread = on_a_worker(work)
    while thread.is_alive():
        owner.drain()
    assert outcome[0] == 42
    assert isinstance(outcome[1], ZeroDivisionError)


def test_an_update_that_fails_does_not_lose_the_next(caplog):
    owner, seen = OwnerThread(), []
    owner.post(lambda: 1 / 0)
    owner.post(lambda: seen.append(1))
    assert seen == [1]
    assert "ZeroDivisionError" in caplog.text


def test_a_loop_that_has_ended_is_replaced_by_the_next_one():
    """A page that is reloaded: the first loop is closed, the heartbeat brings the second."""
    outcome = []

    async def bind():
        return OwnerThread()

    owner = asyncio.run(bind())
    thread = on_a_worker(lambda: outcome.append(owner.call(lambda: "done")))

    async def reconnect():
        owner.rebind()
        while thread.is_alive():
            await asyncio.sleep(0.01)

    asyncio.run(asyncio.wait_for(reconnect(), 10))
    assert outcome == ["done"]


def test_nothing_is_done_on_a_page_that_was_closed_for_good(monkeypatch):
    page = SimpleNamespace(closed_event=threading.Event())
    monkeypatch.setattr("jdaviz_mast.viewer.owner_thread._page_context", lambda: page)
    owner, outcome = OwnerThread(), []

    def work():
        try:
            owner.call(lambda: outcome.append("done"))
        except Cancelled as error:
            outcome.append(error)

    page.closed_event.set()
    thread = on_a_worker(work)
    while thread.is_alive():
        owner.drain()  # as a loop does that has outlived the page
    assert [str(error) for error in outcome] == ["The page was closed."]


@pytest.mark.parametrize("posts", [1000])
def test_many_workers_lose_nothing(posts):
    owner, seen = OwnerThread(), []
    threads = [
        on_a_worker(lambda: [owner.post(lambda: seen.append(1)) for _ in range(posts)])
        for _ in range(4)
    ]
    for thread in threads:
        thread.join()
    owner.drain()
    assert len(seen) == 4 * posts
