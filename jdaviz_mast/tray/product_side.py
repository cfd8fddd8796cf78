"""The part of the tray that chooses: products of an observation, the basket, and the totals."""

import functools

from astropy.table import Row, Table
from traitlets import Dict, Unicode, default, observe

from jdaviz_mast.errors import Cancelled, InvalidInput
from jdaviz_mast.tray.basket import Basket
from jdaviz_mast.tray.form import sentence
from jdaviz_mast.tray.import_side import ImportSide, check_given, title_of
from jdaviz_mast.tray.observation_table import RowAction
from jdaviz_mast.tray.product_lists import ProductLists
from jdaviz_mast.tray.product_table import ProductTable
from jdaviz_mast.tray.totals import TOTALS_COMPONENT, Totals
from jdaviz_mast.tray.words import counted
from jdaviz_mast.tray.worker import Worker
from jdaviz_mast.viewer import jdaviz_api

__all__ = ["ProductSide"]

#: Selected observations whose totals are reckoned by themselves: each is a question to MAST.
_MOST_UNASKED = 10


class ProductSide(ImportSide):
    """Unfolds observations into products, keeps the basket, and says what imports will take.

    What it is a part of has ``observations``, the table of what was found, made before
    `_make_choosers` is called, and ``all_levels``.
    """

    products_widget = Unicode().tag(sync=True)
    basket_widget = Unicode().tag(sync=True)
    selection_totals = Dict().tag(sync=True)

    @default("components")
    def _components(self):
        return TOTALS_COMPONENT

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self._lists = ProductLists(self.mast)
        self._products_worker = None
        self._totals = {
            name: Totals(self._owner, self._reckoned, show)
            for name, show in (
                ("selection", lambda totals: setattr(self, "selection_totals", totals)),
                ("products", lambda totals: setattr(self.products, "totals", totals)),
                ("basket", lambda totals: setattr(self.basket, "totals", totals)),
            )
        }
        self.products = ProductTable(
            self,
            on_selection=self._products_changed,
            on_import=lambda products: self._import_from_page(lambda: products),
            on_basket=self._into_basket,
            on_close=self._close_products,
        )
        self.basket = Basket(
            find_products=self._find_products,
            on_change=self._basket_changed,
            on_import=lambda products: self._import_from_page(lambda: products),
            import_and_wait=lambda products: self._job_of(self._start_import(products)),
            forecast=self.forecast,
        )
        self.products_widget = "IPY_MODEL_" + self.products.model_id
        self.basket_widget = "IPY_MODEL_" + self.basket.model_id

    def _offer_choosing(self):
        """Put what belongs here into the rows of the results table."""
        self.observations.add_action(
            RowAction("basket", "Add to basket", "mdi-basket-outline", self._row_into_basket)
        )

    # From Python

    def choose_products(self, observations=None):
        """Unfold observations into their products, and return them.

        Parameters
        ----------
        observations : `~astropy.table.Table`, `~astropy.table.Row` or str, optional
            What `search` found, a row of it, or an observation ID; by default the selected rows.

        Returns
        -------
        products : `~astropy.table.Table`
            All of them, of every level and type, each once.

        Raises
        ------
        InvalidInput
            If no row is selected.
        jdaviz_mast.errors.MastError
        """
        if observations is None:
            observations = self._selected_observations()
        return self._unfold(observations).wait()

    def import_products(self, products=None, in_order=False):
        """Import products; return the job.

        Parameters
        ----------
        products : `~astropy.table.Table`, optional
            By default those that are selected in `products`.
        in_order : bool
            Whether they are opened in this order, instead of each as it is whole. Layers then get
            the same labels each time.

        Raises
        ------
        InvalidInput
            If none is selected.
        """
        if products is None:
            products = self.products.selected
        if products is None:
            raise InvalidInput("products", "none selected", "select rows of the table first")
        check_given(products)
        if "dataURI" not in getattr(products, "colnames", ()):
            raise InvalidInput("products", type(products).__name__, "give what products() returned")
        options = {"order": [str(uri) for uri in products["dataURI"]]} if in_order else {}
        return self._job_of(self._start_import(products, **options))

    def forecast(self, products=None):
        """Return what an import would take: files, bytes, disk and memory.

        Parameters
        ----------
        products : `~astropy.table.Table`, optional
            By default those that are selected in `products`, or that match if none is.

        Returns
        -------
        forecast : `~jdaviz_mast.products.Forecast`

        Raises
        ------
        InvalidInput
            If there are none.
        """
        products = self.products.chosen if products is None else products
        if products is None:
            raise InvalidInput("products", "none", "call choose_products() first")
        return self._reckoned(products, None, jdaviz_api.parts_by_uri(self._app))

    # The products of observations

    def _unfold(self, observations):
        observations = Table(observations) if isinstance(observations, Row) else observations
        check_given(observations)
        if self._products_worker is not None:
            self._products_worker.cancel()
        title = title_of(observations)
        self.products.wait_for(title)
        self._products_worker = Worker(
            self._owner,
            lambda worker: self._lists.of(observations, worker.check_cancelled),
            on_done=lambda products: self.products.show(products, title),
            on_error=self._not_unfolded,
        ).start()
        return self._products_worker

    def _not_unfolded(self, error):
        if not isinstance(error, Cancelled):
            self.products.say(sentence(error))

    def _close_products(self):
        if self._products_worker is not None:
            self._products_worker.cancel()
        self.products.show(None)
        self.observations.unfolded = -1

    def _forget_products(self):
        """Start anew: there is another search."""
        self._close_products()
        self._lists.clear()

    def _unfold_row(self, index):
        if index is None:
            self._close_products()
        else:
            self._unfold(self.observations.row(index))

    # The basket

    def _find_products(self, given):
        """Return what an import of something fetches; waits."""
        return self._ask_for_products(given, lambda _: None).wait()

    def _ask_for_products(self, given, then):
        all_levels = self.all_levels
        columns = getattr(given, "colnames", ())
        if not isinstance(given, str) and "dataURI" not in columns and "obsid" not in columns:
            allowed = "give products, observations or an observation ID"
            raise InvalidInput("observations_or_products", type(given).__name__, allowed)
        given = Table(given) if isinstance(given, Row) else given

        def find(worker):
            if "dataURI" in columns:
                return given
            return self._lists.to_import(given, all_levels, worker.check_cancelled)

        return Worker(
            self._owner,
            find,
            on_done=then,
            on_error=lambda error: self.basket.say(sentence(error)),
        ).start()

    def _into_basket(self, products):
        self.basket.put_in(products)

    def _row_into_basket(self, index):
        self.basket.say("Asking MAST what there is…")
        self._ask_for_products(self.observations.row(index), self._put_found_in)

    def vue_add_to_basket(self, *_):
        """Put the selected observations into the basket, without waiting."""
        if self.observations.selected is not None:
            self.basket.say("Asking MAST what there is…")
            self._ask_for_products(self.observations.selected, self._put_found_in)

    def vue_choose_products(self, *_):
        """Unfold the selected observations, without waiting."""
        if self.observations.selected is not None:
            self._unfold(self.observations.selected)

    def _put_found_in(self, products):
        if len(products):
            self.basket.put_in(products)
        else:
            self.basket.say("There is nothing of the level that would be imported.")

    # Totals

    def _reckoned(self, products, check_cancelled, in_viewer):
        return self.mast.forecast(
            products,
            configuration=self._app.config,
            extensions=self.extensions,
            max_images=self.max_images,
            in_viewer=in_viewer,
            check_cancelled=check_cancelled,
        )

    def _products_changed(self):
        chosen = self.products.chosen
        if self.products.selected is None:
            self.products.totals_of = "All that match"
        else:
            self.products.totals_of = "Selected"
        self._reckon("products", None if chosen is None else lambda _: chosen)

    def _basket_changed(self):
        products = self.basket.products
        self._reckon("basket", (lambda _: products) if len(products) else None)

    def _reckon_selection(self, asked=False):
        count, by_page = self.observations.n_selected, self.observations.by_page
        if not count:
            self._reckon("selection", None)
        elif asked or (by_page and count <= _MOST_UNASKED):
            find = functools.partial(
                self._lists.to_import, self.observations.selected, self.all_levels
            )
            self._reckon("selection", find)
        else:
            self._reckon("selection", None)
            self.selection_totals = {"ask": f"Totals of {counted(count, 'observation')}"}

    def vue_reckon_selection(self, *_):
        """Reckon the totals of however many observations."""
        self._reckon_selection(asked=True)

    def _reckon(self, name, find):
        in_viewer = jdaviz_api.parts_by_uri(self._app)  # a worker may not look
        self._totals[name].reckon(find, self.mast.download_dir, in_viewer)

    @observe("extensions", "max_images", "all_levels")
    def _options_changed(self, _):
        if self.products_widget:  # not while it is made
            self._reckon_all()

    def _disk_changed(self):
        super()._disk_changed()
        self._reckon_all()  # after an import, less is to be fetched, and less memory is left

    def _reckon_all(self):
        self._products_changed()
        self._basket_changed()
        self._reckon_selection(asked=self._totals["selection"].wanted)
