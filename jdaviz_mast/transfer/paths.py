"""Where a file may go: no name that comes from the archive leaves the download folder."""

import re
from pathlib import Path

from jdaviz_mast.errors import FileProblem

__all__ = ["safe_path"]

# Names that open a device on Windows, with any suffix.
_DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
_LONGEST = 200  # leaves room for a suffix below the 255 bytes of most file systems


def safe_path(folder, *names):
    """Return ``folder / names``, each of them checked to be one plain name.

    Parameters
    ----------
    folder : path-like
    *names : str
        Folder and file names as the archive gives them.

    Returns
    -------
    path : `~pathlib.Path`

    Raises
    ------
    FileProblem
        If a name is empty, hidden, too long, holds a separator or a control character, is a
        device's, or if the path would lead outside of ``folder`` over a link.
    """
    for name in names:
        plain = (
            isinstance(name, str)
            and name.isprintable()
            and 0 < len(name.encode()) <= _LONGEST
            and not name.startswith(".")
            and not name.endswith((".", " "))
            and not set(name) & set('/\\:*?"<>|')
            and not _DEVICES.fullmatch(name)
        )
        if not plain:
            raise FileProblem(
                f"The archive names a file {str(name)[:60]!r}, which is not safe as a file name; "
                "it is not downloaded."
            )
    folder = Path(folder)
    path = folder.joinpath(*names)
    try:
        inside = path.resolve().is_relative_to(folder.resolve())
    except (OSError, RuntimeError):  # a link that leads in a circle
        inside = False
    if not inside:
        raise FileProblem(
            f"{path} leads out of the download folder over a link; it is not downloaded."
        )
    return path
