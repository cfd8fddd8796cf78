"""What this machine has left: memory, and room on a disk."""

import shutil
from pathlib import Path

import psutil

__all__ = ["disk_free", "memory_free"]

# What a container may use, and uses (Linux, control groups versions 2 and 1), in bytes:
# https://docs.kernel.org/admin-guide/cgroup-v2.html#memory-interface-files
_LIMITS = (
    ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current", "/sys/fs/cgroup/memory.stat"),
    (
        "/sys/fs/cgroup/memory/memory.limit_in_bytes",
        "/sys/fs/cgroup/memory/memory.usage_in_bytes",
        "/sys/fs/cgroup/memory/memory.stat",
    ),
)
_RECLAIMED = ("inactive_file", "total_inactive_file")


def memory_free(limits=_LIMITS):
    """Return the memory that a process can still get without swapping, in bytes.

    In a container, such as a notebook server's, that is what its limit leaves.

    Parameters
    ----------
    limits : sequence of tuple of path-like
        Files with limit, use and statistics of a control group; those that are not there or
        hold no number set no limit.

    Returns
    -------
    free : int
    """
    free = psutil.virtual_memory().available
    for limit, used, statistics in limits:
        try:
            room = int(Path(limit).read_text()) - int(Path(used).read_text())
            room += _reclaimed(Path(statistics).read_text())
        except (OSError, ValueError):
            continue
        free = min(free, max(room, 0))
    return free


def disk_free(folder):
    """Return the room on the disk of a folder, in bytes, also of one that is yet to be made.

    Parameters
    ----------
    folder : path-like

    Returns
    -------
    free : int
    """
    folder = Path(folder).absolute()
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return shutil.disk_usage(folder).free


def _reclaimed(statistics):
    """Return the bytes of files in memory that the system gives back when they are needed."""
    lines = (line.split() for line in statistics.splitlines())
    return max((int(line[1]) for line in lines if line and line[0] in _RECLAIMED), default=0)
