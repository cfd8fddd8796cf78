"""The results table: sorted, paged and selected in Python, so that the page gets one page.

jdaviz's own table sends every row to the browser and back with each selection; at 10,000
rows that is felt. This one has the same Python interface.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from astropy.time import Time
from jdaviz.core.template_mixin import Table as JdavizTable
from jdaviz.core.user_api import UserApiWrapper
from traitlets import Bool, Dict, Int, List, Unicode

from jdaviz_mast.mast import as_dict
from jdaviz_mast.products import kind_of_observation

__all__ = ["ObservationTable", "RowAction"]

#: Columns of the table: MAST's column, heading, and how a value is written.
COLUMNS = (
    ("target_name", "Target"),
    ("instrument_name", "Instrument"),
    ("filters", "Filter"),
    ("t_exptime", "Exp. (s)"),
    ("calib_level", "Level"),
    ("t_min", "Date"),
    ("dataproduct_type", "Type"),
    ("dataRights", "Rights"),
    ("obs_id", "Observation ID"),
)

_MISSING = "–"
_LAST_DAY = 1e5  # MJD, in the year 2132
_RIGHTS = {"PUBLIC": "public", "EXCLUSIVE_ACCESS": "exclusive", "RESTRICTED": "restricted"}


@dataclass(frozen=True)
class RowAction:
    """Something that the menu of a row offers besides importing it.

    Attributes
    ----------
    name : str
    title : str
        What the menu says.
    icon : str
        Name of a Material Design icon, such as ``mdi-image``.
    call : callable
        Called on the owner's thread with the index of the row.
    """

    name: str
    title: str
    icon: str
    call: Callable


class ObservationTable(JdavizTable):
    """Observations as a table component of a jdaviz plugin.

    Parameters
    ----------
    plugin : the plugin that shows it
    on_selection : callable
        Called without arguments when the selection has changed.
    on_import : callable
        Called with the index of a row whose import button was pressed.
    """

    template_file = __file__, "observation_table.vue"

    columns = List(
        [{"value": name, "text": heading} for name, heading in COLUMNS]
    ).tag(sync=True)  # fmt: skip
    rows = List().tag(sync=True)  # of the page that is shown
    total = Int(0).tag(sync=True)
    matching = Int(0).tag(sync=True)
    options = Dict({"page": 1, "itemsPerPage": 10, "sortBy": [], "sortDesc": []}).tag(sync=True)
    filter_text = Unicode("").tag(sync=True)
    n_selected = Int(0).tag(sync=True)
    n_selected_unseen = Int(0)  # those that the filter hides
    all_selected = Bool(False).tag(sync=True)
    actions = List().tag(sync=True)  # of the menu of each row

    def __init__(self, plugin, on_selection, on_import):
        self._observations = None
        self._selected = {}  # index → None: a set that keeps the order of selection
        self._on_selection, self._on_import = on_selection, on_import
        self._texts, self._calls = {}, {}
        self._order = np.array([], dtype=int)
        super().__init__(plugin, name="observations")
        self.observe(self._arrange, "options")
        self.observe(self._filter_changed, "filter_text")

    @property
    def user_api(self):
        """What a user may call: jdaviz's table interface."""
        return UserApiWrapper(
            self,
            expose=("export_table", "select_rows", "select_all", "select_none", "clear_table"),
            readonly=("items", "selected_rows"),
        )

    def add_action(self, action):
        """Offer a `RowAction` in the menu of every row."""
        self._calls[action.name] = action.call
        about = {"name": action.name, "title": action.title, "icon": action.icon}
        self.actions = [*self.actions, about]

    def __len__(self):
        return 0 if self._observations is None else len(self._observations)

    def show(self, observations):
        """Show a table of observations, in its order; nothing is selected.

        Parameters
        ----------
        observations : `~astropy.table.Table` or None
        """
        self._observations = self._qtable = observations
        self._texts = {}
        self._selected = {}
        self.total = len(self)
        with self.hold_trait_notifications():
            self.filter_text = ""
            self.options = self.options | {"page": 1, "sortBy": [], "sortDesc": []}
        self._arrange()
        self._selection_changed()

    # In the parent these two are traits, sent to the page as a whole. Here they stay in
    # Python and are made when asked for.
    @property
    def items(self):
        """All rows as a sequence of dicts of MAST's columns."""
        return [] if self._observations is None else _Rows(self._observations)

    @property
    def selected_rows(self):
        """The selected rows as dicts of MAST's columns, in the order of selection."""
        return _as_dicts(self.selected) if self._selected else []

    @property
    def selected(self):
        """The selected rows as an `~astropy.table.Table`, in the order of selection."""
        return self._observations[list(self._selected)] if self._selected else None

    def selected_kinds(self):
        """Count the `~jdaviz_mast.products.Kind` of what the selected rows are about."""
        selected = self.selected
        if selected is None or "dataproduct_type" not in selected.colnames:
            return {}
        types = Counter(selected["dataproduct_type"].tolist())
        kinds = Counter()
        for data_type, count in types.items():
            kinds[kind_of_observation({"dataproduct_type": data_type})] += count
        return kinds

    @property
    def selected_indices(self):
        """Indices of the selected rows, in the order of selection."""
        return list(self._selected)

    @property
    def observations(self):
        """What is shown, an `~astropy.table.Table`, or None."""
        return self._observations

    @property
    def matching_indices(self):
        """Indices of the rows that the filter lets through, in the order of the table."""
        return self._order.tolist()

    def row(self, index):
        """Return one row as a table of one row."""
        return self._observations[index : index + 1]

    def reveal(self, index):
        """Turn to the page that a row is on, if the filter lets it through."""
        place = np.flatnonzero(self._order == index)
        size = int(self.options.get("itemsPerPage", 10))
        if len(place) and size > 0:
            self.options = self.options | {"page": int(place[0]) // size + 1}

    # jdaviz's interface to the selection

    def select_rows(self, rows):
        """Select rows by index, indices or slice, instead of those that are selected."""
        every = np.arange(len(self))
        if isinstance(rows, (list, tuple)):
            chosen = [np.atleast_1d(every[item]) for item in rows]
            indices = np.concatenate(chosen) if chosen else []
        else:
            indices = np.atleast_1d(every[rows])
        self._selected = dict.fromkeys(int(index) for index in indices)
        self._selection_changed()

    def select_all(self):
        """Select every row that the filter lets through, besides those that are selected."""
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
        if index in self._selected:
            del self._selected[index]
        elif 0 <= index < len(self):
            self._selected[index] = None
        self._selection_changed()

    def vue_toggle_all(self, _=None):
        """Select all rows that the filter lets through; deselect them if they all are."""
        if self.all_selected:
            shown = set(self._order.tolist())
            self._selected = {index: None for index in self._selected if index not in shown}
            self._selection_changed()
        else:
            self.select_all()

    def vue_import_row(self, index):
        """Import one row."""
        if 0 <= index < len(self):
            self._on_import(index)

    def vue_act(self, asked):
        """Do what was chosen in the menu of a row."""
        call, index = self._calls.get(asked.get("name")), asked.get("index")
        if call is not None and isinstance(index, int) and 0 <= index < len(self):
            call(index)

    # arrangement

    def _filter_changed(self, _):
        self.options = self.options | {"page": 1}
        self._arrange()
        self._selection_changed()

    def _arrange(self, _=None):
        """Filter, sort, cut out the page, and send that."""
        order = np.arange(len(self))
        words = self.filter_text.lower().split()
        if words and len(order):
            columns = [self._text(name) for name in _names()]
            lines = [" ".join(line).lower() for line in zip(*columns, strict=True)]
            order = order[[all(word in line for word in words) for line in lines]]
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
        page = self._observations[shown]
        texts = {name: _texts(page, name) for name in _names()}
        texts |= {"lock": _locks(page), "why_not": _why_not(page)}
        self.rows = [
            dict(zip(texts, row, strict=True)) | {"index": i, "selected": i in self._selected}
            for i, row in zip(shown.tolist(), zip(*texts.values(), strict=True), strict=True)
        ]

    def _selection_changed(self):
        shown = sum(index in self._selected for index in self._order.tolist())
        self.n_selected = len(self._selected)
        self.n_selected_unseen = self.n_selected - shown
        self.all_selected = 0 < shown == len(self._order)
        self._send_page()
        self._on_selection()

    def _text(self, name):
        """Return a whole column as texts; made once."""
        if name not in self._texts:
            self._texts[name] = _texts(self._observations, name)
        return self._texts[name]

    def _ranks(self, name, descending):
        """Return numbers that sort as the column does; missing values come last either way."""
        if name not in self._observations.colnames:
            return np.zeros(len(self), dtype=int)
        column = self._observations[name]
        values = np.ma.getdata(column)
        if values.dtype.kind in "OU":
            values = np.char.lower(values.astype(str))
        ranks = np.unique(values, return_inverse=True)[1].astype(int)
        return np.where(_missing(column), len(ranks), -ranks if descending else ranks)


class _Rows(Sequence):
    """Rows of a table as dicts, made when they are looked at.

    Whenever any table of the application changes, jdaviz asks all of them how many rows they
    have, with ``len(table.items)``.
    """

    def __init__(self, table):
        self._table = table

    def __len__(self):
        return len(self._table)

    def __getitem__(self, index):
        if isinstance(index, slice):
            return _as_dicts(self._table[index])
        return as_dict(self._table[index])

    def __iter__(self):
        return iter(_as_dicts(self._table))


def _as_dicts(table):
    """Return `as_dict` of every row, made column by column: a row at a time is slow."""
    columns = [_plain_values(table[name]) for name in table.colnames]
    return [dict(zip(table.colnames, row, strict=True)) for row in zip(*columns, strict=True)]


def _plain_values(column):
    values = column.tolist()  # None where masked
    if column.dtype.kind not in "fO":
        return values
    return [None if isinstance(value, float) and np.isnan(value) else value for value in values]


def _names():
    return [name for name, _ in COLUMNS]


def _missing(column):
    values = np.ma.getdata(column)
    missing = np.ma.getmaskarray(column)
    return missing | np.isnan(values) if values.dtype.kind == "f" else missing


def _locks(observations):
    """Return who may not fetch what the rows are about, and until when; empty for public data."""
    if "dataRights" not in observations.colnames:
        return [""] * len(observations)
    column = observations["dataRights"]
    known = np.where(_missing(column), "PUBLIC", np.ma.getdata(column).astype(str)).tolist()
    days, today = _texts(observations, "t_obs_release"), Time.now().iso[:10]
    locks = []
    for rights, day in zip(known, days, strict=True):
        word = _RIGHTS.get(rights, rights.lower().replace("_", " "))
        until = f" until {day}" if day != _MISSING and day > today else ""
        locks.append("" if rights in ("PUBLIC", "") else f"{word}{until}")
    return locks


def _why_not(observations):
    """Return why what the rows are about is no layer here; empty where it is."""
    if "dataproduct_type" not in observations.colnames:
        return [""] * len(observations)
    types = observations["dataproduct_type"].tolist()
    return [kind_of_observation({"dataproduct_type": t}).why_not() for t in types]


def _texts(observations, name):
    if name not in observations.colnames:
        return [_MISSING] * len(observations)
    column = observations[name]
    missing = _missing(column)
    values = np.ma.getdata(column)
    if name in ("t_min", "t_obs_release"):
        # An answer may hold anything; a day that no calendar has is as good as missing.
        missing = missing | ~((values > 0) & (values < _LAST_DAY))
        dates = Time(np.where(missing, 59000.0, values), format="mjd", scale="utc")
        texts = [date[:10] for date in dates.iso] if len(dates) else []
    elif values.dtype.kind == "f":
        texts = [
            f"{value:.0f}" if 1e5 <= value < 1e9 else f"{value:.5g}" for value in values.tolist()
        ]
    elif name == "dataRights":
        texts = [_RIGHTS.get(value, value) for value in values.tolist()]
    else:
        texts = [str(value) for value in values.tolist()]
    return [_MISSING if gone else text for gone, text in zip(missing.tolist(), texts, strict=True)]
