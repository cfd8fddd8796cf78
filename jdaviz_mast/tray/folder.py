"""A folder in the file manager of the machine that Python runs on."""

import os
import shutil
import subprocess
import sys

from jdaviz_mast.errors import FileProblem

__all__ = ["can_show_folders", "show_folder"]


def can_show_folders():
    """Return whether somebody may sit at this machine and see its file manager."""
    return _opener() is not None


def show_folder(path):
    """Show a folder in the file manager, without waiting for it.

    Raises
    ------
    FileProblem
        If there is no such folder, or no file manager.
    """
    if not os.path.isdir(path):
        raise FileProblem(f"The folder {path} is not there (any more).")
    opener = _opener()
    if opener is None:
        raise FileProblem(f"No file manager is known on this machine; the folder is {path}.")
    try:
        if opener == "startfile":
            os.startfile(path)
        else:
            subprocess.Popen(  # noqa: S603 - the path is absolute, and nothing but a folder
                [opener, os.path.abspath(path)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
    except OSError as error:
        raise FileProblem(f"The folder {path} cannot be shown: {error.strerror}.") from error


def _opener():
    if os.environ.get("SSH_CONNECTION"):
        return None
    if sys.platform == "win32":
        return "startfile"
    if sys.platform == "darwin":
        return shutil.which("open")
    if os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        return shutil.which("xdg-open")
    return None
