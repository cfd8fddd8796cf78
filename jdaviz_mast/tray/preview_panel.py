"""The preview of a row: a picture below the table, which can be put on the sky."""

from ipyvuetify import VuetifyTemplate
from traitlets import Bool, Unicode

from jdaviz_mast.errors import Cancelled, MastError
from jdaviz_mast.tray.form import sentence
from jdaviz_mast.tray.worker import Worker
from jdaviz_mast.viewer import jdaviz_api
from jdaviz_mast.viewer.previews import place_preview, why_not_placed

__all__ = ["PreviewPanel"]


class PreviewPanel(VuetifyTemplate):
    """Shows one preview at a time; fetched beside the page.

    Parameters
    ----------
    app : jdaviz's private application
    owner : `jdaviz_mast.viewer.owner_thread.OwnerThread`
    mast : `jdaviz_mast.Mast`
    """

    template_file = __file__, "preview_panel.vue"

    shown = Bool(False).tag(sync=True)
    busy = Bool(False).tag(sync=True)
    title = Unicode("").tag(sync=True)
    source = Unicode("").tag(sync=True)  # where the picture is from, in words
    image = Unicode("").tag(sync=True)  # a data URL of a picture that was written here
    placeable = Bool(False).tag(sync=True)
    why_not = Unicode("").tag(sync=True)  # why it cannot be put on the sky
    message = Unicode("").tag(sync=True)
    message_type = Unicode("info").tag(sync=True)

    def __init__(self, app, owner, mast):
        super().__init__()
        self._app, self._owner, self._mast = app, owner, mast
        self._worker = self._preview = self._placed = None

    def start(self, observation, title):
        """Fetch the preview of an observation and show it; return the `Worker`.

        Parameters
        ----------
        observation : `~astropy.table.Table` of one row, or str
        title : str
            What to call it until more is known.
        """
        self.close()
        mast = self._mast
        with self.hold_sync():
            self.title, self.shown, self.busy = title, True, True
        worker = Worker(
            self._owner,
            lambda worker: mast.preview(observation, check_cancelled=worker.check_cancelled),
            on_done=self._show,
            on_error=lambda error: self._failed(error, worker),
        )
        self._worker = worker
        return worker.start()

    def place(self):
        """Put the preview that is shown on the sky as a layer; return its label."""
        label = self._placed = place_preview(self._app, self._preview)
        self._say(
            f"{label} is on the sky; the file takes its place when it is imported.", "success"
        )
        return label

    def layers_changed(self):
        """Say so if the preview that was put on the sky is gone: its file takes its place."""
        if self._placed is not None and self._placed not in jdaviz_api.data_labels(self._app):
            self._say(f"{self._placed} is no longer on the sky.", "info")
            self._placed = None

    def close(self):
        """Show nothing."""
        if self._worker is not None:
            self._worker.cancel()
        self._preview = self._placed = None
        with self.hold_sync():
            self.shown, self.busy, self.image, self.source = False, False, "", ""
            self.placeable, self.why_not, self.message = False, "", ""

    def _show(self, preview):
        self._preview = preview
        name = preview.uri.rsplit("/", 1)[-1]
        why_not = why_not_placed(self._app, preview)
        with self.hold_sync():
            self.title, self.busy = preview.title, False
            self.source = f"Drawn from {name}" if preview.plotted else name
            self.image = preview.picture.data_url
            self.placeable, self.why_not = not why_not, why_not

    def _failed(self, error, worker):
        if worker is not self._worker:  # another row's is shown by now
            return
        self.busy = False
        if isinstance(error, Cancelled):
            self.shown = False
        else:
            self._say(sentence(error), "error")

    def _say(self, message, kind):
        with self.hold_sync():
            self.message, self.message_type = message, kind

    # From the page

    def vue_place(self, _=None):
        """Put it on the sky."""
        if self._preview is None:
            return
        try:
            self.place()
        except MastError as error:
            self._say(sentence(error), "error")

    def vue_close(self, _=None):
        """Show nothing."""
        self.close()
