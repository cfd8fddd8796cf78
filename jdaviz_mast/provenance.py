"""From a layer, file, product or observation back to its raw exposures, behind the front door."""

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from astropy.table import Row, Table

from jdaviz_mast.archive import COMBINED_LEVEL, as_dict, as_observations
from jdaviz_mast.archive.datasets import collection_doi
from jdaviz_mast.errors import Cancelled, InvalidInput, MastError, ObservationNotFound
from jdaviz_mast.library.layer_rows import FILE_OF_LAYER, rows_of_layer
from jdaviz_mast.library.provenance_tree import (
    Origin,
    Provenance,
    observation_origin,
    product_origin,
    program_origin,
)

__all__ = ["provenance"]

_RAW = ("uncal", "raw", "rawtag", "d0m")
_ALLOWED = (
    "give a layer, its metadata, a file, a dataURI, an observation ID, or one row of what search() "
    "or products() returned"
)


def provenance(mast, subject, exposures=True, check_cancelled=None):
    """Return where something came from; see `jdaviz_mast.Mast.provenance`."""
    label, file, observation, product = _find(mast, subject, check_cancelled)
    notes = []
    if file is None and product:
        file = _file_of(mast, product)
    if not observation and (product or file is not None):
        observation = _observation(mast, product or {}, notes, check_cancelled)
    chain = []
    if label:
        chain.append(Origin("layer", label))
    if file is not None:
        if file.sha256 is None:  # not reckoned yet, or the file was written to since
            library = mast.open_library(synchronize=False)
            library.add_checksums([file.path], check_cancelled)
            file = library.file(str(file.path)) or file
        chain.append(_file_origin(file))
    if product:
        chain.append(product_origin(_as_fetched(product, file)))
    if observation:
        chain.append(_with_program(observation, product))
    if not chain:
        raise InvalidInput("subject", _shown(subject), _ALLOWED)
    for one, behind in zip(chain, chain[1:], strict=False):
        one.origins.append(behind)
    if exposures:
        # A product is made of exposures; of an observation alone, its main product is.
        made = chain[-2] if observation and product else chain[-1]
        fetched = _as_fetched(product, file) if product else product
        found = _exposures(mast, observation, fetched, notes, check_cancelled)
        if found is not None:
            made.origins.append(found)
    return Provenance(chain[0], notes)


def _as_fetched(product, file):
    """Return a product's row as it was for a file, which the archive may have reprocessed."""
    if file is None:
        return product
    version = file.versions.get("PRVVERSION") or product.get("prvversion")
    return product | {"size": file.size, "prvversion": version}


def _find(mast, subject, check_cancelled):
    """Return label, file, observation row and product row; empty what is not known."""
    metadata = getattr(subject, "meta", None)
    if isinstance(metadata, Mapping) and not isinstance(subject, (Table, Row)):
        observation, product = rows_of_layer(metadata)
        if not observation and not product:
            raise InvalidInput("layer", _shown(subject), "give one that was imported from MAST")
        path = metadata.get(FILE_OF_LAYER)
        file = mast.library.file(path) if path else None
        return str(getattr(subject, "label", "") or "layer"), file, observation, product
    if isinstance(subject, (Table, Row)):
        rows = Table(subject) if isinstance(subject, Row) else subject
        if len(rows) == 1 and {"dataURI", "obsid"} & set(rows.colnames):
            row = as_dict(rows[0])
            return ("", None, {}, row) if "dataURI" in row else ("", None, row, {})
    elif isinstance(subject, Mapping):
        if "dataURI" in subject or "obsid" in subject:
            row = dict(subject)
            return ("", None, {}, row) if "dataURI" in row else ("", None, row, {})
        observation, product = rows_of_layer(subject)
        if observation or product:
            return "", None, observation, product
    elif isinstance(subject, (str, os.PathLike)) and str(subject).strip():
        return _by_name(mast, subject, check_cancelled)
    raise InvalidInput("subject", _shown(subject), _ALLOWED)


def _by_name(mast, name, check_cancelled):
    is_path = isinstance(name, os.PathLike) or Path(str(name)).is_file()
    wanted = str(Path(name).absolute()) if is_path else str(name).strip()
    file = mast.library.file(wanted)
    if file is not None:
        return "", file, dict(file.observation), dict(file.product) or {"dataURI": file.uri}
    if is_path or ":" in wanted:
        allowed = f"import it into {mast.download_dir} first, or name its observation"
        raise InvalidInput("subject", wanted, allowed)
    rows = as_observations(mast._archive, wanted, check_cancelled)
    # Of several of that name, the one that was made of the others.
    best = int(np.ma.filled(rows["calib_level"], -1).argmax())
    return "", None, as_dict(rows[best]), {}


