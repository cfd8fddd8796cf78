"""MAST's mission search (``/search/{mission}``) as functions over rows."""

from __future__ import annotations

import fnmatch
from datetime import datetime, timedelta

from .fields import load_data
from .sky import separation

__all__ = ["MissionError", "column_list", "list_products", "rows_of", "search"]

_TYPES = {
    "string": "VARCHAR",
    "substring": "VARCHAR",
    "datetime": "DATETIME",
    "float": "FLOAT",
    "ra": "FLOAT",
    "dec": "FLOAT",
    "integer": "INTEGER",
    "boolean": "BOOLEAN",
}
_POSITION = {"jwst": ("targ_ra", "targ_dec"), "hst": ("sci_ra", "sci_dec")}
_DATASET = {"jwst": "fileSetName", "hst": "sci_data_set_name"}
_PER_ARCSEC = {"arcseconds": 1, "arcminutes": 60, "degrees": 3600}


class MissionError(ValueError):
    """A request that mission search answers with status 400 or 404."""


def _columns(mission):
    columns = load_data("mission_columns.json").get(mission)
    if columns is None:
        raise MissionError(f"mission {mission!r} is not known")
    return columns


def column_list(mission):
    """Describe every column of `mission`, as ``column_list`` answers it."""
    return [
        {
            "field_name": label,
            "description": about[0] if about else label,
            "column_name": name,
            "queryable": queryable,
            "qual_type": kind,
            "default_output": shown,
            "indexed": "no",
            "datatype": datatype,
        }
        for name, label, kind, datatype, queryable, shown, *about in _columns(mission)
    ]


def search(mission, rows, query):
    """Answer one search.

    Parameters
    ----------
    mission : str
        ``"jwst"`` or ``"hst"``.
    rows : list of dict
        The mission's rows; a column that a row lacks is null.
    query : dict
        ``target`` (list of "ra dec" in degrees), ``radius``, ``radius_units``,
        ``conditions`` (list of {column: expression}), ``select_cols``, ``limit``,
        ``offset``, ``sort_by``, ``sort_desc``, ``count_only``.

    Returns
    -------
    dict
        ``messages``, ``info``, ``search_params``, ``totalResults``, ``results``.

    Raises
    ------
    MissionError
        If the mission or a column is not known.
    """
    types = {name: _TYPES[kind] for name, _, kind, *_ in _columns(mission)}
    columns = _selected(mission, query, types)
    if query.get("target"):
        rows = _cone(mission, rows, query)
        columns += [name for name in ("search_pos", "ang_sep") if name not in columns]
    for condition in query.get("conditions") or []:
        for name, expression in condition.items():
            if name not in types:
                raise MissionError(f"unknown column {name!r}")
            rows = [row for row in rows if _matches(row.get(name), str(expression))]
    rows = _sorted(rows, query)
    total = len(rows)
    start = int(query.get("offset") or 0)
    rows = [] if query.get("count_only") else rows[start : start + int(query.get("limit") or 5000)]
    params = {
        "offset": 0,
        "limit": 5000,
        "sort_by": [],
        "sort_desc": [],
        "skip_count": False,
        "count_only": False,
        "search_key": [],
        "user_fields": [],
        "conditions": [],
    }
    return {
        "messages": [],
        "info": [{"name": name, "type": types[name]} for name in columns],
        "search_params": params | query,
        "totalResults": total,
        "results": [{name: row.get(name) for name in columns} for row in rows],
    }


def _selected(mission, query, types):
    wanted = [name for name in query.get("select_cols") or [] if name]
    unknown = [name for name in wanted if name not in types]
    if unknown:
        raise MissionError(f"unknown column {unknown[0]!r}")
    defaults = [name for name, _, _, _, _, shown, *_ in _columns(mission) if shown == "yes"]
    return list(dict.fromkeys(wanted or [name for name in defaults if name != "ang_sep"]))


def _cone(mission, rows, query):
    reach = float(query.get("radius") or 3) * _PER_ARCSEC[query.get("radius_units", "arcminutes")]
    found = []
    for position in query["target"]:
        ra, dec = (float(word) for word in position.split())
        for row in rows:
            here = [row.get(name) for name in _POSITION[mission]]
            if None in here:
                continue
            away = separation(ra, dec, *here)
            if away <= reach:
                key = f"{position}{row[_DATASET[mission]]}"
                found.append(
                    row | {"search_pos": position, "ang_sep": away / 60, "search_key": key}
                )
    return sorted(found, key=lambda row: row["ang_sep"])


