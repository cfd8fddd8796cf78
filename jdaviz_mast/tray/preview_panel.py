"""The preview of a row: a picture below the table, which can be put on the sky."""

from traitlets import Bool, Unicode

from jdaviz_mast.errors import MastError
from jdaviz_mast.tray.form import sentence
from jdaviz_mast.tray.panel import Panel
from jdaviz_mast.viewer import jdaviz_api
from jdaviz_mast.viewer.previews import place_preview, why_not_placed

__all__ = ["PreviewPanel"]


class PreviewPanel(Panel):
    """Shows one preview at a time; fetched beside the page.

    Parameters
    ----------
    app : jdaviz's private application
    owner : `jdaviz_mast.viewer.owner_thread.OwnerThread`
    mast : `jdaviz_mast.Mast`
    """

    template_file = __file__, "preview_panel.vue"

    source = Unicode("").tag(sync=True)  # where the picture is from, in words
    image = Unicode("").tag(sync=True)  # a data URL of a picture that was written here
    placeable = Bool(False).tag(sync=True)
    why_not = Unicode("").tag(sync=True)  # why it cannot be put on the sky

    def __init__(self, app, owner, mast):
        super().__init__(owner, mast)
        self._app, self._preview, self._placed = app, None, None

    def start(self, observation, title):
        """Fetch the preview of an observation and show it; return the `Worker`.

        Parameters
        ----------
        observation : `~astropy.table.Table` of one row, or str
        title : str
            What to call it until more is known.
        """
        mast = self._mast
        return self._ask(
            title,
            lambda check_cancelled: mast.preview(observation, check_cancelled=check_cancelled),
        )

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

    def _clear(self):
        self._preview = self._placed = None
        self.image, self.source, self.placeable, self.why_not = "", "", False, ""

    def _show(self, preview):
        self._preview = preview
        name = preview.uri.rsplit("/", 1)[-1]
        why_not = why_not_placed(self._app, preview)
        with self.hold_sync():
            self.title, self.busy = preview.title, False
            self.source = f"Drawn from {name}" if preview.plotted else name
            self.image = preview.picture.data_url
            self.placeable, self.why_not = not why_not, why_not

    # From the page

    def vue_place(self, _=None):
        """Put it on the sky."""
        if self._preview is None:
            return
        try:
            self.place()
        except MastError as error:
            self._say(sentence(error), "error")