def _file_of(mast, product):
    uri = str(product.get("dataURI") or "")
    files = [file for file in mast.library.files() if file.uri == uri] if uri else []
    version = product.get("prvversion")
    files.sort(key=lambda file: file.versions.get("PRVVERSION") != version)  # stable
    return files[0] if files else None


def _observation(mast, product, notes, check_cancelled):
    number = product.get("obsID")
    if not number:
        return {}
    try:
        rows = mast._archive.observations_by_obsid([str(number)], check_cancelled=check_cancelled)
    except Cancelled:
        raise
    except MastError as error:
        notes.append(f"The observation is not known: {error}")
        return {}
    return as_dict(rows[0]) if len(rows) else {}


def _file_origin(file):
    facts = {
        "size": f"{file.size:,} bytes",
        "sha256": file.sha256,
        "changed on disk since it was fetched": "yes" if file.changed else None,
        "fetched": None if file.fetched is None else f"{file.fetched.utc.iso[:19]} UTC",
        "source": file.source,
        "server": file.server,
        "import": file.job_id,
        **file.versions,
    }
    facts = {name: str(value) for name, value in facts.items() if value}
    return Origin("file", str(file.path), facts)


def _with_program(observation, product):
    origin = observation_origin(observation)
    program, doi = program_origin(observation), collection_doi(observation)
    if program is not None:
        origin.origins.append(program)
    if doi:
        origin.origins.append(Origin("data", doi, {"address": f"https://doi.org/{doi}"}))
    return origin


def _exposures(mast, observation, product, notes, check_cancelled):
    """Return what it was made of, down to raw data, as one node; None if nothing is known."""
    level = (product or observation).get("calib_level")
    try:
        if level is not None and level >= COMBINED_LEVEL:
            return _combined(mast, observation, product, notes, check_cancelled)
        if product and level is not None and level > 1:
            return _raw_of(mast, product, check_cancelled)
    except Cancelled:
        raise
    except (MastError, ObservationNotFound) as error:
        notes.append(f"What it was made of is not known: {error}")
    return None


def _combined(mast, observation, product, notes, check_cancelled):
    row = product if product.get("obsID") else observation
    found = mast.ladder(Table([row]), check_cancelled=check_cancelled)
    if not len(found):
        return None
    roles, missing = found.meta["roles"], found.meta["missing"]
    if missing:
        notes.append(f"MAST does not list with it: {', '.join(missing)}.")
    members, raw = [], {}
    for one in map(as_dict, found):
        name = str(one["productFilename"])
        if name in roles:
            members.append((name, one))
        else:
            raw[_root(name)] = one
    origins = []
    for name, one in members:
        origin = product_origin(one, role=roles[name])
        if _root(name) in raw:
            below = Origin("exposures", "raw data", origins=[product_origin(raw[_root(name)])])
            origin.origins.append(below)
        origins.append(origin)
    count = f"{len(members):,} exposures" if len(members) != 1 else "1 exposure"
    version = product.get("prvversion")
    facts = {"number": count} | ({"software version": version} if version else {})
    name = found.meta["association"] or "exposures that MAST lists with it"
    return Origin("exposures", name, facts, origins)


def _raw_of(mast, product, check_cancelled):
    number = str(product.get("obsID") or product.get("parent_obsid") or "")
    if not number:
        return None
    listed = mast.products(
        Table({"obsid": [number]}), all_levels=True, product_type=None,
        check_cancelled=check_cancelled,
    )  # fmt: skip
    root = _root(str(product["productFilename"]))
    wanted = {f"{root}_{raw}.fits" for raw in _RAW}
    for row in map(as_dict, listed):
        if str(row["productFilename"]).lower() in wanted:
            return Origin("exposures", "raw data", origins=[product_origin(row)])
    return None


def _root(name):
    """Return what exposures of all levels have in common: jw…_nrcb1 of jw…_nrcb1_cal.fits."""
    stem = name.lower().partition(".")[0]
    stem = stem.rpartition("_")[0]
    # jw…_nrcb1_o001_crf.fits has the number of the association before the suffix.
    head, _, tail = stem.rpartition("_")
    return head if tail[:1] in ("o", "c", "a") and tail[1:].isdecimal() else stem


def _shown(subject):
    return subject if isinstance(subject, (str, int, float)) else type(subject).__name__
