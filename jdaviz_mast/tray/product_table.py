"""The product table: the files of an observation, to choose from before any is downloaded."""

from collections.abc import Iterable

import numpy as np
from astropy.table import Table
from traitlets import Any, Bool, Dict, Int, List, Unicode, default, validate

from jdaviz_mast.archive import UNREADABLE
from jdaviz_mast.errors import InvalidInput
from jdaviz_mast.products import Choice, KnownProducts
from jdaviz_mast.tray.cells import MISSING, RIGHTS, cell_texts
from jdaviz_mast.tray.paged_table import PagedTable
from jdaviz_mast.tray.totals import TOTALS_COMPONENT
from jdaviz_mast.tray.words import bytes_in_words

__all__ = ["ProductTable"]

COLUMNS = (
    ("productFilename", "File"),
    ("kind", "Kind"),
    ("calib_level", "Level"),
    ("size", "Size"),
    ("dataRights", "Rights"),
)
#: The traits that choose, and what they are called in a `Choice`.
_CHOICES = ("kinds", "levels", "suffixes", "types", "recommended", "clutter")


class ProductTable(PagedTable):
    """Products as a table component of a jdaviz plugin.

    Parameters
    ----------
    plugin : the plugin that shows it
    on_selection : callable
        Called without arguments when what is selected, or what matches, has changed.
    on_import, on_basket : callable
        Called with a table of the products whose button was pressed.
    on_close : callable
        Called without arguments when it is folded up.

    Attributes
    ----------
    kinds : list of str
        Names of kinds, such as ``"image"``; only these are shown. Empty for all, as below.
    levels : list of int
        Calibration levels.
    suffixes : list of str
        Such as ``"i2d"``.
    types : list of str
        MAST's ``productType``.
    recommended : bool
        Only MAST's Minimum Recommended Products.
    clutter : bool
        Guide-star and ancillary files, too.
    """

    template_file = __file__, "product_table.vue"

    #: Called with a table of the product whose origin is asked for.
    on_provenance = None

    columns = List(
        [{"value": name, "text": heading} for name, heading in COLUMNS]
    ).tag(sync=True)  # fmt: skip
    heading = Unicode("").tag(sync=True)
    title = Unicode("").tag(sync=True)
    is_open = Bool(False).tag(sync=True)
    loading = Bool(False).tag(sync=True)
    error = Unicode("").tag(sync=True)
    note = Unicode("").tag(sync=True)  # what of the archive's list could not be read

    kinds = Any([]).tag(sync=True)
    levels = Any([]).tag(sync=True)
    suffixes = Any([]).tag(sync=True)
    types = Any([]).tag(sync=True)
    recommended = Bool(False).tag(sync=True)
    clutter = Bool(False).tag(sync=True)
    choices = Dict().tag(sync=True)  # of each of the lists above: dicts of value and text
    n_recommended = Int(0).tag(sync=True)
    n_clutter = Int(0).tag(sync=True)

    totals = Dict().tag(sync=True)
    totals_of = Unicode("").tag(sync=True)

    exposed = (*PagedTable.exposed, *_CHOICES)

    @default("components")
    def _components(self):
        return TOTALS_COMPONENT

    def __init__(self, plugin, *, on_selection, on_import, on_basket, on_close):
        self._on_import, self._on_basket, self._on_close = on_import, on_basket, on_close
        self._known = KnownProducts(Table())
        super().__init__(plugin, "products", on_selection)
        self.observe(self._choice_changed, list(_CHOICES))

    def show(self, table, title="", heading="Products of"):
        """Show a table of products; what was chosen among others is forgotten.

        Parameters
        ----------
        table : `~astropy.table.Table` or None
        title : str
            What they are the products of.
        heading : str
            What stands before it.
        """
        self._known = KnownProducts(Table() if table is None else table)
        self.heading, self.title, self.loading, self.error = heading, title, False, ""
        self.is_open = table is not None
        self.note = " ".join(() if table is None else table.meta.get(UNREADABLE, ()))
        self.n_clutter = int(self._known.clutter.sum())
        self.n_recommended = int(self._known.recommended.sum())
        self.unobserve(self._choice_changed, list(_CHOICES))
        with self.hold_sync():
            self.kinds, self.levels, self.suffixes, self.types = [], [], [], []
            self.recommended = self.clutter = False
        self.observe(self._choice_changed, list(_CHOICES))
        super().show(table)
        self._count()

    def wait_for(self, title, heading="Products of"):
        """Show that the products of something are being asked for."""
        self.show(None)
        self.heading, self.title, self.is_open, self.loading = heading, title, True, True

    def say(self, error):
        """Show, instead of products, why there are none."""
        self.loading, self.error = False, error

    @property
    def chosen(self):
        """The selected products, or those that match if none is selected, or None."""
        return self.matching_rows if self.selected is None else self.selected

    @validate("kinds", "levels", "suffixes", "types")
    def _check_choice(self, proposal):
        name, value = proposal.trait.name, proposal.value
        try:
            choice = _choice({name: value})
        except TypeError as error:  # what is in it cannot be compared
            raise InvalidInput(name, value, "give one value, or several in a list") from error
        self._known.check(choice, {name: name})
        return value

    def _choice(self):
        return _choice({name: getattr(self, name) for name in _CHOICES})

    def _choice_changed(self, _):
        self._filter_changed()
        self._count()

    def _count(self):
        """Send what there is to choose from, with how many products that would leave."""
        self.choices = {
            name: [
                {"value": value, "text": f"{value if text is None else text(value)} ({n:,})"}
                for value, n in sorted(counts.items())
                if n or value in _several(getattr(self, name))
            ]
            for (name, counts), text in zip(
                self._known.counts(self._choice()).items(),
                (None, _level_in_words, None, None),
                strict=True,
            )
        }

    # what is in it

    def _let_through(self):
        return self._known.matching(self._choice())

    def _texts_to_filter(self):
        columns = ("productFilename", "description", "filters", "obs_id")
        texts = [cell_texts(self._table, name) for name in columns]
        return [*texts, self._known.names.tolist(), self._known.suffixes.tolist()]

    def _cells(self, page, indices):
        configuration = self._plugin._app.config
        kinds = [self._known.kinds[n] for n in indices]
        sizes = self._known.sizes[indices].tolist()
        rights = cell_texts(page, "dataRights")
        return {
            "kind": [kind.name for kind in kinds],
            "badge": [kind.badge for kind in kinds],
            "format": [kind.format or kind.name for kind in kinds],
            "why_not": [kind.why_not(configuration) for kind in kinds],
            "calib_level": cell_texts(page, "calib_level"),
            "size": [MISSING if size < 0 else bytes_in_words(size) for size in sizes],
            "dataRights": rights,
            "locked": [text not in (MISSING, "", RIGHTS["PUBLIC"]) for text in rights],
            "productFilename": cell_texts(page, "productFilename"),
            "description": cell_texts(page, "description"),
        }

    def _sort_values(self, name):
        if name == "kind":
            names = self._known.names
            return names, np.zeros(len(names), dtype=bool)
        if name == "size":
            return self._known.sizes, self._known.sizes < 0
        return super()._sort_values(name)

    # from the page

    def vue_import_row(self, index):
        """Import one product."""
        if 0 <= index < len(self):
            self._on_import(self.row(index))

    def vue_origin(self, index):
        """Show where one product comes from."""
        if self.on_provenance is not None and 0 <= index < len(self):
            self.on_provenance(self.row(index))

    def vue_import_chosen(self, _=None):
        """Import the selected products."""
        if self.selected is not None:
            self._on_import(self.selected)

    def vue_into_basket(self, _=None):
        """Put the selected products into the basket."""
        if self.selected is not None:
            self._on_basket(self.selected)

    def vue_close(self, _=None):
        """Fold it up."""
        self._on_close()


def _choice(given):
    return Choice(
        kinds=frozenset(map(str, _several(given.get("kinds")))),
        levels=frozenset(_level(one) for one in _several(given.get("levels"))),
        suffixes=frozenset(str(one).lower() for one in _several(given.get("suffixes"))),
        types=frozenset(str(one).upper() for one in _several(given.get("types"))),
        recommended=given.get("recommended", False),
        clutter=given.get("clutter", False),
    )


def _several(value):
    """Return what was chosen as a list; from Python it may be one value."""
    if value is None or value == "":
        return []
    if isinstance(value, str) or not isinstance(value, Iterable):
        return [value]
    return list(value)


def _level(value):
    return int(value) if str(value).lstrip("-").isdigit() else value


def _level_in_words(level):
    return "unknown" if level < -1 else f"level {level}"
