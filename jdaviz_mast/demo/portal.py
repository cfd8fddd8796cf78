"""The mashup's queries (``/api/v0/invoke``) as functions over rows."""

from __future__ import annotations

import fnmatch
import math

from .fields import NUMERIC_IDS, OBSERVATION_FIELDS, PRODUCT_FIELDS, as_fields, load_data
from .sky import footprint_distance, separation

__all__ = ["PortalError", "columns_config", "invoke"]

_SELECTED = {"_selected_": "boolean"}


class PortalError(ValueError):
    """A request that MAST answers with the status ERROR."""


def columns_config(config_id):
    """MAST's description of the columns behind `config_id`, by column name."""
    if ".Catalogs." in config_id:
        return {name: {"text": name, "type": kind} for name, kind in load_data("tic_fields.json")}
    kind = "products" if config_id.endswith("Products") else "observations"
    return load_data("columns.json")[kind]


def invoke(request, observations, products, catalog):
    """Answer one mashup request.

    Parameters
    ----------
    request : dict
        ``service``, ``params``, ``page``, ``pagesize`` as a client posts them.
    observations, products : list of dict
        The archive's rows.
    catalog : list of dict
        Rows of the TESS input catalog.

    Returns
    -------
    dict
        ``status``, ``msg``, ``data``, ``fields``, ``paging``.

    Raises
    ------
    PortalError
        If the service or a filter's column is not known, or a parameter is missing.
    """
    service, params = request.get("service", ""), request.get("params") or {}
    try:
        if service == "Mast.Caom.All":
            return _histograms(observations)
        if service == "Mast.Caom.Products":
            wanted = {part.strip() for part in str(params["obsid"]).split(",")}
            rows = [row for row in products if str(row["parent_obsid"]) in wanted]
            return _page(rows, PRODUCT_FIELDS | _SELECTED, request)
        if service.startswith("Mast.Caom."):
            return _observations(service, params, request, observations)
        if service.startswith("Mast.Catalogs."):
            return _catalog(service, params, request, catalog)
    except (KeyError, ValueError, TypeError) as wrong:
        if isinstance(wrong, PortalError):
            raise
        raise PortalError(f"{service}: bad or missing parameter: {wrong}") from wrong
    raise PortalError(f"Service {service!r} is not known")


def _observations(service, params, request, rows):
    fields = dict(OBSERVATION_FIELDS)
    if service == "Mast.Caom.Cone":
        rows = _cone(rows, params["ra"], params["dec"], params["radius"])
        fields |= {"distance": "float"} | _SELECTED
    elif service == "Mast.Caom.Filtered.Position":
        rows = _cone(rows, *params["position"].replace(",", " ").split())
        fields |= {"objID1": "string", "distance": "float"}
        rows = [row | {"objID1": row["objID"]} for row in rows]
    elif service != "Mast.Caom.Filtered":
        raise PortalError(f"Service {service!r} is not known")
    rows = _filtered(rows, params.get("filters"), OBSERVATION_FIELDS)
    if "COUNT_BIG" in params.get("columns", ""):
        return _page([{"Column1": len(rows)}], {"Column1": "string"}, request)
    return _page(rows, fields, request)


def _catalog(service, params, request, rows):
    fields = dict(load_data("tic_fields.json"))
    if service == "Mast.Catalogs.All.Tic":
        histograms = {"discreteHistogram": {}, "continuousHistogram": {}}
        return _complete({"name": "NewDataSet", "Tables": [{"ExtendedProperties": histograms}]})
    if service.lower() in ("mast.catalogs.tic.cone", "mast.catalogs.tess.cone"):
        rows = _catalog_cone(rows, params["ra"], params["dec"], params["radius"])
        fields |= {"dstArcSec": "float"}
    elif service.startswith("Mast.Catalogs.Filtered.Tic"):
        if "Position" in service:
            rows = _catalog_cone(rows, params["ra"], params["dec"], params["radius"])
        rows = _filtered(rows, params.get("filters"), fields)
        fields = _chosen(fields, params.get("columns"))
    else:
        raise PortalError(f"Service {service!r} is not known")
    return _page(rows, fields, request)


