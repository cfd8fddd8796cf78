"""A manifest as a table, one row a file, in the formats that astropy writes."""

import io
import re
import warnings

import astropy.units as u
import numpy as np
from astropy.io.votable.exceptions import VOWarning
from astropy.table import MaskedColumn, Table

__all__ = ["FORMATS", "table_of", "text_of"]

#: Our name of a format to astropy's.
FORMATS = {"ecsv": "ascii.ecsv", "csv": "ascii.csv", "votable": "votable"}

# https://www.w3.org/TR/xml/#charsets
_NOT_IN_XML = re.compile("[^\\t\\n\\r\\x20-\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]")
_VERSIONS = ("CAL_VER", "CRDS_VER", "CRDS_CTX", "SDP_VER", "PRVVERSION")

#: Column, type, unit, description.
_COLUMNS = (
    ("uri", str, None, "The archive's name for the file (dataURI)"),
    ("path", str, None, "Where it is, relative to the download folder"),
    ("state", str, None, "complete, failed, cancelled"),
    ("size", int, u.byte, "Bytes on disk, or listed by the archive"),
    ("sha256", str, None, "Checksum of the content"),
    ("obs_id", str, None, "Observation ID"),
    ("obsid", str, None, "Number of the observation at MAST"),
    ("obs_collection", str, None, "Mission"),
    ("target_name", str, None, "Target"),
    ("instrument_name", str, None, "Instrument"),
    ("filters", str, None, "Filter"),
    ("proposal_id", str, None, "Program"),
    ("proposal_pi", str, None, "Principal investigator"),
    ("s_ra", float, u.deg, "Right ascension of the observation (ICRS)"),
    ("s_dec", float, u.deg, "Declination of the observation (ICRS)"),
    ("t_min", float, u.d, "Begin of the observation (MJD, UTC)"),
    ("t_exptime", float, u.s, "Exposure time"),
    ("calib_level", int, None, "Calibration level"),
    ("kind", str, None, "What it is"),
    ("rights", str, None, "Who may fetch it (dataRights)"),
    ("source", str, None, "Where it came from: http, s3 or disk"),
    ("server", str, None, "Address of the archive"),
    ("fetched", str, None, "When it was whole on disk (UTC)"),
    ("doi", str, None, "DOI of the collection that it belongs to"),
    *((name, str, None, f"{name} of the file, or of its row") for name in _VERSIONS),
    ("error", str, None, "Why it is not there"),
)

# What MAST keeps in the row of an observation; a product's own comes first.
_OF_ROWS = ("obs_collection", "target_name", "instrument_name", "filters", "proposal_id",
            "proposal_pi", "s_ra", "s_dec", "t_min", "t_exptime")  # fmt: skip


def table_of(content):
    """Return the files of a manifest as an `~astropy.table.Table`; what is not known is masked.

    ``meta`` holds the rest of the manifest, as far as it is not in the rows.
    """
    rows = [_row(content, file) for file in content["files"]]
    table = Table()
    for name, kind, unit, description in _COLUMNS:
        values = [row[name] for row in rows]
        missing = np.array([value in (None, "") for value in values], dtype=bool)
        filled = [
            kind() if gone else _plain(kind(value))
            for value, gone in zip(values, missing, strict=True)
        ]
        dtype = {int: np.int64, float: float}.get(kind)
        if dtype is None:
            dtype = f"U{max(map(len, filled), default=1) or 1}"
        table[name] = MaskedColumn(filled, dtype=dtype, mask=missing, unit=unit,
                                   description=description)  # fmt: skip
    about = {name: content[name] for name in ("format", "version", "written", "software", "server",
                                              "job", "queries", "choice")}  # fmt: skip
    table.meta = about | {"dois": content.get("dois", [])}
    return table


def text_of(content, format):
    """Return a manifest's table as text, in one of `FORMATS`."""
    table = table_of(content)
    if format == "votable":
        return _votable(table)
    if format == "csv":
        table.meta = {}
    text = io.StringIO()
    # '' would be read back as a missing value, which is what it is.
    table.write(text, format=FORMATS[format])
    return text.getvalue()


def _votable(table):
    from astropy.io.votable import from_table
    from astropy.io.votable.tree import Info

    meta, table.meta = table.meta, {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", VOWarning)
        document = from_table(table)
    resource = document.resources[0]
    resource.description = _plain(f"Import {meta['job']['id']}: {meta['job']['title']}")
    flat = {"server": meta["server"], "job": meta["job"]["id"], "state": meta["job"]["state"],
            "created": meta["job"]["created"], "written": meta["written"]}  # fmt: skip
    flat |= {f"version of {name}": value for name, value in meta["software"].items()}
    flat |= {f"query {number}": repr(query["arguments"])
             for number, query in enumerate(meta["queries"], 1)}  # fmt: skip
    for number, (name, value) in enumerate(flat.items(), 1):
        resource.infos.append(Info(ID=f"info_{number}", name=_plain(name), value=_plain(value)))
    data = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", VOWarning)
        document.to_xml(data)
    return data.getvalue().decode()


def _plain(value):
    """Return a value without characters that XML cannot hold."""
    return _NOT_IN_XML.sub(" ", value) if isinstance(value, str) else value


def _row(content, file):
    place = file["observation"]
    observation = {} if place is None else content["observations"][place]
    product = file["product"]
    row = {name: product.get(name) for name in _OF_ROWS}
    row = {name: observation.get(name) if value in (None, "") else value
           for name, value in row.items()}  # fmt: skip
    row |= {name: file["versions"].get(name) for name in _VERSIONS}
    names = [name for name, *_ in _COLUMNS if name in file]
    return row | {name: file[name] for name in names} | {"server": content["server"]}
