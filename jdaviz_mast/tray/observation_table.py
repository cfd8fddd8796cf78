"""The results table: what a search found, with an import button and a menu in each row."""

import functools
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from astropy.time import Time
from traitlets import Bool, Dict, Int, List, Unicode

from jdaviz_mast.archive import PORTAL_LINK
from jdaviz_mast.products import kind_of_observation
from jdaviz_mast.tray.cells import MISSING, RIGHTS, cell_texts, is_missing
from jdaviz_mast.tray.paged_table import PagedTable

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

#: Columns that tell of what kind an observation is.
_TELL_KINDS = ("dataproduct_type", "obs_collection", "calib_level")


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


class ObservationTable(PagedTable):
    """Observations as a table component of a jdaviz plugin.

    Parameters
    ----------
    plugin : the plugin that shows it
    on_selection : callable
        Called without arguments when the selection has changed.
    on_import : callable
        Called with the index of a row whose import button was pressed.
    on_unfold : callable
        Called with the index of a row whose products are asked for, or None if they are no
        longer.
    """

    template_file = __file__, "observation_table.vue"

    columns = List(
        [{"value": name, "text": heading} for name, heading in COLUMNS]
    ).tag(sync=True)  # fmt: skip
    pictures = Bool(False).tag(sync=True)  # whether each row shows what it looks like
    thumbnails = Dict().tag(sync=True)  # index, as text, to the data URL of a picture made here
    actions = List().tag(sync=True)  # of the menu of each row
    unfolded = Int(-1).tag(sync=True)  # the row of which the products are shown
    portal = Unicode(PORTAL_LINK).tag(sync=True)

    def __init__(self, plugin, on_selection, on_import, on_unfold):
        self._on_import, self._on_unfold, self._calls = on_import, on_unfold, {}
        super().__init__(plugin, "observations", on_selection)

    def add_action(self, action):
        """Offer a `RowAction` in the menu of every row."""
        self._calls[action.name] = action.call
        about = {"name": action.name, "title": action.title, "icon": action.icon}
        self.actions = [*self.actions, about]

    @property
    def observations(self):
        """What is shown, an `~astropy.table.Table`, or None."""
        return self._table

    def selected_kinds(self):
        """Count the `~jdaviz_mast.products.Kind` of what the selected rows are about."""
        if not self._selected:
            return Counter()
        telling = [name for name in _TELL_KINDS if name in self._table.colnames]
        return Counter(_kinds(self._table[telling][list(self._selected)]))

    # from the page

    def vue_import_row(self, index):
        """Import one row."""
        if 0 <= index < len(self):
            self._on_import(index)

    def vue_unfold(self, index):
        """Show the products of a row below the table, or fold them up."""
        if 0 <= index < len(self):
            self.unfolded = -1 if index == self.unfolded else index
            self._on_unfold(None if self.unfolded < 0 else index)

    def vue_act(self, asked):
        """Do what was chosen in the menu of a row."""
        call, index = self._calls.get(asked.get("name")), asked.get("index")
        if call is not None and isinstance(index, int) and 0 <= index < len(self):
            call(index)

    # what is in it

    def _cells(self, page, indices):
        texts = {name: cell_texts(page, name) for name, _ in COLUMNS}
        return texts | {"lock": _locks(page), "why_not": _why_not(page, self._plugin._app.config)}

    def _texts_to_filter(self):
        return [cell_texts(self._table, name) for name, _ in COLUMNS]


def _locks(observations):
    """Return who may not fetch what the rows are about, and until when; empty for public data."""
    if "dataRights" not in observations.colnames:
        return [""] * len(observations)
    column = observations["dataRights"]
    known = np.where(is_missing(column), "PUBLIC", np.ma.getdata(column).astype(str)).tolist()
    days, today = cell_texts(observations, "t_obs_release"), Time.now().iso[:10]
    locks = []
    for rights, day in zip(known, days, strict=True):
        word = RIGHTS.get(rights, rights.lower().replace("_", " "))
        until = f" until {day}" if day != MISSING and day > today else ""
        locks.append("" if rights in ("PUBLIC", "") else f"{word}{until}")
    return locks


def _why_not(observations, configuration):
    """Return why what the rows are about does not open here; empty where it does."""
    return [kind.why_not(configuration) for kind in _kinds(observations)]


def _kinds(observations):
    """Return the `~jdaviz_mast.products.Kind` of each row."""
    columns = [
        observations[name].tolist() if name in observations.colnames else [None] * len(observations)
        for name in _TELL_KINDS
    ]
    rows = zip(*columns, strict=True)
    return [_kind(*row) for row in rows]


@functools.lru_cache(maxsize=256)
def _kind(*values):
    return kind_of_observation(dict(zip(_TELL_KINDS, values, strict=True)))