def _chosen(fields, columns):
    """Those of `fields` that a request's ``columns`` names."""
    names = [name.strip() for name in (columns or "*").split(",")]
    if names == ["*"]:
        return fields
    by_lower = {name.lower(): name for name in fields}
    for name in names:
        if name.lower() not in by_lower:
            raise PortalError(f"Invalid column name {name!r}")
    return {by_lower[name.lower()]: fields[by_lower[name.lower()]] for name in names}


def _cone(rows, ra, dec, radius):
    """Rows whose footprint comes within `radius` degrees.

    In the archive's order: MAST's recorded answers are not sorted by distance.
    """
    ra, dec, radius_arcsec = float(ra), float(dec), float(radius) * 3600
    found = []
    for row in rows:
        if row.get("s_ra") is None or row.get("s_dec") is None:
            continue
        # A footprint is at most a few degrees wide: skip the far ones cheaply.
        center = separation(ra, dec, row["s_ra"], row["s_dec"])
        if center > radius_arcsec + 3 * 3600:
            continue
        away = footprint_distance(ra, dec, row["s_region"]) if row.get("s_region") else center
        if away <= radius_arcsec:
            found.append(row | {"distance": away})
    return found


def _catalog_cone(rows, ra, dec, radius):
    ra, dec, radius_arcsec = float(ra), float(dec), float(radius) * 3600
    rows = [row | {"dstArcSec": separation(ra, dec, row["ra"], row["dec"])} for row in rows]
    rows = [row for row in rows if row["dstArcSec"] <= radius_arcsec]
    return sorted(rows, key=lambda row: row["dstArcSec"])


def _filtered(rows, filters, fields):
    by_lower = {name.lower(): name for name in fields}
    for entry in filters or []:
        name = by_lower.get(str(entry.get("paramName", "")).lower())
        if name is None:
            raise PortalError(f"Invalid filter: column {entry.get('paramName')!r} is not known")
        rows = [row for row in rows if _matches(row.get(name), entry)]
    return rows


def _matches(value, entry):
    if value is None:
        return False
    values = entry.get("values") or []
    if values and isinstance(values[0], dict):
        return any(float(v["min"]) <= float(value) <= float(v["max"]) for v in values)
    text = str(value).lower()
    tokens = {text}
    if entry.get("separator"):
        tokens |= {part.strip() for part in text.split(entry["separator"])}
    if any(str(wanted).lower() in tokens for wanted in values):
        return True
    if pattern := entry.get("freeText"):
        # SQL's LIKE: only % is special there, so fnmatch's own wildcards are escaped.
        glob = pattern.lower().replace("[", "[[]").replace("?", "[?]").replace("*", "[*]")
        return any(fnmatch.fnmatchcase(token, glob.replace("%", "*")) for token in tokens)
    return False


def _histograms(rows):
    columns = []
    for name in ("dataproduct_type", "obs_collection", "instrument_name", "project"):
        counts = {}
        for row in rows:
            key = row[name] or ""
            counts[key] = counts.get(key, 0) + 1
        entries = [{"count": n, "key": key} for key, n in counts.items()]
        histogram = {"hist": entries} | {entry["key"]: entry for entry in entries}
        columns.append(
            {"text": name, "dataIndex": name, "ExtendedProperties": {"histObj": histogram}}
        )
    return _complete({"name": "NewDataSet", "Tables": [{"name": "Table", "Columns": columns}]})


def _complete(data):
    return {"status": "COMPLETE", "msg": "", "data": data}


def _page(rows, fields, request):
    size, page = int(request.get("pagesize") or 1000), int(request.get("page") or 1)
    shown = rows[(page - 1) * size : page * size]
    paging = {
        "page": page,
        "pageSize": size,
        "pagesFiltered": max(1, math.ceil(len(rows) / size)),
        "rows": len(shown),
        "rowsFiltered": len(rows),
        "rowsTotal": len(rows),
    }
    data = [{name: _as_answered(name, row.get(name)) for name in fields} for row in shown]
    return _complete(data) | {"fields": as_fields(fields), "paging": paging}


def _as_answered(name, value):
    if name in NUMERIC_IDS and isinstance(value, str) and value.isdecimal():
        return int(value)
    return value
