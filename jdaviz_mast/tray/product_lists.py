"""Product lists of observations, asked for once while a search stands."""

import threading

from jdaviz_mast.archive import COMBINED_LEVEL, join_products
from jdaviz_mast.products import CONTRIBUTED_LEVEL, choose_products

__all__ = ["ProductLists"]


class ProductLists:
    """Asks the archive which products observations have, and remembers; for workers.

    Parameters
    ----------
    mast : `jdaviz_mast.Mast`
    """

    def __init__(self, mast):
        self._mast = mast
        self._lists, self._lock = {}, threading.Lock()

    def clear(self):
        """Forget all lists: the archive may have others by now."""
        with self._lock:
            self._lists = {}

    def of(self, observations, check_cancelled):
        """Return all products of observations, of every level and type, each once.

        Parameters
        ----------
        observations : `~astropy.table.Table` or str
            Or an observation ID.
        check_cancelled : callable

        Returns
        -------
        products : `~astropy.table.Table`

        Raises
        ------
        jdaviz_mast.errors.MastError
        """
        one_by_one = (
            {observations: observations}
            if isinstance(observations, str)
            else {str(o): observations[n : n + 1] for n, o in enumerate(observations["obsid"])}
        )
        found = []
        for key, one in one_by_one.items():
            with self._lock:
                lists = self._lists
            if key not in lists:
                # If they were forgotten meanwhile, this goes to a dict that nobody looks at.
                lists[key] = self._mast.products(
                    one, all_levels=True, product_type=None, check_cancelled=check_cancelled
                )
            found.append(lists[key])
        return join_products(found)

    def to_import(self, observations, all_levels, check_cancelled):
        """Return the products that an import of observations fetches.

        Parameters
        ----------
        observations : `~astropy.table.Table` or str
        all_levels : bool
            Whether those below the combined level are fetched, too.
        check_cancelled : callable

        Returns
        -------
        products : `~astropy.table.Table`
        """
        level = None if all_levels else (COMBINED_LEVEL, CONTRIBUTED_LEVEL)
        return choose_products(
            self.of(observations, check_cancelled),
            level=level,
            product_type="SCIENCE",
            clutter=True,
        )
