"""Which software made a file, by its own header."""

import gzip
from pathlib import Path

from astropy.io import fits

__all__ = ["VERSION_KEYWORDS", "header_versions"]

#: Keywords of JWST's and HST's primary headers: the calibration software, the version and
#: context of its reference files, and the data processing system (JWST Keyword Dictionary,
#: https://mast.stsci.edu/portal/Mashup/Clients/jwkeywords).
VERSION_KEYWORDS = ("CAL_VER", "CRDS_VER", "CRDS_CTX", "SDP_VER")

_BLOCK, _CARD = 2880, 80  # bytes (FITS standard 4.0, sections 3.1 and 4.1)
_MOST_BLOCKS = 400
_GZIP = b"\x1f\x8b"


def header_versions(path):
    """Return the versions that a FITS file's primary header gives.

    Only its first blocks are read, and only the cards in question are parsed: there may be
    50,000 files to look at.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    versions : dict
        Of `VERSION_KEYWORDS` those that there are; empty if it is no FITS file.
    """
    if not Path(path).name.lower().endswith((".fits", ".fits.gz", ".fit")):
        return {}
    try:
        with open(path, "rb") as stream:
            if stream.read(2) == _GZIP:  # MAST serves some compressed under their plain name
                stream.seek(0)
                with gzip.open(stream) as unpacked:
                    return _versions(unpacked)
            stream.seek(0)
            return _versions(stream)
    except (OSError, EOFError, ValueError):
        return {}


def _versions(stream):
    versions = {}
    for number in range(_MOST_BLOCKS):
        block = stream.read(_BLOCK)
        if number == 0 and not block.startswith(b"SIMPLE  ="):
            break
        cards = [block[start : start + _CARD] for start in range(0, len(block), _CARD)]
        for card in cards:
            name = card[:8].rstrip().decode("ascii", "replace")
            if name in VERSION_KEYWORDS:
                value = str(fits.Card.fromstring(card).value).strip()
                if value:
                    versions[name] = value
        if len(block) < _BLOCK or any(card.rstrip() == b"END" for card in cards):
            break
    return versions
