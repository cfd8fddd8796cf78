"""Where the preview of an observation comes from: the archive's own, or a plot of a small file."""

import re
import tempfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import numpy as np
from astropy.table import Table

from jdaviz_mast.archive import Archive, Credentials
from jdaviz_mast.errors import FileProblem, ObservationNotFound
from jdaviz_mast.preview.picture import Picture, read_picture
from jdaviz_mast.preview.plot import plot_file
from jdaviz_mast.transfer.wire import NotThere, Wire

__all__ = ["Preview", "find_preview"]

#: Bytes of a preview picture, and of a file that is fetched to be plotted, at the most.
_LARGEST_PICTURE, _LARGEST_FILE = 20_000_000, 60_000_000
_PICTURE = re.compile(r"(?<!_thumb)\.(jpe?g|png)$", re.IGNORECASE)
#: Files that hold a spectrum or a light curve: JWST, HST, IUE; TESS, Kepler, K2.
_CURVE = re.compile(
    r"[_-](x1d|c1d|x1dsum|sx1|mxlo|mxhi|lc|fast-lc|llc|slc)\.fits(\.gz)?$",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Preview:
    """What an observation looks like.

    Attributes
    ----------
    observation : dict
        The row that it is of, with MAST's columns.
    picture : Picture
    uri : str
        The archive's name for the file that it was made from.
    plotted : bool
        Whether it was drawn here from data, and is not the archive's own picture.
    """

    observation: dict
    picture: Picture
    uri: str
    plotted: bool

    @property
    def title(self):
        """Target, filter and name of the observation."""
        row = self.observation
        names = [row.get("target_name"), row.get("filters"), row.get("obs_id")]
        return " · ".join(str(name) for name in names if name)

    def __repr__(self):
        return f"<Preview of {self.observation.get('obs_id')}: {self.picture!r}>"

    def _repr_mimebundle_(self, **_):
        return {self.picture.mime: self.picture.data, "text/plain": repr(self)}


def find_preview(server, observation, *, timeout, draw=True, check_cancelled=None):
    """Fetch the preview of an observation.

    The archive's own picture (``jpegURL``) is taken where there is one. Of spectra and light
    curves without one, a preview among the products is taken, or else their smallest file is
    fetched into a temporary folder and drawn. The token goes to the archive's own host alone.

    Parameters
    ----------
    server : str
        Address of the archive.
    observation : dict
        A row with MAST's columns.
    timeout : float
        Seconds of silence allowed.
    draw : bool
        Whether a file is fetched and drawn where there is no picture.
    check_cancelled : callable, optional
        Called now and then; what it raises ends it.

    Returns
    -------
    preview : Preview

    Raises
    ------
    ObservationNotFound
        If there is no preview and nothing to draw one from.
    AccessDenied, FileProblem, ArchiveUnreachable, ArchiveTimeout, ArchiveError
    """
    finder = _Finder(server, observation, timeout, check_cancelled or (lambda: None))
    return finder.find(draw)


class _Finder:
    def __init__(self, server, observation, timeout, check_cancelled):
        self._archive, self._credentials = Archive(server), Credentials(server)
        self._observation, self._timeout = observation, timeout
        self._check = check_cancelled

    def find(self, draw):
        uri, why = _uri_of(self._observation.get("jpegURL"))
        if uri is not None:
            try:
                return self._picture(uri)
            except NotThere as error:
                why = str(error)
        kind = str(self._observation.get("dataproduct_type") or "").lower()
        if kind in ("spectrum", "timeseries", "cube"):
            products = self._products()
            for product in products:
                if _PICTURE.search(product["dataURI"]) and product["productType"] == "PREVIEW":
                    return self._picture(product["dataURI"])
            files = [p for p in products if draw and _CURVE.search(p["dataURI"])]
            files = [p for p in files if 0 < p["size"] <= _LARGEST_FILE]
            if files:
                return self._plot(min(files, key=lambda product: product["size"]))
        name = self._observation.get("obs_id")
        raise ObservationNotFound(f"MAST has no preview of {name}{why and f': {why}'}")

    def _products(self):
        """Return the products of the observation itself, of all levels."""
        obsid = str(self._observation["obsid"])
        rows = self._archive.products(
            Table({"obsid": [obsid]}),
            all_levels=True,
            product_type=None,
            check_cancelled=self._check,
        )
        return [
            {
                "dataURI": str(row["dataURI"]),
                "productType": str(row["productType"]),
                "size": 0 if np.ma.is_masked(row["size"]) else int(row["size"]),
            }
            for row in rows
            if str(row["obsID"]) == obsid
        ]

    def _picture(self, uri):
        data = self._fetch(uri, _LARGEST_PICTURE)
        return Preview(self._observation, read_picture(data, _name(uri)), uri, plotted=False)

    def _plot(self, product):
        uri = product["dataURI"]
        data = _unpacked(self._fetch(uri, _LARGEST_FILE), _name(uri))
        with tempfile.TemporaryDirectory(prefix="jdaviz-mast-") as folder:
            path = Path(folder) / "preview.fits"
            path.write_bytes(data)
            picture = plot_file(path, _name(uri))
        return Preview(self._observation, picture, uri, plotted=True)

    def _fetch(self, uri, most):
        """Return the bytes of a product, if they are no more than ``most``."""
        name, about = _name(uri), {"observation": self._observation, "product": {}}
        too_large = FileProblem(
            f"{name} is larger than {most / 1e6:.0f} MB, too large for a preview."
        )
        data = bytearray()
        with Wire(self._credentials, self._timeout) as wire:
            answer = wire.open(self._archive.download_url(uri), name=name, about=about)
            try:
                if answer.size is not None and answer.size > most:
                    raise too_large
                for piece in answer.pieces():
                    self._check()
                    data += piece
                    if len(data) > most:
                        raise too_large
            finally:
                answer.close()
        if not data:
            raise NotThere(f"{name} is empty.")
        return bytes(data)


def _unpacked(data, name):
    """Return a file that may be compressed as it is, if it is then no larger than others may be."""
    if not data.startswith(b"\x1f\x8b"):
        return data
    unpacking = zlib.decompressobj(wbits=31)  # gzip
    try:
        plain = unpacking.decompress(data, _LARGEST_FILE)
    except zlib.error as error:
        raise FileProblem(f"{name} is damaged: it cannot be unpacked ({error}).") from error
    if unpacking.unconsumed_tail:
        raise FileProblem(f"{name} is larger than {_LARGEST_FILE / 1e6:.0f} MB when unpacked.")
    return plain


def _uri_of(address):
    """Return the archive's name of a picture, or None and why there is none."""
    if not isinstance(address, str) or not address.strip():
        return None, ""
    address = address.strip()
    if address.startswith("mast:"):
        return address, ""
    try:
        parts = urlsplit(address)
        uris = parse_qs(parts.query).get("uri", [])
    except ValueError:
        return None, ""
    # Some rows have the address of the download service instead of the name alone.
    if parts.path.endswith("/Download/file") and uris and uris[0].startswith("mast:"):
        return uris[0], ""
    return None, f"its picture is kept elsewhere, at {address[:200]}"


def _name(uri):
    return uri.rsplit("/", 1)[-1]
