"""Ranges against a plain set of byte numbers."""

import random

import pytest

from jdaviz_mast.transfer.ranges import Ranges

SIZE = 40  # small, so that random ranges touch, overlap and fill all of it


def bytes_of(ranges):
    """The byte numbers, and that the ranges are sorted, not empty, and apart from each other."""
    listed = list(ranges)
    flat = [edge for pair in listed for edge in pair]
    assert flat == sorted(set(flat)), listed
    return {number for start, stop in listed for number in range(start, stop)}


def gap_of(numbers, size):
    """The first run of bytes below ``size`` that is not among the numbers."""
    start = next((n for n in range(size) if n not in numbers), None)
    if start is None:
        return None
    return start, next((n for n in range(start, size) if n in numbers), size)


def some_range(random):
    start = random.randrange(SIZE)
    return start, start + random.choice([0, 1, 1, 2, 3, 7, 20])


@pytest.mark.parametrize("seed", range(20))
def test_random_operations_give_what_a_set_gives(seed):
    rng = random.Random(seed)
    for _ in range(20):
        ranges, model = Ranges(), set()
        others = Ranges(some_range(rng) for _ in range(rng.randrange(4)))
        for _ in range(30):
            start, stop = some_range(rng)
            if hasattr(ranges, "remove") and rng.random() < 0.3:
                ranges.remove(start, stop)
                model -= set(range(start, stop))
            else:
                ranges.add(start, stop)
                model |= set(range(start, stop))
            assert bytes_of(ranges) == model
            assert ranges.total == len(model)
            assert len(ranges) == len(list(ranges))
            for size in (0, 1, SIZE // 2, SIZE, 2 * SIZE):
                assert ranges.covers(size) == (model >= set(range(size)))
                if size:
                    assert ranges.first_gap(size) == gap_of(model, size)
                    both = model | bytes_of(others)
                    assert ranges.first_gap(size, others) == gap_of(both, size)
        assert bytes_of(Ranges(list(ranges))) == model
        shuffled = [(n, n + 1) for n in model]
        rng.shuffle(shuffled)
        assert list(Ranges(shuffled)) == list(ranges), "the order in which bytes come is no matter"


def test_looking_for_a_gap_changes_nothing():
    ranges, others = Ranges([(0, 5), (10, 15)]), Ranges([(5, 10)])
    assert ranges.first_gap(20, others) == (15, 20)
    assert list(ranges) == [(0, 5), (10, 15)]
    assert list(others) == [(5, 10)]


def test_ranges_may_be_added_to_while_they_are_gone_through():
    ranges = Ranges([(0, 1), (4, 5)])
    for start, stop in ranges:
        ranges.add(start, stop + 1)
    assert list(ranges) == [(0, 2), (4, 6)]


def test_nothing_covers_an_empty_file_only():
    assert Ranges().covers(0)
    assert not Ranges().covers(1)
    assert Ranges().total == 0
    assert Ranges().first_gap(3) == (0, 3)


def test_ranges_beyond_four_gigabytes_and_many_of_them():
    big = 1 << 40
    ranges = Ranges((big + 2 * n, big + 2 * n + 1) for n in range(2000))
    assert (len(ranges), ranges.total) == (2000, 2000)
    ranges.add(big, big + 4000)
    assert list(ranges) == [(big, big + 4000)]
    assert ranges.first_gap(big + 5000) == (0, big)
