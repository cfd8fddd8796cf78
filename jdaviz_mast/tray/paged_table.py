"""A table that is filtered, sorted, paged and selected in Python, so that the page gets one page.

jdaviz's own table sends every row to the browser and back with each selection; at 10,000
rows that is felt. This one has the same Python interface.
"""

import contextlib

import numpy as np
from astropy.table import vstack
from jdaviz.core.template_mixin import Table as JdavizTable
from jdaviz.core.user_api import UserApiWrapper
from traitlets import Bool, Dict, Int, List, Unicode

from jdaviz_mast.errors import InvalidInput
from jdaviz_mast.tray.cells import Rows, as_dicts, is_missing

__all__ = ["PagedTable"]


class PagedTable(JdavizTable):
    """Rows of the archive as a table component of a jdaviz plugin.

    What is a table of something says which ``columns`` there are and what is in the cells of a
    page, and may hide rows and sort in ways of its own.

    Parameters
    ----------
    plugin : the plugin that shows it
    name : str
        What jdaviz calls it.
    on_selection : callable
        Called without arguments when the selection has changed.

    Attributes
    ----------
    by_page : bool
        Whether it is somebody on the page who changes the selection at the moment.
    """

    columns = List().tag(sync=True)  # of dicts: value (the archive's name), text (the heading)
    rows = List().tag(sync=True)  # of the page that is shown
    total = Int(0).tag(sync=True)
    matching = Int(0).tag(sync=True)
    options = Dict({"page": 1, "itemsPerPage": 10, "sortBy": [], "sortDesc": []}).tag(sync=True)
    filter_text = Unicode("").tag(sync=True)
    n_selected = Int(0).tag(sync=True)
    n_selected_unseen = Int(0)  # those that the filters hide
    all_selected = Bool(False).tag(sync=True)

    #: What a user may call.
    exposed = ("export_table", "select_rows", "select_all", "select_none", "clear_table")

    def __init__(self, plugin, name, on_selection):
        self._table = None
        self._selected = {}  # index → None: a set that keeps the order of selection
        self._on_selection = on_selection
        self._lines = None
        self._order = np.array([], dtype=int)
        self.by_page = False
        super().__init__(plugin, name=name)
        self.observe(self._arrange, "options")
        self.observe(self._filter_changed, "filter_text")

    @property
    def user_api(self):
        """What a user may call: jdaviz's table interface, and what is this table's own."""
        return UserApiWrapper(self, expose=self.exposed, readonly=("items", "selected_rows"))

    def __len__(self):
        return 0 if self._table is None else len(self._table)

    def show(self, table):
        """Show a table, in its order; nothing is selected.

        Parameters
        ----------
        table : `~astropy.table.Table` or None
        """
        self._table = self._qtable = table
        self._lines = None
        self._selected = {}
        self.total = len(self)
        with self.hold_trait_notifications():
            self.filter_text = ""
            self.options = self.options | {"page": 1, "sortBy": [], "sortDesc": []}
        self._arrange()
        self._selection_changed()

    def append(self, table):
        """Put more rows under those that are shown; selection and arrangement stay.

        Parameters
        ----------
        table : `~astropy.table.Table`
        """
        stacked = vstack([self._table, table], metadata_conflicts="silent")
        self._table = self._qtable = stacked
        self._lines = None
        self.total = len(self)
        self._arrange()
        self._selection_changed()

    @property
    def table(self):
        """All rows that are here, an `~astropy.table.Table`, or None."""
        return self._table

    # In the parent these two are traits, sent to the page as a whole. Here they stay in
    # Python and are made when asked for.
    @property
    def items(self):
        """All rows as a sequence of dicts of MAST's columns."""
        return [] if self._table is None else Rows(self._table)

    @property
    def selected_rows(self):
        """The selected rows as dicts of MAST's columns, in the order of selection."""
        return as_dicts(self.selected) if self._selected else []

    @property
    def selected(self):
        """The selected rows as an `~astropy.table.Table`, in the order of selection."""
        return self._table[list(self._selected)] if self._selected else None

    @property
    def selected_indices(self):
        """Indices of the selected rows, in the order of selection."""
        return list(self._selected)

    @property
    def matching_rows(self):
        """The rows that the filters let through, as an `~astropy.table.Table`, or None."""
        return self._table[self._order] if len(self._order) else None

    @property
    def matching_indices(self):
        """Indices of the rows that the filters let through, in the order of the table."""
        return self._order.tolist()

    def reveal(self, index):
        """Turn to the page that a row is on, if the filters let it through."""
        place = np.flatnonzero(self._order == index)
        size = int(self.options.get("itemsPerPage", 10))
        if len(place) and size > 0:
            self.options = self.options | {"page": int(place[0]) // size + 1}

    def row(self, index):
        """Return one row as a table of one row."""
        return self._table[index : index + 1]

    # jdaviz's interface to the selection

    def select_rows(self, rows):
        """Select rows by index, indices or slice, instead of those that are selected.

        Raises
        ------
        InvalidInput
            If there is no such row.
        """
        every = np.arange(len(self))
        try:
            if isinstance(rows, (list, tuple)):
                chosen = [np.atleast_1d(every[item]) for item in rows]
                indices = np.concatenate(chosen) if chosen else []
            else:
                indices = np.atleast_1d(every[rows])
        except (IndexError, TypeError, ValueError) as error:
            allowed = "there are no rows"
            if len(self):
                allowed = f"give an index from 0 to {len(self) - 1}, several in a list, or a slice"
            raise InvalidInput("rows", rows, allowed) from error
        self._selected = dict.fromkeys(int(index) for index in indices)
        self._selection_changed()

    def select_all(self):
        """Select every row that the filters let through, besides those that are selected."""
        self._selected |= dict.fromkeys(self._order.tolist())
        self._selection_changed()

    def select_none(self):
        """Deselect all rows."""
        self.select_rows([])

    def _clear_table(self):
        self.show(None)

    # from the page

    def vue_toggle(self, index):
        """Select or deselect one row."""
        with self.by_the_page():
            if index in self._selected:
                del self._selected[index]
            elif 0 <= index < len(self):
                self._selected[index] = None
            self._selection_changed()

    def vue_toggle_all(self, _=None):
        """Select all rows that the filters let through; deselect them if they all are."""
        with self.by_the_page():
            if self.all_selected:
                shown = set(self._order.tolist())
                self._selected = {index: None for index in self._selected if index not in shown}
                self._selection_changed()
            else:
                self.select_all()

    @contextlib.contextmanager
    def by_the_page(self):
        """Note that what is selected within is selected by somebody on the page."""
        self.by_page = True
        try:
            yield
        finally:
            self.by_page = False

    # what a table of something says

    def _cells(self, page, indices):
        """Return what is shown of some rows: name to list, one value a row, ready for JSON.

        Parameters
        ----------
        page : `~astropy.table.Table`
        indices : list of int
            Which rows of the whole table they are.
        """
        raise NotImplementedError

    def _texts_to_filter(self):
        """Return the lists of texts in which the words of the filter are looked for."""
        raise NotImplementedError

    def _let_through(self):
        """Return which rows may be shown at all: a bool array, or a slice."""
        return slice(None)

    def _sort_values(self, name):
        """Return what a column is sorted by, an array, and which of it is missing."""
        if name not in self._table.colnames:
            return np.zeros(len(self), dtype=int), np.zeros(len(self), dtype=bool)
        column = self._table[name]
        values = np.ma.getdata(column)
        if values.dtype.kind in "OU":
            values = np.char.lower(values.astype(str))
        return values, is_missing(column)

    # arrangement

    def _filter_changed(self, _=None):
        self.options = self.options | {"page": 1}
        self._arrange()
        self._selection_changed()

    def _arrange(self, _=None):
        """Filter, sort, cut out the page, and send that."""
        order = np.arange(len(self))
        order = order[self._let_through()] if len(order) else order
        words = self.filter_text.lower().split()
        if words and len(order):
            if self._lines is None:
                texts = zip(*self._texts_to_filter(), strict=True)
                self._lines = [" ".join(line).lower() for line in texts]
            order = order[[all(w in self._lines[i] for w in words) for i in order.tolist()]]
        for name, descending in zip(*map(reversed, self._sorting()), strict=True):
            ranks = self._ranks(name, descending)[order]
            order = order[np.argsort(ranks, kind="stable")]
        self._order = order
        self.matching = len(order)
        self._send_page()

    def _sorting(self):
        names = list(self.options.get("sortBy") or [])
        return names, list(self.options.get("sortDesc") or [False] * len(names))

    def _send_page(self):
        size = int(self.options.get("itemsPerPage", 10))
        first = (max(int(self.options.get("page", 1)), 1) - 1) * size
        shown = self._order[first : first + size] if size > 0 else self._order
        if not len(shown):
            self.rows = []
            return
        # Only what is shown is written out: an answer may have 100,000 rows.
        indices = shown.tolist()
        cells = self._cells(self._table[shown], indices)
        self.rows = [
            dict(zip(cells, row, strict=True)) | {"index": i, "selected": i in self._selected}
            for i, row in zip(indices, zip(*cells.values(), strict=True), strict=True)
        ]

    def _selection_changed(self):
        self.n_selected = len(self._selected)
        shown = sum(map(self._selected.__contains__, self._order.tolist()))
        self.n_selected_unseen = self.n_selected - shown
        self.all_selected = 0 < shown == len(self._order)
        self._send_page()
        self._on_selection()

    def _ranks(self, name, descending):
        """Return numbers that sort as the column does; missing values come last either way."""
        values, missing = self._sort_values(name)
        ranks = np.unique(values, return_inverse=True)[1].astype(int)
        return np.where(missing, len(ranks), -ranks if descending else ranks)
