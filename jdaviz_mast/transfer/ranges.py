"""Sets of byte ranges: which bytes of a file are there, and which are not."""

import bisect

__all__ = ["Ranges"]


class Ranges:
    """Half-open ranges ``[start, stop)`` of bytes, kept sorted, disjoint and merged."""

    def __init__(self, ranges=()):
        self._starts, self._stops = [], []
        for start, stop in ranges:
            self.add(start, stop)

    def __iter__(self):
        return iter(list(zip(self._starts, self._stops, strict=True)))

    def __len__(self):
        return len(self._starts)

    def __repr__(self):
        return f"Ranges({list(self)})"

    @property
    def total(self):
        """Number of bytes."""
        return sum(self._stops) - sum(self._starts)

    def add(self, start, stop):
        """Add ``[start, stop)``, which may touch or overlap what is there."""
        if start >= stop:
            return
        first = bisect.bisect_left(self._stops, start)
        last = bisect.bisect_right(self._starts, stop)
        if first < last:
            start, stop = min(start, self._starts[first]), max(stop, self._stops[last - 1])
        self._starts[first:last], self._stops[first:last] = [start], [stop]

    def remove(self, start, stop):
        """Take ``[start, stop)`` out."""
        kept = [
            piece
            for a, b in self
            for piece in ((a, min(b, start)), (max(a, stop), b))
            if piece[0] < piece[1]
        ]
        self._starts, self._stops = [a for a, _ in kept], [b for _, b in kept]

    def covers(self, size):
        """Whether all of ``[0, size)`` is there."""
        return size == 0 or (self._starts[:1] == [0] and self._stops[0] >= size)

    def first_gap(self, size, others=None):
        """Return the first ``(start, stop)`` below ``size`` in neither this nor ``others``."""
        taken = Ranges(self)
        for start, stop in others or ():
            taken.add(start, stop)
        if not taken._starts or taken._starts[0] > 0:
            return (0, min(size, *taken._starts[:1])) if taken._starts else (0, size)
        start = taken._stops[0]
        stop = taken._starts[1] if len(taken) > 1 else size
        return (start, min(stop, size)) if start < min(stop, size) else None
