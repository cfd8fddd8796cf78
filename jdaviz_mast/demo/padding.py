"""Bring a file to its declared size without changing what is in it."""

from __future__ import annotations

from pathlib import Path

__all__ = ["pad_fits", "pad_jpeg", "pad_text"]

_BLOCK = 2880
_CARD = 80


def pad_fits(path, size):
    """Lengthen a FITS file to `size` bytes.

    The room goes into the heap (PCOUNT) of the last table, which nothing reads unless a
    column points there; without a table, into blank cards of the primary header.

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
    table = _last_table(path)
    with open(path, "r+b") as file:
        if table is None:
            place = file.read(400 * _BLOCK).index(b"END" + b" " * (_CARD - 3))
            filling = b" " * missing
        else:
            header, place, used = table
            file.seek(header)
            card = file.read(400 * _BLOCK).index(b"PCOUNT  =")
            file.seek(header + card)
            # The heap begins right after the rows, in what was the block's padding.
            pcount = f"PCOUNT  = {missing - used % -_BLOCK:>20} / size of special data area"
            file.write(pcount.ljust(_CARD).encode())
            filling = bytes(missing)
        file.seek(place)
        tail = file.read()
        file.seek(place)
        file.write(filling + tail)


def _last_table(path):
    """Offsets of the header and of the end of the last table's data, and its rows' bytes."""
    from astropy.io import fits

    with fits.open(path) as hdus:
        for hdu in reversed(hdus):
            if isinstance(hdu, fits.BinTableHDU) and not hdu.header["PCOUNT"]:
                place = hdu.fileinfo()
                used = hdu.header["NAXIS1"] * hdu.header["NAXIS2"]
                return place["hdrLoc"], place["datLoc"] + place["datSpan"], used
    return None


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
