"""What the names of data sets and the DOIs of collections stand for among MAST's observations."""

import re

from jdaviz_mast.errors import InvalidInput

__all__ = ["collection_doi", "collection_filters", "detectors_of", "is_doi", "is_exposure",
           "observation_names", "plain_doi"]  # fmt: skip

#: Detectors that end the names of exposures, by instrument
#: (https://jwst-docs.stsci.edu/jwst-science-calibration-pipeline, file names).
_DETECTORS = {
    "NIRCAM": ("nrca1", "nrca2", "nrca3", "nrca4", "nrcalong",
               "nrcb1", "nrcb2", "nrcb3", "nrcb4", "nrcblong"),
    "NIRSPEC": ("nrs1", "nrs2"),
    "NIRISS": ("nis",),
    "MIRI": ("mirimage", "mirifulong", "mirifushort"),
    "FGS": ("guider1", "guider2"),
}  # fmt: skip
_ALL_DETECTORS = tuple(name for names in _DETECTORS.values() for name in names)

#: An exposure without its detector: jw02733001001_02101_00001, of a time series -seg001 behind it.
_JWST_EXPOSURE = re.compile(r"jw\d{11}_\d{5}_\d{5}(-seg\d{3})?", re.IGNORECASE)

#: DOIs that MAST gave to whole collections (https://archive.stsci.edu/publishing/doi), and the
#: columns and values that make the collection out.
_COLLECTIONS = {
    # TESS Light Curves - All Sectors
    "10.17909/t9-nmc8-f686": {
        "obs_collection": ["TESS"], "provenance_name": ["SPOC"],
        "dataproduct_type": ["timeseries"], "t_exptime": [119.5, 120.5],
    },
    # K2 Light Curves - All
    "10.17909/t9ws3r": {"obs_collection": ["K2"], "dataproduct_type": ["timeseries"]},
    # TESS Light Curves From The MIT Quick-Look Pipeline
    "10.17909/t9-r086-e880": {"obs_collection": ["HLSP"], "provenance_name": ["QLP"]},
    # TESS Light Curves From Full Frame Images
    "10.17909/t9-wpz1-8s54": {"obs_collection": ["HLSP"], "provenance_name": ["TESS-SPOC"]},
}  # fmt: skip

_DOI = re.compile(r"(?:https?://(?:dx\.)?doi\.org/|doi:\s*)?(10\.\d{4,9}/\S+)", re.IGNORECASE)


def detectors_of(instrument):
    """Return what the exposures of a JWST instrument end in; of all if it is not known."""
    return _DETECTORS.get(str(instrument).upper(), _ALL_DETECTORS)


def is_exposure(dataset):
    """Return whether a data set is an exposure of JWST's, and so of a level below 3."""
    return bool(_JWST_EXPOSURE.fullmatch(dataset))


def observation_names(dataset, instrument=None):
    """Return the ``obs_id`` that the observations of a data set may have.

    A data set of JWST's is an exposure without its detector, while MAST lists an observation a
    detector (https://outerspace.stsci.edu/display/MASTDOCS, Dataset ID). All others have one
    observation of the same name, which MAST's mission search writes in capitals for HST.

    Parameters
    ----------
    dataset : str
    instrument : str, optional
        Of JWST, if known.

    Returns
    -------
    names : list of str
    """
    if is_exposure(dataset):
        name = dataset.lower()
        return [name, *(f"{name}_{detector}" for detector in detectors_of(instrument))]
    if dataset.lower().startswith("jw"):
        return [dataset.lower()]
    return list(dict.fromkeys((dataset, dataset.lower(), dataset.upper())))


def is_doi(text):
    """Return whether a text is a DOI, or the address of one."""
    return bool(_DOI.fullmatch(str(text).strip()))


def plain_doi(doi):
    """Return a DOI without address and prefix, in lower case (DOIs do not tell case apart).

    Raises
    ------
    InvalidInput
        If it is none.
    """
    found = _DOI.fullmatch(str(doi).strip())
    if not found:
        raise InvalidInput("doi", doi, "give a DOI such as '10.17909/t9-nmc8-f686'")
    return found[1].lower()


def collection_filters(doi):
    """Return the filters that make out the collection behind a DOI.

    MAST has no documented service that lists the observations of any DOI to a program, and
    astroquery knows none: its Portal does that alone. What can be resolved here are DOIs of whole
    collections.

    Parameters
    ----------
    doi : str
        As `plain_doi` returns it.

    Returns
    -------
    filters : dict of str to list

    Raises
    ------
    InvalidInput
        If the DOI is not of such a collection.
    """
    if doi not in _COLLECTIONS:
        raise InvalidInput(
            "doi", doi,
            "MAST tells programs the observations of few DOIs only (of light curve collections); "
            f"open https://doi.org/{doi}, choose “Display Data”, and search for the observation "
            "IDs that are listed there",
        )  # fmt: skip
    return {name: list(values) for name, values in _COLLECTIONS[doi].items()}


def collection_doi(observation):
    """Return the DOI of the collection that an observation belongs to, or None.

    Only those that MAST gave to whole collections can be told from a row
    (https://archive.stsci.edu/publishing/doi); a row has no DOI of its own.

    Parameters
    ----------
    observation : mapping
        The archive's row.
    """
    for doi, filters in _COLLECTIONS.items():
        if all(_matches(observation.get(name), values) for name, values in filters.items()):
            return doi
    return None


def _matches(value, values):
    if isinstance(values[0], float):
        return isinstance(value, (int, float)) and values[0] <= value <= values[1]
    return value in values
