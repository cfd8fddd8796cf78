"""Brute force: the sphere is sampled, and edges are crossed one by one. Shares no code."""

import numpy as np

__all__ = ["cap", "inside", "random_polygon", "s_region"]


def cap(rng, middle, radius, count):
    """Directions spread evenly over a cap: middle as a unit vector, radius in radians."""
    z = 1 - rng.uniform(0, 1, count) * (1 - np.cos(radius))
    angle = rng.uniform(0, 2 * np.pi, count)
    return _around(middle, np.arccos(z), angle)


def _around(middle, radius, angle):
    other = np.eye(3)[np.argmin(np.abs(middle))]
    x = np.cross(other, middle)
    x /= np.linalg.norm(x)
    y = np.cross(middle, x)
    across = np.cos(angle)[:, None] * x + np.sin(angle)[:, None] * y
    return np.cos(radius)[:, None] * middle + np.sin(radius)[:, None] * across


def inside(ring, points, outside):
    """Which points lie in a polygon: arcs to a point outside cross an odd number of edges."""
    crossings = np.zeros(len(points), dtype=int)
    path = np.cross(points, outside)
    for a, b in zip(ring, np.roll(ring, -1, axis=0), strict=True):
        edge = np.cross(a, b)
        meeting = np.cross(edge, path)
        for sign in (1, -1):
            t = sign * meeting
            on_edge = (np.cross(a, t) @ edge > 0) & (np.cross(t, b) @ edge > 0)
            on_path = (np.sum(np.cross(points, t) * path, axis=1) > 0) & (
                np.sum(np.cross(t, outside) * path, axis=1) > 0
            )
            crossings += on_edge & on_path
    return crossings % 2 == 1


def random_polygon(rng, middle, radius, kind):
    """Corners, shape (n, 3), of a polygon within a cap."""
    count = int(rng.integers(3, 12))
    angle = np.sort(rng.uniform(0, 2 * np.pi, count))
    distance = radius * np.sqrt(rng.uniform(0.05, 1, count))
    if kind == "crossing":
        rng.shuffle(angle)
    elif kind == "convex":
        distance[:] = radius
    elif kind == "thin":
        distance *= np.abs(np.sin(angle)) * 0.02 + np.abs(np.cos(angle))
        angle = np.arctan2(0.02 * np.sin(angle), np.cos(angle))
    ring = _around(middle, distance, angle)
    if kind == "degenerate":  # a corner twice, one on an edge, a spike
        between = ring[0] + ring[1]
        between /= np.linalg.norm(between)
        ring = np.vstack([ring[:1], between, ring[1:2], ring[1:2], ring[2:], ring[-2:-1]])
    return ring


def s_region(*rings, frame=""):
    """Rings as MAST writes them."""
    texts = []
    for ring in rings:
        ra = np.degrees(np.arctan2(ring[:, 1], ring[:, 0])) % 360
        dec = np.degrees(np.arcsin(np.clip(ring[:, 2], -1, 1)))
        numbers = " ".join(f"{number:.12f}" for number in np.stack([ra, dec], axis=1).ravel())
        texts.append(f"POLYGON {frame} {numbers}")
    return " ".join(texts)
