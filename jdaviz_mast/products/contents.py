"""Whether a file is what its name says, judged by its first bytes and its length."""

from pathlib import Path

from jdaviz_mast.errors import FileProblem

__all__ = ["check_contents"]

_BLOCK = 2880  # bytes; a FITS file is made of whole blocks (FITS standard 4.0, section 3.1)
_GZIP = b"\x1f\x8b"  # MAST serves some products compressed under their plain name


def check_contents(path, name=None, *, size_known=False):
    """Raise `FileProblem` if a ``.fits`` file does not begin as FITS does.

    Parameters
    ----------
    path : path-like
        The file to look at.
    name : str, optional
        Its name in the archive, if ``path`` is a temporary one.
    size_known : bool
        Whether its size is checked elsewhere. If not, a file that does not end with a whole
        block is taken to be cut short.
    """
    path = Path(path)
    name = name or path.name
    if not name.lower().endswith(".fits"):
        return
    with open(path, "rb") as stream:
        start = stream.read(80)
    if start.startswith(_GZIP):
        return
    if start.startswith(b"SIMPLE  ="):
        if not size_known and path.stat().st_size % _BLOCK:
            raise FileProblem(f"{name} is cut short: it does not end with a whole FITS block.")
        return
    if not start:
        raise FileProblem(f"{name} is empty.")
    if start.lstrip()[:1] == b"<":
        raise FileProblem(
            f"{name} is a web page (HTML), not FITS. A login page of the network, or "
            "maintenance at the archive, does this."
        )
    raise FileProblem(f"{name} is not a FITS file, although its name says so.")
