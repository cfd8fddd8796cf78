"""The archive's rows that a layer's metadata hold."""

__all__ = ["FILE_OF_LAYER", "rows_of_layer"]

#: Key of the path of a layer's file; what begins with an underscore, jdaviz does not show.
FILE_OF_LAYER = "_mast_file"

_OBSERVATION, _PRODUCT = "mast_", "mast_product_"
#: Keys that begin as a column does, and are none: the mark of a preview.
_NO_COLUMNS = ("mast_preview",)


def rows_of_layer(metadata):
    """Return the rows of the archive that a layer's metadata hold.

    Parameters
    ----------
    metadata : mapping
        With the observation's columns as ``mast_<column>`` and the product's as
        ``mast_product_<column>``, among other things.

    Returns
    -------
    observation, product : dict
        With MAST's column names; empty for a layer that is not from MAST.
    """
    observation, product = {}, {}
    for key, value in metadata.items():
        if not isinstance(key, str) or key in _NO_COLUMNS:
            continue
        if key.startswith(_PRODUCT):
            product[key[len(_PRODUCT) :]] = value
        elif key.startswith(_OBSERVATION):
            observation[key[len(_OBSERVATION) :]] = value
    return observation, product
