"""Small files of our own that a reader sees whole or not at all."""

import contextlib
import os
import tempfile

__all__ = ["write_whole"]


def write_whole(path, data):
    """Put a file on the disk for good, in the place of what stands there.

    Parameters
    ----------
    path : `~pathlib.Path`
    data : bytes

    Raises
    ------
    OSError
        Among others if there is no such folder. What stood there is as it was.
    """
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with open(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(name, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise
