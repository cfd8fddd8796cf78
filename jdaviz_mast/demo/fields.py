"""Names and types of MAST's columns, in MAST's order."""

from __future__ import annotations

import functools
import json
from importlib import resources

__all__ = [
    "NUMERIC_IDS",
    "OBSERVATION_FIELDS",
    "PRODUCT_FIELDS",
    "as_fields",
    "load_data",
]


#: Columns of an observation: name to type. The order is that of a query of July 2026.
OBSERVATION_FIELDS = {
    "intentType": "string",
    "obs_collection": "string",
    "provenance_name": "string",
    "instrument_name": "string",
    "project": "string",
    "filters": "string",
    "wave_region": "string",
    "target_name": "string",
    "target_classification": "string",
    "obs_id": "string",
    "s_ra": "float",
    "s_dec": "float",
    "dataproduct_type": "string",
    "proposal_pi": "string",
    "calib_level": "int",
    "t_min": "float",
    "t_max": "float",
    "t_exptime": "float",
    "wavelength_region": "string",
    "em_min": "float",
    "em_max": "float",
    "obs_title": "string",
    "t_obs_release": "float",
    "proposal_id": "string",
    "proposal_type": "string",
    "sequence_number": "int",
    "s_region": "string",
    "jpegURL": "string",
    "dataURL": "string",
    "dataRights": "string",
    "mtFlag": "boolean",
    "srcDen": "float",
    "obsid": "string",
    "objID": "string",
    "wave_min": "float",
    "wave_max": "float",
}

#: Columns of a product: name to type.
PRODUCT_FIELDS = {
    "obsID": "string",
    "obs_collection": "string",
    "dataproduct_type": "string",
    "obs_id": "string",
    "description": "string",
    "type": "string",
    "dataURI": "string",
    "productType": "string",
    "productGroupDescription": "string",
    "productSubGroupDescription": "string",
    "productDocumentationURL": "string",
    "project": "string",
    "prvversion": "string",
    "proposal_id": "string",
    "productFilename": "string",
    "size": "int",
    "parent_obsid": "string",
    "dataRights": "string",
    "calib_level": "int",
    "filters": "string",
}

#: Columns that MAST calls strings and answers as JSON numbers.
NUMERIC_IDS = {"obsid", "objID", "objID1", "obsID", "parent_obsid"}


def as_fields(types):
    """`types` (name to type) as the ``fields`` of a mashup answer."""
    return [{"name": name, "type": kind} for name, kind in types.items()]


@functools.cache
def _text(name):
    return resources.files(__package__).joinpath("data", name).read_text("utf-8")


def load_data(name):
    """Read a fresh copy of the package's data file `name` (JSON)."""
    return json.loads(_text(name))
