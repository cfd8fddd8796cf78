"""A panel that asks one thing beside the page, and shows what comes back."""

from ipyvuetify import VuetifyTemplate
from traitlets import Bool, Unicode

from jdaviz_mast.errors import Cancelled
from jdaviz_mast.tray.form import sentence
from jdaviz_mast.tray.worker import Worker

__all__ = ["Panel"]


class Panel(VuetifyTemplate):
    """Base of the panels for previews, provenance and citations.

    Parameters
    ----------
    owner : `jdaviz_mast.viewer.owner_thread.OwnerThread`
    mast : `jdaviz_mast.Mast`
    """

    shown = Bool(False).tag(sync=True)
    busy = Bool(False).tag(sync=True)
    title = Unicode("").tag(sync=True)
    message = Unicode("").tag(sync=True)
    message_type = Unicode("info").tag(sync=True)

    def __init__(self, owner, mast):
        super().__init__()
        self._owner, self._mast, self._worker = owner, mast, None

    def close(self):
        """Show nothing."""
        if self._worker is not None:
            self._worker.cancel()
        with self.hold_sync():
            self.shown, self.busy, self.message = False, False, ""
            self._clear()

    def _ask(self, title, call):
        """Open the panel, and have `_show` called with what a call returns.

        The call is given a callable ``check_cancelled``. Returns the `Worker`.
        """
        self.close()
        with self.hold_sync():
            self.title, self.shown, self.busy = title, True, True
        worker = Worker(
            self._owner,
            lambda worker: call(worker.check_cancelled),
            on_done=self._show,
            on_error=lambda error: self._failed(error, worker),
        )
        self._worker = worker
        return worker.start()

    def _show(self, found):
        raise NotImplementedError

    def _clear(self):
        """Forget what was shown."""
        raise NotImplementedError

    def _failed(self, error, worker):
        if worker is not self._worker:  # something else is shown by now
            return
        self.busy = False
        if isinstance(error, Cancelled):
            self.shown = False
        else:
            self._say(sentence(error), "error")

    def _say(self, message, kind):
        with self.hold_sync():
            self.message, self.message_type = message, kind

    def vue_close(self, _=None):
        """Show nothing."""
        self.close()
