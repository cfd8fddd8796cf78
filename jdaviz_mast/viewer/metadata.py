"""What a layer knows of its origin: the archive's own columns, and some typed fields."""

from astropy.time import Time

__all__ = ["layer_metadata"]

_LAST_DAY = 1e5  # MJD, in the year 2132; what lies beyond is no date


def layer_metadata(observation, product):
    """Return the metadata of a layer.

    Parameters
    ----------
    observation, product : mapping
        The rows of the archive that the file belongs to, with MAST's column names; None
        where a value is missing. Either may be empty.

    Returns
    -------
    metadata : dict
        Every column of the observation as ``mast_<column>``, of the product as
        ``mast_product_<column>``, and the typed fields: ``observationDate`` (ISO 8601, UTC),
        ``targetName``, ``instrument``, ``filter``, ``exposureTime`` (seconds),
        ``calibrationLevel``, ``proposalId``, ``proposalPi``, ``observationTitle`` and
        ``wavelengthRange``; None where the archive has no value.
    """
    metadata = {f"mast_{name}": value for name, value in observation.items()}
    metadata |= {f"mast_product_{name}": value for name, value in product.items()}
    level = product.get("calib_level")
    metadata |= {
        "observationDate": _date(observation),
        "targetName": observation.get("target_name"),
        "instrument": observation.get("instrument_name"),
        "filter": observation.get("filters") or product.get("filters"),
        "exposureTime": observation.get("t_exptime"),
        "calibrationLevel": level if level is not None else observation.get("calib_level"),
        "proposalId": observation.get("proposal_id") or product.get("proposal_id"),
        "proposalPi": observation.get("proposal_pi"),
        "observationTitle": observation.get("obs_title"),
        "wavelengthRange": observation.get("wavelength_region"),
    }
    return metadata


def _date(observation):
    """Return the date of the observation, from the first of its times that is known."""
    for column in ("t_min", "t_max", "t_obs_release"):
        mjd = observation.get(column)
        if mjd is not None and 0 < mjd < _LAST_DAY:
            return Time(mjd, format="mjd", scale="utc").isot
    return None
