"""What of the kept data is fresh: the Refresh button, what it found, and new versions to fetch."""

from ipyvuetify import VuetifyTemplate
from traitlets import Bool, Int, List, Unicode

from jdaviz_mast.tray.words import counted, cut

__all__ = ["FreshnessPanel"]

_MOST_LINES = 30
_MOST_UPDATES = 20
_LONGEST = 300


class FreshnessPanel(VuetifyTemplate):
    """The section on data that are here already.

    Parameters
    ----------
    on_refresh, on_cancel, on_provenance, on_cite : callable
        Called with nothing when their button was pressed; must not wait.
    on_fetch : callable
        Called with the `~jdaviz_mast.library.updates.Update` whose button was pressed.
    """

    template_file = __file__, "freshness_panel.vue"

    shown = Bool(False).tag(sync=True)
    has_layers = Bool(False).tag(sync=True)
    busy = Bool(False).tag(sync=True)
    updates = List().tag(sync=True)  # one page of dicts: kind, name, words
    n_updates = Int(0).tag(sync=True)
    message = Unicode("").tag(sync=True)
    message_type = Unicode("info").tag(sync=True)
    lines = List().tag(sync=True)  # what has changed, in words

    def __init__(self, *, on_refresh, on_cancel, on_fetch, on_provenance, on_cite):
        super().__init__()
        self._on_refresh, self._on_cancel, self._on_fetch = on_refresh, on_cancel, on_fetch
        self._on_provenance, self._on_cite = on_provenance, on_cite
        self._updates = []

    def show_updates(self, updates):
        """Show what the archive has reprocessed or made public."""
        self._updates = list(updates)
        rows = [
            {
                "kind": update.kind,
                "name": cut(update.name, 200),
                "words": cut(
                    "public now" if update.kind == "public" else f"{update.old} → {update.new}", 100
                ),
            }
            for update in self._updates[:_MOST_UPDATES]
        ]
        with self.hold_sync():
            self.updates, self.n_updates = rows, len(self._updates)
            self.shown = self.shown or bool(rows)

    def wait(self):
        """Show that the archive is asked."""
        with self.hold_sync():
            self.busy, self.message, self.lines = True, "", []

    def show_report(self, report, labels):
        """Show what a refresh has found.

        Parameters
        ----------
        report : `jdaviz_mast.library.RefreshReport`
        labels : list of str
            Of the layers whose metadata are others now.
        """
        first, *lines = report.lines()
        if len(lines) > _MOST_LINES:
            lines = [*lines[:_MOST_LINES], f"And {len(lines) - _MOST_LINES:,} more."]
        if labels:
            first += f" {counted(len(labels), 'layer')} updated."
        with self.hold_sync():
            self.busy, self.message = False, first
            self.message_type = "warning" if report.missing else "success"
            self.lines = [cut(line, _LONGEST) for line in lines]

    def fail(self, sentence):
        """Say what went wrong; nothing for what was cancelled."""
        with self.hold_sync():
            self.busy, self.message, self.lines = False, sentence, []
            self.message_type = "error"

    # From the page

    def vue_refresh(self, _=None):
        """Ask for all rows anew."""
        self._on_refresh()

    def vue_cancel(self, _=None):
        """Stop asking."""
        self._on_cancel()

    def vue_fetch(self, index):
        """Fetch what the archive has of one."""
        if isinstance(index, int) and 0 <= index < len(self._updates):
            self._on_fetch(self._updates[index])

    def vue_provenance(self, _=None):
        """Show where the layers come from."""
        self._on_provenance()

    def vue_cite(self, _=None):
        """Show what to cite."""
        self._on_cite()

    def vue_clear(self, _=None):
        """Take the report away."""
        with self.hold_sync():
            self.message, self.lines = "", []
