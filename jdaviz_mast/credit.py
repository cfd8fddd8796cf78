"""Whose observations are to be acknowledged and cited, behind the front door."""

import contextlib
import os
from collections.abc import Mapping

from astropy.io import fits
from astropy.table import Row, Table

from jdaviz_mast.archive import as_dict, as_observations
from jdaviz_mast.archive.checks import check_observation_ids
from jdaviz_mast.archive.datasets import is_doi, plain_doi
from jdaviz_mast.errors import InvalidInput
from jdaviz_mast.library.citations import citations_of
from jdaviz_mast.library.layer_rows import rows_of_layer

__all__ = ["citations"]

_LIGHT_CURVES = "timeseries"


def citations(mast, subjects=None, check_cancelled=None):
    """Return what to acknowledge and to cite; see `jdaviz_mast.Mast.citations`."""
    files = mast.library.files()
    if subjects is None:
        rows = [_row_of_file(file) for file in files]
        if not rows:
            allowed = "give observations: the library is empty"
            raise InvalidInput("subjects", None, allowed)
    else:
        many = isinstance(subjects, (list, tuple))
        held = {}
        for file in files:
            held.setdefault(_row_of_file(file).get("obs_id"), []).append(file)
        rows = [
            row for subject in (subjects if many else [subjects])
            for row in _rows_of(mast, subject, held, check_cancelled)
        ]  # fmt: skip
    if not rows:
        raise InvalidInput("subjects", "none", "give observations or layers")
    light_curves = any(row.get("dataproduct_type") == _LIGHT_CURVES for row in rows)
    return citations_of(rows, light_curves=light_curves)


def _rows_of(mast, subject, held, check_cancelled):
    metadata = getattr(subject, "meta", None)
    if isinstance(subject, str):
        rows = []
        for name in check_observation_ids(subject):
            if name in held:
                rows += [_row_of_file(file) for file in held[name]]
            else:
                found = as_observations(mast._archive, name, check_cancelled)
                rows += [as_dict(row) for row in found]
        return rows
    if isinstance(subject, (Table, Row)):
        return [as_dict(row) for row in (Table(subject) if isinstance(subject, Row) else subject)]
    if isinstance(metadata, Mapping):
        observation, product = rows_of_layer(metadata)
    elif isinstance(subject, Mapping):
        observation, product = rows_of_layer(subject)
        if not observation and not product:
            observation = dict(subject)
    else:
        allowed = "give observation IDs, rows that search() returned, or layers"
        raise InvalidInput("subjects", type(subject).__name__, allowed)
    if not observation and not product:
        raise InvalidInput("layer", getattr(subject, "label", "?"), "it is not from MAST")
    return [observation or product]


def _row_of_file(file):
    """Return the observation of a file; a team's product tells its DOI in its header."""
    row = dict(file.observation or file.product)
    if row.get("obs_collection") == "HLSP":
        doi = _doi_in_header(file.path)
        row |= {"doi": doi} if doi else {}
    return row


def _doi_in_header(path):
    """Return the DOI that the header of a High Level Science Product gives, or None.

    The keyword is one of those that MAST asks of teams
    (https://outerspace.stsci.edu/display/MASTDOCS, HLSP Contributor Guide, metadata).
    """
    with contextlib.suppress(OSError, ValueError, TypeError):
        text = str(fits.getheader(os.fspath(path)).get("DOI") or "")
        return plain_doi(text) if is_doi(text) else None
    return None
