"""The files themselves: which there are, what is in them, and how one is removed.

Links are not followed: what lies outside of the download folder is nobody's business here.
"""

import contextlib
import hashlib
import os
import stat
import threading
from pathlib import Path, PurePosixPath

from jdaviz_mast.errors import FileProblem
from jdaviz_mast.transfer import is_set_aside, safe_path

__all__ = ["inside", "look_at", "product_path", "remove_file", "scan", "sha256_of"]

_PIECE = 1 << 20  # bytes
#: One file after the other, over all imports of the process: a disk reads one best.
_reading = threading.Lock()


def product_path(folder, product, version=None):
    """Return where a product belongs in a download folder: ``<mission>/<obs_id>/<file name>``.

    Parameters
    ----------
    folder : `~pathlib.Path`
    product : mapping
        The archive's row.
    version : str, optional
        Of a file that was fetched beside an earlier one: the name of a folder more.

    Raises
    ------
    FileProblem
        If one of these names is not safe as a name of a file.
    """
    name = product.get("productFilename") or str(product["dataURI"]).rsplit("/", 1)[-1]
    folders = [product.get("obs_collection"), product.get("obs_id"), version]
    return safe_path(folder, *map(str, filter(None, folders)), str(name))


def inside(folder, relative):
    """Return the path of what the library calls ``relative``.

    Raises
    ------
    FileProblem
        If that would lead out of the folder, by its name or over a link.
    """
    parts = PurePosixPath(relative).parts
    if not parts or ".." in parts or any(set(part) & set("/\\:") for part in parts):
        raise FileProblem(f"{str(relative)!r} is not safe as a path in the download folder.")
    path = Path(folder)
    for part in parts[:-1]:
        path /= part
        if path.is_symlink():
            raise FileProblem(f"{path} is a link; the library does not follow it.")
    return path / parts[-1]


def look_at(folder, relative):
    """Return size in bytes and time of change in ns of a plain file; None if none is there."""
    try:
        path = inside(folder, relative)
        about = path.lstat()
    except OSError:  # FileProblem is one
        return None
    return (about.st_size, about.st_mtime_ns) if stat.S_ISREG(about.st_mode) else None


def scan(folder, missions):
    """Return the files that lie where products do, ``<mission>/<obs_id>/<file name>``.

    Parameters
    ----------
    folder : `~pathlib.Path`
    missions : iterable of str
        Names of the folders that are looked into: the download folder may hold others' files.

    Returns
    -------
    files : dict
        Relative path, with slashes, to size in bytes and time of change in ns. Hidden files,
        those set aside, and what is reached over links are left out.
    """
    found = {}
    for mission in missions:
        for observation in _entries(folder / mission):
            if not observation.is_dir(follow_symlinks=False):
                continue
            for entry in _entries(observation.path):
                with contextlib.suppress(OSError):
                    about = entry.stat(follow_symlinks=False)
                    aside = ".aside" in entry.name and is_set_aside(Path(entry.name))
                    if stat.S_ISREG(about.st_mode) and not aside:
                        key = f"{mission}/{observation.name}/{entry.name}"
                        found[key] = about.st_size, about.st_mtime_ns
    return found


def _entries(folder):
    """Return what is in a folder, unless it is hidden; nothing if it is a link."""
    try:
        if os.path.islink(folder):
            return []
        with os.scandir(folder) as entries:
            return [e for e in entries if not e.name.startswith(".") and _is_text(e.name)]
    except OSError:
        return []


def _is_text(name):
    """Whether a name can be kept: SQLite and JSON hold no broken characters."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def sha256_of(path, check_cancelled=None):
    """Return the SHA-256 of a file's content, 64 hexadecimal digits.

    Parameters
    ----------
    path : path-like
    check_cancelled : callable, optional
        Called between two pieces; what it raises ends it.

    Raises
    ------
    OSError
    """
    digest, piece = hashlib.sha256(), memoryview(bytearray(_PIECE))
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    with _reading, open(os.open(path, flags), "rb", buffering=0) as stream:
        while count := stream.readinto(piece):
            if check_cancelled is not None:
                check_cancelled()
            digest.update(piece[:count])
    return digest.hexdigest()


def remove_file(folder, relative):
    """Delete a file, and its folders if they are empty then.

    Raises
    ------
    FileProblem
        If it cannot be deleted. One that is not there is no problem.
    """
    path = inside(folder, relative)
    try:
        if path.is_dir() and not path.is_symlink():
            raise FileProblem(f"{path} is a folder; it is not removed.")
        path.unlink(missing_ok=True)
    except FileProblem:
        raise
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise FileProblem(f"{path} cannot be removed: {reason}.") from None
    with contextlib.suppress(OSError):  # others' files are in it
        for parent in list(path.parents)[: len(PurePosixPath(relative).parts) - 1]:
            parent.rmdir()