def _sorted(rows, query):
    names = query.get("sort_by") or []
    down = list(query.get("sort_desc") or []) + [False] * len(names)
    for name, reverse in reversed(list(zip(names, down, strict=False))):
        known = [row for row in rows if row.get(name) is not None]
        unknown = [row for row in rows if row.get(name) is None]
        rows = sorted(known, key=lambda row: row[name], reverse=bool(reverse)) + unknown
    return rows


def _matches(value, expression):
    """Mission search's conditions: ``a,b``, ``!a``, ``>=1``, ``1..5``, ``*part*``."""
    if not expression:
        return True
    if value is None:
        return False
    parts = [part.strip() for part in expression.split(",")]
    unwanted = [part[1:] for part in parts if part.startswith("!")]
    wanted = [part for part in parts if not part.startswith("!")]
    if any(_one(value, part) for part in unwanted):
        return False
    return not wanted or any(_one(value, part) for part in wanted)


def _one(value, part):
    numeric = isinstance(value, int | float) and not isinstance(value, bool)

    def typed(text):
        return float(text) if numeric else text.strip().replace(" ", "T")

    try:
        if part[:2] in (">=", "<="):
            bound = typed(part[2:])
            return value >= bound if part[0] == ">" else value <= bound
        if part[:1] in (">", "<"):
            bound = typed(part[1:])
            return value > bound if part[0] == ">" else value < bound
        if ".." in part:
            low, high = part.split("..", 1)
            return typed(low) <= value <= typed(high)
        if numeric:
            return value == float(part)
    except ValueError as error:
        raise MissionError(f"{part!r} is not a number") from error
    text = str(value).strip().lower()
    # Levels and optical elements of several exposures stand in one value.
    return any(fnmatch.fnmatchcase(one, part.lower()) for one in (text, *text.split(", ")))


def rows_of(mission, observations, versions=None):
    """Mission search's rows, made from portal rows.

    JWST's data sets are its combined products and its exposures without the detector;
    HST's are the associations and the exposures. ``versions`` has the calibration software of
    those observations that were processed anew, by ``obs_id``.
    """
    rows = {}
    for observation in observations:
        if observation["obs_collection"].lower() == mission and observation["t_min"] is not None:
            row = _jwst_row(observation) if mission == "jwst" else _hst_row(observation)
            if mission == "jwst" and observation["obs_id"] in (versions or {}):
                row["cal_ver"] = versions[observation["obs_id"]]
            rows.setdefault(row[_DATASET[mission]], row)
    return list(rows.values())


def _isot(mjd):
    """UTC of a Modified Julian Date as MAST writes it; None stays None."""
    if mjd is None:
        return None
    return (datetime(1858, 11, 17) + timedelta(days=mjd)).isoformat(timespec="microseconds")


#: Exposure types by the portal's instrument names, and the templates that make them.
_EXPOSURES = {
    "NIRCAM/IMAGE": ("NRC_IMAGE", "NIRCam Imaging"),
    "NIRCAM/GRISM": ("NRC_WFSS", "NIRCam Wide Field Slitless Spectroscopy"),
    "MIRI/IMAGE": ("MIR_IMAGE", "MIRI Imaging"),
    "MIRI/IFU": ("MIR_MRS", "MIRI Medium Resolution Spectroscopy"),
    "MIRI/SLITLESS": ("MIR_LRS-SLITLESS", "MIRI Low Resolution Spectroscopy"),
    "NIRSPEC/IFU": ("NRS_IFU", "NIRSpec IFU Spectroscopy"),
    "NIRSPEC/SLIT": ("NRS_FIXEDSLIT", "NIRSpec Fixed Slit Spectroscopy"),
    "NIRSPEC/BOTS": ("NRS_BRIGHTOBJ", "NIRSpec Bright Object Time Series"),
    "NIRISS/IMAGE": ("NIS_IMAGE", "NIRISS Imaging"),
    "NIRISS/SOSS": ("NIS_SOSS", "NIRISS Single-Object Slitless Spectroscopy"),
}
#: Products of which levels the data sets have, as mission search writes it.
_LEVELS = {0: "1b", 1: "1b", 2: "1b, 2a, 2b"}


