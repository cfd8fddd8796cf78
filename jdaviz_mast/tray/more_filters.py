"""The fold “More filters”: what narrows a search, besides its subject and the mission."""

from ipyvuetify import VuetifyTemplate
from jdaviz.core.user_api import UserApiWrapper
from traitlets import Any, Bool, Int, List, Unicode

from jdaviz_mast.archive import DATA_TYPES
from jdaviz_mast.tray.form import ANY, sentence
from jdaviz_mast.tray.worker import Worker

__all__ = ["MoreFilters"]

#: What the fields are before anything is typed.
_EMPTY = {
    "instrument": "", "filters": "",
    "wavelength_from": "", "wavelength_to": "", "wavelength_unit": "um",
    "date_from": "", "date_to": "",
    "exposure_from": "", "exposure_to": "",
    "data_type": ANY, "rights": ANY, "author": "",
    "keywords": [],
}  # fmt: skip
_MOST_KEYWORDS = 12


class MoreFilters(VuetifyTemplate):
    """Fields for filters, folded away, with a count of those in force.

    Parameters
    ----------
    mast : `jdaviz_mast.Mast`
    owner : `jdaviz_mast.viewer.owner_thread.OwnerThread`
    on_search : callable
        Called without arguments when Enter was pressed in a field; must not wait.
    """

    template_file = __file__, "more_filters.vue"

    instrument = Unicode("").tag(sync=True)
    filters = Unicode("").tag(sync=True)
    wavelength_from = Any("").tag(sync=True)
    wavelength_to = Any("").tag(sync=True)
    wavelength_unit = Unicode("um").tag(sync=True)
    wavelength_units = List(["um", "nm", "Angstrom"]).tag(sync=True)
    date_from = Any("").tag(sync=True)
    date_to = Any("").tag(sync=True)
    exposure_from = Any("").tag(sync=True)
    exposure_to = Any("").tag(sync=True)
    data_type = Unicode(ANY).tag(sync=True)
    data_types = List([ANY, *DATA_TYPES]).tag(sync=True)
    rights = Unicode(ANY).tag(sync=True)
    rights_choices = List([ANY, "public", "exclusive"]).tag(sync=True)
    author = Unicode("").tag(sync=True)
    keywords = List().tag(sync=True)  # of {"name": …, "value": …}
    in_force = Int(0).tag(sync=True)

    known_keywords = List().tag(sync=True)  # of {"name": …, "type": …, "description": …}
    keyword_note = Unicode("").tag(sync=True)
    loading = Bool(False).tag(sync=True)

    def __init__(self, mast, owner, on_search):
        super().__init__()
        self._mast, self._owner, self._on_search = mast, owner, on_search
        self.observe(self._count, list(_EMPTY))

    @property
    def user_api(self):
        """What a notebook may use."""
        return UserApiWrapper(self, expose=(*_EMPTY, "clear"), readonly=("in_force",))

    @property
    def fields(self):
        """What is in the fields, as `jdaviz_mast.tray.form.filter_arguments` takes it."""
        return {name: getattr(self, name) for name in _EMPTY}

    def fill(self, fields):
        """Put values into the fields; those that are not named become empty."""
        with self.hold_sync():
            for name, empty in _EMPTY.items():
                value = fields.get(name, empty)
                setattr(self, name, list(value) if name == "keywords" else value)

    def clear(self):
        """Empty all fields."""
        self.fill({})

    def _count(self, _=None):
        fields = self.fields
        ranges = ("wavelength", "date", "exposure")
        count = sum(
            bool(str(fields[f"{name}_from"]).strip() or str(fields[f"{name}_to"]).strip())
            for name in ranges
        )
        count += sum(bool(fields[name].strip()) for name in ("instrument", "filters", "author"))
        count += sum(fields[name] != ANY for name in ("data_type", "rights"))
        self.in_force = count + len(fields["keywords"])

    # From the page

    def vue_open(self, _=None):
        """Ask for the list of keywords, once, when somebody looks."""
        if self.known_keywords or self.loading:
            return
        self.loading, self.keyword_note = True, ""
        Worker(
            self._owner,
            lambda worker: self._mast.keywords("JWST", check_cancelled=worker.check_cancelled),
            on_done=self._show_keywords,
            on_error=self._no_keywords,
        ).start()

    def _show_keywords(self, table):
        self.loading = False
        self.known_keywords = [
            {name: str(row[name]) for name in ("name", "type", "description")} for row in table
        ]

    def _no_keywords(self, error):
        self.loading = False
        self.keyword_note = f"The list of keywords did not come: {sentence(error)}"

    def vue_add_keyword(self, pair):
        """Add one keyword with its value."""
        name, value = (str(pair.get(key) or "").strip() for key in ("name", "value"))
        if name and value and len(self.keywords) < _MOST_KEYWORDS:
            self.keywords = [*self.keywords, {"name": name, "value": value}]

    def vue_drop_keyword(self, index):
        """Take one keyword away."""
        self.keywords = [pair for i, pair in enumerate(self.keywords) if i != index]

    def vue_clear(self, _=None):
        """Empty all fields."""
        self.clear()

    def vue_search(self, _=None):
        """Search, without waiting."""
        self._on_search()
