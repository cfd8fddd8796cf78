"""The part of the tray that goes from a combined product down to what it was made of."""

from astropy.table import Row, Table

from jdaviz_mast.tray.import_side import title_of
from jdaviz_mast.tray.observation_table import RowAction
from jdaviz_mast.tray.product_side import ProductSide
from jdaviz_mast.tray.words import counted
from jdaviz_mast.tray.worker import Worker

__all__ = ["LadderSide"]

_HEADING = "Exposures of"
_NOTHING = "MAST lists no exposures that this was made of."


class LadderSide(ProductSide):
    """Shows the exposures of a combined product in the table of products, to be imported."""

    def _offer_choosing(self):
        super()._offer_choosing()
        self.observations.add_action(
            RowAction("ladder", "What it was made of", "mdi-stairs-down", self._ladder_of_row)
        )

    def ladder(self, observation_or_product=None):
        """Show what a combined product was made of in `products`, and return it.

        Parameters
        ----------
        observation_or_product : `~astropy.table.Table`, `~astropy.table.Row` or str, optional
            One row of what `search` or `choose_products` returned, of calibration level 3 or
            above, or an observation ID; by default the selected row.

        Returns
        -------
        products : `~astropy.table.Table`
            The exposures (level 2), then their raw data (level 1); see
            `jdaviz_mast.Mast.ladder`.

        Raises
        ------
        InvalidInput
            If it is not one observation or product, or below level 3.
        jdaviz_mast.errors.MastError
        """
        if observation_or_product is None:
            observation_or_product = self._selected_observations()
        return self._go_down(observation_or_product).wait()

    def _go_down(self, given):
        if self._products_worker is not None:
            self._products_worker.cancel()
        given, mast = Table(given) if isinstance(given, Row) else given, self.mast
        self.observations.unfolded = -1
        title = title_of(given) if isinstance(given, (str, Table)) and len(given) else ""
        self.products.wait_for(title, _HEADING)
        self._products_worker = Worker(
            self._owner,
            lambda worker: mast.ladder(given, check_cancelled=worker.check_cancelled),
            on_done=lambda found: self._show_ladder(found, title),
            on_error=self._not_unfolded,
        ).start()
        return self._products_worker

    def _show_ladder(self, found, title):
        missing = found.meta["missing"]
        if not len(found):
            self.products.say(_NOTHING)
            return
        if missing:
            title += f" (and {counted(len(missing), 'exposure')} that MAST does not list with it)"
        self.products.show(found, title, _HEADING)

    def _ladder_of_row(self, index):
        self._go_down(self.observations.row(index))
