"""The basket: products of several searches, gathered to be imported at once."""

import numpy as np
from ipyvuetify import VuetifyTemplate
from jdaviz.core.user_api import UserApiWrapper
from traitlets import Bool, Dict, Int, List, Unicode, default

from jdaviz_mast.archive import join_products
from jdaviz_mast.errors import InvalidInput
from jdaviz_mast.products import kind_of
from jdaviz_mast.tray.cells import as_dicts
from jdaviz_mast.tray.totals import TOTALS_COMPONENT
from jdaviz_mast.tray.words import bytes_in_words

__all__ = ["Basket"]

PER_PAGE = 5


class Basket(VuetifyTemplate):
    """Products that are kept while the viewer is open, each once.

    Parameters
    ----------
    find_products : callable
        Called with what is to be added; waits, and returns a table of products.
    on_change : callable
        Called without arguments when something else is in it.
    on_import : callable
        Called with a table of products when the button was pressed; must not wait.
    import_and_wait : callable
        Called with a table of products; returns the `~jdaviz_mast.ImportJob`.
    forecast : callable
        Called with a table of products; returns the `~jdaviz_mast.products.Forecast`.
    """

    template_file = __file__, "basket.vue"

    count = Int(0).tag(sync=True)
    page = Int(1).tag(sync=True)
    per_page = Int(PER_PAGE).tag(sync=True)
    rows = List().tag(sync=True)  # of the page that is shown
    totals = Dict().tag(sync=True)
    unfolded = Bool(False).tag(sync=True)
    note = Unicode("").tag(sync=True)

    @default("components")
    def _components(self):
        return TOTALS_COMPONENT

    def __init__(self, *, find_products, on_change, on_import, import_and_wait, forecast):
        super().__init__()
        self._products = join_products([])
        self._find_products, self._on_change = find_products, on_change
        self._on_import, self._import_and_wait = on_import, import_and_wait
        self._forecast = forecast

    @property
    def user_api(self):
        """What a user may call."""
        return UserApiWrapper(
            self,
            expose=("add", "remove", "clear", "import_", "forecast"),
            readonly=("products",),
        )

    def __len__(self):
        return len(self._products)

    @property
    def products(self):
        """What is in it, a `~astropy.table.Table` of MAST's product columns."""
        return self._products.copy()

    def add(self, observations_or_products):
        """Put something in; what is there already is not put in twice.

        Parameters
        ----------
        observations_or_products : `~astropy.table.Table`, `~astropy.table.Row` or str
            Products; or observations or an observation ID, for which their products are taken
            that an import would fetch.

        Returns
        -------
        products : `~astropy.table.Table`
            What is in it now.

        Raises
        ------
        jdaviz_mast.errors.MastError
            If the archive did not say which products there are.
        """
        self.put_in(self._find_products(observations_or_products))
        return self.products

    def remove(self, products):
        """Take something out.

        Parameters
        ----------
        products : `~astropy.table.Table`, `~astropy.table.Row`, str or list of str
            Products, or their ``dataURI``.

        Raises
        ------
        InvalidInput
            If it is not in the basket.
        """
        uris = products
        if "dataURI" in getattr(products, "colnames", ()):
            uris = products["dataURI"]
        elif not isinstance(products, (str, list, tuple)):
            raise InvalidInput(
                "products", type(products).__name__, "give products of the basket, or their dataURI"
            )
        uris = {str(uri) for uri in np.atleast_1d(uris)}
        missing = uris - set(self._uris)
        if missing:
            raise InvalidInput("products", min(missing), "it is not in the basket")
        self._keep(~np.isin(self._uris, list(uris)))

    def clear(self):
        """Take everything out."""
        self._keep(np.zeros(len(self), dtype=bool))

    def import_(self):
        """Import what is in it, which stays there; return the `~jdaviz_mast.ImportJob`.

        Raises
        ------
        InvalidInput
            If it is empty.
        """
        if not len(self):
            raise InvalidInput("basket", "empty", "add products or observations to it first")
        return self._import_and_wait(self.products)

    def forecast(self):
        """Return what an import of it would take, a `~jdaviz_mast.products.Forecast`."""
        return self._forecast(self.products)

    # what the tray does

    def put_in(self, products):
        """Put products in, without asking for anything."""
        for name in ("dataURI", "productFilename"):
            if name not in products.colnames:
                raise InvalidInput("products", f"no column {name}", "give what products() returned")
        before = len(self)
        self._products = join_products([self._products, products] if before else [products])
        added = len(self) - before
        there = len(products) - added
        self.note = f"{there:,} of these {'was' if there == 1 else 'were'} in it already." * bool(
            there and before
        )
        self._changed()

    def say(self, text):
        """Show a sentence in it."""
        self.note = text

    @property
    def _uris(self):
        return np.asarray(self._products["dataURI"], dtype=str) if len(self) else np.array([])

    def _keep(self, mask):
        self._products = self._products[mask] if len(self) else self._products
        self.note = ""
        self._changed()

    def _changed(self):
        with self.hold_sync():
            self.count = len(self)
            if not self.count:
                self.totals, self.unfolded = {}, False
            self._turn(self.page)
        self._on_change()

    def _turn(self, page):
        last = max(1, -(-len(self) // PER_PAGE))
        self.page = min(max(page, 1), last)
        first = (self.page - 1) * PER_PAGE
        rows = as_dicts(self._products[first : first + PER_PAGE]) if len(self) else []
        self.rows = [
            {"uri": row["dataURI"], "name": str(row["productFilename"]), "badge": kind.badge,
             "format": kind.format or kind.name,
             "size": bytes_in_words(row["size"]) if isinstance(row.get("size"), int) else ""}
            for row, kind in ((row, kind_of(row)) for row in rows)
        ]  # fmt: skip

    # from the page

    def vue_turn_page(self, page):
        """Show another page of it."""
        if isinstance(page, int):
            self._turn(page)

    def vue_remove(self, uri):
        """Take one product out."""
        if uri in self._uris:
            self.remove(uri)

    def vue_clear(self, _=None):
        """Take everything out."""
        self.clear()

    def vue_import_basket(self, _=None):
        """Import what is in it, without waiting."""
        if len(self):
            self._on_import(self.products)
