"""Sets of byte ranges: which bytes of a file are there, and which are not."""

import bisect

__all__ = ["Ranges"]


class Ranges:
    """Half-open ranges ``[start, stop)`` of bytes, kept sorted, disjoint and merged.

    One thread at a time may add to it; others may look at it meanwhile.
    """

    def __init__(self, ranges=()):
        self._pairs = []  # never changed in place: who looks at it sees one state
        for start, stop in ranges:
            self.add(start, stop)

    def __iter__(self):
        return iter(self._pairs)

    def __len__(self):
        return len(self._pairs)

    def __repr__(self):
        return f"Ranges({self._pairs})"

    @property
    def total(self):
        """Number of bytes."""
        return sum(stop - start for start, stop in self._pairs)

    def add(self, start, stop):
        """Add ``[start, stop)``, which may touch or overlap what is there."""
        if start >= stop:
            return
        pairs = self._pairs
        first = bisect.bisect_left(pairs, start, key=lambda pair: pair[1])
        last = bisect.bisect_right(pairs, stop, key=lambda pair: pair[0])
        if first < last:
            start, stop = min(start, pairs[first][0]), max(stop, pairs[last - 1][1])
        self._pairs = [*pairs[:first], (start, stop), *pairs[last:]]

    def covers(self, size):
        """Whether all of ``[0, size)`` is there."""
        pairs = self._pairs
        return size == 0 or bool(pairs and pairs[0][0] == 0 and pairs[0][1] >= size)

    def first_gap(self, size, others=()):
        """Return the first ``(start, stop)`` below ``size`` in neither this nor ``others``."""
        taken = Ranges(self)
        for start, stop in others:
            taken.add(start, stop)
        at = 0
        for start, stop in taken:
            if start > at:
                return (at, min(start, size)) if at < size else None
            at = stop
        return (at, size) if at < size else None
