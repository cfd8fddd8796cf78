"""Whether a file is what its name says, judged by its first bytes."""

from pathlib import Path

from jdaviz_mast.errors import FileProblem

__all__ = ["check_contents"]

_BLOCK = 2880  # bytes; a FITS file is made of whole blocks (FITS standard 4.0, section 3.1)


def check_contents(path, name=None):
    """Raise `FileProblem` if a ``.fits`` file does not begin and end as FITS does.

    Parameters
    ----------
    path : path-like
        The file to look at.
    name : str, optional
        Its name in the archive, if ``path`` is a temporary one.
    """
    path = Path(path)
    name = name or path.name
    if not name.lower().endswith(".fits"):
        return
    with open(path, "rb") as stream:
        start = stream.read(80)
    if start.startswith(b"SIMPLE  ="):
        if path.stat().st_size % _BLOCK:
            raise FileProblem(f"{name} is cut short: it does not end with a whole FITS block.")
        return
    if start.lstrip()[:1] == b"<":
        raise FileProblem(
            f"{name} is a web page (HTML), not FITS. A login page of the network, or "
            "maintenance at the archive, does this."
        )
    raise FileProblem(f"{name} is not a FITS file, although its name says so.")
