"""The half of the tray that searches: its fields, the fold of filters, recent searches, pages."""

from traitlets import Any, Bool, Int, List, Unicode

from jdaviz_mast.archive import META, ROWS_AT_MOST
from jdaviz_mast.errors import Cancelled
from jdaviz_mast.tray.form import (
    COORDINATES,
    DATASET,
    OBSERVATION,
    PROGRAM,
    TARGET,
    UNITS,
    SearchForm,
    sentence,
)
from jdaviz_mast.tray.import_side import ImportSide
from jdaviz_mast.tray.more_filters import MoreFilters
from jdaviz_mast.tray.recent import RecentSearches, remember
from jdaviz_mast.tray.words import some_of
from jdaviz_mast.tray.worker import Worker

__all__ = ["SearchSide"]

#: The fields that each search is about.
_SUBJECTS = {TARGET: ("target",), COORDINATES: ("ra", "dec"), OBSERVATION: ("observation_id",),
             PROGRAM: ("program_id",), DATASET: ("dataset",)}  # fmt: skip


class SearchSide(ImportSide):
    """Asks the archive, page by page, and remembers what was asked.

    What it is the side of has the selects ``search_by``, ``radius_unit`` and ``mission``, and the
    table ``observations``.
    """

    target = Unicode("").tag(sync=True)
    ra = Any("").tag(sync=True)
    dec = Any("").tag(sync=True)
    radius = Any(0.1).tag(sync=True)
    observation_id = Unicode("").tag(sync=True)
    program_id = Any("").tag(sync=True)
    dataset = Unicode("").tag(sync=True)
    all_levels = Bool(False).tag(sync=True)

    filters_widget = Unicode().tag(sync=True)
    recent_widget = Unicode().tag(sync=True)

    searching = Bool(False).tag(sync=True)
    search_message = Unicode("").tag(sync=True)
    search_message_type = Unicode("info").tag(sync=True)
    search_notes = List().tag(sync=True)  # who resolved the target, what is known of the star
    n_rows = Int(0).tag(sync=True)
    results_of = Unicode("").tag(sync=True)  # the search that the rows are of
    more_note = Unicode("").tag(sync=True)  # of the rows that are still at the archive
    fetching_more = Bool(False).tag(sync=True)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.more_filters = MoreFilters(self.mast, self._owner, on_search=self._start_search)
        self.recent = RecentSearches(self._owner, on_choice=self._restore)
        self.filters_widget = "IPY_MODEL_" + self.more_filters.model_id
        self.recent_widget = "IPY_MODEL_" + self.recent.model_id
        self._search_worker = self._more_worker = None
        self._arguments, self._page, self._total = None, 1, 0

    def search(self):
        """Ask the archive, show what it holds, and return it.

        Returns
        -------
        observations : `~astropy.table.Table`
            MAST's own columns; of a long answer the first ``jdaviz_mast.conf.page_size`` rows.
            The next come as the table is paged, or with `fetch_more`.

        Raises
        ------
        jdaviz_mast.errors.MastError
            The kind says what went wrong; the tray shows the same sentence.
        """
        return self._start_search().wait()

    def cancel_search(self):
        """Stop the search that is running, if any."""
        for worker in (self._search_worker, self._more_worker):
            if worker is not None:
                worker.cancel()

    def fetch_more(self):
        """Fetch the next rows of a long answer, and append them to the table.

        Returns
        -------
        observations : `~astropy.table.Table` or None
            All rows that there are now; None if there were no more.
        """
        worker = self._start_more()
        if worker is None:
            return None
        worker.wait()
        return self.observations.table

    def _start_search(self):
        self.cancel_search()
        form, fields, mast = self._form(), self._fields(), self.mast
        self.searching = True
        self.search_message = ""
        if not self.importing:
            self.import_message = ""

        def work(worker):
            found = mast.search(**form.arguments(), page=1, check_cancelled=worker.check_cancelled)
            remember(form.in_words(), fields)
            return found

        self._search_worker = Worker(
            self._owner,
            work,
            on_done=lambda observations: self._show_observations(observations, form),
            on_error=self._search_failed,
        ).start()
        return self._search_worker

    def _form(self):
        """Take down what the fields say now."""
        by = self.search_by_selected
        subject = tuple(getattr(self, name) for name in _SUBJECTS[by])
        return SearchForm(
            by=by,
            subject=subject if by == COORDINATES else subject[0],
            radius=self.radius,
            unit=self.radius_unit_selected,
            mission=self.mission_selected,
            all_levels=self.all_levels,
            more=self.more_filters.fields,
        )

    def _show_observations(self, observations, form):
        about = observations.meta.get(META, {})
        self._arguments, self._page = form.arguments(), 1
        self._total = about.get("total", len(observations))
        self._show_rows(observations, form.in_words())
        self.search_notes = [str(note) for note in about.get("notes", [])]
        self._note_more()
        kind, said = "success" if self.n_rows else "info", form.found(self._total)
        if failed := list(about.get("failed", [])):
            kind, said = "warning", f"{said} Without {some_of(failed)}: see below."
        self._say("search", said, kind)

    def _show_rows(self, observations, of):
        """Put the answer to a question into the table; ``of`` is what stands over it."""
        self.observations.show(observations)
        self.n_rows, self.results_of = len(observations), of
        self.searching = False

    def _search_failed(self, error):
        self.searching = False
        kept = " The table still shows the search before." if self.n_rows else ""
        if isinstance(error, Cancelled):
            self._say("search", f"The search was cancelled.{kept}")
        else:
            self._say("search", sentence(error) + kept, "error")

    # The rest of a long answer

    @property
    def _there_is_more(self):
        return self.n_rows < min(self._total, ROWS_AT_MOST)

    def _note_more(self, problem=""):
        if self.n_rows >= self._total:
            self.more_note = ""
            return
        here = f"{self.n_rows:,} of {self._total:,} observations are here"
        if self.n_rows >= ROWS_AT_MOST:
            rest = f"MAST answers no more than {ROWS_AT_MOST:,}. Add filters to see the rest"
        else:
            rest = problem or "the next come as you page; sorting and filtering know these alone"
        self.more_note = f"{here}; {rest}."

    def _forget_rest(self):
        """Say that the rows that are shown are all; for answers of other questions than ours."""
        self._arguments, self._total = None, self.n_rows
        self.search_notes, self.more_note = [], ""

    def _paged(self, _=None):
        """Fetch the next rows when the user has come to the last ones."""
        options = self.observations.options
        size = int(options.get("itemsPerPage", 10))
        last = size <= 0 or int(options.get("page", 1)) * size >= self.observations.matching
        if last and int(options.get("page", 1)) > 1 and not self.observations.filter_text:
            self._start_more()

    def _start_more(self):
        if self.fetching_more or self.searching or not self._there_is_more:
            return None
        self.fetching_more = True
        mast, arguments, page = self.mast, self._arguments, self._page + 1

        def failed(error):
            self.fetching_more = False
            if not isinstance(error, Cancelled):
                self._note_more(f"the next did not come: {sentence(error).rstrip('.')}")

        self._more_worker = Worker(
            self._owner,
            lambda worker: mast.search(
                **arguments, page=page, check_cancelled=worker.check_cancelled
            ),
            on_done=lambda rows: self._append(rows, page),
            on_error=failed,
        ).start()
        return self._more_worker

    def _append(self, rows, page):
        self.fetching_more = False
        self._page = page
        notes = rows.meta.get(META, {}).get("notes", [])
        self.search_notes = list(dict.fromkeys([*self.search_notes, *notes]))
        if len(rows):
            self.observations.append(rows)
        else:  # there are fewer than the archive had said
            self._total = self.n_rows
        self.n_rows = len(self.observations)
        self._note_more()

    # Recent searches

    def _fields(self):
        """Return what is needed to put this search back into the fields, for JSON."""
        by = self.search_by_selected
        plain = {name: str(getattr(self, name)) for name in _SUBJECTS[by]}
        return plain | {
            "search_by": by,
            "radius": self.radius if isinstance(self.radius, int | float) else str(self.radius),
            "radius_unit": self.radius_unit_selected,
            "mission": self.mission_selected,
            "all_levels": self.all_levels,
            "more": self.more_filters.fields,
        }

    def _restore(self, fields):
        """Put a search back into the fields; what is not understood is left out."""
        by = fields.get("search_by")
        if by not in _SUBJECTS:
            return
        with self.hold_sync():
            self.search_by_selected = by
            for name in _SUBJECTS[by]:
                setattr(self, name, str(fields.get(name, "")))
            self.radius = fields.get("radius", 0.1)
            if fields.get("radius_unit") in UNITS:
                self.radius_unit_selected = fields["radius_unit"]
            if fields.get("mission") in self.mission.choices:
                self.mission_selected = fields["mission"]
            self.all_levels = fields.get("all_levels") is True
        more = fields.get("more")
        self.more_filters.fill(more if isinstance(more, dict) else {})

    # From the page

    def vue_search(self, *_):
        """Search, without waiting."""
        self._start_search()

    def vue_cancel_search(self, *_):
        """Stop the search."""
        self.cancel_search()

    def vue_fetch_more(self, *_):
        """Fetch the next rows, without waiting."""
        self._start_more()
