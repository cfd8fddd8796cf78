"""Observation and product rows for real FITS files that are put into the archive."""

from __future__ import annotations

import re
from pathlib import Path

from .catalog import observation_row
from .fields import PRODUCT_FIELDS, load_data
from .sky import parse_region, polygon

__all__ = ["rows_for"]

# Data product type by the end of the file's name; images are the rest.
_TYPES = {"s3d": "cube", "s2d": "spectrum", "x1d": "spectrum", "c1d": "spectrum"}
_COMBINED = re.compile(r"jw\d{5}-")


def rows_for(path, obs_id, obsid):
    """Make an observation row and a product row from a FITS file's headers.

    Parameters
    ----------
    path : Path
        The file; its name becomes the product's.
    obs_id : str, optional
        Name of the observation; by default the file's name without its suffix.
    obsid : str
        The number to give to the observation.

    Raises
    ------
    ValueError
        If the headers hold no S_REGION and no position.
    """
    from astropy.io import fits

    header = {}
    with fits.open(path) as hdus:
        for hdu in reversed(hdus[:2]):
            header.update({key: value for key, value in hdu.header.items() if key.strip()})
    stem, _, suffix = Path(path).name.split(".")[0].rpartition("_")
    name = obs_id or stem or suffix
    kinds = load_data("product_kinds.json")
    level, product_type, group, subgroup, description = kinds.get(
        suffix, [2, "SCIENCE", None, suffix.upper(), None]
    )
    combined = bool(_COMBINED.match(name)) or suffix in ("drz", "drc")
    if suffix in ("i2d", "s2d", "s3d", "x1d"):
        level = 3 if combined else 2
    ra, dec, region = _position(header, path)
    low, high = _band(header)
    collection = str(header.get("TELESCOP", "JWST")).strip().upper()
    uri = f"mast:{collection}/product/{Path(path).name}"
    row = observation_row(
        intentType="science",
        obs_collection=collection,
        provenance_name="CALJWST" if collection == "JWST" else f"CAL{collection}",
        instrument_name=_instrument(header),
        project=collection,
        filters=_filters(header),
        wave_region="INFRARED" if collection == "JWST" else None,
        target_name=header.get("TARGPROP") or header.get("TARGNAME"),
        obs_id=name,
        s_ra=ra,
        s_dec=dec,
        dataproduct_type=_TYPES.get(suffix, "image"),
        proposal_pi=header.get("PI_NAME"),
        calib_level=3 if combined else min(level, 2),
        t_min=header.get("EXPSTART") or header.get("MJD-BEG"),
        t_max=header.get("EXPEND") or header.get("MJD-END"),
        t_exptime=header.get("EFFEXPTM") or header.get("XPOSURE") or header.get("EXPTIME"),
        wavelength_region="INFRARED" if collection == "JWST" else None,
        em_min=low,
        em_max=high,
        obs_title=header.get("TITLE"),
        t_obs_release=59773.0,
        proposal_id=_program(header),
        proposal_type=header.get("CATEGORY"),
        s_region=region,
        dataURL=uri,
        dataRights="PUBLIC",
        mtFlag=header.get("TARGTYPE") == "MOVING",
        obsid=obsid,
        objID=obsid,
        wave_min=low,
        wave_max=high,
    )
    product = dict.fromkeys(PRODUCT_FIELDS) | {
        "obsID": obsid,
        "obs_collection": collection,
        "dataproduct_type": row["dataproduct_type"],
        "obs_id": name,
        "description": description,
        "type": "D" if combined else "S",
        "dataURI": uri,
        "productType": product_type,
        "productGroupDescription": group,
        "productSubGroupDescription": subgroup,
        "project": row["provenance_name"],
        "prvversion": header.get("CAL_VER"),
        "proposal_id": row["proposal_id"],
        "productFilename": Path(path).name,
        "size": Path(path).stat().st_size,
        "parent_obsid": obsid,
        "dataRights": "PUBLIC",
        "calib_level": level,
        "filters": row["filters"],
    }
    return row, product


def _position(header, path):
    """Centre in degrees and ``s_region``, by S_REGION or else by the target's position."""
    target = [header.get(key) for key in ("TARG_RA", "TARG_DEC")]
    if None in target:
        target = [header.get(key) for key in ("RA_TARG", "DEC_TARG")]
    if region := header.get("S_REGION"):
        shape, numbers = parse_region(region)
        if shape == "CIRCLE":
            return float(numbers[0]), float(numbers[1]), region
        spread = numbers.max(axis=0) - numbers.min(axis=0)
        # Some spectra carry a footprint of half the sky (seen in real s2d files).
        if spread.max() < 5:
            ra, dec = numbers.mean(axis=0)
            return float(ra), float(dec), polygon(numbers)
    if None in target:
        raise ValueError(f"{Path(path).name}: neither S_REGION nor a target position in its header")
    return float(target[0]), float(target[1]), None


def _band(header):
    """Shortest and longest wavelength in nm, from the header or the filter's name."""
    if "WAVSTART" in header:
        return header["WAVSTART"] * 1e9, header["WAVEND"] * 1e9
    if match := re.match(r"F(\d{3,4})([A-Z]+\d?)", str(header.get("FILTER", ""))):
        middle = float(match[1]) * 10
        width = {"N": 0.01, "M": 0.06, "W": 0.12, "LP": 0.3}.get(match[2], 0.15)
        return middle * (1 - width), middle * (1 + width)
    return None, None


def _instrument(header):
    name = str(header.get("INSTRUME", "")).strip()
    mode = {"IMAGE": "IMAGE", "IFU": "IFU", "FIXEDSLIT": "SLIT", "MRS": "IFU"}
    kind = str(header.get("EXP_TYPE", "")).partition("_")[2]
    if kind in mode:
        return f"{name}/{mode[kind]}"
    return f"{name}/{header['DETECTOR']}" if header.get("DETECTOR") else name or None


def _filters(header):
    values = [header.get(key) for key in ("FILTER", "PUPIL", "GRATING")]
    used = [value for value in values if value and value not in ("CLEAR", "N/A", "MIRROR")]
    return ";".join(sorted(used)) or None


def _program(header):
    program = str(header.get("PROGRAM") or header.get("PROPOSID") or "").strip()
    return program.lstrip("0") or None
