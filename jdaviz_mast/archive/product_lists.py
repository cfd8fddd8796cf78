"""Lists of products, one an observation, put together: a product is in it once."""

import numpy as np
from astropy.table import Table, vstack

from jdaviz_mast.archive.asked import keep_queries

__all__ = ["join_products"]


def join_products(lists):
    """Return several product lists as one, unique by ``dataURI``, in their order.

    A combined observation lists what belongs to its exposures once for each of them, and
    observations that share exposures list the same products.

    Parameters
    ----------
    lists : sequence of `~astropy.table.Table`
        With MAST's product columns.

    Returns
    -------
    products : `~astropy.table.Table`
        ``meta`` tells all searches that they came from.
    """
    lists = [table for table in lists if table.colnames]
    if not lists:
        return Table(names=("obsID", "dataURI", "productFilename"), dtype=(str, str, str))
    if len(lists) > 1:
        products = vstack(lists, metadata_conflicts="silent")
        keep_queries(products, *lists)
    else:
        products = lists[0]
    uris = np.ma.filled(products["dataURI"], "")
    _, first = np.unique(np.asarray(uris, dtype=str), return_index=True)
    return products[np.sort(first)]
