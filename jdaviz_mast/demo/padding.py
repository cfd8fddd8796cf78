"""Bring a file to its declared size without changing what is in it."""

from __future__ import annotations

from pathlib import Path

__all__ = ["pad_fits", "pad_jpeg", "pad_text"]

_BLOCK = 2880
_CARD = 80


def pad_fits(path, size):
    """Lengthen a FITS file to `size` bytes.

    Where the last HDU is a table, the room goes into its heap (PCOUNT), which nothing
    reads unless a column points there; else into blank cards of the primary header.

    Raises
    ------
    ValueError
        If the file is longer already, or `size` is no multiple of 2880.
    """
    path = Path(path)
    missing = size - path.stat().st_size
    if missing < 0 or missing % _BLOCK:
        raise ValueError(f"{path.name} has {path.stat().st_size} bytes, cannot become {size}")
    if not missing:
        return
    from astropy.io import fits

    with fits.open(path) as hdus:
        last, place = hdus[-1], hdus[-1].fileinfo()["hdrLoc"]
        is_table = isinstance(last, fits.BinTableHDU)
        used = last.header["NAXIS1"] * last.header["NAXIS2"] if is_table else 0
        gap = -used % _BLOCK
    with open(path, "r+b") as file:
        if not is_table:
            content = file.read()
            end = content.index(b"END" + b" " * 77)
            assert end % _CARD == 0
            file.seek(0)
            file.write(content[:end] + b" " * missing + content[end:])
            return
        file.seek(place)
        header = file.read(4 * _BLOCK)
        card = header.index(b"PCOUNT  =")
        file.seek(place + card)
        pcount = f"PCOUNT  = {gap + missing:>20} / size of special data area"
        file.write(pcount.ljust(_CARD).encode())
        file.seek(0, 2)
        file.write(bytes(missing))


def pad_text(text, size, line="\n"):
    """`text` as `size` bytes, filled up at the end with the one-byte `line`."""
    data = text.encode()
    if len(data) > size:
        raise ValueError(f"{len(data)} bytes of text do not fit into {size}")
    return data + line.encode() * (size - len(data))


def pad_jpeg(data, size):
    """Make a JPEG `size` bytes long with comment segments after its first marker."""
    missing = size - len(data)
    if missing < 0 or 0 < missing < 4:
        raise ValueError(f"a JPEG of {len(data)} bytes cannot be made {size} long")
    comments = b""
    while missing:
        length = missing if missing <= 60_000 else min(60_000, missing - 4)
        comments += b"\xff\xfe" + (length - 2).to_bytes(2, "big") + b" " * (length - 4)
        missing -= length
    return data[:2] + comments + data[2:]
