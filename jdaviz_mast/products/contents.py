"""Whether a file is what its name says, judged by its first bytes, its headers and its length."""

import math
from pathlib import Path

from astropy.io import fits

from jdaviz_mast.errors import FileProblem

__all__ = ["check_contents", "fits_headers"]

_BLOCK = 2880  # bytes; a FITS file is made of whole blocks (FITS standard 4.0, section 3.1)
_CARD = 80  # bytes
_LONGEST_HEADER = 4000 * _BLOCK  # those of JWST's longest associations are a tenth of that
_GZIP = b"\x1f\x8b"  # MAST serves some products compressed under their plain name


def check_contents(path, name=None, *, size_known=False):
    """Raise `FileProblem` if a ``.fits`` file is not FITS from its beginning to its end.

    Its first bytes are looked at, and each header: what it says of its data has to lie within
    the file, and be followed by the next header. The data themselves are not read.

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
        start = stream.read(_CARD)
        if start.startswith(_GZIP):
            return
        _check_start(start, name)
        size = path.stat().st_size
        if not size_known and size % _BLOCK:
            raise FileProblem(f"{name} is cut short: it does not end with a whole FITS block.")
        for _ in fits_headers(stream, size, name):
            pass


def fits_headers(stream, size, name="The file"):
    """Yield where the headers of a FITS file are.

    Parameters
    ----------
    stream : binary file
    size : int
        Bytes of the file.
    name : str
        What to call it in a sentence.

    Yields
    ------
    start, stop : int
        Bytes of one header, the blanks up to the end of its last block included.

    Raises
    ------
    FileProblem
        If the file is cut short, or something else stands where a header should be.
    """
    start = 0
    # A true product may have some bytes behind its last block.
    while start == 0 or size - start >= _BLOCK:
        stream.seek(start)
        stop, header = _read_header(stream, start, name)
        yield start, stop
        end = stop + _data_bytes(header, name)
        if end > size:
            raise FileProblem(f"{name} is cut short: {end} bytes are announced, {size} are there.")
        start = stop + math.ceil((end - stop) / _BLOCK) * _BLOCK


def _check_start(start, name):
    if start.startswith(b"SIMPLE  ="):
        return
    if not start:
        raise FileProblem(f"{name} is empty.")
    if start.lstrip()[:1] == b"<":
        raise FileProblem(
            f"{name} is a web page (HTML), not FITS. A login page of the network, or "
            "maintenance at the archive, does this."
        )
    raise FileProblem(f"{name} is not a FITS file, although its name says so.")


def _read_header(stream, start, name):
    """Return where a header ends, and the header; the stream is at its beginning."""
    text = b""
    while len(text) < _LONGEST_HEADER:
        block = stream.read(_BLOCK)
        if not text and not block.startswith((b"SIMPLE  =", b"XTENSION=")):
            break
        if len(block) < _BLOCK:
            raise FileProblem(f"{name} is cut short in the middle of a header.")
        text += block
        if any(block[n : n + _CARD].rstrip() == b"END" for n in range(0, _BLOCK, _CARD)):
            return start + len(text), fits.Header.fromstring(text)
    raise FileProblem(f"{name} is damaged: there is no FITS header at byte {start}.")


def _data_bytes(header, name):
    """Return the bytes of the data of a header (FITS standard 4.0, section 4.4.1)."""
    try:
        axes = [int(header[f"NAXIS{n}"]) for n in range(1, int(header["NAXIS"]) + 1)]
        if header.get("GROUPS") is True and axes[:1] == [0]:
            axes = axes[1:]
        pixels = math.prod(axes) if axes else 0
        pixels = int(header.get("GCOUNT", 1)) * (int(header.get("PCOUNT", 0)) + pixels)
        count = abs(int(header["BITPIX"])) // 8 * pixels
    except (KeyError, ValueError, TypeError, fits.VerifyError) as error:
        raise FileProblem(f"{name} is damaged: a header does not say how much it is of.") from error
    if count < 0:
        raise FileProblem(f"{name} is damaged: a header announces {count} bytes.")
    return count
