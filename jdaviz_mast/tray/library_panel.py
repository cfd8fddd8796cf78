"""The library in the tray: search what is on disk, load it again, remove it."""

from ipyvuetify import VuetifyTemplate
from traitlets import Bool, Int, List, Unicode

from jdaviz_mast.errors import Cancelled
from jdaviz_mast.products import kind_of
from jdaviz_mast.tray.form import sentence
from jdaviz_mast.tray.words import bytes_in_words, counted, cut
from jdaviz_mast.tray.worker import Worker
from jdaviz_mast.viewer import jdaviz_api

__all__ = ["FILES_PER_PAGE", "LibraryPanel", "product_of"]

#: Files on a page of the library.
FILES_PER_PAGE = 8


class LibraryPanel(VuetifyTemplate):
    """A fold with the files of the download folder, a page of them at a time.

    Parameters
    ----------
    app : jdaviz's private application
    mast : `jdaviz_mast.Mast`
    owner : `jdaviz_mast.viewer.owner_thread.OwnerThread`
    on_load : callable
        Called with the path of a file whose button was pressed; must not wait.
    on_removed : callable
        Called with nothing when a file was deleted; it is to `refresh` the list.
    """

    template_file = __file__, "library_panel.vue"

    unfolded = Bool(False).tag(sync=True)
    text = Unicode("").tag(sync=True)
    rows = List().tag(sync=True)
    total = Int(0).tag(sync=True)
    totals = Unicode("").tag(sync=True)  # in words
    page = Int(1).tag(sync=True)
    per_page = Int(FILES_PER_PAGE).tag(sync=True)
    busy = Bool(False).tag(sync=True)
    loading = Unicode("").tag(sync=True)  # key of the row that is being loaded
    message = Unicode("").tag(sync=True)
    message_type = Unicode("info").tag(sync=True)
    message_at = Unicode("").tag(sync=True)  # key of the row that it is of

    def __init__(self, app, mast, owner, on_load, on_removed):
        super().__init__()
        self._app, self._mast, self._owner = app, mast, owner
        self._on_load, self._on_removed = on_load, on_removed
        self._looking, self._stale, self._uris, self._reprocessed = None, True, {}, set()
        jdaviz_api.watch_data(app, self, self.data_changed)

    def look(self, *, page=None, text=None, reread=False):
        """Show a page of what is found, from the disk if ``reread``; return the `Worker`."""
        text = self.text if text is None else text
        page = self.page if page is None else page
        # What a look that is overtaken was to make good is still to be done.
        self._stale = stale = self._stale or reread
        if self._looking is not None:
            self._looking.cancel()
        self.busy = True
        worker = Worker(
            self._owner,
            lambda worker: self._read(text, page, stale, worker.check_cancelled),
            on_done=lambda found: self._show(text, *found),
            on_error=lambda error: self._failed(error, worker),
        )
        self._looking = worker
        return worker.start()

    def refresh(self):
        """Look again if somebody sees it; else when it is unfolded."""
        self._stale = True
        if self.message_type == "info":  # such as of a file that was deleted, and may be back
            self.say("")
        if self.unfolded:
            self.look()

    def say(self, message, kind="info", at=""):
        """Show a sentence above the list, or at the row with that key; empty for none."""
        with self.hold_sync():
            self.message, self.message_type, self.message_at = message, kind, at

    def _read(self, text, page, stale, check_cancelled):
        """Return the page that there is, its files, and the totals; runs on a worker."""
        library = self._mast.open_library(synchronize=False)
        if stale:
            library.synchronize(check_cancelled)
        count, size = library.totals(text)
        page = max(1, min(page, -(-count // FILES_PER_PAGE)))
        files = library.files(text, limit=FILES_PER_PAGE, offset=(page - 1) * FILES_PER_PAGE)
        return page, files, count, size

    def _show(self, text, page, files, count, size):
        self._stale = False
        config = self._app.config
        self._uris = {str(file.path): file.uri for file in files}
        with self.hold_sync():
            self.text, self.page, self.total, self.busy = text, page, count, False
            self.totals = f"{counted(count, 'file')}, {bytes_in_words(size)}" if count else ""
            self.rows = [_row(file, config) for file in files]
            self.data_changed()

    def _failed(self, error, worker):
        if worker is not self._looking:  # a later one has overtaken it
            return
        self.busy = False
        if not isinstance(error, Cancelled):
            self.say(sentence(error), "error")

    def data_changed(self, _=None):
        """Say of the rows that are shown which are in the viewer, and which reprocessed."""
        shown = jdaviz_api.product_uris(self._app)
        rows = []
        for row in self.rows:
            uri = self._uris.get(row["key"])
            rows.append(row | {"shown": uri in shown, "reprocessed": uri in self._reprocessed})
        if rows != self.rows:
            self.rows = rows

    def show_updates(self, updates):
        """Mark the files of which the archive has another version.

        Parameters
        ----------
        updates : list of `jdaviz_mast.library.Update`
        """
        self._reprocessed = {update.uri for update in updates if update.kind == "reprocessed"}
        self.data_changed()

    # From the page

    def vue_toggle(self, _=None):
        """Unfold it, or fold it up."""
        self.unfolded = not self.unfolded
        self.say("")
        if self.unfolded:
            self.look(reread=True)

    def vue_search(self, text):
        """Look for words."""
        if isinstance(text, str):
            self.say("")
            self.look(text=cut(text, 200), page=1)

    def vue_turn(self, page):
        """Show another page."""
        if isinstance(page, int):
            self.look(page=page)

    def vue_load(self, key):
        """Open a file that is shown."""
        if key in self._uris and not self.loading:
            self._on_load(key)

    def vue_remove(self, key):
        """Delete a file that is shown; the page has asked before."""
        if key not in self._uris:
            return
        mast = self._mast

        def work(worker):
            library = mast.open_library(synchronize=False)
            file = library.file(key)
            library.remove(key)
            return file

        def done(file):
            self._on_removed()
            self.say(f"{file.name} was deleted, {bytes_in_words(file.size)}." if file else "")

        Worker(self._owner, work, on_done=done,
               on_error=lambda error: self.say(sentence(error), "error", key)).start()  # fmt: skip


def product_of(file):
    """Return the archive's row of a `~jdaviz_mast.library.KeptFile`, or what stands for it."""
    if file.product:
        return file.product
    mission, obs_id = file.path.parent.parent.name, file.path.parent.name
    return {"obs_collection": mission, "obs_id": obs_id, "productFilename": file.name}


def _row(file, config):
    """Return what the page shows of a file."""
    of, product = file.observation, product_of(file)
    kind = kind_of(product)
    taken = (of.get("instrument_name"), of.get("filters") or product.get("filters"))
    version = file.versions.get("PRVVERSION") or file.versions.get("CAL_VER")
    return {
        "key": str(file.path),
        "name": file.name,
        "target": str(of.get("target_name") or product.get("obs_id") or ""),
        "taken": " · ".join(str(value) for value in taken if value),
        "version": f"version {version}" if version else "",
        "when": file.fetched_at[:16].replace("T", " ") + " UTC",
        "size": bytes_in_words(file.size),
        "why_not": "" if kind.opens_in(config) else str(kind.why_not(config)),
        "changed": file.changed,
    }