def _jwst_row(row):
    name = row["obs_id"]
    kind = row["instrument_name"]
    exposure, template = _EXPOSURES.get(kind, (kind.replace("/", "_"), kind))
    if row["calib_level"] < 3:
        name = name.rsplit("_", 1)[0]
    number = name.split("-o")[1][:3] if "-o" in name else name[7:10]
    return {
        "ArchiveFileID": int(row["obsid"]),
        "fileSetName": name,
        "productLevel": _LEVELS.get(row["calib_level"], "3"),
        "targprop": row["target_name"],
        "targ_ra": row["s_ra"],
        "targ_dec": row["s_dec"],
        "instrume": row["instrument_name"].split("/")[0],
        "exp_type": exposure,
        "opticalElements": row["filters"],
        "date_obs": _isot(row["t_min"]),
        "duration": row["t_exptime"],
        "program": int(row["proposal_id"]),
        "observtn": int(number),
        "visit": None if "-o" in name else int(name[10:13]),
        "publicReleaseDate": _isot(row["t_obs_release"]),
        "pi_name": row["proposal_pi"],
        "proposal_type": row["proposal_type"],
        "proposal_cycle": max(0, int((row["t_min"] - 59760) // 365.25)),
        "category": row["proposal_type"],
        "template": template,
        "tsovisit": "T" if row["dataproduct_type"] == "timeseries" else "F",
        "subarray": "FULL",
        "cal_ver": "1.18.0",
        "targtype": "FIXED",
        "s_region": row["s_region"],
        "access": row["dataRights"],
    }


def _hst_row(row):
    instrument, _, aperture = row["instrument_name"].partition("/")
    return {
        "sci_data_set_name": row["obs_id"].upper(),
        "sci_targname": row["target_name"],
        "sci_hapnum": 0,
        "sci_haspnum": 0,
        "sci_instrume": f"{instrument:<6}",
        "sci_aper_1234": aperture,
        "sci_spec_1234": row["filters"],
        "sci_actual_duration": row["t_exptime"],
        "sci_start_time": _isot(row["t_min"]),
        "sci_stop_time": _isot(row["t_max"]),
        "sci_pep_id": int(row["proposal_id"]),
        "sci_pi_last_name": row["proposal_pi"].split(",")[0],
        "sci_ra": row["s_ra"],
        "sci_dec": row["s_dec"],
        "sci_refnum": 0,
        "sci_central_wavelength": (row["em_min"] + row["em_max"]) * 5,
        "sci_release_date": _isot(row["t_obs_release"]),
        "sci_preview_name": row["obs_id"].upper(),
        "sci_status": row["dataRights"],
    }


def list_products(mission, dataset_ids, products, instruments):
    """Files of the data sets, as ``post_list_products`` answers them.

    `products` are portal rows; a file belongs to a data set if its name begins with it.
    `instruments` gives the instrument of an ``obsID``.
    """
    listed, seen = [], set()
    for dataset in dataset_ids:
        for row in products:
            name = row["productFilename"]
            if row["obs_collection"].lower() != mission or (dataset, name) in seen:
                continue
            if not name.lower().startswith(dataset.lower()):
                continue
            seen.add((dataset, name))
            listed.append(_product(mission, dataset, row, instruments.get(row["obsID"], "")))
    return {"products": listed}


def _product(mission, dataset, row, instrument):
    name = row["productFilename"]
    suffix = name.rsplit(".", 1)[0].rsplit("_", 1)[-1]
    return {
        "product_key": f"{dataset}_{name}",
        "access": row["dataRights"],
        "dataset": dataset,
        "instrument_name": instrument.split("/")[0],
        "filters": row["filters"] or "",
        "filename": name,
        # HST's answers prefix the data set; JWST's are the bare name.
        "uri": f"{dataset}/{name}" if mission == "hst" else name,
        "authz_primary_identifier": dataset,
        "authz_secondary_identifier": "CAL",
        "file_suffix": suffix.upper() if mission == "hst" else f"_{suffix}",
        "category": str(row["calib_level"]),
        "size": row["size"],
        "type": row["productType"].lower(),
    }
