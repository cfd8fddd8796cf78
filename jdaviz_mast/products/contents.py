"""Whether a file is what its name says, judged by its first bytes."""

from pathlib import Path

from jdaviz_mast.errors import FileProblem

__all__ = ["check_contents"]

_GZIP = b"\x1f\x8b"  # MAST serves some products compressed under their plain name


def check_contents(path, name=None):
    """Raise `FileProblem` if a ``.fits`` file does not begin as FITS does.

    Whether it is whole is told by its size; see `jdaviz_mast.transfer.http`.

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
    if start.startswith((b"SIMPLE  =", _GZIP)):
        return
    if not start:
        raise FileProblem(f"{name} is empty.")
    if start.lstrip()[:1] == b"<":
        raise FileProblem(
            f"{name} is a web page (HTML), not FITS. A login page of the network, or "
            "maintenance at the archive, does this."
        )
    raise FileProblem(f"{name} is not a FITS file, although its name says so.")
